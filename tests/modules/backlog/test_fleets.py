"""What the backlog service takes from the fleets: Python's answers are Terraform's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from environments.schema import Environment
from modules.backlog.fleets import chosen_image, images_of, services_of
from modules.backlog.registration import in_all
from modules.worker_fleet.environment import experiments_elsewhere
from modules.worker_fleet.settings import FleetSettings
from synthesis.lists import collect_entries, map_entries, values
from synthesis.literals import hcl
from synthesis.stack import escaped, literal
from synthesis.typed import typed
from tests.support.console import evaluated
from tests.support.strategies import IMAGES, workers


def taken(fleets: Any) -> dict[str, Any]:
    """All that the service takes from fleets, of values or of expressions."""
    return {
        "image": chosen_image(images_of(fleets), "none"),
        "services": collect_entries(fleets, services_of),
        "elsewhere": map_entries(fleets, lambda name, _: experiments_elsewhere(fleets, name)),
        "alike": in_all(values(map_entries(fleets, lambda _, fleet: fleet.environment))),
    }


@settings(max_examples=2, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(drawn=st.lists(workers(IMAGES), min_size=12, max_size=12))
def test_values_and_expressions_agree(drawn: list[Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    environments = [Environment.model_validate({"name": "a", "workers": fleets}).fleets for fleets in drawn]
    locals_ = {f"fleets_{place}": literal(fleets) for place, fleets in enumerate(environments)}
    asked = [taken(typed(dict[str, FleetSettings], f"local.{name}")) for name in locals_]
    folder: Path = tmp_path_factory.mktemp("console")
    assert evaluated(hcl(asked), folder, **locals_) == evaluated(
        hcl([taken(escaped(fleets)) for fleets in environments]), folder
    )
