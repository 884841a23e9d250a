"""The account, region and partition that a stack's resources are in."""

from __future__ import annotations

from collections.abc import Callable

from cdktf import TerraformDataSource, TerraformStack
from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
from cdktf_cdktf_provider_aws.data_aws_partition import DataAwsPartition
from cdktf_cdktf_provider_aws.data_aws_region import DataAwsRegion
from constructs import Construct

from synthesis.expression import Expression, local, ref
from synthesis.literals import hcl
from synthesis.stack import Place
from synthesis.typed import typed

REGION_AND_ACCOUNT = "region_and_account"
"""A module's local with what most ARNs name."""


class Account:
    """What ARNs and names are made of that plans show before the resources are there.

    What the stack does not know is a data source, one for the whole stack, which is read only where its value is used.
    """

    def __init__(self, scope: Construct) -> None:
        """The account of a construct's stack."""
        self._stack = TerraformStack.of(scope)
        self._place: Place | None = getattr(self._stack, "place", None)

    @property
    def id(self) -> str:
        """The account, as text."""
        if self._place and self._place.account_id:
            return self._place.account_id
        return _text(self._read(DataAwsCallerIdentity, "Caller").account_id)

    @property
    def region(self) -> str:
        """The region's code, such as ``eu-west-1``, as text."""
        # ``name`` is deprecated from version 6 of the provider on, which ``region`` came with; both have ``id``.
        return self._place.region if self._place else _text(self._read(DataAwsRegion, "Region").id)

    @property
    def partition(self) -> str:
        """The partition, such as ``aws``, as text."""
        if self._place:
            return self._place.partition
        return _text(self._read(DataAwsPartition, "Partition").partition)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource in this region and account."""
        return f"arn:{self.partition}:{service}:{self._within()}:{resource}"

    def _within(self) -> str:
        within = f"{self.region}:{self.id}"
        if self._place:
            return within
        name = REGION_AND_ACCOUNT
        return _text(self._once(name, lambda: local(self._stack, name, hcl(within))))

    def _read(self, source: Callable[[TerraformStack, str], TerraformDataSource], id_: str) -> Expression:
        return self._once(id_, lambda: ref(source(self._stack, id_)))

    def _once(self, id_: str, make: Callable[[], Expression]) -> Expression:
        known: dict[str, Expression] = self._stack.__dict__.setdefault("scythe_account", {})
        if id_ not in known:
            known[id_] = make()
        return known[id_]


def _text(expression: Expression) -> str:
    said: str = typed(str, str(expression))
    return said
