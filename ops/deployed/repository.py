"""A repository of images in the environment's ECR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ops.deployed.aws import code
from ops.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient


@dataclass(frozen=True)
class Repository:
    """A repository that ``<environment>-storage`` makes.

    Attributes:
        ecr: the environment's.
        environment: its name.
        image: the end of the repository's name.
    """

    ecr: ECRClient
    environment: str
    image: str

    @property
    def name(self) -> str:
        """The repository's name in the registry."""
        return f"{self.environment}/{self.image}"

    def digest(self, tag: str) -> str | None:
        """The digest of what has a tag here; None where nothing has.

        Raises:
            CommandError: the repository is not there.
        """
        try:
            found = self.ecr.describe_images(repositoryName=self.name, imageIds=[{"imageTag": tag}])
        except ClientError as error:
            if code(error) == "ImageNotFoundException":
                return None
            if code(error) == "RepositoryNotFoundException":
                raise CommandError(
                    f"the repository {self.name} does not exist yet: "
                    f"run cdktf deploy {self.environment}-storage first"
                ) from None
            raise
        return found["imageDetails"][0]["imageDigest"]
