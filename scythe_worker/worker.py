"""Starts scythe-engine's worker with a researcher's experiments, or registers them alone."""

from __future__ import annotations

import importlib.resources
import logging
import os
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydantic_settings
from pydantic import ValidationError

from scythe_worker import link_local, logs
from scythe_worker.experiments import import_experiments, registered
from scythe_worker.identity import is_to_run, worker_labels, worker_name
from scythe_worker.protection import protection
from scythe_worker.settings import EXPERIMENTS, NO_TOKEN, TOKEN, SettingsError, WorkerSettings

if TYPE_CHECKING:
    from hatchet_sdk.runnables.workflow import BaseWorkflow
    from scythe.worker import ScytheWorkerConfig

    from scythe_worker.fleet_worker import FleetWorker

LOGGER = logging.getLogger(__name__)

PREFIXES = {
    "ClientConfig": "HATCHET_CLIENT_",
    "ClientTLSConfig": "HATCHET_CLIENT_TLS_",
    "HealthcheckConfig": "HATCHET_CLIENT_WORKER_HEALTHCHECK_",
    "OpenTelemetryConfig": "HATCHET_CLIENT_OPENTELEMETRY_",
    "ScytheWorkerConfig": "SCYTHE_WORKER_",
    "TenacityConfig": "HATCHET_CLIENT_TENACITY_",
}
"""What the variables of each settings class begin with (``hatchet_sdk.config``, ``scythe.worker``)."""


def start(environment: Mapping[str, str]) -> int:
    """Run a worker until it is told to stop, and has drained; the exit status.

    Raises:
        SettingsError: for what is wrong with the environment or the researcher's package.
        EngineError: for an engine that does not answer, or does not take the token.
    """
    worker, workflows = _made(environment)
    _put(worker, workflows)
    return worker.run()


def register(environment: Mapping[str, str]) -> int:
    """Register what a worker of this environment would, and start none; the exit status.

    Raises:
        SettingsError: for what is wrong with the environment or the researcher's package.
        EngineError: for an engine that does not answer, or does not take the token.
    """
    worker, workflows = _made(environment)
    # A worker without a task ends well when it is told to; a registration that is broken off does not.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    _put(worker, workflows)
    LOGGER.info("registered %s", ", ".join(workflow.config.name for workflow in workflows))
    return 0


def _made(environment: Mapping[str, str]) -> tuple[FleetWorker, list[BaseWorkflow[Any]]]:
    """A worker that has yet to reach the engine, and what it registers."""
    settings = WorkerSettings.load(environment)
    logs.start()
    link_local.keep_from_proxies()
    # scythe-engine's progress bars are no lines of a log.
    os.environ.setdefault("TQDM_DISABLE", "1")
    config = _scythe_config()
    logs.take_over_hatchets()
    _check_cache()
    import_experiments(settings.module)
    # A fan worker runs none of them, but needs them registered to share them out.
    chosen = _chosen(settings)
    # scythe-engine itself would run every experiment of the package; a fleet may have but some of them.
    workflows = [*_scatter_gather(config), *(chosen if config.DOES_LEAF else [])]
    return _worker(environment, settings, config), workflows


def _put(worker: FleetWorker, workflows: list[BaseWorkflow[Any]]) -> None:
    worker.reach_engine()
    for workflow in workflows:
        worker.register_workflow(workflow)


def _worker(
    environment: Mapping[str, str], settings: WorkerSettings, config: ScytheWorkerConfig
) -> FleetWorker:
    from scythe.hatchet import hatchet

    from scythe_worker.drain import Durations
    from scythe_worker.fleet_worker import FleetWorker
    from scythe_worker.retries import Retries
    from scythe_worker.runner import history
    from scythe_worker.tasks import Tasks

    keeper = protection(environment)
    tasks = Tasks(
        Retries(history(hatchet.config)),
        Durations(settings.typical),
        keeper.cover if keeper else lambda until: None,
    )
    return FleetWorker(
        name=worker_name(environment, config.computed_name),
        config=hatchet.config,
        slots={"default": config.computed_slots, "durable": config.computed_durable_slots},
        labels={**config.labels, **worker_labels(environment)},
        tasks=tasks,
        is_to_run=lambda: is_to_run(environment),
        notice=settings.notice,
        patience=settings.patience,
    )


def _scatter_gather(config: ScytheWorkerConfig) -> list[BaseWorkflow[Any]]:
    if not config.DOES_FAN:
        return []
    from scythe.scatter_gather import scatter_gather

    return [scatter_gather]


def _scythe_config() -> ScytheWorkerConfig:
    try:
        # First, though scythe-engine makes a client of its own when it is imported: one clear line.
        _check_token(os.environ[TOKEN])
        from hatchet_sdk.config import ClientConfig

        ClientConfig()
        from scythe.worker import ScytheWorkerConfig

        config = ScytheWorkerConfig()
    except ValidationError as error:
        raise SettingsError(*_lines(error)) from None
    except ImportError as error:
        raise SettingsError(f"scythe-engine cannot be imported: {error}; must be installed") from error
    except pydantic_settings.SettingsError as error:
        raise SettingsError(f"HATCHET_CLIENT_*, SCYTHE_WORKER_*: {error}") from None
    if config.SLOTS is not None and config.SLOTS < 1:
        raise SettingsError(f"SCYTHE_WORKER_SLOTS: got {config.SLOTS}; must be 1 or more")
    if not config.DOES_LEAF and not config.DOES_FAN:
        raise SettingsError("SCYTHE_WORKER_DOES_LEAF, SCYTHE_WORKER_DOES_FAN: both off; one must be on")
    return config


def _check_token(token: str) -> None:
    from hatchet_sdk.token import extract_claims_from_jwt

    try:
        extract_claims_from_jwt(token)
    except ValueError:
        raise SettingsError(NO_TOKEN) from None


def _lines(error: ValidationError) -> list[str]:
    # Never pydantic's own text: it shows the values, and one of them is the token.
    prefix = PREFIXES.get(error.title, f"{error.title}: ")
    return [
        f"{prefix}{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False, include_context=False)
    ]


def _check_cache() -> None:
    """Fail now, not in each task, where the file system is read-only and the cache has no volume.

    scythe-engine keeps input artifacts in ``cache`` beside its own package (``BaseSpec.local_path``).
    """
    cache = Path(str(importlib.resources.files("scythe"))).parent / "cache"
    try:
        with tempfile.TemporaryFile(dir=cache if cache.exists() else cache.parent):
            pass
    except OSError:
        raise SettingsError(
            f"{cache}: cannot be written; must be a writable volume (scythe-engine's artifacts)"
        ) from None


def _chosen(settings: WorkerSettings) -> list[BaseWorkflow[Any]]:
    by_name = {workflow.config.name.lower(): workflow for workflow in registered(settings.module)}
    unknown = sorted((settings.experiments or frozenset()) - by_name.keys())
    if unknown:
        raise SettingsError(
            f"{EXPERIMENTS}: no experiment {', '.join(unknown)} in {settings.module}; "
            f"it has {', '.join(sorted(by_name))}"
        )
    named = by_name.keys() if settings.experiments is None else settings.experiments
    runs = [
        workflow for name, workflow in by_name.items() if name in named and name not in settings.elsewhere
    ]
    if not runs:
        raise SettingsError(
            f"{settings.module}: other fleets run all of its experiments; none is left for this one"
        )
    return runs
