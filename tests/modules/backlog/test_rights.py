"""The backlog's service waits for its rights: a task that starts without them fails."""

from __future__ import annotations

from typing import Any

RIGHTS = (
    "aws_iam_role_policy",
    "aws_vpc_security_group_egress_rule",
    "aws_vpc_security_group_ingress_rule",
)


def test_the_service_depends_on_its_roles_policies_and_network_rules(
    templates: dict[str, dict[str, Any]],
) -> None:
    resources = templates["workers"]["resource"]
    rights = {f"{kind}.{name}" for kind in RIGHTS for name in resources[kind] if name.startswith("backlog_")}
    assert {right.partition(".")[0] for right in rights} == set(RIGHTS)
    assert set(resources["aws_ecs_service"]["backlog"]["depends_on"]) == rights
