"""HTTP servers of a test's own process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from threading import Thread


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def started(server: TCPServer) -> Iterator[int]:
    """The port of a server that answers for the block, and is closed thereafter."""
    with server:
        # How long it takes to end; the default is half a second.
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def answering(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[int]:
    """The port of a server whose requests go to a handler, for the block."""
    with started(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as port:
        yield port


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a folder's files, for the block: an artifact's place, a package index."""
    with answering(partial(_Quiet, directory=str(folder))) as port:
        yield f"http://127.0.0.1:{port}"
