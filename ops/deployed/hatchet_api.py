"""Hatchet's REST API, with the environment's own client token. Answers are checked and bounded before they are used."""

from __future__ import annotations

import datetime
import json
import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Annotated, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from environments.schema import Environment
from ops.deployed import secret
from ops.deployed.aws import Caller
from ops.deployed.hatchet_token import claims_of
from ops.errors import CommandError
from synthesis.rules import printable

SECONDS = 20
"""The longest wait for a part of an answer."""

WHOLE_SECONDS = 60
"""The longest wait for a whole answer: one that comes in drops never runs into the other."""

LARGEST = 32 * 2**20
"""Bytes of an answer; a page of 100 workflows has about 100 KB."""

PAGE, MOST_PAGES = 100, 100

KEPT = datetime.timedelta(days=30)
"""How far back runs are looked for: as long as an engine keeps them by default (SERVER_LIMITS_..._RETENTION_PERIOD)."""

_LOCAL = {"localhost", "127.0.0.1", "::1"}

T = TypeVar("T")
Name = Annotated[str, Field(min_length=1, max_length=1000)]
Count = Annotated[int, Field(ge=0, le=10**12)]


class _Answer(BaseModel):
    """A part of an answer, of which more may come than is read."""

    model_config = ConfigDict(strict=True, frozen=True)


class _Total(_Answer):
    total: Count


class _Stat(_Answer):
    queued: _Total | None = None
    running: _Total | None = None


class _Id(_Answer):
    id: Name


class _Workflow(_Answer):
    name: Name
    metadata: _Id


class _Workflows(_Answer):
    rows: list[_Workflow] | None = None


class _StatusCount(_Answer):
    status: Name
    count: Count


class _Run(_Answer):
    duration: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)] | None = None


class _Runs(_Answer):
    rows: list[_Run] | None = None


class _Cancelled(_Answer):
    ids: list[Name] | None = None


_STATS = TypeAdapter(dict[Name, _Stat])
_WORKFLOWS = TypeAdapter(_Workflows)
_COUNTS = TypeAdapter(list[_StatusCount])
_RUNS = TypeAdapter(_Runs)
_CANCELLED = TypeAdapter(_Cancelled)


class HatchetApi:
    """What is asked of the engine.

    Attributes:
        url: the API's address, a claim of the token.
    """

    def __init__(self, environment: Environment, token: str) -> None:
        """Read the token's claims.

        Raises:
            CommandError: no engine would take it.
        """
        claims = claims_of(token)
        self.url = claims.server_url
        self._environment = environment
        self._tenant = quote(claims.tenant, safe="")
        self._token = token

    @classmethod
    def of(cls, caller: Caller, environment: Environment) -> HatchetApi:
        """The API of an environment, by the token that its secret holds."""
        return cls(environment, secret.read(caller, environment))

    def task_stats(self) -> dict[str, tuple[int, int]]:
        """How many wait and how many run, by task; one that has neither may be absent.

        https://docs.hatchet.run/v1/autoscaling-workers
        """
        stats = self._get(_STATS, "/api/v1/tenants/{tenant}/task-stats")
        return {
            name: (
                stat.queued.total if stat.queued else 0,
                stat.running.total if stat.running else 0,
            )
            for name, stat in stats.items()
        }

    def workflows(self) -> dict[str, str]:
        """The ids of all workflows by their names; Scythe's tasks are workflows of their own."""
        found: dict[str, str] = {}
        for page in range(MOST_PAGES):
            query = {"limit": PAGE, "offset": page * PAGE}
            rows = self._get(_WORKFLOWS, "/api/v1/tenants/{tenant}/workflows", query).rows or []
            found |= {row.name: row.metadata.id for row in rows}
            if len(rows) < PAGE:
                return found
        raise CommandError(f"Hatchet at {self.url} has more than {MOST_PAGES * PAGE:,} workflows")

    def counts(self, workflows: Sequence[str], since: datetime.datetime) -> dict[str, int]:
        """How many runs of workflows that began since then are in each state, by its name (``COMPLETED``, …)."""
        query = {"since": _moment(since), "workflow_ids": list(workflows)}
        rows = self._get(_COUNTS, "/api/v1/stable/tenants/{tenant}/task-metrics", query)
        return {row.status: row.count for row in rows}

    def durations(self, workflows: Sequence[str], since: datetime.datetime, most: int) -> list[float]:
        """How many seconds the newest completed runs of workflows took."""
        query = {
            "since": _moment(since),
            "only_tasks": "true",
            "statuses": ["COMPLETED"],
            "workflow_ids": list(workflows),
            "limit": most,
            "include_payloads": "false",
        }
        rows = self._get(_RUNS, "/api/v1/stable/tenants/{tenant}/workflow-runs", query).rows or []
        return [row.duration / 1000 for row in rows if row.duration]

    def cancel(self, workflows: Sequence[str], since: datetime.datetime) -> int:
        """Cancel the runs of workflows that wait or run; how many this call took.

        One call takes a part of many runs alone.
        """
        chosen = {"since": _moment(since), "statuses": ["QUEUED", "RUNNING"], "workflowIds": list(workflows)}
        path = "/api/v1/stable/tenants/{tenant}/tasks/cancel"
        return len(self._ask(_CANCELLED, "POST", path, {"filter": chosen}).ids or [])

    def _get(self, form: TypeAdapter[T], path: str, query: Mapping[str, object] | None = None) -> T:
        return self._ask(form, "GET", f"{path}?{urlencode(query, doseq=True)}" if query else path)

    def _ask(self, form: TypeAdapter[T], method: str, path: str, body: object = None) -> T:
        url = urlsplit(self.url)
        # No redirect is followed: the token is for this host alone.
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        connection = kind(str(url.hostname), url.port, timeout=SECONDS)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body)
        too_late: threading.Timer | None = None
        try:
            connection.connect()
            too_late = threading.Timer(WHOLE_SECONDS, _hang_up, [connection.sock])
            too_late.start()
            connection.request(method, url.path + path.replace("{tenant}", self._tenant), sent, headers)
            response = connection.getresponse()
            text = response.read(LARGEST + 1)
        except (OSError, HTTPException, ValueError) as error:
            raise CommandError(self._unreachable(error)) from None
        finally:
            if too_late:
                too_late.cancel()
            connection.close()
        return self._read(form, path.partition("?")[0].rpartition("/")[2], response.status, text)

    def _read(self, form: TypeAdapter[T], what: str, status: int, text: bytes) -> T:
        if status in (401, 403):
            name = self._environment.name
            another = (
                f"scythe-aws token {name} --rotate makes another"
                if self._environment.hatchet.mode == "self_hosted"
                else f"scythe-aws token {name} stores another"
            )
            raise CommandError(f"Hatchet at {self.url} refuses the token of {name} ({status}): {another}")
        if status >= 300:
            raise CommandError(f"Hatchet at {self.url} answers {what} with {status}")
        if len(text) > LARGEST:
            raise CommandError(f"Hatchet at {self.url} answers {what} with more than {LARGEST:,} bytes")
        try:
            return form.validate_json(text)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, fault["loc"]))[:100]
            reason = printable(f"{where}: {fault['msg']}" if where else fault["msg"])
            raise CommandError(
                f"Hatchet at {self.url} answers {what} with what it never is ({reason})"
            ) from None

    def _unreachable(self, error: Exception) -> str:
        reason = printable(getattr(error, "strerror", None) or str(error) or type(error).__name__)
        way = (
            f": it is forwarded to this machine while scythe-aws forward {self._environment.name} runs"
            if urlsplit(self.url).hostname in _LOCAL
            else ""
        )
        return f"Hatchet at {self.url} cannot be reached ({reason}){way}"


def _hang_up(connected: socket.socket) -> None:
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


def _moment(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
