"""What a house needs for heating, by the hours of a weather file."""

import csv

from pydantic import Field
from scythe.base import ExperimentInputSpec, ExperimentOutputSpec
from scythe.registry import ExperimentRegistry
from scythe.utils.filesys import FileReference


class House(ExperimentInputSpec):
    """A house in a climate."""

    u_value: float = Field(description="What the walls let through [W/m2K]", gt=0)
    area: float = Field(description="The walls' area [m2]", gt=0)
    setpoint: float = Field(description="The temperature inside [C]")
    weather: FileReference = Field(description="A CSV file with the column temperature [C], a row per hour")


class Heat(ExperimentOutputSpec):
    """What it takes to keep the house warm."""

    energy: float = Field(description="Heat in all [kWh]")
    peak: float = Field(description="The most in an hour [kW]")


@ExperimentRegistry.Register(retries=2)
def heating(input_spec: House) -> Heat:
    """Add up the heat that goes through the walls while it is colder outside."""
    # On a worker the file lies in the cache by now; allocate has put it into the bucket.
    with open(input_spec.weather, newline="") as file:
        outside = [float(row["temperature"]) for row in csv.DictReader(file)]
    losses = [
        input_spec.u_value * input_spec.area * max(0.0, input_spec.setpoint - temperature) / 1000
        for temperature in outside
    ]
    return Heat(energy=sum(losses), peak=max(losses))
