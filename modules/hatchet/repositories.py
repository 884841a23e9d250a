"""The environment's own copies of the engine's images, in ECR."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.ecr_repository import EcrRepository, EcrRepositoryImageScanningConfiguration
from constructs import Construct

from modules.common.image_encryption import encrypt_images
from modules.hatchet.images import ENGINE, RABBITMQ, UPSTREAM
from modules.hatchet.settings import HatchetSettings
from synthesis.expression import Expression, each, local, ref, text
from synthesis.literals import hcl
from synthesis.stack import Label, attribute
from synthesis.suppression import suppress


@dataclass(frozen=True)
class RepositoryAttributes:
    """The repositories of the engine's images."""

    hatchet_repository_urls: Expression = attribute(
        "URLs of the ECR repositories of Hatchet's images by name; empty where they come from upstream.",
        "map(string)",
    )


class Repositories(Construct):
    """A repository for each of the engine's images, where ``hatchet.image_registry`` is ``ecr``.

    ``scythe-aws image mirror`` fills them. Tags are immutable. They go with their images, which can be copied again.

    Costs: $0.10 a GB-month, of which there are about two (us-east-1).

    Attributes:
        attributes: what other stacks need of them.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        label: Label,
        settings: HatchetSettings,
        repositories_key_arn: Expression,
    ) -> None:
        super().__init__(scope, id_)
        names = hcl(sorted(UPSTREAM))
        wanted = (
            f'[for name in {names} : name if {settings.mode} == "self_hosted" && '
            f'{settings.image_registry} == "ecr" && (name != "{RABBITMQ}" || {settings.broker} == "rabbitmq")]'
        )
        repositories = EcrRepository(
            self,
            "Repository",
            for_each=each(f"toset({wanted})"),
            name=f"{text(label.name)}/${{each.key}}",
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=EcrRepositoryImageScanningConfiguration(scan_on_push=True),
            force_delete=True,
            tags=label.tagged(),
        )
        encrypt_images(repositories, repositories_key_arn)
        suppress(
            repositories,
            {"CKV_AWS_136": "without kms.repositories ECR's own keys encrypt it; the images are public ones"},
        )
        self.attributes = RepositoryAttributes(
            hatchet_repository_urls=Expression(
                f"{{ for name, repository in {ref(repositories)} : name => repository.repository_url }}"
            )
        )


class Images(Mapping[str, Expression]):
    """The images' addresses as expressions, by their names: upstream, or in the environment's ECR.

    Attributes:
        in_ecr: which of the two.
    """

    def __init__(self, scope: Construct, settings: HatchetSettings, repository_urls: Expression) -> None:
        """Take them from ECR where the repositories are there.

        Args:
            scope: the engine, whose local each address is.
            settings: the engine's.
            repository_urls: the repositories' URLs by the images' names; empty where they come from upstream.
        """
        # Their names are known before they are.
        self.in_ecr = Expression(f"length({repository_urls}) > 0")
        version = f'split("@", {settings.version})[0]'
        upstream = {
            name: {"repository": image.repository, "version": f":{image.tag or text(version)}"}
            for name, image in sorted(UPSTREAM.items())
        }
        # Hatchet's version may have the digest of the engine's image.
        digest = text(f'split("@", {settings.version})[1]')
        upstream[ENGINE]["version"] = text(f'try("@{digest}", "{upstream[ENGINE]["version"]}")')
        address = (
            f'"${{lookup({repository_urls}, name, image.repository)}}'
            f'${{try("@${{{settings.image_digests}[name]}}", image.version)}}"'
        )
        self._addresses = local(
            scope, "images", f"{{ for name, image in {hcl(upstream)} : name => {address} }}"
        )

    def __getitem__(self, name: str) -> Expression:
        return self._addresses[name]

    def __iter__(self) -> Iterator[str]:
        return iter(UPSTREAM)

    def __len__(self) -> int:
        return len(UPSTREAM)
