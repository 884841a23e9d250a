"""When insulation has paid for itself: an experiment without a file."""

from pydantic import Field
from scythe.base import ExperimentInputSpec, ExperimentOutputSpec
from scythe.registry import ExperimentRegistry


class Insulation(ExperimentInputSpec):
    """Insulation that is bought once and saves every year."""

    price: float = Field(description="What it costs [EUR]", gt=0)
    saving: float = Field(description="What it saves in the first year [EUR]", gt=0)
    rise: float = Field(description="By how much energy gets dearer each year [1]", default=0.02)


class Payback(ExperimentOutputSpec):
    """How long it takes."""

    years: int = Field(description="Years until the savings reach the price; 100 where they do not")


@ExperimentRegistry.Register(retries=2)
def payback(input_spec: Insulation) -> Payback:
    """Count the years."""
    saved, years = 0.0, 0
    while saved < input_spec.price and years < 100:
        saved += input_spec.saving * (1 + input_spec.rise) ** years
        years += 1
    return Payback(years=years)
