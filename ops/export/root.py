"""The root module: the whole deployment, as `main` composes it, with Terraform deciding what there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from environments.schema import Environment
from main import WORKERS
from modules.backlog.backlog import Backlog
from modules.backlog.settings import BacklogSettings
from modules.client_token.client_token import ClientToken
from modules.cluster.cluster import Cluster
from modules.common.presence import is_given
from modules.hatchet.hatchet import Hatchet
from modules.hatchet.repositories import Repositories
from modules.hatchet.settings import HatchetSettings
from modules.network.network import Network
from modules.network.settings import NetworkSettings
from modules.observability.observability import Observability, topic_name
from modules.observability.settings import ObservabilitySettings
from modules.researcher.researcher import Researcher
from modules.storage.settings import StorageSettings
from modules.storage.storage import Storage
from modules.worker_fleet.environment import experiments_elsewhere
from modules.worker_fleet.settings import FleetSettings
from modules.worker_fleet.worker_fleet import WorkerFleet
from ops.export.blocks import check_blocks, joined, locals_block, module_block, output_block, terraform_block
from ops.export.constructs import Module, SettingsAt
from ops.export.modules import variable_block
from synthesis.expression import Expression, local, text
from synthesis.literals import hcl
from synthesis.module_stack import ModuleStack
from synthesis.rules import Settings
from synthesis.stack import ScytheApp, published
from synthesis.typed import typed

if TYPE_CHECKING:
    # Else jsii would start before the seam of `synthesis`.
    from constructs import Construct

SECTIONS = ("kms", "network", "storage", "hatchet", "workers", "backlog", "observability", "image")
"""The keys of an environment file that are the root's variables."""


class RootModule(ModuleStack):
    """A module that calls the others.

    Attributes:
        calls: the arguments of each call, by its name.
        synthesis: the module in Terraform's JSON syntax.
    """

    def __init__(self, app: ScytheApp, modules: Mapping[type[Construct], Module]) -> None:
        super().__init__(app, "scythe")
        # What the budget counts by; a caller's own tag of that key is first.
        named = f"merge({{ environment = {self.label.name} }}, {self.label.tags})"
        self.label = replace(self.label, tags=local(self, "tags", named))
        self._modules = modules
        self.calls: dict[str, dict[str, Any]] = {}
        self._compose(self.variables(Environment, SECTIONS, below=False))
        self.synthesis = self.synthesize()

    def _compose(self, given: Environment) -> None:
        is_self_hosted = f'{given.hatchet.mode} == "self_hosted"'
        told = given.observability
        is_watched = local(
            self,
            "is_watched",
            hcl(
                is_given(told.enable_mail, told.alarm_email)
                | is_given(told.enable_budget, told.monthly_budget_usd)
            ),
        )
        retention = Expression(given.observability.log_retention_days)
        workers_cluster = Expression(hcl(f"{text(self.label.name)}-{WORKERS}"))
        hatchet_settings = self._hatchet_settings(given)

        logs_key, secrets_key, repositories_key = (
            Expression(key) for key in (given.kms.logs, given.kms.secrets, given.kms.repositories)
        )

        network = self.call(Network, settings=_at(NetworkSettings, given.network), logs_key_arn=logs_key)
        storage = self.call(
            Storage,
            settings=_at(StorageSettings, given.storage),
            bucket_key_arn=Expression(given.kms.bucket),
            repositories_key_arn=repositories_key,
        )
        token = self.call(ClientToken, settings=hatchet_settings, secrets_key_arn=secrets_key)
        repositories = self.call(
            Repositories, settings=hatchet_settings, repositories_key_arn=repositories_key
        )
        researcher = self.call(
            Researcher,
            storage=storage,
            token=token,
            workers_cluster=workers_cluster,
            logs_key_arn=logs_key,
        )
        hatchet_cluster = self.call(
            Cluster, name="hatchet_cluster", count=f"{is_self_hosted} ? 1 : 0", part="hatchet"
        )
        self.call(
            Hatchet,
            count=f"{is_self_hosted} ? 1 : 0",
            settings=hatchet_settings,
            cluster=hatchet_cluster,
            network=network,
            token=token,
            repositories=repositories,
            workers_cluster=workers_cluster,
            log_retention_days=retention,
            secrets_key_arn=secrets_key,
            logs_key_arn=logs_key,
        )
        cluster = self.call(Cluster, part=WORKERS)
        fleets = self._fleets(given)
        shared = {
            "log_retention_days": retention,
            "logs_key_arn": logs_key,
            "cluster": cluster,
            "network": network,
            "storage": storage,
            "token": token,
            # None, and so null, with Hatchet Cloud.
            "hatchet": Expression("one(module.hatchet)"),
        }
        self.call(
            WorkerFleet,
            for_each=str(fleets),
            fleet=Expression("each.key"),
            settings=_at(FleetSettings, Expression("each.value")),
            experiments_elsewhere=experiments_elsewhere(
                typed(dict[str, FleetSettings], str(fleets)), typed(str, "each.key")
            ),
            **shared,
        )
        name = f'"{topic_name(text(self.label.name))}"'
        alarm_topic = Expression(f"{is_watched} ? {name} : null")
        self.call(
            Backlog,
            settings=_at(BacklogSettings, given.backlog),
            fleets=fleets,
            alarm_topic=alarm_topic,
            **shared,
        )
        self.call(
            Observability,
            count=f"{is_watched} ? 1 : 0",
            settings=_at(ObservabilitySettings, given.observability),
        )
        for attributes in (network, storage, token, repositories, researcher):
            self.publish(attributes)
        self._publish_optional(Hatchet)
        self._publish_optional(Observability)
        self.output(
            "worker_fleets",
            Expression("module.worker_fleet"),
            "Attributes of each fleet by its name: service, task definition, roles, security group, log group, and what it "
            "waits for.",
        )
        self.output("cluster_name", cluster.name, "Name of the ECS cluster of the workers.")
        self._check_token()

    def call(
        self,
        construct: type[Construct],
        *,
        name: str | None = None,
        count: str | None = None,
        for_each: str | None = None,
        **given: Any,
    ) -> Any:
        """Call a construct's module; gives what it publishes.

        Args:
            construct: the construct.
            name: the call's; None for the module's.
            count: how many there are; None for one without a count.
            for_each: the map that there is one for each item of.
            given: what the construct would be given.
        """
        module = self._modules[construct]
        name = name or module.call_name
        meta = {"count": count, "for_each": for_each}
        self.calls[name] = {
            "source": f"./modules/{module.name}",
            **{key: text(value) for key, value in meta.items() if value is not None},
            **module.arguments({"label": self.label, **given}),
        }
        self.add_override(f"module.{name}", self.calls[name])
        return module.outputs(f"module.{name}[0]" if count else f"module.{name}").attributes

    def _hatchet_settings(self, given: Environment) -> SettingsAt:
        """The engine's settings, with what the network decides where they leave it open."""
        is_closed = hcl(typed(NetworkSettings, str(given.network)).is_closed)
        registry = f'coalesce({given.hatchet.image_registry}, {is_closed} ? "ecr" : "upstream")'
        merged = f"merge({given.hatchet}, {{ image_registry = {registry} }})"
        return _at(HatchetSettings, local(self, "hatchet", merged))

    def _fleets(self, given: Environment) -> Expression:
        """The fleets, each with the image that it runs."""
        image = f"fleet.image != null ? fleet.image : {given.image}"
        each = f"name => merge(fleet, {{ image = {image} }})"
        return local(self, "fleets", f"{{ for name, fleet in {given.workers} : {each} }}")

    def _publish_optional(self, construct: type[Construct]) -> None:
        """The outputs of a module that may not be there; null then."""
        module = self._modules[construct]
        for own in module.published.values():
            for field in published(own):
                value = Expression(f"one(module.{module.call_name}[*].{field.name})")
                self.output(field.name, value, field.metadata["description"])

    def _check_token(self) -> None:
        waits = "flatten([for fleet in module.worker_fleet : fleet.waits_for])"
        message = (
            "No fleet runs a task before Hatchet's client token is stored in the secret token_secret_arn: self-hosted, "
            "the engine's set-up stores it, and the next apply starts the fleets."
        )
        condition = f'${{!contains({waits}, "token")}}'
        self.add_override("check.token.assert", [{"condition": condition, "error_message": message}])

    def files(self) -> dict[str, str]:
        """The module's files by name, as text that ``terraform fmt`` has yet to align."""
        synthesis = self.synthesis
        return {
            "main.tf": joined(
                [
                    *(module_block(name, arguments) for name, arguments in self.calls.items()),
                    *check_blocks(synthesis["check"]),
                ]
            ),
            "locals.tf": joined(locals_block(synthesis["locals"])),
            "outputs.tf": joined(output_block(name, body) for name, body in synthesis["output"].items()),
            "variables.tf": joined(
                variable_block(name, body) for name, body in synthesis["variable"].items()
            ),
            "versions.tf": terraform_block({**synthesis["terraform"], "backend": {}}),
        }


def _at(settings: type[Settings], reference: Any) -> SettingsAt:
    return SettingsAt(tuple(settings.model_fields), Expression(reference))
