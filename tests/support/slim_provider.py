"""Stands between Terraform and the AWS provider, and gives Terraform the schemas of what this project makes alone.

The provider describes 1,500 kinds of resources. Terraform asks it to before each command, and reading the answer is
nine tenths of the command's processor time. Here the provider is asked once, and its answer is cut down to the kinds
that a file of this project names. Any other kind is then unknown to Terraform, which fails; all else passes through
as it is. The messages are those of
https://github.com/hashicorp/terraform/blob/v1.11.4/docs/plugin-protocol/tfplugin5.8.proto
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import grpc

from synthesis.bindings import imported_submodules
from tests.support.project import ROOT

SCHEMA = "/tfplugin5.Provider/GetSchema"
RESOURCES, DATA_SOURCES = 2, 3
"""The fields of its answer that map a kind's name to its schema."""

LOCK = threading.Lock()
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


@cache
def kinds() -> frozenset[bytes]:
    """The resources and data sources that the modules, the tests and the exported examples name."""
    modules = imported_submodules(ROOT / "modules", ROOT / "synthesis")
    named = {f"aws_{name.removeprefix('data_aws_')}" for name in modules}
    for folder in ("tests", "ops/export"):
        for file in (file for ending in ("py", "tf", "j2") for file in (ROOT / folder).rglob(f"*.{ending}")):
            named |= set(re.findall(r"\baws_[a-z0-9_]+", file.read_text()))
    return frozenset(name.encode() for name in named)


def slim(answer: bytes) -> bytes:
    """The provider's schemas without those of other kinds."""
    kept = bytearray()
    for field, start, content, end in fields(answer):
        if field in (RESOURCES, DATA_SOURCES):
            _, _, begin, stop = next(fields(answer[content:end]))
            if answer[content + begin : content + stop] not in kinds():
                continue
        kept += answer[start:end]
    return bytes(kept)


def fields(message: bytes) -> Iterator[tuple[int, int, int, int]]:
    """The length-delimited fields of a message: number, start, start of the content, end."""
    place = 0
    while place < len(message):
        start = place
        tag, place = varint(message, place)
        assert tag & 7 == 2, f"wire type {tag & 7} in field {tag >> 3}"
        length, place = varint(message, place)
        yield tag >> 3, start, place, place + length
        place += length


def varint(message: bytes, place: int) -> tuple[int, int]:
    """A number of variable length, and where it ends (https://protobuf.dev/programming-guides/encoding/#varints)."""
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, place


class SlimProvider(grpc.GenericRpcHandler):
    """A server at a socket of its own that passes calls on to a provider.

    Attributes:
        schema: the answer about schemas, once one of the servers has it.
    """

    schema: ClassVar[bytes] = b""

    def __init__(self, address: str, socket: Path) -> None:
        """Serve.

        Args:
            address: the provider's socket.
            socket: where Terraform finds this one.
        """
        self._channel = grpc.insecure_channel(f"unix:{address}", options=UNLIMITED)
        # As many calls at once as Terraform makes, ten at most, and StopProvider.
        self._server = grpc.server(ThreadPoolExecutor(12), handlers=[self], options=UNLIMITED)
        self._server.add_insecure_port(f"unix:{socket}")
        self._server.start()

    def service(self, handler_call_details: Any) -> grpc.RpcMethodHandler | None:
        """The handler of a call; none for go-plugin's own services, which Terraform does without."""
        method: str = handler_call_details.method
        if not method.startswith("/tfplugin5."):
            return None
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self._call(method, request, context)
        )

    def end(self) -> None:
        """Stop serving."""
        self._server.stop(None)
        self._channel.close()

    def _call(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        if method == SCHEMA:
            # Every provider of a run is the same program.
            with LOCK:
                SlimProvider.schema = SlimProvider.schema or slim(self._ask(method, request, context))
            return SlimProvider.schema
        return self._ask(method, request, context)

    def _ask(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            answer: bytes = self._channel.unary_unary(method)(request)
        except grpc.RpcError as error:
            context.abort(error.code(), error.details())
        return answer
