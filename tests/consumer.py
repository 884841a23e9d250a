"""A platform team's own Terraform configuration, which uses the exported modules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local_aws import LocalAws
from ops.export import write
from ops.export.repository import repository
from ops.terraform import Plan, Terraform

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

    def __init__(self, folder: Path, aws: LocalAws, text: str) -> None:
        self._folder, self._environment = folder, aws.environment
        write(folder / "dist", repository(None))
        (folder / "main.tf").write_text(PROVIDER + text)
        self.terraform().init()

    def terraform(self, **variables: object) -> Terraform:
        given = {f"TF_VAR_{name}": json.dumps(value) for name, value in variables.items()}
        return Terraform(self._folder, {**self._environment, **given})

    def apply(self, **variables: object) -> tuple[Plan, dict[str, Any]]:
        """Apply, see that a second plan is without changes, give the first plan and the outputs."""
        terraform = self.terraform(**variables)
        plan = terraform.plan(self._folder / "plan")
        terraform.apply(self._folder / "plan")
        again = terraform.plan()
        assert not again, dict(again.actions)
        return plan, terraform.outputs()
