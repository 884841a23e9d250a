"""Findings of checkov that a resource answers for, written beside it with the reason."""

from __future__ import annotations

from collections.abc import Mapping

from cdktf import TerraformResource


def suppress(resource: TerraformResource, reasons: Mapping[str, str]) -> None:
    """Say why findings of checkov on a resource stand.

    They go into the resource's comment in Terraform's JSON, ``"//": {"checkov": {"CKV_AWS_158": "…"}}``,
    which Terraform ignores and no plan shows (https://developer.hashicorp.com/terraform/language/syntax/json,
    "Comment Properties"). checkov reads suppressions from HCL sources only, so the check of the plans applies
    them, and refuses one that answers no finding.

    Args:
        resource: The resource.
        reasons: Ids of checks, such as ``CKV_AWS_158``, with the reason for each.

    Raises:
        ValueError: A reason is empty.
    """
    for check, reason in reasons.items():
        if not reason.strip():
            raise ValueError(f"{resource.node.path}: the suppression of {check} has no reason")
        resource.add_override(f"//.checkov.{check}", reason)
