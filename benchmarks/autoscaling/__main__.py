"""`python -m benchmarks.autoscaling`: play scenarios under the synthesized policies and others, and show what they give.

The policies are those of an environment file, planned by Terraform without a cloud, or of a plan that is given. The
status is 1 where a figure of the issue's is missed (`--check`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import synthesis  # noqa: F401  # before CDKTF
from benchmarks.autoscaling.scenarios import OTHERS, SCENARIOS, Played, Scenario, play, recorded, shaped
from benchmarks.autoscaling.synthesized import Scaled, of_environment, read
from environments.loading import load

DEFAULT = ("ten", "thousand", "guide")
LIMITS = {
    "first_decided": 30.0, "full_decided": 30.0, "over": 0.1, "asleep": 240.0, "lost_to_scale_in": 0.0, "set_back": 0,
}  # fmt: skip
"""What the leaf fleet of the scenario ``guide`` must keep to, at most."""


def main(arguments: Sequence[str]) -> int:
    """Play, and print, save and check what is asked for."""
    options = _options(arguments)
    environment = load(options.environment)
    chosen: dict[str, Scenario] = {name: SCENARIOS[name] for name in options.scenarios}
    if options.trace:
        chosen["trace"] = recorded(options.trace)
    others = [] if options.alone else list(OTHERS)
    known: dict[tuple[int | None, int | None], dict[str, Scaled]] = {}
    played: list[Played] = []
    for name, scenario in chosen.items():
        shape = (scenario.most, scenario.fallback)
        if options.plan:
            known[shape] = read(json.loads(options.plan.read_text(encoding="utf-8")))
        if shape not in known:
            known[shape] = of_environment(shaped(environment, scenario))
        for seed in range(options.seed, options.seed + options.seeds):
            found = play(name, scenario, environment, known[shape], others, seed)
            # The samples of many seeds are not shown, and take gigabytes.
            played += found if options.seeds == 1 else [replace(item, samples=[]) for item in found]
    _show(played, chosen, options)
    if options.plots:
        from benchmarks.autoscaling.plots import draw

        for file in draw(played, chosen, options.plots):
            print(file, file=sys.stderr)
    missed = _missed(played) if options.check else []
    for line in missed:
        print(line, file=sys.stderr)
    return 1 if missed else 0


def _show(played: Sequence[Played], chosen: Mapping[str, Scenario], options: argparse.Namespace) -> None:
    """Print the figures in the form that is asked for."""
    if options.json:
        rows = [
            {
                "scenario": item.scenario,
                "scaled_by": item.scaled_by,
                "fleet": item.fleet,
                **asdict(item.figures),
            }
            for item in played
        ]
        print(json.dumps(rows, indent=1))
    elif options.seeds > 1:
        from benchmarks.autoscaling.seeds import table

        print(table(played))
    else:
        from benchmarks.autoscaling.report import print_tables

        print_tables(played, chosen)


def _missed(played: Sequence[Played]) -> list[str]:
    """The limits that the synthesized policies miss in the scenario of the guide's fleet."""
    found = []
    for item in played:
        if (item.scenario, item.scaled_by, item.fleet) != ("guide", "synthesized", "simulations"):
            continue
        for name, most in LIMITS.items():
            value = getattr(item.figures, name)
            if value is None or value > most:
                found.append(f"{name} is {value}; must be at most {most:g}")
    return found


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.autoscaling",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"{name:<12} {scenario.what}" for name, scenario in SCENARIOS.items()),
    )
    parser.add_argument(
        "scenarios", nargs="*", metavar="SCENARIO", help=f"those below; default: {', '.join(DEFAULT)}"
    )
    here = Path(__file__).parents[2]
    parser.add_argument(
        "--environment", type=Path, default=here / "environments" / "docs.yaml", metavar="FILE"
    )
    parser.add_argument("--plan", type=Path, metavar="FILE", help="terraform show -json of a workers' stack")
    parser.add_argument("--trace", type=Path, metavar="FILE", help="a JSON list of experiments to play")
    parser.add_argument("--alone", action="store_true", help="the synthesized policies alone")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument(
        "--plots", type=Path, metavar="DIR", help="draw fleet and backlog over time (PNG and SVG)"
    )
    parser.add_argument(
        "--check", action="store_true", help="tell whether the guide's fleet keeps the limits"
    )
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument(
        "--seeds", type=int, default=1, help="how many; several give a table of medians / p90"
    )
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.scenarios) - set(SCENARIOS))
    if unknown:
        parser.error(f"no scenario {', '.join(unknown)}; must be {', '.join(SCENARIOS)}")
    if options.seeds < 1:
        parser.error(f"--seeds is {options.seeds}; must be at least 1")
    if options.seeds > 1 and options.plots:
        parser.error("--plots draws one seed; leave out --seeds")
    options.scenarios = options.scenarios or ([] if options.trace else list(DEFAULT))
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
