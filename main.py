"""Compose environments into stacks: ``python main.py`` synthesizes what the YAML files describe."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from environments.errors import EnvironmentFileError
from environments.loading import find, load_all
from environments.regions import partition_of
from environments.schema import Environment
from environments.states import refusal
from modules.backlog.backlog import Backlog
from modules.client_token.client_token import ClientToken, TokenAttributes
from modules.cluster.cluster import Cluster
from modules.hatchet.attributes import HatchetAttributes
from modules.hatchet.hatchet import Hatchet
from modules.hatchet.repositories import Repositories, RepositoryAttributes
from modules.hatchet.settings import HatchetSettings
from modules.network.attributes import NetworkAttributes
from modules.network.network import Network
from modules.observability.observability import Observability, topic_name
from modules.researcher.researcher import Researcher
from modules.storage.attributes import StorageAttributes
from modules.storage.storage import Storage
from modules.worker_fleet.environment import experiments_elsewhere
from modules.worker_fleet.settings import FleetSettings
from modules.worker_fleet.worker_fleet import WorkerFleet
from synthesis.expression import Expression
from synthesis.functions import attempt, is_null
from synthesis.lists import collect_entries
from synthesis.literals import hcl
from synthesis.output import SynthesisError, synthesized_into
from synthesis.stack import STATES, Backend, Deployment, EnvironmentStack, Place, ScytheApp

WORKERS = "workers"
"""The end of the name of the workers' cluster."""


def parts(environment: Environment) -> tuple[str, ...]:
    """The stacks of an environment, in the order in which they are deployed."""
    hatchet = ("hatchet",) if environment.hatchet.mode == "self_hosted" else ()
    is_watched = environment.observability.alarm_email or environment.observability.monthly_budget_usd
    observability = ("observability",) if is_watched else ()
    return ("network", "storage", *hatchet, "workers", *observability)


def key_arn(stack: EnvironmentStack, environment: Environment, use: str) -> Expression:
    """The ARN of the KMS key for one use, such as ``logs``; null for none."""
    arn: str | None = getattr(environment.kms, use)
    return Expression("null") if arn is None else stack.local(f"{use}_key_arn", arn)


def network_stack(stack: EnvironmentStack, environment: Environment) -> None:
    """``<name>-network``: the VPC."""
    network = stack.make(
        Network,
        "Default",
        label=stack.label,
        settings=stack.values("network", environment.network),
        logs_key_arn=key_arn(stack, environment, "logs"),
    )
    stack.publish(network.attributes)


def storage_stack(stack: EnvironmentStack, environment: Environment) -> None:
    """``<name>-storage``: the bucket, the image repositories, the token's secret, the researchers' policy."""
    repositories_key_arn = key_arn(stack, environment, "repositories")
    storage = stack.make(
        Storage,
        "Default",
        label=stack.label,
        settings=stack.values("storage", environment.storage),
        bucket_key_arn=key_arn(stack, environment, "bucket"),
        repositories_key_arn=repositories_key_arn,
    ).attributes
    hatchet = stack.settings("hatchet", hatchet_settings(environment))
    token = stack.make(
        ClientToken,
        "token",
        label=stack.label,
        settings=hatchet,
        secrets_key_arn=key_arn(stack, environment, "secrets"),
    ).attributes
    repositories = stack.make(
        Repositories,
        "hatchet",
        label=stack.label,
        settings=hatchet,
        repositories_key_arn=repositories_key_arn,
    ).attributes
    researcher = stack.make(
        Researcher,
        "researcher",
        label=stack.label,
        storage=storage,
        token=token,
        workers_cluster=f"{environment.name}-{WORKERS}",
        logs_key_arn=key_arn(stack, environment, "logs"),
    ).attributes
    stack.publish(storage)
    stack.publish(token)
    stack.publish(repositories)
    stack.publish(researcher)


def hatchet_settings(environment: Environment) -> HatchetSettings:
    """The engine's settings, with what another section decides where its own leaves it open."""
    return environment.hatchet.model_copy(update={"image_registry": environment.image_registry})


def hatchet_stack(stack: EnvironmentStack, environment: Environment) -> None:
    """``<name>-hatchet``: the engine, with its cluster, database and load balancer."""
    hatchet = stack.make(
        Hatchet,
        "Default",
        label=stack.label,
        settings=stack.settings("hatchet", hatchet_settings(environment)),
        cluster=stack.make(Cluster, "hatchet", label=stack.label, part="hatchet").attributes,
        network=stack.read("network", NetworkAttributes).known(environment.network),
        token=stack.read("storage", TokenAttributes),
        repositories=stack.read("storage", RepositoryAttributes),
        workers_cluster=f"{environment.name}-{WORKERS}",
        log_retention_days=stack.local("log_retention_days", environment.observability.log_retention_days),
        secrets_key_arn=key_arn(stack, environment, "secrets"),
        logs_key_arn=key_arn(stack, environment, "logs"),
    )
    stack.publish(hatchet.attributes)
    stack.publish(hatchet.access)


def workers_stack(stack: EnvironmentStack, environment: Environment) -> None:
    """``<name>-workers``: the cluster, the fleets, and the backlog service that wakes them."""
    network = stack.read("network", NetworkAttributes).known(environment.network)
    storage = stack.read("storage", StorageAttributes)
    token = stack.read("storage", TokenAttributes)
    is_self_hosted = "hatchet" in parts(environment)
    hatchet = stack.read("hatchet", HatchetAttributes) if is_self_hosted else HatchetAttributes.cloud()
    is_watched = "observability" in parts(environment)
    log_retention_days = stack.local("log_retention_days", environment.observability.log_retention_days)
    logs_key_arn = key_arn(stack, environment, "logs")
    cluster = stack.make(Cluster, "workers", label=stack.label, part=WORKERS).attributes

    settings = environment.fleets
    workers = stack.values_by_name("workers", settings)
    fleets = [
        stack.make(
            WorkerFleet,
            name,
            label=stack.label,
            fleet=name,
            settings=stack.values(f"workers.{name}", fleet),
            experiments_elsewhere=experiments_elsewhere(settings, name),
            log_retention_days=log_retention_days,
            logs_key_arn=logs_key_arn,
            cluster=cluster,
            network=network,
            storage=storage,
            token=token,
            hatchet=hatchet,
        ).attributes
        for name, fleet in settings.items()
    ]
    stack.make(
        Backlog,
        "backlog",
        label=stack.label,
        settings=stack.values("backlog", environment.backlog),
        fleets=workers,
        log_retention_days=log_retention_days,
        logs_key_arn=logs_key_arn,
        cluster=cluster,
        network=network,
        storage=storage,
        token=token,
        hatchet=hatchet,
        alarm_topic=topic_name(environment.name) if is_watched else None,
    )
    stack.output("cluster_name", cluster.name, "Name of the ECS cluster of the workers.")
    stack.output(
        "fleets_without_image",
        without_image(workers),
        "The fleets that run no task before they have an image.",
    )
    # No output: it would show as a change in the plan after scythe-aws token.
    remedy = (
        f"Hatchet's set-up stores it (log group /scythe/{environment.name}/hatchet), then: cdktf deploy "
        f"{environment.name}-workers"
        if is_self_hosted
        else f"scythe-aws token {environment.name}"
    )
    missing = f'contains(concat({", ".join(str(fleet.waits_for) for fleet in fleets)}), "token")'
    stack.add_override(
        "check.token.assert",
        [
            {
                "condition": f"${{!{missing}}}",
                "error_message": f"No fleet runs a task before Hatchet's client token is stored: {remedy}",
            }
        ],
    )


def without_image(fleets: Mapping[str, FleetSettings]) -> Expression:
    """The names of the fleets that have no image."""
    # What a fleet of the exit leaves out is no attribute of it.
    names = collect_entries(
        fleets, lambda name, _: name, lambda _, fleet: is_null(attempt(lambda: fleet.image, otherwise=None))
    )
    return Expression(hcl(names))


def observability_stack(stack: EnvironmentStack, environment: Environment) -> None:
    """``<name>-observability``: who hears of what goes wrong, and of what it costs."""
    settings = stack.settings("observability", environment.observability)
    stack.publish(stack.make(Observability, "Default", label=stack.label, settings=settings).attributes)


COMPOSERS: Mapping[str, Callable[[EnvironmentStack, Environment], None]] = {
    "network": network_stack,
    "storage": storage_stack,
    "hatchet": hatchet_stack,
    "workers": workers_stack,
    "observability": observability_stack,
}


def deployment_of(environment: Environment, states: str = STATES) -> Deployment:
    """What all stacks of an environment share; with the folder of local states from where Terraform runs."""
    return Deployment(
        environment=environment.name,
        place=Place(environment.region, partition_of(environment.region), environment.account_id),
        tags=environment.tags,
        permissions_boundary=environment.permissions_boundary,
        backend=Backend(
            bucket=environment.state.bucket,
            region=environment.region,
            kms_key_id=environment.state.kms_key_id,
            states=states,
        ),
    )


def compose(app: ScytheApp, environment: Environment, states: str = STATES) -> None:
    """Build an environment's stacks."""
    deployment = deployment_of(environment, states)
    for part in parts(environment):
        COMPOSERS[part](EnvironmentStack(app, deployment, part), environment)


def synthesize(environments: Iterable[Environment], out: Path, states: str = STATES) -> None:
    """Write the stacks of environments below a folder, as CDKTF's command line expects them.

    Args:
        environments: whose stacks.
        out: the folder.
        states: the folder of local states from a stack's; by default beside ``out``.

    Raises:
        SynthesisError: a construct refused; then nothing is written.
    """
    with synthesized_into(out) as app:
        for environment in environments:
            compose(app, environment, states)


def main() -> int:
    """Synthesize all environments, or those that SCYTHE_AWS_ENVIRONMENTS names (paths, ``:`` between).

    Returns:
        0, or 2 where an environment file cannot be used; then nothing is written.
    """
    given = os.environ.get("SCYTHE_AWS_ENVIRONMENTS", "")
    try:
        environments = load_all(find(filter(None, given.split(os.pathsep))))
        if refusals := list(filter(None, map(refusal, environments))):
            print("\n".join(refusals), file=sys.stderr)
            return 2
        synthesize(environments, Path("cdktf.out"))
    except (EnvironmentFileError, SynthesisError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
