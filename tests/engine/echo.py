"""A program of the tests: a worker with one task, and runs of that task; all it knows is in its environment.

``python -m tests.engine.echo BYTES``: exit status 0 when a text of that length came back.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from hatchet_sdk import Context, Hatchet
from pydantic import BaseModel

NAME = "echo"
SECONDS = 100


class Text(BaseModel):
    text: str


def serve() -> None:
    """Run the worker until SIGTERM."""
    hatchet = Hatchet()

    @hatchet.task(name=NAME, input_validator=Text, execution_timeout="60s")
    def echo(given: Text, context: Context) -> dict[str, str]:
        return {"text": given.text}

    hatchet.worker(NAME, workflows=[echo]).start()


def ask(length: int) -> str:
    """Run the task once; what is wrong with what comes back."""
    hatchet = Hatchet()
    # The engine takes runs of what it does not know, and forgets them.
    until = time.monotonic() + SECONDS
    while not hatchet.workflows.list(workflow_name=NAME).rows:
        if time.monotonic() > until:
            return "the worker does not register"
        time.sleep(0.2)
    stub = hatchet.stubs.task(name=NAME, input_validator=Text, output_validator=Text)
    text = "x" * length
    return "" if stub.run(Text(text=text)).text == text else "another text came back"


def main() -> int:
    # One process would do, but the SDK's worker is for a main thread; a second one would import it all again.
    child = os.fork()
    if not child:
        os.dup2(2, 1)
        serve()
        os._exit(0)
    try:
        fault = ask(int(sys.argv[1]))
    finally:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
    print(fault or "it came back")
    return bool(fault)


if __name__ == "__main__":
    sys.exit(main())
