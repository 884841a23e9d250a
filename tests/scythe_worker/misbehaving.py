"""The experiments of `test_misbehaving`: a package of its own beside each worker."""

# mypy: disable-error-code="arg-type,func-returns-value,type-var,untyped-decorator"
# Researchers' code is untyped, and some of these mistakes are what is tried.

import asyncio
import ctypes
import json
import logging
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from hatchet_sdk import Context, NonRetryableException
from hatchet_sdk.exceptions import RetryAfterException
from pydantic import BaseModel, field_serializer, field_validator
from scythe.base import ExperimentInputSpec, ExperimentOutputSpec
from scythe.hatchet import hatchet
from scythe.registry import ExperimentRegistry

NOTES = Path(os.environ["TEST_NOTES"])
LICENCE = os.environ["LICENCE"]


class Mine(BaseException):
    pass


class Wordless(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Unpicklable(Exception):
    def __reduce__(self) -> Any:
        raise SystemExit

    def __init__(self, lock: Any) -> None:
        self.lock = lock


class Input(ExperimentInputSpec):
    kind: str = "ok"
    seconds: float = 0

    @field_validator("kind")
    @classmethod
    def _exits(cls, kind: str) -> str:
        if kind == "input that exits":
            sys.exit("no input")
        return kind


class Output(ExperimentOutputSpec):
    square: float = 0
    text: str = ""

    @field_serializer("text")
    def _exits(self, text: str) -> str:
        if text == "exit":
            sys.exit("no result")
        return text


def square(number: int) -> int:
    return number * number


def raises(error: BaseException) -> None:
    raise error


def recurse() -> None:
    recurse()


def forks(error: BaseException) -> None:
    child = os.fork()
    if child == 0:
        raise error
    os.waitpid(child, 0)


def closes() -> None:
    sys.stdout.close()
    sys.stderr.close()


def replaces() -> None:
    with open(os.devnull, "w") as nothing:
        sys.stdout = sys.stderr = nothing


def leaves() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)


def in_pool() -> None:
    with multiprocessing.Pool(2) as pool:
        assert sum(pool.map(square, range(10))) == 285


def in_executor() -> None:
    with ProcessPoolExecutor(2) as pool:
        assert sum(pool.map(square, range(10))) == 285


def stops_child() -> None:
    child = os.fork()
    if child == 0:
        while True:
            time.sleep(0.01)
    time.sleep(0.2)
    os.kill(child, signal.SIGTERM)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])


def in_thread() -> None:
    thread = threading.Thread(target=raises, args=(ValueError(LICENCE),), daemon=True)
    thread.start()
    thread.join()


def prints() -> None:
    print("a licence:", LICENCE)
    print("the token", os.environ.get("HATCHET_CLIENT_TOKEN"), file=sys.stderr)
    logging.getLogger("lab").warning("a licence: %s", LICENCE)


def logging_off() -> None:
    logging.disable(logging.CRITICAL)
    logging.getLogger("scythe_worker").disabled = True


def allocates() -> None:
    """Fill what the process may have, its limit, as a control group's would be."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + 256 * 2**20, before[1]))
    held = []
    try:
        while True:
            held.append(bytearray(2**24))
    finally:
        held.clear()
        resource.setrlimit(resource.RLIMIT_AS, before)


def stops_worker() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(1000)


def out_of_time() -> None:
    while True:
        time.sleep(0.01)


ACTIONS: dict[str, Any] = {
    "ok": lambda: None,
    "exit": lambda: sys.exit("no licence"),
    "exit 0": lambda: sys.exit(0),
    "interrupt": lambda: raises(KeyboardInterrupt()),
    "own": lambda: raises(Mine("mine")),
    "cancelled": lambda: raises(asyncio.CancelledError()),
    "generator": lambda: raises(GeneratorExit()),
    "stop": lambda: next(iter([])),
    "wordless": lambda: raises(Wordless()),
    "surrogate": lambda: raises(FileNotFoundError("M\udcfcnchen.epw")),
    "nul": lambda: raises(ValueError("a\0b")),
    "escapes": lambda: raises(ValueError("\x1b[2J")),
    "long text": lambda: raises(ValueError("x" * 5_000_000)),
    "large result": lambda: Output(text="x" * 5_000_000),
    "just small enough": lambda: Output(text="x" * (2 * 2**20 - 40_000)),
    "surrogate result": lambda: Output(text="M\udcfcnchen"),
    "nul result": lambda: Output(text="a\0b"),
    "no result": lambda: 3,
    "result that exits": lambda: Output(text="exit"),
    "nan": lambda: Output(square=float("nan")),
    "unpicklable": lambda: raises(Unpicklable(threading.Lock())),
    "recursion": recurse,
    "memory": lambda: raises(MemoryError()),
    "all of the memory": allocates,
    "token": lambda: raises(ValueError(LICENCE + " " + os.environ["HATCHET_CLIENT_TOKEN"])),
    "later": lambda: raises(RetryAfterException("soon", after=timedelta(milliseconds=10))),
    "never": lambda: raises(NonRetryableException("never")),
    "no time": lambda: raises(RetryAfterException("when", after="5 s")),
    "fork": lambda: forks(SystemExit(0)),
    "fork that raises": lambda: forks(ValueError("in the child")),
    "pool": in_pool,
    "executor": in_executor,
    "child that is told to stop": stops_child,
    "closed streams": closes,
    "closed descriptors": lambda: os.closerange(1, 3),
    "replaced streams": replaces,
    "basic config": lambda: logging.basicConfig(level=logging.DEBUG, force=True),
    "logging off": logging_off,
    "no token": lambda: os.environ.pop("HATCHET_CLIENT_TOKEN") and None,
    "folder that is gone": leaves,
    "thread that raises": in_thread,
    "loop of its own": lambda: asyncio.run(asyncio.sleep(0.01)),
    "locale": lambda: __import__("locale").setlocale(__import__("locale").LC_ALL, "C") and None,
    "prints": prints,
    "endless": out_of_time,
    "asleep": lambda: time.sleep(1000),
    "segmentation fault": lambda: ctypes.string_at(0),
    "exit 0 of the process": lambda: os._exit(0),
    "exit 1 of the process": lambda: os._exit(1),
    "killed for its memory": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "stops its worker": stops_worker,
}


def note(what: str, spec: Input) -> None:
    with NOTES.open("a") as out:
        line = {"what": what, "spec": spec.sort_index, "pid": os.getpid(), "at": time.time()}
        out.write(json.dumps(line) + "\n")


@ExperimentRegistry.Register(retries=0, execution_timeout="20s")
def nasty(input_spec: Input) -> Output:
    """Does what it is told to."""
    note("start", input_spec)
    if input_spec.kind == "holds the interpreter":
        ctypes.PyDLL(None).sleep(int(input_spec.seconds))
        return Output()
    time.sleep(input_spec.seconds)
    result = ACTIONS[input_spec.kind]()
    note("end", input_spec)
    return result or Output(square=input_spec.sort_index**2)


@ExperimentRegistry.Register(retries=0, execution_timeout="30m")
def patient(input_spec: Input) -> Output:
    """The same, with a time limit that no test waits for; of several kinds, another one at each start."""
    note("start", input_spec)
    time.sleep(input_spec.seconds)
    ways = input_spec.kind.split(", ")
    lines = [json.loads(line) for line in NOTES.read_text().splitlines()]
    begun = sum(line["spec"] == input_spec.sort_index for line in lines)
    result = ACTIONS[ways[(begun - 1) % len(ways)]]()
    return result or Output()


class Asked(BaseModel):
    kind: str = "ok"


@ExperimentRegistry.Include
@hatchet.task(name="coroutine", input_validator=Asked, execution_timeout="20s")
async def coroutine(given: Asked, context: Context) -> dict[str, int]:
    """The same on the event loop."""

    async def exits() -> None:
        sys.exit("in a task of its own")

    if given.kind == "exit":
        sys.exit("no licence")
    if given.kind == "task that exits":
        await asyncio.create_task(exits())
    if given.kind == "cancelled":
        raise asyncio.CancelledError
    if given.kind == "cancels itself":
        task = asyncio.current_task()
        assert task
        task.cancel()
        await asyncio.sleep(1)
    if given.kind == "blocks":
        time.sleep(600)
    return {"square": 1}
