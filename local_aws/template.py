"""A process that has loaded moto and forks local AWSs (`local_aws.forked`).

``python -m local_aws.template SOCKET`` prints a line once it listens, and ends when its standard input does.
`LocalAws.start` uses the one whose socket `LOCAL_AWS_TEMPLATE` names.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import select
import signal
import socket
import sys
from collections.abc import Mapping, Sequence

_MODULES = (
    *(
        "acm",
        "applicationautoscaling",
        "autoscaling",
        "budgets",
        "cloudwatch",
        "ec2",
        "ecr",
        "ecs",
        "efs",
        "elbv2",
    ),
    *(
        "events",
        "iam",
        "kms",
        "logs",
        "mq",
        "rds",
        "route53",
        "s3",
        "secretsmanager",
        "servicediscovery",
        "sns",
        "ssm",
    ),
    "sts",
)
"""What the stacks use, loaded before the first fork."""

_NAMES = {"applicationautoscaling": "application-autoscaling"}
"""botocore's names of services, where they are not moto's."""

SERVICES = tuple(_NAMES.get(module, module) for module in _MODULES)
"""What the stacks use, by botocore's names."""


def main() -> None:
    """Load moto, then fork."""
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"  # moto reads it as it is imported
    from moto.iam.models import iam_backends
    from moto.moto_api._internal import mock_random

    from local_aws.__main__ import serve
    from local_aws.corrections import correct_moto
    from local_aws.local_aws import ACCOUNT_ID
    from local_aws.strictness.reading import warm

    correct_moto()
    for service in _MODULES:
        for part in ("responses", "urls"):
            importlib.import_module(f"moto.{service}.{part}")
        warm(_NAMES.get(service, service))
    iam_backends[ACCOUNT_ID]["aws"]  # AWS's own 1,582 policies
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[1])
        listener.listen(64)
        print("listening", flush=True)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            request, streams = _received(connection)
            pid = os.fork()
            if pid:
                connection.sendall(str(pid).encode())
                connection.close()
                for stream in streams:
                    os.close(stream)
                continue
            listener.close()
            connection.close()
            arguments, environment = json.loads(request)
            _become(streams, environment)
            random.seed()
            mock_random.seed()
            serve(arguments)
            os._exit(0)


def _received(connection: socket.socket) -> tuple[bytes, list[int]]:
    request, streams, _, _ = socket.recv_fds(connection, 2**20, 3)
    while more := connection.recv(2**20):
        request += more
    return request, streams


def _become(streams: Sequence[int], environment: Mapping[str, str]) -> None:
    """Take a process's streams and environment, in a session of its own."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(environment)


if __name__ == "__main__":
    main()
