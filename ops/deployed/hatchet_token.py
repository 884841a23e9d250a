"""Hatchet's client token: what it must be, without ever showing a part of it."""

from __future__ import annotations

import re
import time
from typing import Any

from ops.errors import CommandError
from scythe_worker import settings

CLAIMS = ("sub", "server_url", "grpc_broadcast_address")
"""The claims that hatchet-sdk reads (``hatchet_sdk/token.py``): the tenant, and where the engine is."""

_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_WANTED = "must be a client token as Hatchet's dashboard shows it (Settings, API Tokens)"


def check_token(token: str, now: float | None = None) -> None:
    """Refuse what is no client token, or one that no engine takes any more. Its signature is the engine's to check.

    Args:
        token: what was given.
        now: seconds since 1970; the clock's by default.

    Raises:
        CommandError: the text says why, and holds nothing of the token.
    """
    if not token:
        raise CommandError(f"the token is empty; {_WANTED}")
    if not _JWT.fullmatch(token):
        raise CommandError(f"the token is no JSON Web Token (three parts, dots between); {_WANTED}")
    claims = _claims(token)
    missing = [name for name in CLAIMS if not (isinstance(claims.get(name), str) and claims[name])]
    if missing:
        raise CommandError(f"the token has no claim {', '.join(missing)}; {_WANTED}")
    expires = claims.get("exp")
    if isinstance(expires, int | float) and expires <= (time.time() if now is None else now):
        raise CommandError("the token has expired; must be a new one")


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a client token that `check_token` takes.

    Raises:
        CommandError: it is none; the text holds nothing of it.
    """
    check_token(token)
    return _claims(token)


def _claims(token: str) -> dict[str, Any]:
    claims = settings.claims_of(token)
    if claims is None:
        raise CommandError(f"the token's claims cannot be read; {_WANTED}")
    return claims
