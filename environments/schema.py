"""An environment: all that its YAML file says, typed and checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from environments.combinations import COMBINATIONS, combination_faults
from environments.sections import Sections
from modules.worker_fleet.settings import FleetSettings
from synthesis.rules import CrossRule, Fault, ItemRule


class Environment(Sections):
    """A deployment of Scythe workers on AWS."""

    rules: ClassVar[tuple[CrossRule | ItemRule, ...]] = COMBINATIONS

    def faults(self) -> Iterable[Fault]:
        """What does not go together."""
        yield from super().faults()
        yield from combination_faults(self)

    def image_of(self, fleet: FleetSettings) -> str | None:
        """The fleet's image; None while none has been pushed."""
        return fleet.image or self.image

    @property
    def fleets(self) -> dict[str, FleetSettings]:
        """The fleets by name, each with the image that it runs."""
        return {
            name: fleet.model_copy(update={"image": self.image_of(fleet)})
            for name, fleet in self.workers.items()
        }

    @property
    def image_registry(self) -> str:
        """Where the engine's images come from: ``upstream`` or ``ecr``."""
        return self.hatchet.image_registry or ("ecr" if self.network.is_closed else "upstream")


def json_schema() -> dict[str, Any]:
    """The environment file's JSON Schema, which editors complete and check with."""
    schema = Environment.model_json_schema()
    _close(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _close(schema: Any) -> None:
    """Refuse keys that no pattern allows, and drop the titles, which only repeat the keys."""
    if isinstance(schema, list):
        for item in schema:
            _close(item)
    if not isinstance(schema, dict):
        return
    if "patternProperties" in schema:
        schema["additionalProperties"] = False
    if isinstance(schema.get("title"), str):
        del schema["title"]
    for item in schema.values():
        _close(item)
