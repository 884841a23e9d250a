"""Hatchet's client token: what it must be, without ever showing a part of it."""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from ops.errors import CommandError
from scythe_worker import settings

LONGEST = 16_384
"""Characters of a token; a client token of Hatchet's has about 600."""

HTTPS = 443
"""The only port by which tasks reach the Internet (`modules.worker_fleet`)."""

_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>\d{1,5})")
_URL = re.compile(r"https?://[A-Za-z0-9.\[\]:_/-]+")
_TEXT = re.compile(r"[!-~]{1,200}")
_WANTED = "must be a client token as Hatchet's dashboard shows it (Settings, API Tokens)"


@dataclass(frozen=True)
class Claims:
    """What hatchet-sdk reads of a token (``hatchet_sdk/token.py``).

    Attributes:
        tenant: the claim ``sub``.
        server_url: where the REST API is, without a slash at its end.
        address: where the engine is, ``<host>:<port>``.
    """

    tenant: str
    server_url: str
    address: str

    @property
    def host(self) -> str:
        """The engine's."""
        return self.address.rpartition(":")[0]


def claims_of(token: str, now: float | None = None) -> Claims:
    """The claims of a token that an engine may take. Its signature is the engine's to check.

    Args:
        token: what was given.
        now: seconds since 1970; the clock's by default.

    Raises:
        CommandError: it is no client token, or has expired; the text says why, and holds nothing of the token.
    """
    if not token:
        raise CommandError(f"the token is empty; {_WANTED}")
    if len(token) > LONGEST or not _JWT.fullmatch(token):
        raise CommandError(f"the token is no JSON Web Token (three parts, dots between); {_WANTED}")
    claims = settings.claims_of(token)
    if claims is None:
        raise CommandError(f"the token's claims cannot be read; {_WANTED}")
    names = ("sub", "server_url", "grpc_broadcast_address")
    values = [value if isinstance(value, str) else "" for value in map(claims.get, names)]
    if missing := [name for name, value in zip(names, values, strict=True) if not value]:
        raise CommandError(f"the token has no claim {', '.join(missing)}; {_WANTED}")
    tenant, url, address = values
    forms = (_TEXT.fullmatch(tenant), _is_url(url), _port(address))
    if wrong := [name for name, form in zip(names, forms, strict=True) if not form]:
        raise CommandError(
            f"the token's claim {', '.join(wrong)} has no form that Hatchet gives it; {_WANTED}"
        )
    expires = claims.get("exp")
    if isinstance(expires, int | float) and expires <= (time.time() if now is None else now):
        raise CommandError("the token has expired; must be a new one")
    return Claims(tenant, url.rstrip("/"), address)


def require_reachable(claims: Claims) -> None:
    """Refuse a token whose engine no task can reach: tasks leave by 443 only, and each is a machine of its own.

    Raises:
        CommandError: the text says which claim it is.
    """
    url = urlsplit(claims.server_url)
    places = (
        ("grpc_broadcast_address", claims.host, _port(claims.address)),
        ("server_url", str(url.hostname), url.port or (HTTPS if url.scheme == "https" else 80)),
    )
    faults = [f"{name} leads to {fault}" for name, host, port in places for fault in _unreachable(host, port)]
    if faults:
        raise CommandError(
            f"tasks cannot reach the token's engine: its claim {' and '.join(faults)}; must be a public name and "
            f"port {HTTPS}, by which alone tasks leave"
        )


def _unreachable(host: str, port: int) -> Iterator[str]:
    name = host.strip("[]").rstrip(".").casefold()
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        if name == "localhost" or name.endswith(".localhost"):
            yield "the task itself"
        elif "." not in name:
            yield "a name without a domain"
    else:
        if address.is_loopback or address.is_unspecified or address.is_link_local:
            yield "the task itself"
    if port != HTTPS:
        yield f"port {port}"


def _is_url(text: str) -> bool:
    if not _URL.fullmatch(text):
        return False
    try:
        url: SplitResult = urlsplit(text)
        return bool(url.hostname) and url.port != 0
    except ValueError:
        return False


def _port(address: str) -> int:
    """The port of an address; 0 where it is none."""
    found = _ADDRESS.fullmatch(address)
    return int(found["port"]) if found and int(found["port"]) < 2**16 else 0
