"""The account, region and partition that a stack's resources are in."""

from __future__ import annotations

from functools import cached_property

from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
from cdktf_cdktf_provider_aws.data_aws_partition import DataAwsPartition
from cdktf_cdktf_provider_aws.data_aws_region import DataAwsRegion
from constructs import Construct

from synthesis.expression import Expression, ref, text


def region_code(scope: Construct) -> Expression:
    """The region's code, such as ``eu-west-1``; a construct asks once."""
    # ``name`` is deprecated from version 6 of the provider on, which ``region`` came with; both have ``id``.
    return ref(DataAwsRegion(scope, "Region")).id


class Account:
    """What ARNs and names are made of that plans show before the resources are there.

    Each data source is read only where its value is used.
    """

    def __init__(self, scope: Construct) -> None:
        """Ask on behalf of a construct.

        Args:
            scope: the construct, which the data sources are of.
        """
        self._scope = scope

    @cached_property
    def id(self) -> str:
        """The account, as text."""
        return text(ref(DataAwsCallerIdentity(self._scope, "Caller")).account_id)

    @cached_property
    def region(self) -> str:
        """The region's code, as text."""
        return text(region_code(self._scope))

    @cached_property
    def partition(self) -> str:
        """The partition, such as ``aws``, as text."""
        return text(ref(DataAwsPartition(self._scope, "Partition")).partition)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource in this region and account."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.id}:{resource}"
