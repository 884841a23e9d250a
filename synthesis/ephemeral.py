"""Terraform's ephemeral resources, which CDKTF has no classes for: their values are in no plan and no state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from cdktf import TerraformStack
from constructs import Construct

from synthesis.expression import Expression

if TYPE_CHECKING:
    from synthesis.stack import ScytheStack


def ephemeral(scope: Construct, type_: str, name: str, arguments: Mapping[str, object]) -> Expression:
    """Declare an ephemeral resource and give its address.

    Its attributes may stand in write-only arguments, other ephemeral resources and provider configurations alone
    (https://developer.hashicorp.com/terraform/language/block/ephemeral).

    Args:
        scope: the construct that it is made for.
        type_: its type, such as ``aws_secretsmanager_random_password``.
        name: its name, of its own among the stack's.
        arguments: in Terraform's JSON syntax.
    """
    stack = cast("ScytheStack", TerraformStack.of(scope))
    stack.add_override(f"ephemeral.{type_}.{name}", dict(arguments))
    stack.ephemerals.append((scope, type_, name))
    return Expression(f"ephemeral.{type_}.{name}")
