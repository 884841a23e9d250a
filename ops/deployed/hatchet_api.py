"""Hatchet's REST API, with the environment's own client token."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from environments.schema import Environment
from ops.deployed import secret
from ops.deployed.aws import Caller
from ops.deployed.hatchet_token import claims_of
from ops.errors import CommandError

SECONDS = 20
"""The longest wait for an answer."""

KEPT = datetime.timedelta(days=30)
"""How far back runs are looked for: as long as an engine keeps them by default (SERVER_LIMITS_..._RETENTION_PERIOD)."""

_LOCAL = {"localhost", "127.0.0.1", "::1"}


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
        self.url = claims["server_url"].rstrip("/")
        self._environment = environment
        self._tenant = quote(claims["sub"], safe="")
        self._token = token

    @classmethod
    def of(cls, caller: Caller, environment: Environment) -> HatchetApi:
        """The API of an environment, by the token that its secret holds."""
        return cls(environment, secret.read(caller, environment))

    def task_stats(self) -> dict[str, tuple[int, int]]:
        """How many wait and how many run, by task; one that has neither may be absent.

        https://docs.hatchet.run/v1/autoscaling-workers
        """
        stats = self._get("/api/v1/tenants/{tenant}/task-stats")
        return {name: (_total(stat, "queued"), _total(stat, "running")) for name, stat in stats.items()}

    def workflows(self) -> dict[str, str]:
        """The ids of all workflows by their names; Scythe's tasks are workflows of their own."""
        found: dict[str, str] = {}
        size = 100
        while True:
            query = {"limit": size, "offset": len(found)}
            rows = self._get("/api/v1/tenants/{tenant}/workflows", query).get("rows") or []
            found |= {row["name"]: row["metadata"]["id"] for row in rows}
            if len(rows) < size:
                return found

    def counts(self, workflows: Sequence[str], since: datetime.datetime) -> dict[str, int]:
        """How many runs of workflows that began since then are in each state, by its name (``COMPLETED``, …)."""
        query = {"since": _moment(since), "workflow_ids": list(workflows)}
        rows = self._get("/api/v1/stable/tenants/{tenant}/task-metrics", query)
        return {row["status"]: row["count"] for row in rows}

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
        rows = self._get("/api/v1/stable/tenants/{tenant}/workflow-runs", query).get("rows") or []
        return [row["duration"] / 1000 for row in rows if row.get("duration")]

    def cancel(self, workflows: Sequence[str], since: datetime.datetime) -> int:
        """Cancel the runs of workflows that wait or run; how many this call took.

        One call takes a part of many runs alone.
        """
        chosen = {"since": _moment(since), "statuses": ["QUEUED", "RUNNING"], "workflowIds": list(workflows)}
        answer = self._ask("POST", "/api/v1/stable/tenants/{tenant}/tasks/cancel", {"filter": chosen})
        return len(answer.get("ids") or [])

    def _get(self, path: str, query: Mapping[str, object] | None = None) -> Any:
        return self._ask("GET", f"{path}?{urlencode(query, doseq=True)}" if query else path)

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        url = urlsplit(self.url)
        # No redirect is followed: the token is for this host alone.
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        connection = kind(str(url.hostname), url.port, timeout=SECONDS)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body)
        try:
            connection.request(method, url.path + path.replace("{tenant}", self._tenant), sent, headers)
            response = connection.getresponse()
            text = response.read()
        except (OSError, HTTPException) as error:
            raise CommandError(self._unreachable(error)) from None
        finally:
            connection.close()
        return self._read(path.partition("?")[0].rpartition("/")[2], response.status, text)

    def _read(self, what: str, status: int, text: bytes) -> Any:
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
        try:
            return json.loads(text)
        except ValueError:
            raise CommandError(f"Hatchet at {self.url} answers {what} with what is no JSON") from None

    def _unreachable(self, error: Exception) -> str:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        way = (
            f": it is forwarded to this machine while scythe-aws forward {self._environment.name} runs"
            if urlsplit(self.url).hostname in _LOCAL
            else ""
        )
        return f"Hatchet at {self.url} cannot be reached ({reason}){way}"


def _total(stat: Any, kind: str) -> int:
    part = stat.get(kind) or {}
    return int(part.get("total") or 0)


def _moment(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
