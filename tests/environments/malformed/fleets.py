"""Files with wrong fleets."""

from __future__ import annotations

from tests.environments.malformed.values import TOKEN


def _fleet(settings: str, role: str = "leaf") -> str:
    return f"name: a\nworkers:\n  w: {{role: {role}, {settings}}}\n"


_EVERYWHERE = f"""
name: A
region: x
network: {{nat: none, az_count: 0}}
tags: {{Stack: a}}
extra: {TOKEN}
workers:
  v: {{role: fan, cpu: 1, memory: 60, experiments: [x], scaling: {{min: 50}}}}
  w: {{cpu: 1, memory: 60, environment: {{API_TOKEN: x}}}}
"""

WRONG_FLEETS: dict[str, tuple[str, list[str]]] = {
    "no role": ("name: a\nworkers: {w: {cpu: 2}}\n", ["workers.w.role: is missing; must be leaf or fan"]),
    "a role that is none": (_fleet("slots: 1", "twig"), ['workers.w.role: got "twig"; must be leaf or fan']),
    "an environment that no task definition has room for": (
        "name: a\nworkers:\n  v: {role: fan, environment: {PLAIN: x}}\n  w:\n    role: leaf\n    environment:\n"
        + "".join(f"      N{number}: {'ü' * 500}\n" for number in range(40)),
        [
            "workers.w.environment: comes to about 41031 bytes as JSON; must come to at most 30000 bytes, since a task definition has "
            "64 KiB: put large values into the image, the bucket, or a secret"
        ],
    ),
    "a fleet's bad name": (
        "name: a\nworkers: {W_1: {role: leaf}}\n",
        ['workers.W_1: got "W_1"; must be a name'],
    ),
    "a taken name": (
        "name: a\nworkers: {backlog: {role: leaf}}\n",
        ['workers.backlog: got "backlog"; must be'],
    ),
    "a cpu that Fargate has not": (
        _fleet("cpu: 3"),
        ["workers.w.cpu: got 3; must be 0.25, 0.5, 1, 2, 4, 8 or 16"],
    ),
    "a cpu in words": (_fleet("cpu: 2 vCPU"), ['workers.w.cpu: got "2 vCPU"; must be 0.25']),
    "a pair that Fargate has not": (
        _fleet("cpu: 8, memory: 18"),
        [
            "workers.w.memory: got 18 GiB with cpu 8, for which Fargate has 16 to 60 in steps of 4; must be a size"
        ],
    ),
    "a memory that is no number": (_fleet("memory: .nan"), ["workers.w.memory: got .nan; must be a number"]),
    "no slots": (_fleet("slots: 0"), ["workers.w.slots: got 0; must be a whole number from 1"]),
    "min over max": (
        _fleet("scaling: {min: 5, max: 2}"),
        ["workers.w.scaling.min: is over max: got 5 and 2; must"],
    ),
    "min over the role's max": (
        _fleet("scaling: {min: 11}", "fan"),
        ["workers.w.scaling.min: is over max: got 11 and 10"],
    ),
    "a fan with experiments": (
        _fleet("experiments: [a]", "fan"),
        ["workers.w.experiments: does not go with role: fan"],
    ),
    "one experiment in two fleets": (
        "name: a\nworkers: {v: {role: leaf, experiments: [x]}, w: {role: leaf, experiments: [x]}}\n",
        ["workers.w.experiments: names x, which fleet v names too; must"],
    ),
    "two fleets for the rest": (
        "name: a\nworkers: {v: {role: leaf}, w: {role: leaf}}\n",
        ["workers.w.experiments: is missing, as it is in fleet v; must"],
    ),
    "capacity of no weight": (
        _fleet("capacity: {spot: 0}"),
        ["workers.w.capacity.spot: and on_demand are both 0; must"],
    ),
    "a weight over ECS's": (
        _fleet("capacity: {spot: 1001}"),
        ["workers.w.capacity.spot: got 1001; must be a whole"],
    ),
    "a disk that Fargate has not": (
        _fleet("ephemeral_storage_gb: 500"),
        ["workers.w.ephemeral_storage_gb: got 500; must"],
    ),
    "a crontab's schedule": (
        _fleet('scaling: {schedule: [{start: "0 20 * * 5", end: "cron(0 6 ? * MON *)"}]}'),
        ['workers.w.scaling.schedule[0].start: got "0 20 * * 5"; must be a schedule'],
    ),
    "a schedule with two days": (
        _fleet('scaling: {schedule: [{start: "cron(0 20 1 * FRI *)", end: "cron(0 6 ? * MON *)"}]}'),
        ['workers.w.scaling.schedule[0].start: got "cron(0 20 1 * FRI *)"; must be a schedule'],
    ),
    "a schedule without an end": (
        _fleet('scaling: {schedule: [{start: "cron(0 20 ? * FRI *)"}]}'),
        ["workers.w.scaling.schedule[0].end: is missing; must be a schedule"],
    ),
    "two schedules with one start": (
        _fleet(
            'scaling: {schedule: [{start: "rate(1 day)", end: "rate(2 days)"}, '
            '{start: "rate(1 day)", end: "rate(3 days)", timezone: UTC}]}'
        ),
        ["workers.w.scaling.schedule: has two schedules with one start; must have each start once"],
    ),
    "a schedule that ends before it starts": (
        _fleet('scaling: {schedule: [{start: "at(2026-03-02T00:00:00)", end: "at(2026-03-01T00:00:00)"}]}'),
        ["workers.w.scaling.schedule[0].end: does not come after start; must"],
    ),
    "a zone that is none": (
        _fleet('scaling: {schedule: [{start: "rate(1 day)", end: "rate(2 days)", timezone: Europe/Pariss}]}'),
        ['workers.w.scaling.schedule[0].timezone: got "Europe/Pariss"; must be an IANA time zone'],
    ),
    "a password in the environment": (
        _fleet("environment: {DB_PASSWORD: hunter2}"),
        ["workers.w.environment.DB_PASSWORD: looks like a secret's value (not shown); must"],
    ),
    **{
        f"{name} in the environment": (
            _fleet(f"environment: {{{name}: '{value}'}}"),
            [f"workers.w.environment.{name}: looks like a secret's value (not shown); must"],
        )
        for name, value in {
            "MYSQL_PWD": "hunter2secret",
            "DJANGO_SECRET_KEY": "hunter2secret",
            "GRB_WLSSECRET": "00000000-1111-2222-3333-444444444444",
            "GRB_LICENSE": "abc",
            "PGPASSWORD": "12345678",
            "BROKER": "redis://:hunter2@host/0",
            "BLOB": "https://a.blob.example.org/x?sv=2024&sig=abcdefgh",
            "CONNECTION": "Server=tcp:a;Password=hunter2;",
        }.items()
    },
    "a reserved name in small letters": (
        _fleet("environment: {hatchet_client_host_port: 'a:1'}"),
        ["workers.w.environment.hatchet_client_host_port: is set by scythe-aws or Fargate; must"],
    ),
    "a schedule with a line break": (
        _fleet('scaling: {schedule: [{start: "cron(0 20 ? * FRI\\n*)", end: "cron(0 6 ? * MON *)"}]}'),
        ['workers.w.scaling.schedule[0].start: got "cron(0 20 ? * FRI\\n*)"; must be a schedule'],
    ),
    "a token of CDKTF's": (
        _fleet("environment: {A: '${TfToken[TOKEN.1]}'}"),
        [
            "workers.w.environment.A: holds TfToken[, which CDKTF replaces by a value of its own; must be other text"
        ],
    ),
    "a token in the environment": (
        _fleet(f"environment: {{A: {TOKEN}}}"),
        ["workers.w.environment.A: looks like a secret's value (not shown); must"],
    ),
    "a number in the environment": (
        _fleet("environment: {A: 24.2}"),
        ["workers.w.environment.A: got 24.2; must be text"],
    ),
    "a variable of Scythe's": (
        _fleet("environment: {SCYTHE_WORKER_SLOTS: '9'}"),
        ["workers.w.environment.SCYTHE_WORKER_SLOTS: is set by scythe-aws or Fargate; must be another name"],
    ),
    "a variable's bad name": (
        _fleet("environment: {1A: b}"),
        ['workers.w.environment.1A: got "1A"; must be a variable'],
    ),
    "a secret without an ARN": (
        _fleet("secrets: {A: my-secret}"),
        ['workers.w.secrets.A: got "my-secret"; must be the ARN'],
    ),
    "a variable and a secret": (
        _fleet("environment: {A: b}, secrets: {A: 'arn:aws:ssm:us-east-1:123456789012:parameter/a'}"),
        ["workers.w.secrets.A: stands below environment too; must"],
    ),
    "a timeout in days": (
        _fleet("timeouts: {experiment: {schedule: 2d}}"),
        ['workers.w.timeouts.experiment.schedule: got "2d"; must be a duration such as 10h'],
    ),
    "a timeout without a unit": (
        _fleet("timeouts: {experiment: {execution: 1:30}}"),
        ['workers.w.timeouts.experiment.execution: got "1:30"; must be a duration'],
    ),
    "the latest image": (_fleet("image: 'a/b:latest'"), ['workers.w.image: got "a/b:latest"; must be']),
    "yes for true": (_fleet("exec: yes"), ['workers.w.exec: got "yes"; must be true or false']),
    "faults everywhere": (
        _EVERYWHERE,
        [
            'name: got "A"; must',
            'region: got "x"; must',
            "network.nat: got none, which leaves workers",
            "network.az_count: got 0; must",
            "tags.Stack: differs from stack only in case",
            "extra: is no key that there is",
            "workers.v.memory: got 60 GiB with cpu 1, for which Fargate has 2 to 8",
            "workers.v.experiments: does not go with role: fan",
            "workers.v.scaling.min: is over max: got 50 and 10",
            "workers.w.role: is missing; must be leaf or fan",
            "workers.w.memory: got 60 GiB with cpu 1, for which Fargate has 2 to 8",
            "workers.w.environment.API_TOKEN: looks like a secret's value (not shown)",
        ],
    ),
}
