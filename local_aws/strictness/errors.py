"""A refusal in the protocol of the client that is refused."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from moto.core.exceptions import ServiceException
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.moto_api._internal import mock_random

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from moto.core.model import OperationModel


class _Refused(ServiceException):
    """An error outside of moto's modules: for one inside, moto would look up the service of the module."""


def answer(
    operation: OperationModel,
    protocol: str,
    error: tuple[str, str, int],
    start_response: StartResponse,
) -> Iterable[bytes]:
    """Answer with an error.

    Args:
        operation: The operation that is refused.
        protocol: The protocol of the request, for example `ec2`.
        error: AWS's error code, text and HTTP status.
        start_response: WSGI's.
    """
    code, text, status = error
    request_id = str(mock_random.uuid4())
    serializer = get_serializer_class(str(operation.service_model.service_name), protocol)(
        operation, context=SerializationContext(request_id)
    )
    serialized = serializer.serialize(_Refused(code, text))
    body = serialized["body"]
    encoded = body.encode() if isinstance(body, str) else body
    headers = {
        **serialized["headers"],
        "Content-Length": str(len(encoded)),
        "x-amzn-RequestId": request_id,
    }
    start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
    return [encoded]
