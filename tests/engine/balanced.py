"""What the VPC's name service does for a service of several tasks: a new connection finds one that is up."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence

HOST = "127.0.0.1"


@contextlib.contextmanager
def balanced(port: int, tasks: Sequence[int]) -> Iterator[None]:
    """Pass connections to a port on to the first of other ports that takes them, while the block lasts."""
    with socket.create_server((HOST, port)) as listening:
        thread = threading.Thread(target=_serve, args=(listening, tasks), daemon=True)
        thread.start()
        try:
            yield
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listening: socket.socket, tasks: Sequence[int]) -> None:
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        if task := _connected(tasks):
            for one, other in ((client, task), (task, client)):
                threading.Thread(target=_pass, args=(one, other), daemon=True).start()
        else:
            client.close()


def _connected(tasks: Sequence[int]) -> socket.socket | None:
    for port in tasks:
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection((HOST, port))
    return None


def _pass(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while content := one.recv(65536):
            other.sendall(content)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
