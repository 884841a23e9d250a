"""Run the terraform binary in one directory."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from untrusted.paths import UnsafePathError, private_folder

Progress = Callable[[str], None]
"""Called with each line that terraform would show a person, without colours."""

OLDEST = (1, 11)
"""The oldest terraform that has what the stacks use: write-only arguments (1.11) and S3's own lock file."""

_INSTALL = "https://developer.hashicorp.com/terraform/install"


class TerraformError(Exception):
    """Terraform is missing or too old (one line that says what to install), or failed (its own text)."""


@dataclass(frozen=True)
class Plan:
    """What a plan would do; true if it would do anything.

    Attributes:
        has_changes: Whether applying it would change a resource or an output.
        actions: Resource address to `create`, `update`, `replace`, `delete`, `move`, `import` or `remove`.
        outputs: Name of an output that would change to `create`, `update` or `delete`.
    """

    has_changes: bool
    actions: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there are changes."""
        return self.has_changes


class Terraform:
    """Terraform in one directory.

    Attributes:
        directory: Where the configuration and, unless its backend says otherwise, the state is.
        timings: The commands run so far, each with the seconds that it took.
    """

    def __init__(
        self, directory: Path, environment: Mapping[str, str], progress: Progress | None = None
    ) -> None:
        """Prepare to run terraform; nothing runs yet.

        Args:
            directory: An existing directory that holds `*.tf` or `*.tf.json`.
            environment: The whole environment of the process, `PATH` included.
            progress: Told each line as terraform says it.
        """
        self.directory = directory
        self.timings: list[tuple[str, float]] = []
        self._progress = progress
        self._process: subprocess.Popen[str] | None = None
        self._is_interrupted = False
        self._environment = {
            **environment,
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "CHECKPOINT_DISABLE": "1",
        }
        for arguments in [name for name in self._environment if name.startswith("TF_CLI_ARGS")]:
            del self._environment[arguments]
        # A short-lived process need not collect garbage as it goes: two thirds of the CPU time, a tenth more memory.
        self._environment.setdefault("GOGC", "800")
        if "TF_PLUGIN_CACHE_DIR" not in self._environment:
            self._environment["TF_PLUGIN_CACHE_DIR"] = str(_plugin_cache(environment))
        # An init would otherwise install a cached provider anew, while another terraform is starting it.
        self._environment.setdefault("TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE", "true")

    @staticmethod
    def require(environment: Mapping[str, str]) -> str:
        """Check that terraform is there and new enough.

        Args:
            environment: The environment that terraform will run in; its `PATH` is searched.

        Returns:
            Its version, such as `1.11.4`.

        Raises:
            TerraformError: It is not on the `PATH`, does not run, or is older than 1.11.
        """
        needed = "terraform 1.11 or newer is needed: install it from " + _INSTALL
        binary = shutil.which("terraform", path=environment.get("PATH"))
        if binary is None:
            raise TerraformError(f"{needed} (none is on the PATH)")
        answer = subprocess.run(
            [binary, "version", "-json"],
            env={**environment, "CHECKPOINT_DISABLE": "1"},
            capture_output=True,
            text=True,
        )
        match = re.search(r'"terraform_version":\s*"((\d+)\.(\d+)[^"]*)"', answer.stdout)
        if match is None:
            raise TerraformError(f"{needed} ({binary} does not say its version)")
        if (int(match[2]), int(match[3])) < OLDEST:
            raise TerraformError(f"{needed} ({binary} is {match[1]})")
        return match[1]

    @staticmethod
    def format(*targets: str, text: str = "") -> str:
        """Rewrite configurations as `terraform fmt` does, with the terraform that `require` has found.

        Args:
            targets: What follows `terraform fmt`: a folder, or `-` for `text`.
            text: The configuration, where that is what is rewritten.

        Returns:
            What it printed: the rewritten text, or the names of the files.

        Raises:
            TerraformError: It cannot read what it is given.
        """
        ran = subprocess.run(["terraform", "fmt", *targets], input=text, capture_output=True, text=True)
        if ran.returncode:
            raise TerraformError(f"terraform fmt failed:\n{ran.stderr}")
        return ran.stdout

    def init(self) -> None:
        """Install the providers and set up the backend."""
        with _locked(Path(self._environment["TF_PLUGIN_CACHE_DIR"])):
            self._run("init")

    def validate(self) -> None:
        """Check the configuration against the providers' schemas, without a state or an AWS call."""
        self._run("validate", stream=False)

    def plan(self, out: Path | None = None, *, destroy: bool = False, refresh: bool = True) -> Plan:
        """Compare the configuration with what exists.

        Args:
            out: Where to keep the plan for `show_json` and `apply`.
            destroy: Plan the destruction of everything instead.
            refresh: Whether to read what exists, rather than to trust the state.
        """
        arguments = ["-detailed-exitcode", "-lock-timeout=60s"]
        if out is not None:
            arguments.append(f"-out={out.resolve()}")
        if destroy:
            arguments.append("-destroy")
        if not refresh:
            arguments.append("-refresh=false")
        status, messages = self._run("plan", *arguments, allowed=(0, 2))
        changes = [message["change"] for message in messages if message.get("type") == "planned_change"]
        told = [message["outputs"] for message in messages if message.get("type") == "outputs"]
        return Plan(
            status == 2,
            {change["resource"]["addr"]: change["action"] for change in changes},
            {
                name: output["action"]
                for outputs in told
                for name, output in outputs.items()
                if output["action"] != "noop"
            },
        )

    def show_json(self, plan: Path) -> dict[str, Any]:
        """A plan that `plan` kept, in Terraform's JSON plan representation."""
        shown: dict[str, Any] = json.loads(self._run("show", str(plan.resolve()), stream=False)[1][0]["text"])
        return shown

    def apply(self, plan: Path | None = None) -> None:
        """Make what exists like the configuration, or carry out a plan that `plan` kept."""
        self._run("apply", "-auto-approve", "-lock-timeout=60s", *([str(plan.resolve())] if plan else []))

    def destroy(self) -> None:
        """Destroy everything that is in the state."""
        self._run("apply", "-destroy", "-auto-approve", "-lock-timeout=60s")

    def outputs(self) -> dict[str, Any]:
        """The outputs' values by name, sensitive ones included."""
        outputs = json.loads(self._run("output", stream=False)[1][0]["text"])
        return {name: output["value"] for name, output in outputs.items()}

    def interrupt(self) -> None:
        """Have the command that runs, in another thread, end as Ctrl-C would: soon, and with its state written.

        One that is about to start ends as well.
        """
        self._is_interrupted = True
        self._pass_interrupt_on()

    def _pass_interrupt_on(self) -> None:
        process = self._process
        if self._is_interrupted and process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)

    def _run(
        self, command: str, *arguments: str, stream: bool = True, allowed: Sequence[int] = (0,)
    ) -> tuple[int, list[dict[str, Any]]]:
        """Run one command; what it said as messages, or as one text where `stream` is false."""
        began = time.monotonic()
        with subprocess.Popen(
            ["terraform", command, "-json", *arguments],
            cwd=self.directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if stream else subprocess.PIPE,
            text=True,
            errors="replace",
        ) as process:
            self._process = process
            self._pass_interrupt_on()
            if stream and process.stdout is not None:
                messages = list(self._messages(process.stdout))
            else:
                messages = [dict(zip(("text", "stderr"), process.communicate(), strict=True))]
        self.timings.append((command, time.monotonic() - began))
        if process.returncode not in allowed:
            raise TerraformError(f"terraform {command} failed in {self.directory}:\n{_errors(messages)}")
        return process.returncode, messages

    def _messages(self, output: IO[str]) -> Iterator[dict[str, Any]]:
        for line in output:
            message = _message(line)
            if self._progress is not None:
                self._progress(message["@message"])
            yield message


def _message(line: str) -> dict[str, Any]:
    """A line of terraform's machine-readable output; text that is not JSON is its own message."""
    try:
        message = json.loads(line)
    except json.JSONDecodeError:
        message = None
    return message if isinstance(message, dict) and "@message" in message else {"@message": line.rstrip("\n")}


def _errors(messages: Sequence[Mapping[str, Any]]) -> str:
    """The errors in what terraform said: each diagnostic's summary, resource, place and detail."""
    diagnostics = [message["diagnostic"] for message in messages if "diagnostic" in message]
    for message in messages:
        if "text" in message:
            diagnostics += _validation(message["text"])
    errors = [_error(diagnostic) for diagnostic in diagnostics if diagnostic["severity"] == "error"]
    return "\n".join(errors or [message.get("@message") or message.get("stderr", "") for message in messages])


def _validation(text: str) -> list[dict[str, Any]]:
    """The diagnostics of `validate`, which says everything in one JSON document."""
    try:
        found: list[dict[str, Any]] = json.loads(text).get("diagnostics", [])
    except json.JSONDecodeError:
        return []
    return found


def _error(diagnostic: Mapping[str, Any]) -> str:
    place = diagnostic.get("range")
    where = [diagnostic.get("address"), f"{place['filename']}:{place['start']['line']}" if place else None]
    located = ", ".join(part for part in where if part)
    lines = [diagnostic["summary"] + (f" ({located})" if located else "")]
    lines += [f"  {line}" for line in diagnostic.get("detail", "").splitlines() if line.strip()]
    return "\n".join(lines)


def _plugin_cache(environment: Mapping[str, str]) -> Path:
    """The user's cache of providers, which Terraform runs: https://specifications.freedesktop.org/basedir-spec/.

    Raises:
        TerraformError: it belongs to another user.
    """
    base = environment.get("XDG_CACHE_HOME") or str(Path(environment.get("HOME") or Path.home()) / ".cache")
    try:
        return private_folder(Path(base), "scythe-aws", "terraform-plugins")
    except UnsafePathError as error:
        raise TerraformError(f"{error}; name another cache with TF_PLUGIN_CACHE_DIR") from None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the plugin cache: Terraform does not guard it against two inits at once.

    https://developer.hashicorp.com/terraform/cli/config/config-file#provider-plugin-cache
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
