"""How ECR encrypts the images of a repository."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.ecr_repository import EcrRepository

from synthesis.expression import Expression, text


def encrypt_images(repository: EcrRepository, key_arn: Expression) -> None:
    """Have ECR encrypt a repository's images with a KMS key, where there is one.

    Pushing and pulling take no right to the key: ECR has grants from whoever creates the repository (Amazon ECR User
    Guide, "Encryption at rest", required IAM permissions).

    Args:
        repository: the repository, which another key replaces.
        key_arn: the key's ARN; null for ECR's own.
    """
    repository.add_override(
        "dynamic.encryption_configuration",
        {
            "for_each": text(f"{key_arn}[*]"),
            "content": {"encryption_type": "KMS", "kms_key": "${encryption_configuration.value}"},
        },
    )
