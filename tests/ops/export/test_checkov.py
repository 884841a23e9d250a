"""checkov finds nothing in the exported modules but what a comment in them answers for."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.export import repository, write
from tests.support.tools import checkov

STANDS = {
    ("CKV_AWS_226", "module.hatchet.aws_db_instance.database"),
    *(
        ("CKV_AWS_260", f"module.hatchet.aws_vpc_security_group_ingress_rule.{name}")
        for name in ("dashboard_at_load_balancer", "lb_from_http")
    ),
    ("CKV_AWS_394", "module.network.aws_availability_zones.available"),
}
"""checkov does not evaluate the condition of minor upgrades, which are on for a major version alone. It takes a
rule at port 80 without blocks for one from everywhere; these two let in a group and a prefix list. A new zone comes after those
in use; CDKTF keeps no comment of a data source, in which that would stand."""

NOT_READ = {
    "variables.tf",
    *(f"modules/{name}/variables.tf" for name in ("hatchet", "storage", "worker-fleet")),
}
"""Variables alone, which Terraform reads; checkov's own parser knows no quotes in a template in quotes, and no line that begins with &&
after a call."""


def test_the_exports_workflow_leaves_out_the_same() -> None:
    assert {rule for rule, _ in STANDS} == set(repository.STANDS)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_finding_is_answered_for(tmp_path: Path, modules_repository: dict[str, str]) -> None:
    # What an example or a fixture makes beside the modules stands for what its reader has.
    beside = ("examples/", "tests/")
    write(tmp_path, {path: text for path, text in modules_repository.items() if not path.startswith(beside)})

    found = checkov.scan_sources(tmp_path)

    assert found.failed == STANDS
    assert found.unread <= NOT_READ
    assert found.evaluated > 400
