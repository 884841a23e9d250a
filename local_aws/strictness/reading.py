"""Read a request on the wire as boto3 took it: service, operation and parameters."""

from __future__ import annotations

import gzip
import io
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError
from moto.core.parse import PROTOCOL_PARSERS, JSONParser, RequestParserError
from moto.core.request import Request as HttpRequest
from moto.core.request import determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.iam import models as iam
from werkzeug.exceptions import NotFound

from local_aws.strictness.rule import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from moto.core.model import OperationModel

_SIGNING_NAMES = {
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "tagging": "resourcegroupstaggingapi",
}
"""botocore's names of services by the names in a signature, where they differ."""

_S3_CONTROL = "/v20180820/"
"""What paths of S3 Control begin with, whose requests are signed for S3."""


class ReadRequest(NamedTuple):
    """A request, and what is needed to answer it in the protocol of its client."""

    request: Request
    operation: OperationModel
    protocol: str


def body_of(environ: WSGIEnvironment) -> bytes:
    """Read the body of a request, and leave it to be read again."""
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        body: bytes = stream.read()
    else:
        body = stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def read(environ: WSGIEnvironment) -> ReadRequest | None:
    """Read a request; None if it is unsigned or for something that botocore has no model of."""
    scope = _credential_scope(environ.get("HTTP_AUTHORIZATION", ""))
    if scope is None:
        return None
    key, region, signing_name = scope
    service = _SIGNING_NAMES.get(signing_name, signing_name)
    if service == "s3" and environ.get("PATH_INFO", "").startswith(_S3_CONTROL):
        service = "s3control"
    if service not in _services():
        return None
    http = _http_request(environ)
    try:
        operation, uri_parameters = get_service_router(service).match(http)
        protocol = determine_request_protocol(operation.service_model, http.content_type)
    except (NotFound, NotImplementedError, OperationNotFoundError, UnknownServiceError):
        return None
    try:
        parameters, unreadable = _parameters(operation, protocol, http, uri_parameters), ""
    except (ValueError, TypeError, AttributeError, RequestParserError) as error:
        parameters, unreadable = {}, str(error)
    request = Request(
        service, str(operation.name), parameters, iam.get_account_id_from(key), region, unreadable=unreadable
    )
    return ReadRequest(request, operation, protocol)


def _parameters(
    operation: OperationModel, protocol: str, http: HttpRequest, uri_parameters: dict[str, Any]
) -> dict[str, Any]:
    """Parameters of a request, without the absent members that moto's parsers read as None."""
    parsed = _PARSERS[protocol](operation).parse(
        {
            "method": http.method,
            "values": http.values,
            "headers": http.headers,
            "body": http.data,
            "url_path": http.path,
            "url_params": uri_parameters,
        }
    )
    return {name: value for name, value in (parsed or {}).items() if value is not None}


class _StrictJsonParser(JSONParser):
    """Moto's parser of JSON, which would read a string as a list of characters and `"5"` as 5."""

    def _parse_shape(self, shape: Any, node: Any) -> Any:
        python, kind = _JSON_TYPES.get(shape.type_name, (object, ""))
        if not isinstance(node, python) or (isinstance(node, bool) and shape.type_name != "boolean"):
            raise ValueError(
                f"{_JSON_NAMES.get(type(node), 'Unexpected value')} can not be converted to {kind}"
            )
        return super()._parse_shape(shape, node)  # type: ignore[no-untyped-call]  # moto's


_NUMBERS = ("byte", "short", "integer", "long", "float", "double")
_JSON_TYPES: dict[str, tuple[Any, str]] = {
    "string": (str, "a String"),
    "boolean": (bool, "a Boolean"),
    "list": (list, "a List"),
    "map": (dict, "a Map"),
    "structure": (dict, "an Object"),
    **dict.fromkeys(_NUMBERS, ((int, float), "a Number")),
}
_JSON_NAMES = {
    str: "STRING_VALUE",
    int: "NUMBER_VALUE",
    float: "DECIMAL_VALUE",
    bool: "TRUE_VALUE",
    list: "START_ARRAY",
    dict: "START_OBJECT",
}
_PARSERS = {**PROTOCOL_PARSERS, "json": _StrictJsonParser}


def _credential_scope(authorization: str) -> tuple[str, str, str] | None:
    """Access key, region and signing name of a request signed with version 4."""
    parts = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    return (parts[0], parts[2], parts[3].lower()) if len(parts) == 5 else None


def _http_request(environ: WSGIEnvironment) -> HttpRequest:
    body = body_of(environ)
    copied = dict(environ)
    if environ.get("HTTP_CONTENT_ENCODING") == "gzip" and body[:2] == b"\x1f\x8b":
        body = gzip.decompress(body)
        copied["CONTENT_LENGTH"] = str(len(body))
    copied["wsgi.input"] = io.BytesIO(body)
    return HttpRequest(copied)


@cache
def _services() -> frozenset[str]:
    return frozenset(botocore.session.Session().get_available_services())


def warm(service: str) -> None:
    """Load what requests to a service need, before the first one."""
    get_service_router(service)
    get_service_model(service)
    _services()
