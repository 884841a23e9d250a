"""``scythe-aws demo``: an environment deployed by terraform and the AWS provider, on a local AWS."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from environments.loading import names
from environments.schema import Environment
from environments.sections import StateSettings
from ops.commands.demo_screen import Screen, Step
from ops.environment import environments_of
from ops.errors import INTERRUPTED, CommandError
from ops.terraform import Terraform

if TYPE_CHECKING:
    from local_aws import LocalAws

_COUNTED = re.compile(r"^(?:Apply|Destroy) complete! .*?([1-9]\d*) (?:added|destroyed)")
_POLL_SECONDS = 0.2
_QUIET_SECONDS = 2.0


def demo(environment: str = "docs", *, destroy: bool = False, keep: bool = False) -> int:
    """Deploy an environment to a local AWS, plan a second time, and show the outputs.

    All of it is on this machine and in a temporary folder: no AWS account, no ``state/``, no ``cdktf.out``.

    Args:
        environment: a name or the path of a file.
        destroy: destroy it again and show that nothing is left.
        keep: leave the local AWS running and the folder in place; say how to reach and how to end them.

    Returns:
        The exit status: 0; 1 where a second plan has changes or something is left; 130 after Ctrl-C.

    Raises:
        CommandError: The options exclude each other, or the environment needs what a local AWS has not.
        EnvironmentFileError: The environment cannot be used.
        TerraformError: Terraform is missing or failed.
        LocalAwsError: The local AWS did not start.
    """
    if destroy and keep:
        raise CommandError("--destroy and --keep exclude each other: give one of them")
    Terraform.require(os.environ)
    found = environments_of([environment])
    runnable = _for_local_aws(found[0][1])
    folder = Path(tempfile.mkdtemp(prefix="scythe-aws-demo-"))
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # kill ends what Ctrl-C ends
    status = INTERRUPTED
    try:
        status = _Demo(environment, runnable, folder).run(destroy=destroy, keep=keep)
    except KeyboardInterrupt:
        print("Interrupted: all that the demo started has ended.", file=sys.stderr)
    finally:
        signal.signal(signal.SIGTERM, before)
        if not keep or status != 0:
            shutil.rmtree(folder, ignore_errors=True)
    return status


def _for_local_aws(environment: Environment) -> Environment:
    """The environment with its state on this machine, in the local AWS's account, and nothing that a destroy keeps."""
    missing = {
        "network.existing": environment.network.existing is not None,
        "storage.existing": environment.storage.existing,
        "hatchet.token_secret_arn": environment.hatchet.token_secret_arn is not None,
        "hatchet.zone_id": environment.hatchet.zone_id is not None,
    }
    for key, named in missing.items():
        if named:
            raise CommandError(
                f"{key} names what the local AWS has not: the demo needs an environment without"
            )
    database = environment.hatchet.database.model_copy(
        update={"deletion_protection": False, "final_snapshot": False}
    )
    hatchet = environment.hatchet.model_copy(update={"database": database})
    return environment.model_copy(update={"account_id": None, "state": StateSettings(), "hatchet": hatchet})


def _for_an_account(given: str, environment: Environment, parts: Iterable[str]) -> dict[str, str]:
    """What a person types to deploy it for good and use it, each command with what else is to be known of it."""
    hatchet = environment.hatchet
    commands = {"aws sso login": ""}
    if given not in names():
        commands[f"export SCYTHE_AWS_ENVIRONMENTS={shlex.quote(given)}"] = (
            "else cdktf sees environments/ alone"
        )
    for part in parts:
        if part == "hatchet" and environment.image_registry == "ecr":
            commands[f"scythe-aws image mirror {given}"] = "the images of the engine, for its ECR"
        commands[f"cdktf deploy {environment.name}-{part}"] = (
            "the engine, whose set-up makes its client token" if part == "hatchet" else ""
        )
    if hatchet.mode == "cloud":
        commands[f"scythe-aws token {given}"] = "Hatchet's client token, from standard input"
    elif hatchet.domain is None:
        commands[f"scythe-aws forward {given}"] = "the engine at localhost, in a terminal of its own"
    commands[f"scythe-aws connect {given}"] = "a researcher's shell"
    return commands


class _Threads:
    """Runs terraform in threads, and ends all of it when one fails or Ctrl-C comes."""

    def __init__(self) -> None:
        self.terraforms: list[Terraform] = []
        self.ended = threading.Event()
        self._pool = ThreadPoolExecutor()
        self._futures: list[Future[Any]] = []

    def __enter__(self) -> _Threads:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.ended.set()
        while wait(self._futures, timeout=0).not_done:
            # Again until all have ended: a command may begin just now, and one asked twice ends at once.
            for terraform in self.terraforms:
                terraform.interrupt()
            wait(self._futures, timeout=5)
        self._pool.shutdown()

    def start(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future = self._pool.submit(work, *arguments)
        self._futures.append(future)
        return future

    def join(self) -> None:
        """Wait for all; raise the first error at once."""
        # Never for long: a signal that comes just before a wait begins is seen only when it ends.
        while wait(self._futures, timeout=_POLL_SECONDS, return_when=FIRST_EXCEPTION).not_done:
            for future in [future for future in self._futures if future.done()]:
                future.result()
        for future in self._futures:
            future.result()


class _Stack:
    """A synthesized stack and its terraform."""

    def __init__(self, folder: Path, state: Path, aws: LocalAws) -> None:
        template = json.loads((folder / "cdk.tf.json").read_text(encoding="utf-8"))
        self.name = folder.name
        self.needs = sorted(template.get("data", {}).get("terraform_remote_state", {}))
        self.terraform = Terraform(folder, aws.environment, self._say)
        self.step: Step | None = None
        self.deployed = False
        self._outputs = set(template.get("output", {}))
        self._state = state

    def is_readable(self) -> bool:
        """Whether other stacks find all that they read: when it is deployed, or its outputs are known before.

        The AWS provider watches a bucket's new lifecycle rules for 55 s before it believes them; all else of
        the storage is there after a few. Its state is read only while nothing is written to it.
        """
        if self.deployed:
            return True
        try:
            quiet = time.time() - self._state.stat().st_mtime > _QUIET_SECONDS
            return quiet and self._outputs <= set(json.loads(self._state.read_text())["outputs"])
        except (OSError, ValueError, KeyError):
            return False

    def _say(self, line: str) -> None:
        if self.step is None:
            return
        self.step.says(line)
        if counted := _COUNTED.search(line):
            self.step.result = f"{self.step.result}: {counted[1]} resources"


class _Demo:
    def __init__(self, given: str, environment: Environment, folder: Path) -> None:
        self._given = given
        self._environment = environment
        self._folder = folder
        self._screen = Screen()
        self._stacks: dict[str, _Stack] = {}
        self._changes: list[str] = []

    def run(self, *, destroy: bool, keep: bool) -> int:
        from local_aws import LocalAws

        with self._screen, ExitStack() as ends, _Threads() as threads:
            certificate = self._environment.hatchet.certificate_arn
            server = LocalAws.start(
                self._environment.region,
                self._folder / "local-aws.log",
                [certificate] if certificate else [],
            )
            starting = threads.start(self._start, ends, server)
            parts = self._synthesize()
            aws: LocalAws = starting.result()
            self._stacks = {part: self._stack(part, aws) for part in parts}
            threads.terraforms += [stack.terraform for stack in self._stacks.values()]
            for part in sorted(parts, key=lambda name: name != "storage"):  # the longest first
                threads.start(self._deploy, self._stacks[part], threads.ended)
            threads.join()
            status = self._tell()
            if destroy and status == 0:
                status = self._destroy(threads, aws)
            if keep and status == 0:
                aws.keep()
                self._say_how_to_reach(aws)
        return status

    def _start(self, ends: ExitStack, server: AbstractContextManager[LocalAws]) -> LocalAws:
        with self._screen.step("local AWS", "starting", "started", "aws sso login") as step:
            aws = ends.enter_context(server)
            step.result = f"answers at {aws.endpoint_url}"
        return aws

    def _synthesize(self) -> Sequence[str]:
        name = self._environment.name
        with self._screen.step(name, "synthesizing", "synthesized", f"scythe-aws synth {self._given}"):
            from main import parts, synthesize  # only now, since it takes a second

            synthesize([self._environment], self._folder / "cdktf.out")
        (self._folder / "state").mkdir()
        return parts(self._environment)

    def _stack(self, part: str, aws: LocalAws) -> _Stack:
        name = f"{self._environment.name}-{part}"
        folder = self._folder / "cdktf.out" / "stacks" / name
        return _Stack(folder, self._folder / "state" / f"{name}.tfstate", aws)

    @contextmanager
    def _step(self, stack: _Stack, doing: str, done: str, command: str) -> Iterator[Step]:
        with self._screen.step(stack.name, doing, done, f"cdktf {command} {stack.name}") as step:
            stack.step = step
            yield step

    def _deploy(self, stack: _Stack, ended: threading.Event) -> None:
        while not all(self._stacks[part].is_readable() for part in stack.needs):
            if ended.wait(_POLL_SECONDS):
                return
        with self._step(stack, "deploying", "deployed", "deploy"):
            stack.terraform.init()
            stack.terraform.apply()
        stack.deployed = True
        with self._step(stack, "planning again", "second plan: no changes", "diff") as step:
            plan = stack.terraform.plan()
            if plan.has_changes:
                step.result = "second plan: CHANGES"
                changed = [f"{address}: {action}" for address, action in plan.actions.items()]
                self._changes += [f"{stack.name} {line}" for line in changed or ["outputs: update"]]

    def _tell(self) -> int:
        if self._changes:
            self._screen.write("The second plan has changes:", "bold red")
            for line in self._changes:
                self._screen.write(f"  {line}")
            return 1
        self._screen.write()
        for stack in self._stacks.values():
            self._screen.write_outputs(stack.name, stack.terraform.outputs())
        self._screen.write()
        self._screen.write(
            f"Done in {self._screen.seconds:.0f} s: a second plan of every stack has no changes."
        )
        self._screen.write("Against an AWS account, in this order:")
        commands = _for_an_account(self._given, self._environment, self._stacks)
        width = max(map(len, commands))
        for command, words in commands.items():
            self._screen.write(f"  {command:<{width}}  {words}".rstrip())
        return 0

    def _destroy(self, threads: _Threads, aws: LocalAws) -> int:
        for part in self._stacks:
            threads.start(self._destroy_stack, part, threads.ended)
        threads.join()
        left = aws.leftovers(self._environment.region)
        self._screen.write("Nothing is left." if not left else "Left:", "bold")
        for line in left:
            self._screen.write(f"  {line}")
        return 1 if left else 0

    def _destroy_stack(self, part: str, ended: threading.Event) -> None:
        stack = self._stacks[part]
        while any(other.deployed for other in self._stacks.values() if part in other.needs):
            if ended.wait(_POLL_SECONDS):
                return
        with self._step(stack, "destroying", "destroyed", "destroy"):
            stack.terraform.destroy()
        stack.deployed = False

    def _say_how_to_reach(self, aws: LocalAws) -> None:
        variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in aws.variables.items())
        self._screen.write()
        self._screen.write(
            "The local AWS stays. In a shell, for scythe-aws, terraform and the AWS command line:"
        )
        self._screen.write(f"  cd {self._folder}; export {variables}")
        self._screen.write("To end it:")
        self._screen.write(f"  kill {aws.process_id}; rm -r {self._folder}")
