"""The picture of a deployment, drawn from its synthesized stacks: ``python -m ops.picture`` writes the README's."""

from __future__ import annotations

import ipaddress
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from environments.schema import Environment
from modules.worker_fleet.scaling import Capacity

PICTURE = Path(__file__).parent.parent / "docs" / "deployment.svg"

_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #1f2933 } .title { font-weight: 600; font-size: 13px }
  .note { fill: #52606d; font-size: 11px } rect { rx: 6px; stroke-width: 1.2px }
  .page { fill: #fff; rx: 0 } .aws { fill: #fbfcfd; stroke: #9aa5b1 } .vpc { fill: #f2f8f4; stroke: #3e8e5a }
  .zone { fill: none; stroke: #9aa5b1; stroke-dasharray: 5 4 } .public { fill: #e3f1e7; stroke: #8fc3a1 }
  .private { fill: #e4eefa; stroke: #8fb3df } .fleet { fill: #fff3e0; stroke: #e08a1e }
  .part { fill: #fff; stroke: #52606d } .outside { fill: #f3e8fd; stroke: #8a5fc0 }
  .line { fill: none; stroke: #52606d; stroke-width: 1.4px; marker-end: url(#tip) }
  .both { marker-start: url(#tip) } .cluster { fill: #fffaf2; stroke: #e0b06c }
"""
_WIDTH, _AWS_TOP, _VPC_TOP = 1080, 110, 150
_VPC_LEFT, _VPC_WIDTH, _GAP = 40, 640, 20
_PUBLIC_TOP, _PRIVATE_TOP, _CLUSTER_TOP = 278, 374, 420
_SERVICE_LEFT, _SERVICE_WIDTH, _SERVICE_HEIGHT = 820, 220, 44
_GATEWAY = (292, 190, 146, 34)


class Synthesized:
    """The stacks of one environment, as CDKTF wrote them.

    Attributes:
        name: the environment's name.
        network: the settings of the network.
        storage: those of the storage.
        fleets: the settings of each fleet.
    """

    def __init__(self, out: Path, environment: Environment) -> None:
        """Read what ``scythe-aws synth`` wrote.

        Args:
            out: the output folder.
            environment: the environment, whose choices the stacks follow.
        """
        self.name = environment.name
        self._stacks: dict[str, dict[str, Any]] = {
            part: json.loads(
                (out / "stacks" / f"{environment.name}-{part}" / "cdk.tf.json").read_text("utf-8")
            )
            for part in ("network", "storage", "workers")
        }
        self.network, self.storage = environment.network, environment.storage
        self.fleets = dict(sorted(environment.fleets.items()))
        self.region: str = self._stacks["network"]["provider"]["aws"][0]["region"]

    def has(self, part: str, kind: str, name: str) -> bool:
        """Whether a stack has a resource."""
        return name in self._stacks[part]["resource"].get(kind, {})

    def named(self, part: str, kind: str, name: str) -> str:
        """A resource's physical name."""
        given: str = self._stacks[part]["resource"][kind][name]["name"]
        return given.replace("${local.name}", self.name)

    def read(self, output: str) -> bool:
        """Whether every fleet's resources refer to an output of the stacks before; that is an arrow."""
        workers = self._stacks["workers"]
        kinds = [*workers["resource"].values(), workers["locals"]]
        reference = re.compile(rf"terraform_remote_state\.\w+\.outputs\.{output}\b")
        return all(
            any(
                reference.search(json.dumps(value))
                for values in kinds
                for name, value in values.items()
                if name == fleet or name.startswith(f"{fleet}_")
            )
            for fleet in self.fleets
        )


def draw(stacks: Synthesized) -> str:
    """The deployment as an SVG: zones, subnets, fleets, what they reach, and who works with it.

    Args:
        stacks: of an environment whose workers are in private subnets that it makes.
    """
    services = list(_services(stacks))
    height = 30 + max(len(services) * (_SERVICE_HEIGHT + 4), len(stacks.fleets) * 80)
    bottom = _CLUSTER_TOP + height
    tip = "M0 0 L8 4 L0 8 z"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {bottom + 80}" role="img" '
        f'aria-label="The deployment {escape(stacks.name)}">',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto-start-reverse"><path d="{tip}" fill="#52606d"/></marker></defs>',
        f'<rect class="page" width="{_WIDTH}" height="{bottom + 80}"/>',
        *_box(20, _AWS_TOP, _WIDTH - 40, bottom - _AWS_TOP + 60, "aws", f"AWS, {stacks.region}"),
        *_network(stacks, bottom),
        *_fleets(stacks, height),
        *_reached(stacks, services),
        *_outside(stacks),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _network(stacks: Synthesized, bottom: int) -> Iterator[str]:
    cidr, count = stacks.network.cidr, stacks.network.az_count
    yield from _box(_VPC_LEFT, _VPC_TOP, _VPC_WIDTH, bottom - _VPC_TOP + 40, "vpc", f"VPC {cidr}")
    yield from _box(*_GATEWAY, "part", "internet gateway")
    column = (_VPC_WIDTH - _GAP * (count + 1)) // count
    for zone in range(count):
        x = _VPC_LEFT + _GAP + zone * (column + _GAP)
        public, private = _subnet(cidr, 6, 48 + zone), _subnet(cidr, 3, zone)
        yield from _box(x, 244, column, bottom - 220, "zone", f"Availability Zone {zone + 1}")
        yield from _box(x + 8, _PUBLIC_TOP, column - 16, 76, "public", "public subnet", public)
        height = bottom - _PRIVATE_TOP + 14
        yield from _box(x + 8, _PRIVATE_TOP, column - 16, height, "private", "private subnet", private)
        if zone < _nats(stacks):
            yield from _nat(stacks, x + column - 134)


def _nat(stacks: Synthesized, x: int) -> Iterator[str]:
    kind = "NAT instance" if stacks.network.nat == "instance" else "NAT gateway"
    left, top, width, height = _GATEWAY
    beside = left if x + 58 < left else left + width
    yield from _box(x, _PUBLIC_TOP + 22, 116, 34, "part", kind)
    yield _arrow(f"M{x + 58} {_CLUSTER_TOP} V{_PUBLIC_TOP + 56}", "HTTPS", (x + 64, _PRIVATE_TOP + 16))
    yield _arrow(f"M{x + 58} {_PUBLIC_TOP + 22} V{top + height // 2} H{beside}")


def _fleets(stacks: Synthesized, height: int) -> Iterator[str]:
    cluster = stacks.named("workers", "aws_ecs_cluster", "workers")
    yield from _box(84, _CLUSTER_TOP, 530, height, "cluster", f"ECS cluster {cluster}")
    each = (height - 30) // len(stacks.fleets)
    for place, (name, fleet) in enumerate(stacks.fleets.items()):
        scaling, slots = fleet.scaling, fleet.slots
        does = "split experiments, gather results" if fleet.role == "fan" else "run simulations"
        notes = [
            f"{fleet.role} workers: {does}",
            f"{scaling.min} to {scaling.max} tasks on Fargate, {_capacity(fleet.capacity)}",
            f"{fleet.cpu:g} vCPU, {fleet.memory:g} GiB, {fleet.architecture}; "
            f"{slots} slot{'s' if slots > 1 else ''} in each task",
        ]
        title = f"ECS service {name}"
        yield from _box(96, _CLUSTER_TOP + 30 + place * each, 506, each - 12, "fleet", title, *notes)


def _services(stacks: Synthesized) -> Iterator[tuple[str, str, str, str]]:
    """What the fleets' resources refer to: title, note, the arrow's label and its ends."""
    secret = stacks.named("storage", "aws_secretsmanager_secret", "token")
    repository = stacks.named("storage", "aws_ecr_repository", "worker")
    prefix = stacks.storage.prefix
    if stacks.read("bucket_arn"):
        yield "S3 bucket", f"prefix {prefix}/", "specs, results", "both"
    if stacks.read("repository_url"):
        yield "ECR repository", repository, "image", "in"
    if stacks.read("token_secret_arn"):
        yield "Secrets Manager", secret, "client token", "in"
    if all(stacks.has("workers", "aws_cloudwatch_log_group", fleet) for fleet in stacks.fleets):
        yield "CloudWatch Logs", f"/scythe/{stacks.name}/<fleet>", "logs", "out"
    if all(stacks.has("workers", "aws_appautoscaling_target", fleet) for fleet in stacks.fleets):
        yield "Application Auto Scaling", "holds each fleet's min and max", "task count", "in"


def _reached(stacks: Synthesized, services: list[tuple[str, str, str, str]]) -> Iterator[str]:
    for place, (title, note, label, ends) in enumerate(services):
        y = _CLUSTER_TOP + 20 + place * (_SERVICE_HEIGHT + 4)
        middle = y + _SERVICE_HEIGHT // 2
        yield from _box(_SERVICE_LEFT, y, _SERVICE_WIDTH, _SERVICE_HEIGHT, "part", title, note)
        path = f"M614 {middle} H{_SERVICE_LEFT}" if ends != "in" else f"M{_SERVICE_LEFT} {middle} H614"
        yield _arrow(path, label, (_SERVICE_LEFT - 80, middle - 6), "both" if ends == "both" else "")
        if title == "S3 bucket" and stacks.has("network", "aws_vpc_endpoint", "s3"):
            yield from _box(626, y + 2, 108, 42, "part", "S3 gateway", "endpoint")


def _outside(stacks: Synthesized) -> Iterator[str]:
    left, top, width, _ = _GATEWAY
    policy = stacks.named("storage", "aws_iam_policy", "researcher")
    middle, bucket = _SERVICE_LEFT + _SERVICE_WIDTH // 2, _CLUSTER_TOP + 20
    yield from _box(left - 30, 20, width + 60, 60, "outside", "Hatchet Cloud", "queues tasks for the workers")
    yield _arrow(f"M{left + width // 2} {top} V80", "take tasks, report", (left + width // 2 + 8, 100))
    yield from _box(
        _SERVICE_LEFT, 20, _SERVICE_WIDTH, 60, "outside", "Researcher", f"scythe-aws connect {stacks.name}"
    )
    yield _arrow(f"M{_SERVICE_LEFT} 50 H{left + width + 30}", "allocates experiments", (580, 44))
    yield from _box(_SERVICE_LEFT, 220, _SERVICE_WIDTH, _SERVICE_HEIGHT, "part", "IAM policy", policy)
    yield _arrow(f"M{middle} 80 V220")
    yield _arrow(f"M{middle} {220 + _SERVICE_HEIGHT} V{bucket}", "specs, results", (middle + 8, 350), "both")


def _nats(stacks: Synthesized) -> int:
    counts = {"none": 0, "per_az": stacks.network.az_count}
    return counts.get(stacks.network.nat, 1)


def _capacity(capacity: Capacity) -> str:
    if not capacity.on_demand:
        return "all Spot"
    if not capacity.spot:
        return "all on demand"
    return f"Spot {capacity.spot} : on demand {capacity.on_demand}"


def _subnet(cidr: str, bits: int, place: int) -> str:
    """Terraform's ``cidrsubnet``, with which the stack computes it."""
    return str(list(ipaddress.ip_network(cidr).subnets(prefixlen_diff=bits))[place])


def _box(x: int, y: int, width: int, height: int, kind: str, title: str, *notes: str) -> Iterator[str]:
    yield f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}"/>'
    yield f'<text class="title" x="{x + 10}" y="{y + 19}">{escape(title)}</text>'
    for line, note in enumerate(notes):
        yield f'<text class="note" x="{x + 10}" y="{y + 36 + 16 * line}">{escape(note)}</text>'


def _arrow(path: str, label: str = "", at: tuple[int, int] = (0, 0), kind: str = "") -> str:
    line = f'<path class="line {kind}" d="{path}"/>'
    return line + (f'<text class="note" x="{at[0]}" y="{at[1]}">{escape(label)}</text>' if label else "")


def main() -> None:
    """Draw ``environments/docs.yaml`` for the README."""
    from environments.loading import find, load_all
    from main import synthesize

    (environment,) = load_all(find(["docs"]))
    with tempfile.TemporaryDirectory() as folder:
        synthesize([environment], Path(folder))
        PICTURE.write_text(draw(Synthesized(Path(folder), environment)), encoding="utf-8")


if __name__ == "__main__":
    main()
