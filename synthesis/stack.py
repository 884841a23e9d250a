"""The Terraform roots that the constructs are composed in.

`EnvironmentStack` is one state of one environment: provider, backend, the settings as locals, and
what it reads of the stacks before it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Concatenate, ParamSpec, Protocol, TypeVar, cast

import jsii
from cdktf import (
    App,
    DataTerraformRemoteStateLocal,
    DataTerraformRemoteStateS3,
    LocalBackend,
    S3Backend,
    TerraformElement,
    TerraformOutput,
    TerraformStack,
)
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from constructs import Construct, Node
from pydantic import BaseModel

from synthesis.expression import Expression, mapping, text
from synthesis.literals import hcl

TERRAFORM_VERSION = ">= 1.11"
"""Write-only arguments and the S3 backend's own lock file came with 1.11 (Terraform's changelog)."""

STATES = "../../../state"
"""The folder of the local backend's states. Terraform runs in <out>/stacks/<stack>: a relative path keeps the synth the
same wherever it runs."""

Settings = TypeVar("Settings", bound=BaseModel)
Attributes = TypeVar("Attributes", bound="DataclassInstance")
Made = TypeVar("Made", bound=Construct)
Given = ParamSpec("Given")


class DataclassInstance(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Label:
    """What names and tags the resources of a construct, and bounds its roles.

    Attributes:
        name: the environment's name, the first part of every physical name.
        tags: the caller's tags; None where the provider's default tags carry them.
        permissions_boundary: the ARN of the policy that bounds every role, or null; None for no such argument.
    """

    name: Expression
    tags: Expression | None = None
    permissions_boundary: Expression | None = None

    def tagged(
        self, suffix: str | None = None, *, more: Mapping[str, str] | None = None
    ) -> Mapping[str, str] | None:
        """The ``tags`` argument; with a suffix also the ``Name`` that AWS's console shows, and more of a resource's own."""
        named = {**({} if suffix is None else {"Name": f"{text(self.name)}-{suffix}"}), **(more or {})}
        if self.tags is None:
            return named or None
        return mapping(f"merge({self.tags}, {hcl(named)})" if named else self.tags)


OPTIONAL = 'optional(string, "")'
"""The type of an attribute that an object of one's own may leave out."""


def attribute(description: str, type_: str = "string") -> Any:
    """A field of a construct's attributes: what other stacks and a module's callers may read.

    Args:
        description: what the output says of it.
        type_: Terraform's type constraint of it, for modules that are given it.
    """
    return dataclasses.field(metadata={"description": description, "type": type_})


def published(attributes: DataclassInstance | type[DataclassInstance]) -> list[dataclasses.Field[Any]]:
    """The fields that `attribute` made; others have a value of their own in each stack."""
    return [field for field in dataclasses.fields(attributes) if "description" in field.metadata]


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a stack's resources are.

    Attributes:
        region: its code, such as ``eu-west-1``.
        partition: the region's, such as ``aws``.
        account_id: the account; None where only Terraform's credentials say it.
    """

    region: str
    partition: str
    account_id: str | None = None


class ScytheApp(App):
    """CDKTF's app. From here rather than from cdktf, so that the seam of `synthesis` comes before jsii starts."""


class ScytheStack(TerraformStack):
    """A stack whose addresses read like a sentence: ``aws_subnet.private``, ``aws_ecs_service.simulations``.

    A logical id is the path of construct ids below the stack, joined with ``_``. An id in capitals only says
    what kind of thing it is, as the resource's type does, and is left out; the main thing of the stack itself
    is ``this``.

    Attributes:
        ephemerals: who declared an ephemeral resource, its type and its name.
        place: where its resources are; None for a module, whose caller decides.
    """

    place: Place | None = None

    def __init__(self, app: App, id_: str) -> None:
        super().__init__(app, id_)
        self._paths: dict[tuple[str, str], str] = {}
        self.ephemerals: list[tuple[Construct, str, str]] = []

    def text_of(self, file: Path) -> str:
        """The text of a file, in which nothing is a template."""
        text: str = escaped(file.read_text(encoding="utf-8"))
        return text

    @jsii.member(jsii_name="allocateLogicalId")
    def _allocate_logical_id(self, element: TerraformElement | Node) -> str:
        path: str = element.node.path if isinstance(element, TerraformElement) else element.path
        id_ = "_".join(part for part in path.split("/")[1:] if not part[:1].isupper()) or "this"
        first = self._paths.setdefault((type(element).__name__, id_), path)
        if first != path:
            msg = f"{path} and {first} have one address, {type(element).__name__} {id_}: rename one of them"
            raise ValueError(msg)
        return id_

    def publish(self, attributes: DataclassInstance) -> None:
        """Write a construct's attributes as the stack's outputs."""
        for field in published(attributes):
            self.output(field.name, getattr(attributes, field.name), field.metadata["description"])

    def output(self, name: str, value: Expression, description: str) -> None:
        """Write one output."""
        known = {"true": True, "false": False}.get(str(value), text(value))
        TerraformOutput(self, name, value=known, description=description)


@dataclasses.dataclass(frozen=True)
class Backend:
    """Where the states of an environment are kept.

    Attributes:
        bucket: an S3 bucket, or None for files in ``state/`` beside the output folder.
        region: the bucket's region.
        kms_key_id: the KMS key that encrypts the states; None for the bucket's own encryption.
        states: without a bucket, the folder of the states from where Terraform runs.
    """

    bucket: str | None = None
    region: str | None = None
    kms_key_id: str | None = None
    states: str = STATES


@dataclasses.dataclass(frozen=True)
class Deployment:
    """What all stacks of one environment share.

    Attributes:
        environment: the environment's name.
        place: its region, and the only account that Terraform may touch.
        tags: default tags of all resources.
        permissions_boundary: the ARN of the policy that bounds every role; None for none.
        backend: where the states are kept.
    """

    environment: str
    place: Place
    tags: Mapping[str, str]
    permissions_boundary: str | None = None
    backend: Backend = Backend()


class EnvironmentStack(ScytheStack):
    """One Terraform state of an environment, ``<environment>-<part>``."""

    def __init__(self, app: App, deployment: Deployment, part: str) -> None:
        super().__init__(app, f"{deployment.environment}-{part}")
        self._deployment, self.place = deployment, deployment.place
        account_id = deployment.place.account_id
        self._read: set[str] = set()
        AwsProvider(
            self,
            "aws",
            region=deployment.place.region,
            allowed_account_ids=[account_id] if account_id else None,
            default_tags=[AwsProviderDefaultTags(tags={**_own_tags(deployment, part), **deployment.tags})],
        )
        self._keep_state(part)
        self.add_override("terraform.required_version", TERRAFORM_VERSION)
        self.label = Label(
            name=self.local("name", deployment.environment),
            permissions_boundary=self.local("permissions_boundary", deployment.permissions_boundary),
        )

    def make(
        self,
        construct: Callable[Concatenate[Construct, str, Given], Made],
        id_: str,
        *nothing: Given.args,
        **given: Given.kwargs,
    ) -> Made:
        """Make a construct in this stack."""
        return construct(self, id_, *nothing, **given)

    def local(self, name: str, value: object) -> Expression:
        """Write a value as a Terraform local; gives the reference ``local.<name>``."""
        self.add_override(f"locals.{name}", literal(value))
        return Expression(f"local.{name}")

    def settings(self, name: str, settings: Settings) -> Settings:
        """Write settings as the local of that name and give them back as references to it."""
        self.local(name, settings)
        return self.reference(name, settings)

    def values(self, name: str, settings: Settings) -> Settings:
        """Settings as the values that they are, which the local of that name holds too."""
        values: Settings = escaped(settings)
        return values

    def values_by_name(self, name: str, settings: Mapping[str, Settings]) -> dict[str, Settings]:
        """Settings by their names as the values that they are."""
        return {key: self.values(f"{name}.{key}", value) for key, value in settings.items()}

    def reference(self, name: str, settings: Settings) -> Settings:
        """Settings as references to the local that holds them: their ``cidr`` is ``local.network.cidr``.

        They are typed as what they stand for, as CDKTF's tokens are: a construct reads ``settings.cidr``
        without knowing whether it is a local of a stack or a variable of a module.
        """
        return cast("Settings", Expression(f"local.{name}"))

    def read(self, part: str, attributes: type[Attributes]) -> Attributes:
        """What the environment's stack ``part`` published, from its state."""
        if part not in self._read:
            self._read.add(part)
            self._find_state(part)
            # cdktf deploys stacks in the order that the manifest tells, and tells none by a remote state.
            before = self.node.root.node.find_child(f"{self._deployment.environment}-{part}")
            self.add_dependency(cast("TerraformStack", before))
        outputs = Expression(f"data.terraform_remote_state.{part}.outputs")
        return attributes(**{field.name: getattr(outputs, field.name) for field in published(attributes)})

    def _find_state(self, part: str) -> None:
        backend = self._deployment.backend
        if backend.bucket:
            DataTerraformRemoteStateS3(
                self, part, bucket=backend.bucket, region=backend.region, key=self._key(part)
            )
        else:
            DataTerraformRemoteStateLocal(self, part, path=self._path(part))

    def _keep_state(self, part: str) -> None:
        backend = self._deployment.backend
        if not backend.bucket:
            LocalBackend(self, path=self._path(part))
            return
        S3Backend(
            self,
            bucket=backend.bucket,
            region=backend.region,
            key=self._key(part),
            kms_key_id=backend.kms_key_id,
            encrypt=True,
        )
        self.add_override("terraform.backend.s3.use_lockfile", True)

    def _path(self, part: str) -> str:
        return f"{self._deployment.backend.states}/{self._deployment.environment}-{part}.tfstate"

    def _key(self, part: str) -> str:
        return f"scythe-aws/{self._deployment.environment}/{part}.tfstate"


def _own_tags(deployment: Deployment, part: str) -> dict[str, str]:
    return {"project": "scythe", "environment": deployment.environment, "stack": part}


def escaped(value: Any) -> Any:
    """Settings in which no text is a template."""
    if isinstance(value, BaseModel):
        return value.model_copy(update={name: escaped(part) for name, part in value})
    if isinstance(value, Mapping):
        return {key: escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [escaped(item) for item in value]
    return value.replace("${", "$${").replace("%{", "%%{") if isinstance(value, str) else value


def literal(value: object) -> object:
    """Data in Terraform's JSON syntax, in which no text is a template."""
    if isinstance(value, BaseModel):
        return literal(value.model_dump(mode="json"))
    if value is None:
        # CDKTF drops a null, and Terraform would miss the attribute.
        return "${null}"
    if isinstance(value, Mapping):
        return {key: literal(item) for key, item in value.items()}
    # A string of the file is text, never a template.
    return [literal(item) for item in value] if isinstance(value, list | tuple) else escaped(value)
