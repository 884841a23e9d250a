"""The constructs under version 6 of the AWS provider, as its last bindings on PyPI know it.

A registry module is used with the provider that its caller has: what is said here of version 6 is what lets the
modules' upper bound be the version after it. The bindings are made of the provider's schema, so a synthesis refuses
what its types do not take; the rest, which is text to CDKTF, is looked up in them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deployments.spanning import everything
from tests.support.project import ROOT, SELF_HOSTED
from tests.support.tools import provider_6
from tests.support.tools.installation import InstallationError

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FILES = [*sorted((ROOT / "environments").glob("*.yaml")), SELF_HOSTED]


@pytest.fixture(scope="module", autouse=True)
def _bindings() -> None:
    try:
        provider_6.install()
    except InstallationError as error:
        if "HASHES" in str(error):
            raise
        pytest.skip(f"the bindings of version 6 cannot be had: {str(error).splitlines()[-1]}")


def _templates(out: Path) -> dict[str, dict[str, Any]]:
    return {
        template.parent.name: json.loads(template.read_text())
        for template in out.glob("stacks/*/cdk.tf.json")
    }


def _provider(template: Mapping[str, Any]) -> str:
    version: str = template["terraform"]["required_providers"]["aws"].pop("version")
    return version


def test_version_6_takes_the_same_configuration(tmp_path: Path) -> None:
    file = tmp_path / "everything.yaml"
    file.write_text(yaml.safe_dump(everything()))
    files = [*FILES, file]
    five, six = tmp_path / "5" / "out", tmp_path / "6" / "out"
    with ThreadPoolExecutor(2) as pool:
        unknown = pool.map(lambda out: provider_6.synthesize(files, out, six=out is six), (five, six))
        assert list(unknown) == [set(), set()]
    pinned, newest = _templates(five), _templates(six)
    assert {_provider(template).split(".")[0] for template in pinned.values()} == {"5"}
    assert {_provider(template).split(".")[0] for template in newest.values()} == {"6"}
    # No other difference, whatever default an argument has got since.
    assert newest == pinned
    assert len(pinned) > 10
