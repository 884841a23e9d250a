"""A strict local AWS in the test's own process: boto3 talks to it without a socket, and rules can be switched off."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.ec2.models import amis
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client
from werkzeug.wrappers import Response

from local_aws.corrections import correct_moto
from local_aws.local_aws import ACCOUNT_ID, _session
from local_aws.strictness.rule import Request, Rule
from local_aws.strictness.strict import Strict

REGION = "us-east-1"


@cache
def _moto() -> DomainDispatcherApplication:
    correct_moto()
    # One machine image of some thousand: each example begins with an EC2 that is empty, and would load them all.
    # Only what this module of moto sees of the environment says so: whatever this process starts inherits the rest.
    vars(amis)["environ"] = {"MOTO_AMIS_PATH": "loaded already"}
    amis.AMIS[:] = amis.AMIS[:1]
    return DomainDispatcherApplication(create_backend_app)


@cache
def _sessions() -> boto3.session.Session:
    return _session()


_serving: list[InProcess] = []


@cache
def _client(service: str, region: str) -> Any:
    create: Callable[..., Any] = _sessions().client
    client = create(
        service,
        region_name=region,
        endpoint_url="http://127.0.0.1:1",
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )
    client.meta.events.register("before-send", lambda request, **_: _serving[0]._send(request))
    return client


class InProcess:
    """A strict local AWS in this process. All of them share moto's state: `empty` empties it."""

    def __init__(self, rules: Iterable[Rule], held: Mapping[str, float] | None = None) -> None:
        self.strict = Strict(_moto(), tuple(rules), held or {})
        self.http = Client(self.strict, Response)

    def client(self, service: str, region: str = REGION) -> Any:
        """A boto3 client without parameter validation and retries: what a client would not send must be sent.

        It leads to whichever `InProcess` was asked for one last: making a client takes longer than what it is asked.
        """
        _serving[:] = [self]
        return _client(service, region)

    @contextmanager
    def under_way(self, calls: Iterable[tuple[str, str, Mapping[str, Any]]]) -> Iterator[None]:
        """Have requests under way as long as the block lasts."""
        with ExitStack() as stack:
            for service, method, arguments in calls:
                operation = self.client(service).meta.method_to_api_mapping[method]
                stack.enter_context(
                    self.strict._meanwhile(Request(service, operation, arguments, ACCOUNT_ID, REGION))
                )
            yield

    def _send(self, request: Any, **_: object) -> AWSResponse:
        body = request.body.read() if hasattr(request.body, "read") else request.body
        headers = {
            name: value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
        }
        answer = self.http.open(
            request.url.removeprefix("http://127.0.0.1:1"),
            base_url="http://127.0.0.1:1",
            method=request.method,
            data=body,
            headers=headers,
        )
        return AWSResponse(
            request.url, answer.status_code, HTTPHeaders.from_dict(dict(answer.headers)), _Raw(answer.data)
        )


class _Raw(io.BytesIO):
    """A body as urllib3 streams it."""

    def stream(self, **_: object) -> Iterable[bytes]:
        yield self.read()


def empty() -> None:
    """Empty moto in this process."""
    BackendDict.reset()
    reset_model_data()
