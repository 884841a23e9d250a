"""No token, no secret of the environment and no credentials in an address leave the worker."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scythe_worker import redaction
from scythe_worker.redaction import redacted, secrets_of
from scythe_worker.streams import Redacted
from tests.scythe_worker.test_worker import environment, package, token, worker

CANARY = "canary-Zq7/x+9=&'\"\\ü"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"with {token(sub='x')} inside", "with <token> inside"),
        (f"token={token(sub='x')}", "token=<token>"),
        (f"x.{token(sub='x')}.y", "x.<token>.y"),
        ("see numpy.core.multiarray, version 1.2.3 of key.value.pair", None),
        ("postgres://user:p@ss@host/db and s3://bucket/key", "postgres://<credentials>@host/db and s3://bucket/key"),
        ("https://ghp_abcdef@github.com/a/b", "https://<credentials>@github.com/a/b"),
        ("mail me@example.com about https://example.com/@me", None),
        (
            "https://b.s3.amazonaws.com/k?X-Amz-Signature=abc123&x=1&api_key=k2 end",
            "https://b.s3.amazonaws.com/k?X-Amz-Signature=<secret>&x=1&api_key=<secret> end",
        ),
    ],
)  # fmt: skip
def test_tokens_and_credentials(text: str, says: str | None) -> None:
    assert redacted(text) == (text if says is None else says)


@pytest.mark.parametrize(
    "text", ["ey" * 2_000_000, "eyJ." * 1_000_000, "://" * 1_000_000, "a.b." * 1_000_000]
)
def test_no_text_takes_long(text: str) -> None:
    redacted(text)


def forms(value: str) -> list[str]:
    from urllib.parse import quote, quote_plus

    return [value, json.dumps(value), repr(value), quote(value, safe=""), quote_plus(value), f"x{value}y"]


@given(
    st.text(st.characters(min_codepoint=33, exclude_categories=["Cs"]), min_size=8, max_size=60).filter(
        lambda text: text == text.strip()
    )
)
def test_a_secret_is_found_however_it_is_written(value: str) -> None:
    secrets = secrets_of({"SCYTHE_WORKER_SECRETS": "LICENCE,OTHER", "LICENCE": value})
    assert secrets is not None
    for form in forms(value):
        assert value not in secrets.sub("", form)
        assert secrets.search(form), form


def test_what_counts_as_a_secret() -> None:
    key = (
        "-----BEGIN KEY-----\n" + "\n".join(["AbCdEfGhIjKlMnOp", "QrStUvWxYz012345"]) + "\n-----END KEY-----"
    )
    login = json.dumps({"user": "me", "password": "correct horse battery", "port": 5432})
    secrets = secrets_of({"SCYTHE_WORKER_SECRETS": "KEY, LOGIN ,PIN", "KEY": key, "LOGIN": login, "PIN": "12", "AWS_SESSION_TOKEN": "session-token"})  # fmt: skip
    assert secrets is not None
    for found in ("AbCdEfGhIjKlMnOp", "QrStUvWxYz012345", "correct horse battery", "session-token"):
        assert secrets.fullmatch(found)
    for left in ("12", "me", "5432", "-----BEGIN KEY-----"):
        assert not secrets.fullmatch(left)
    assert secrets_of({"SCYTHE_WORKER_SECRETS": "", "HOME": "/root"}) is None


def test_a_stream_writes_whole_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_secrets", lambda: secrets_of({"HATCHET_CLIENT_TOKEN": "canary-value"}))
    reader, writer = os.pipe()
    stream: Any = Redacted(writer, 1)
    stream.write("can")
    stream.write("ary-value and M\udcfc\n")
    stream.buffer.write(b"canary-value\xff\n")
    print("canary", "value", sep="-", end="", file=stream)
    stream.close()
    print("open still", file=stream)
    os.close(writer)
    stream.write("lost\n")
    with open(reader, "rb") as out:
        assert out.read() == b"<secret> and M\\udcfc\n<secret>\\xff\n<secret>open still\n"


NASTY = f"""
import logging, os, sys, threading, warnings
secret = os.environ["LICENCE"]
print("printed", secret)
sys.stderr.write("written " + secret + chr(10))
sys.stdout.buffer.write(b"bytes " + secret.encode() + b"\\n")
print("to the old one", secret, file=sys.__stderr__)
warnings.warn("warned of " + secret)
logging.basicConfig(force=True)
logging.warning("logged %s %r", secret, [secret])
def raises(): raise ValueError("in a thread " + secret)
thread = threading.Thread(target=raises, daemon=True)
thread.start(); thread.join()
class Dies:
    def __del__(self): raise ValueError("in a finaliser " + secret)
Dies()
os.environ["LICENCE"] = ""
raise RuntimeError("bad settings: " + secret * 100 + os.environ["HATCHET_CLIENT_TOKEN"] + " of https://u:{base64.b64encode(b"pw").decode()}@h/")
"""


@pytest.mark.slow
@pytest.mark.parametrize("command", ["start", "register"])
def test_no_line_of_a_package_that_fails_has_a_secret(tmp_path: Path, command: str) -> None:
    given = environment(LICENCE=CANARY, SCYTHE_WORKER_SECRETS="LICENCE")
    ran = worker(*([] if command == "start" else [command]), at=package(tmp_path, NASTY), given=given)
    assert ran.returncode == 2
    output = ran.stdout + ran.stderr
    for form in (CANARY, json.dumps(CANARY)[1:-1], repr(CANARY)[1:-1], given["HATCHET_CLIENT_TOKEN"], "cHc="):
        assert form not in output
    assert "canary" not in output
    for said in ("printed <secret>", "written <secret>", "bytes <secret>", "to the old one <secret>", "warned of <secret>",
                 "logged <secret>", "in a thread <secret>", "in a finaliser <secret>"):  # fmt: skip
        assert said in output, said
    last = ran.stderr.splitlines()[-1]
    assert last.startswith(
        "scythe_worker: experiments: cannot be imported: RuntimeError: bad settings: <secret>"
    )


def test_a_thread_that_is_gone_while_it_writes_holds_up_no_end() -> None:
    """As a daemon thread is at the interpreter's end, or in a forked child."""
    program = (
        "import sys, threading; from scythe_worker import streams; streams.install()\n"
        "thread = threading.Thread(target=sys.stdout._lock.acquire); thread.start(); thread.join()\n"
        "print('written all the same', end='')"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert (ran.returncode, ran.stdout) == (0, "written all the same"), ran.stderr


def test_what_is_printed_costs_little() -> None:
    code = (
        "import time; from scythe_worker import streams; streams.install()\n"
        "began = time.process_time()\n"
        "for n in range(20000): print('step', n, 'of the simulation at 12:00, 21.5 degrees')\n"
        "import sys; print(time.process_time() - began, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(ran.stdout.splitlines()) == 20000
    assert float(ran.stderr) < 2
