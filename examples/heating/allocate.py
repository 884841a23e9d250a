"""Put simulations into the queue: scythe-aws connect ENV -- python allocate.py [HOUSES]."""

import random
import sys
from pathlib import Path

from experiments import heating, payback
from experiments.houses import House
from experiments.insulation import Insulation
from scythe.experiments import BaseExperiment

WEATHER = sorted((Path(__file__).parent / "weather").glob("*.csv"))


def houses(number: int) -> list[House]:
    """Houses drawn at random, the same each time."""
    draw = random.Random(1)
    return [
        House(
            # allocate sets both.
            experiment_id="",
            sort_index=0,
            u_value=draw.uniform(0.1, 2),
            area=draw.uniform(100, 400),
            setpoint=draw.uniform(18, 22),
            weather=draw.choice(WEATHER),
        )
        for _ in range(number)
    ]


def insulations(number: int) -> list[Insulation]:
    """Insulations at rising prices."""
    return [
        Insulation(experiment_id="", sort_index=0, price=1000 * (each + 1), saving=500)
        for each in range(number)
    ]


def main(number: int) -> None:
    """Allocate both experiments and say what scythe-aws calls the runs."""
    for experiment, specs in ((heating, houses(number)), (payback, insulations(number))):
        # More than a thousand? Have them shared out in levels: recursion_map=RecursionMap(factor=10, max_depth=1),
        # for which the fan fleets need a slot per node, 1 + 10 here.
        run, _ = BaseExperiment(runnable=experiment).allocate(specs)
        print(run.experiment_id)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
