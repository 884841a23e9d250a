"""Processes of the AWS provider that outlive a command of Terraform's.

Terraform starts the provider anew up to four times in each command, and reads its 1,500 schemas: nine tenths of the
command's processor time. It is the same provider here, found where Terraform has installed it; only its processes live
longer, and give the schemas that are needed (`slim_provider`):
https://developer.hashicorp.com/terraform/plugin/debugging#running-terraform-with-a-provider-in-debug-mode
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ops.terraform import Terraform
from tests.support.slim_provider import SlimProvider

VARIABLE = "TF_REATTACH_PROVIDERS"


class Providers:
    """The providers of one local AWS, whose address each has in its environment.

    A command configures the provider that it uses, so no two use one at once: there are as many as commands at once.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Prepare to start providers; `of` is what also ends them."""
        self._environment = {
            **environment,
            # Collecting garbage while it reads its own schema would be two thirds of its start.
            "GOGC": "off",
            "GOMEMLIMIT": "700MiB",
            # What they log at each call, for whoever debugs them, would be much of their work.
            "TF_LOG_SDK": "off",
            "TF_LOG_PROVIDER": "off",
        }
        self._binary: Path | None = None
        self._lock = threading.Lock()
        self._processes: dict[str, tuple[subprocess.Popen[str], SlimProvider]] = {}
        self._sockets = Path(tempfile.mkdtemp(prefix="slim-"))
        self._idle: list[str] = []

    @classmethod
    @contextmanager
    def of(cls, environment: Mapping[str, str]) -> Iterator[Providers]:
        """Providers that run no longer than the `with` block."""
        providers = cls(environment)
        try:
            yield providers
        finally:
            for address in list(providers._processes):
                providers._end(address)
            shutil.rmtree(providers._sockets)

    @contextmanager
    def one(self, stack: Path) -> Iterator[dict[str, str]]:
        """What a command has in its environment to use a provider; nothing else uses that in the meantime.

        Args:
            stack: the command's folder; the first one is initialized, as Terraform installs providers.
        """
        with self._lock:
            binary = self._installed(stack)
            address = self._idle.pop() if self._idle else self._start(binary)
        try:
            yield {VARIABLE: address}
        finally:
            with self._lock:
                # One waits for the next command; more would only take memory.
                if self._idle:
                    self._end(address)
                else:
                    self._idle.append(address)

    def _installed(self, stack: Path) -> Path:
        if self._binary is None:
            Terraform(stack, self._environment).init()
            pattern = "*/hashicorp/aws/*/*/terraform-provider-aws*"
            (self._binary,) = (stack / ".terraform" / "providers").glob(pattern)
        return self._binary

    def _start(self, binary: Path) -> str:
        process = subprocess.Popen(
            [binary, "-debug"], env=self._environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            name, _, value = line.strip().partition("=")
            if name == VARIABLE:
                (address,) = shlex.split(value)
                slim, address = self._slimmed(address)
                self._processes[address] = process, slim
                return address
        raise AssertionError(f"{binary} ended with {process.wait()}")

    def _slimmed(self, address: str) -> tuple[SlimProvider, str]:
        """What Terraform talks to instead of a provider, and its address."""
        ((name, provider),) = json.loads(address).items()
        socket = self._sockets / Path(provider["Addr"]["String"]).name
        slim = SlimProvider(provider["Addr"]["String"], socket)
        provider["Addr"]["String"] = str(socket)
        return slim, json.dumps({name: provider})

    def _end(self, address: str) -> None:
        process, slim = self._processes.pop(address)
        slim.end()
        with process:
            process.terminate()
