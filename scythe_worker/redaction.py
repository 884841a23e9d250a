"""What must not leave the worker: tokens, the secrets of its environment, and credentials in addresses.

Standard library alone: the health check prints through it too.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

NAMES = "SCYTHE_WORKER_SECRETS"
"""The names of the variables that ECS fills with secrets, with commas between. The task definition sets it."""

ALWAYS = ("HATCHET_CLIENT_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

SHORTEST = 4
"""A shorter value stands in too many words to be taken out of them."""

SHORTEST_PART = 8
"""The same for one line, or one value of a JSON object, of a longer secret."""

SECRET, TOKEN, CREDENTIALS = "<secret>", "<token>", "<credentials>"  # what stands in their place

RUN = re.compile(r"[\w.-]{8,}+")
"""Where a JSON Web Token may stand. `_without_tokens` looks into it: one expression for all takes quadratic time."""

AUTHORITY = re.compile(r"(?<=://)[^\s/\"'<>]*@")
PARAMETER = re.compile(
    r"(?i)(?<=[?&])((?:x-amz-(?:signature|security-token|credential)|sig|signature|\w*token|\w*password|api_?key|\w*secret)=)"
    r"[^&\s\"'<>]+"
)


def redacted(text: str) -> str:
    """A text without tokens, secrets and credentials."""
    secrets = _secrets()
    if secrets is not None:
        text = secrets.sub(SECRET, text)
    text = RUN.sub(_without_tokens, text)
    if "://" in text:
        text = PARAMETER.sub(rf"\1{SECRET}", AUTHORITY.sub(f"{CREDENTIALS}@", text))
    return text


@functools.cache
def _secrets() -> re.Pattern[str] | None:
    """The secrets as they were when the first line was written: an experiment may change its environment."""
    return secrets_of(os.environ)


def secrets_of(environment: Mapping[str, str]) -> re.Pattern[str] | None:
    """An expression for each secret of an environment, however it is written; None without any."""
    names = {*ALWAYS, *(name.strip() for name in environment.get(NAMES, "").split(","))}
    values = {value for name in names if (value := environment.get(name, "").strip())}
    found = {form for value in values for part in _parts(value) for form in _forms(part)}
    if not found:
        return None
    # The longest first: one secret may begin as another.
    return re.compile("|".join(map(re.escape, sorted(found, key=len, reverse=True))))


def _parts(value: str) -> Iterator[str]:
    """A secret, its lines, and where it is JSON (as Secrets Manager's are) the values in it."""
    if len(value) >= SHORTEST:
        yield value
    inner = value.splitlines()
    with contextlib.suppress(ValueError, RecursionError):
        inner += _leaves(json.loads(value)) if value[0] in "{[" else ()
    # A line such as "{" or "-----BEGIN PRIVATE KEY-----" is no secret.
    yield from (part for line in inner if len(part := line.strip()) >= SHORTEST_PART and "-----" not in part)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _leaves(inner)


def _forms(value: str) -> Iterator[str]:
    """A text as it stands, and as JSON, Python and addresses write it."""
    yield value
    yield " ".join(value.split())
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield repr(value)[1:-1]
    # Variables that are not UTF-8 have such characters.
    yield quote(value, safe="", errors="surrogateescape")
    yield quote(value, errors="surrogateescape")
    yield quote_plus(value, errors="surrogateescape")


def _without_tokens(run: re.Match[str]) -> str:
    parts = run[0].split(".")
    for number in range(len(parts) - 2):
        header, claims, signature = parts[number : number + 3]
        begin = header.find("ey")
        if begin >= 0 and len(header) > begin + 2 and claims and signature:
            rest = parts[number + 3 :]
            kept = ".".join([*parts[:number], header[:begin] + TOKEN])
            return ".".join([kept, *rest]) if rest else kept
    return run[0]
