"""Requests to the container's own agent (169.254.170.2), which no proxy may see.

``HTTP_PROXY`` in a fleet's ``environment`` leads every other request through the proxy; that one could neither reach the
agent of this task nor should it hear of the agent's address.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from http.client import HTTPResponse
from typing import cast
from urllib.request import HTTPDefaultErrorHandler, HTTPErrorProcessor, HTTPHandler, OpenerDirector, Request

ADDRESSES = ("169.254.170.2", "169.254.169.254", "127.0.0.1", "localhost")
"""ECS's agent and credentials (Amazon ECS Developer Guide, "Task IAM role"), EC2's metadata, and the container itself."""

PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def open_directly(request: Request | str, seconds: float) -> HTTPResponse:
    """Send a request without a proxy, and follow no redirect.

    Raises:
        OSError: no answer, or (`urllib.error.HTTPError`) none of success.
    """
    opener = OpenerDirector()
    for handler in (HTTPHandler, HTTPErrorProcessor, HTTPDefaultErrorHandler):
        opener.add_handler(handler())
    return cast(HTTPResponse, opener.open(request, timeout=seconds))


def keep_from_proxies(environment: MutableMapping[str, str] = os.environ) -> None:
    """Where a proxy is set, except these addresses from it, for boto3 and whatever else the experiments use."""
    if not any(name.lower() in PROXIES and value for name, value in environment.items()):
        return
    excepted = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    names = [name.strip() for name in excepted.split(",") if name.strip()]
    # One of the two spellings wins, and programs differ in which.
    environment["no_proxy"] = environment["NO_PROXY"] = ",".join(
        [*names, *(address for address in ADDRESSES if address not in names)]
    )
