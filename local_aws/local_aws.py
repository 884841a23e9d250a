"""Start, address, empty and stop a local AWS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import boto3
import botocore.session

from local_aws.forked import SOCKET, Forked
from local_aws.leftovers import leftovers
from local_aws.strictness.paths import OPERATIONS

ACCOUNT_ID = "123456789012"
"""The account that every caller of the local AWS is in (moto's default)."""

STAY = b"stay"
"""What the server's standard input ends with when the server is to outlive its parent."""

_START_SECONDS = 60
_STOP_SECONDS = 10


class LocalAwsError(Exception):
    """The local AWS did not start; the text is one line and names its log."""


class LocalAws:
    """A local AWS that runs as long as its `with` block, and, unless kept, never longer than this process.

    Attributes:
        endpoint_url: Where it answers for every service, `http://127.0.0.1:<port>`.
        region: The region that calls go to which name none.
        account_id: The account that it answers as.
        log: The file with its requests and tracebacks.
        process_id: Its process.
    """

    process_id: int

    def __init__(self, endpoint_url: str, region: str, log: Path) -> None:
        """Address a local AWS that is running; `LocalAws.start` is what makes one."""
        self.endpoint_url = endpoint_url
        self.region = region
        self.account_id = ACCOUNT_ID
        self.log = log
        self._kept = False
        self._session = _session()
        self._clients: dict[tuple[str, str], Any] = {}

    @classmethod
    @contextmanager
    def start(
        cls, region: str = "us-east-1", log: Path | None = None, certificates: Sequence[str] = ()
    ) -> Iterator[LocalAws]:
        """Run a local AWS on a free port of the loopback interface.

        Args:
            region: The region for callers that name none.
            log: Where its requests and tracebacks are written; default is a temporary file that goes with it.
            certificates: ARNs of certificates that ACM holds from the start.

        Raises:
            LocalAwsError: It ended or said nothing for a minute while starting.
        """
        with tempfile.TemporaryDirectory(prefix="local-aws-") as folder:
            log = log or Path(folder) / "local-aws.log"
            with log.open("ab") as stderr:
                process = _process(certificates, stderr, _server_environment(os.environ))
            aws = None
            try:
                aws = cls(f"http://127.0.0.1:{_port(process, log)}", region, log)
                aws.process_id = process.pid
                yield aws
            finally:
                _end(process, keep=aws is not None and aws._kept)

    def keep(self) -> None:
        """Have it outlive its `with` block and this process: a `kill` of its `process_id` then ends it."""
        self._kept = True

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that lead an AWS client here and keep it from every real account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    @property
    def environment(self) -> dict[str, str]:
        """A whole environment for a subprocess: this process's own, with all its AWS settings replaced."""
        return _without_aws(os.environ) | self.variables

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client of the local AWS, whatever this process's own AWS settings are."""
        key = (service, region or self.region)
        if key not in self._clients:
            create: Callable[..., Any] = self._session.client
            self._clients[key] = create(service, region_name=key[1], endpoint_url=self.endpoint_url)
        return self._clients[key]

    def reset(self) -> None:
        """Empty it: every resource of every service, account and region is gone."""
        request = urllib.request.Request(f"{self.endpoint_url}/moto-api/reset", method="POST")  # noqa: S310  # our own
        urllib.request.urlopen(request, timeout=_START_SECONDS).close()  # noqa: S310  # our own

    def operations(self) -> list[str]:
        """Operations that it has carried out since its start or reset, such as `ecs.CreateService`, sorted."""
        with urllib.request.urlopen(f"{self.endpoint_url}{OPERATIONS}", timeout=_START_SECONDS) as answer:  # noqa: S310  # our own
            found: list[str] = json.load(answer)
        return found

    def leftovers(self, *regions: str) -> list[str]:
        """What exists of the kinds that the project makes, as sorted lines `<region> <kind> <id>`.

        Args:
            regions: The regions to look into; default is the region it was started with.

        Returns:
            One line for each resource; AWS's own (default VPC, its subnets, …) are left out.
        """
        return leftovers(self.client, regions or (self.region,))


def _process(
    certificates: Sequence[str], stderr: IO[bytes], environment: Mapping[str, str]
) -> subprocess.Popen[bytes] | Forked:
    """A new server: forked by a template, where there is one."""
    if SOCKET in os.environ:
        return Forked(certificates, stderr, environment)
    return subprocess.Popen(
        [sys.executable, "-m", "local_aws", *certificates],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=environment,
        start_new_session=True,  # a terminal's Ctrl-C must leave it up for a destroy that follows
    )


def _session() -> boto3.session.Session:
    """A session that reads neither the profile nor the files of this process's user."""
    nowhere = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    return boto3.session.Session(
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106  # the local AWS takes any
        botocore_session=nowhere,
    )


def _without_aws(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("AWS_")}


def _server_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The server's environment: without moto's own settings, which would change how it answers."""
    inherited = {
        name: value for name, value in _without_aws(environment).items() if not name.startswith("MOTO_")
    }
    return inherited | {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}


def _port(process: subprocess.Popen[bytes] | Forked, log: Path) -> int:
    """The port that the server prints once it listens."""
    assert process.stdout is not None  # noqa: S101  # for the type checker: it is a pipe
    too_late = threading.Timer(_START_SECONDS, process.kill)
    too_late.start()
    line = process.stdout.readline().strip()
    too_late.cancel()
    if not line.isdigit():
        reason = (log.read_text(errors="replace").strip().splitlines() or ["no reason given"])[-1]
        raise LocalAwsError(f"the local AWS did not start: {reason}")
    return int(line)


def _end(process: subprocess.Popen[bytes] | Forked, *, keep: bool) -> None:
    """Stop the server, or tell it to go on without its parent."""
    if not keep:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    elif process.stdin is not None:
        process.stdin.write(STAY)
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
