"""What a registry says of an image's content is believed as far as it is small and of the expected form."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest

from ops.errors import CommandError
from ops.images.content import LABEL, contents_of
from ops.images.registry_login import Registry
from tests.support.serving import answering

Held = dict[str, bytes]


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def put(held: Held, document: object) -> str:
    content = json.dumps(document).encode()
    held[digest_of(content)] = content
    return digest_of(content)


def image(held: Held, content: str) -> str:
    """The digest of an image of one platform with this label."""
    return put(
        held, {"config": {"digest": put(held, {"config": {"Labels": {LABEL: content}}})}, "layers": []}
    )


def index(held: Held, *digests: str) -> str:
    return put(held, {"manifests": [{"digest": each} for each in digests]})


@contextmanager
def holding(held: Mapping[str, bytes]) -> Iterator[tuple[Registry, list[str]]]:
    """A registry with these documents, and what it was asked for."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            content = held.get(self.path.rpartition("/")[2])
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    with answering(Answers) as port:
        yield Registry("registry", f"http://127.0.0.1:{port}", "AWS", "", {}), asked


def test_each_platform_is_read_once_whatever_indexes_lead_to_it() -> None:
    held: Held = {}
    one, other = image(held, "one"), image(held, "other")
    nested = index(held, one, index(held, other, one), one)
    with holding(held) as (registry, asked):
        assert contents_of(registry, "worker", nested) == {"one", "other"}
        assert contents_of(registry, "worker", one) == {"one"}
    assert len(asked) == 6 + 2


def test_a_long_label_is_cut() -> None:
    held: Held = {}
    with holding(held) as (registry, _):
        assert contents_of(registry, "worker", image(held, "x" * 2**20)) == {"x" * 100}


def test_a_registry_that_babbles_is_said() -> None:
    class Babbles(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(b"nonsense\r\n\r\n")

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    with (
        answering(Babbles) as port,
        pytest.raises(CommandError, match=r"^registry does not say what worker@x is: nons"),
    ):
        contents_of(Registry("registry", f"http://127.0.0.1:{port}", "AWS", "", {}), "worker", "x")


def test_an_index_of_itself_ends() -> None:
    own = f"sha256:{'a' * 64}"
    held = {own: json.dumps({"manifests": [{"digest": own}]}).encode()}
    with holding(held) as (registry, asked):
        assert contents_of(registry, "worker", own) == set()
    assert len(asked) == 1


@pytest.mark.parametrize("shape", ["wide", "deep"])
def test_more_than_an_image_has_is_refused_before_it_is_read(shape: str) -> None:
    held: Held = {}
    if shape == "deep":
        top = image(held, "one")
        for _ in range(200):
            top = index(held, top)
    else:
        top = index(held, *(image(held, str(number)) for number in range(2000)))
    refused = pytest.raises(
        CommandError, match=rf"^registry: worker@{top} has more than 50 manifests; must be"
    )
    with holding(held) as (registry, asked), refused:
        contents_of(registry, "worker", top)
    assert len(asked) <= 50


def test_the_same_image_ten_thousand_times_is_one() -> None:
    held: Held = {}
    top = index(held, *[image(held, "one")] * 10_000)
    with holding(held) as (registry, asked):
        assert contents_of(registry, "worker", top) == {"one"}
    assert len(asked) == 3


@pytest.mark.parametrize(
    "document",
    [{}, [], {"config": {}}, {"config": {"digest": "../../etc"}}, {"manifests": {}}, {"manifests": [3]}],
)
def test_what_is_no_image_is_said(document: object) -> None:
    held: Held = {}
    top = put(held, document)
    refused = pytest.raises(CommandError, match=re.escape(f"registry has no image at worker@{top}"))
    with holding(held) as (registry, _), refused:
        contents_of(registry, "worker", top)
