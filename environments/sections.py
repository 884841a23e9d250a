"""The sections of an environment file: every key, its type and its default."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from environments.regions import REGIONS
from modules.backlog.settings import BacklogSettings
from modules.common.key_settings import KeySettings
from modules.hatchet.settings import HatchetSettings
from modules.network.settings import NetworkSettings
from modules.observability.settings import ObservabilitySettings
from modules.storage.settings import BUCKET_NAME, StorageSettings
from modules.worker_fleet.settings import IMAGE, FleetSettings
from synthesis.allowed import NAME, matching, one_of, policy_arn
from synthesis.functions import is_null, is_set
from synthesis.rules import CrossRule, Rule, Settings

FLEET_NAME = matching(
    "^[a-z]([a-z0-9]|-[a-z0-9]){0,27}$",
    "a name of at most 28 lower-case letters, digits and single hyphens that begins with a letter; backlog, "
    "hatchet, hatchet-... and ...-on-demand are taken",
    unless="^.{29}|^backlog$|^hatchet(-|$)|-on-demand$",
)
"""A fleet's name. Of the names that begin with the environment's and this one only those of roles are cut."""

TAG_KEY = matching(
    r"^[A-Za-z0-9 _.:/=+@-]{1,128}$",
    "a tag's key: at most 128 letters, digits, spaces and _ . : / = + - @, not beginning with aws:",
    unless="^[aA][wW][sS]:",
)
TAG_VALUE = matching(
    r"^[A-Za-z0-9 _.:/=+@-]{0,256}$",
    "a tag's value: at most 256 letters, digits, spaces and _ . : / = + - @ (a number in quotes)",
)
"""IAM User Guide, "Tags for AWS Identity and Access Management resources"; other services take at least this."""

KMS_KEY = matching(
    "^(alias/[A-Za-z0-9/_-]{1,250}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}"
    "|arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/[A-Za-z0-9/_-]+)$",
    "a KMS key's id, ARN or alias such as alias/terraform-state",
)


def known_region() -> Rule:
    """A region by its code."""
    listed = one_of(*REGIONS)
    return Rule("a region of AWS's such as us-east-1 or eu-west-1", listed.check, listed.schema)


def _for_s3_alone(key: str) -> CrossRule:
    return CrossRule(
        (key,),
        "is for backend: s3 alone; leave it out or set backend: s3",
        lambda it: (it.backend == "s3") | is_null(getattr(it, key)),
    )


class StateSettings(Settings):
    """Where Terraform keeps what it knows."""

    backend: Annotated[str, one_of("local", "s3")] = Field(
        default="local", description="Files in state/, or an S3 bucket for more than one person."
    )
    bucket: Annotated[str, BUCKET_NAME] | None = Field(
        default=None,
        description="The bucket of the states, with backend: s3. It must be there, in the same region.",
    )
    kms_key_id: Annotated[str, KMS_KEY] | None = Field(
        default=None, description="The KMS key that encrypts the states in S3. Default: S3's own key."
    )

    rules: ClassVar[tuple[CrossRule, ...]] = (
        CrossRule(
            ("bucket",),
            "is missing; with backend: s3 it must be a bucket's name",
            lambda it: (it.backend != "s3") | is_set(it.bucket),
        ),
        _for_s3_alone("bucket"),
        _for_s3_alone("kms_key_id"),
    )


class Sections(Settings):
    """The keys of an environment, before the rules that span sections (`environments.combinations`)."""

    name: Annotated[str, NAME] = Field(
        description="What all of the deployment's names begin with. Changing it makes another deployment."
    )
    region: Annotated[str, known_region()] = Field(
        default="us-east-1", description="The AWS region. Changing it makes another deployment."
    )
    account_id: Annotated[str, matching("^[0-9]{12}$", "12 digits in quotes")] | None = Field(
        default=None, description="The AWS account; Terraform refuses any other. Default: the caller's."
    )
    permissions_boundary: Annotated[str, policy_arn()] | None = Field(
        default=None,
        description="The policy that bounds every role, where an account asks for one: its ARN. Default: none.",
    )
    tags: dict[Annotated[str, TAG_KEY], Annotated[str, TAG_VALUE]] = Field(
        default={}, max_length=40, description="Tags of all resources, beside project, environment and stack."
    )
    state: StateSettings = Field(default=StateSettings(), description="Where Terraform keeps what it knows.")
    kms: KeySettings = Field(
        default=KeySettings(),
        description="KMS keys of your own, each by its ARN, in the environment's region.",
    )
    network: NetworkSettings = Field(
        default=NetworkSettings(), description="The VPC that everything runs in."
    )
    storage: StorageSettings = Field(
        default=StorageSettings(), description="The bucket of specs and results."
    )
    hatchet: HatchetSettings = Field(
        default=HatchetSettings(), description="The engine that hands out tasks."
    )
    workers: dict[Annotated[str, FLEET_NAME], FleetSettings] = Field(
        min_length=1, max_length=50, description="The fleets of workers, by name."
    )
    backlog: BacklogSettings = Field(
        default=BacklogSettings(), description="The service that wakes the fleets."
    )
    observability: ObservabilitySettings = Field(
        default=ObservabilitySettings(), description="Alarms, logs and the budget."
    )
    image: Annotated[str, IMAGE] | None = Field(
        default=None,
        description="The worker image of all fleets that name none. A file that leaves it out means what <name>.image beside it names.",
    )
