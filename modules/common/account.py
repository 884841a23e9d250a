"""The account, region and partition that a stack's resources are in."""

from __future__ import annotations

from functools import cached_property

from cdktf import TerraformStack
from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
from cdktf_cdktf_provider_aws.data_aws_partition import DataAwsPartition
from cdktf_cdktf_provider_aws.data_aws_region import DataAwsRegion
from constructs import Construct

from synthesis.expression import ref, text
from synthesis.stack import Place
from synthesis.typed import typed


def region_code(scope: Construct) -> str:
    """The region's code, such as ``eu-west-1``, or an expression of it; a construct asks once."""
    place = _place_of(scope)
    if place:
        return place.region
    # ``name`` is deprecated from version 6 of the provider on, which ``region`` came with; both have ``id``.
    code: str = typed(str, str(ref(DataAwsRegion(scope, "Region")).id))
    return code


def _place_of(scope: Construct) -> Place | None:
    return getattr(TerraformStack.of(scope), "place", None)


class Account:
    """What ARNs and names are made of that plans show before the resources are there.

    What the stack does not know is a data source, which is read only where its value is used.
    """

    def __init__(self, scope: Construct) -> None:
        """Ask on behalf of a construct.

        Args:
            scope: the construct, which the data sources are of.
        """
        self._scope, self._place = scope, _place_of(scope)

    @cached_property
    def id(self) -> str:
        """The account, as text."""
        if self._place and self._place.account_id:
            return self._place.account_id
        return text(ref(DataAwsCallerIdentity(self._scope, "Caller")).account_id)

    @cached_property
    def region(self) -> str:
        """The region's code, as text."""
        return region_code(self._scope)

    @cached_property
    def partition(self) -> str:
        """The partition, such as ``aws``, as text."""
        if self._place:
            return self._place.partition
        return text(ref(DataAwsPartition(self._scope, "Partition")).partition)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource in this region and account."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.id}:{resource}"
