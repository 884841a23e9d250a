"""A platform team's own Terraform configuration, which uses the exported modules."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local_aws import LocalAws
from ops.export import write
from ops.terraform import Plan, Terraform
from tests.support.providers import Providers

PROVIDER = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

provider "aws" {}
"""


class Consumer:
    """A configuration that calls the modules, with variables that change between applies."""

    def __init__(
        self, folder: Path, aws: LocalAws, providers: Providers, text: str, modules: Mapping[str, str]
    ) -> None:
        self._folder, self._environment, self._providers = folder, aws.environment, providers
        write(folder / "dist", modules)
        (folder / "main.tf").write_text(PROVIDER + text)

    @contextmanager
    def terraform(self, **variables: object) -> Iterator[Terraform]:
        given = {f"TF_VAR_{name}": json.dumps(value) for name, value in variables.items()}
        with self._providers.one(self._folder) as provider:
            yield Terraform(self._folder, {**self._environment, **provider, **given})

    def apply(self, **variables: object) -> tuple[Plan, dict[str, Any]]:
        """Apply, see that a second plan is without changes, give the first plan and the outputs."""
        with self.terraform(**variables) as terraform:
            plan = terraform.plan(self._folder / "plan")
            terraform.apply(self._folder / "plan")
            again = terraform.plan()
            assert not again, dict(again.actions)
            return plan, terraform.outputs()

    def destroy(self, **variables: object) -> None:
        with self.terraform(**variables) as terraform:
            terraform.destroy()
