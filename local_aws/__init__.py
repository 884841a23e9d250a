"""The local AWS: moto's server in a process of its own, with what moto gets wrong corrected."""

from local_aws.local_aws import ACCOUNT_ID, LocalAws, LocalAwsError

__all__ = ["ACCOUNT_ID", "LocalAws", "LocalAwsError"]
