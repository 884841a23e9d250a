"""Values that the service's model does not allow, as botocore has it (`local_aws.strictness.model`)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial

from local_aws.strictness.model import Violation, violations
from local_aws.strictness.rule import Request, Rule


class _Codes(dict[str, str]):
    """Error codes by service, with one for the rest."""

    def __init__(self, codes: Mapping[str, str], default: str = "ValidationException") -> None:
        super().__init__(codes)
        self.default = default

    def __missing__(self, service: str) -> str:
        return self.default


_CODES = _Codes(
    {
        "autoscaling": "ValidationError",
        "budgets": "InvalidParameterException",
        "cloudwatch": "ValidationError",
        "ec2": "InvalidParameterValue",
        "ecr": "InvalidParameterException",
        "ecs": "InvalidParameterException",
        "elbv2": "ValidationError",
        "iam": "ValidationError",
        "logs": "InvalidParameterException",
        "mq": "BadRequestException",
        "rds": "InvalidParameterValue",
        "route53": "InvalidInput",
        "s3": "InvalidArgument",
        "servicediscovery": "InvalidInput",
        "sns": "InvalidParameter",
        "sqs": "InvalidParameterValue",
        "sts": "ValidationError",
    }
)
_CODES_OF_MISSING = _Codes(
    _CODES | dict.fromkeys(("ec2", "rds", "cloudwatch"), "MissingParameter") | {"s3": "MalformedXML"}
)
_CODES_OF_TYPES = _Codes(
    dict.fromkeys(("autoscaling", "elbv2", "iam", "rds", "sns", "sts"), "MalformedInput")
    | dict.fromkeys(("route53", "s3"), "MalformedXML")
    | {"ec2": "InvalidParameterValue"},
    default="SerializationException",
)


class _Last(threading.local):
    """Violations of the request that a thread looks at: five rules ask for them."""

    request: Request | None = None
    found: tuple[Violation, ...] = ()


_last = _Last()


def _refuses(kind: str, request: Request) -> str | None:
    if _last.request is not request:
        _last.request, _last.found = request, tuple(violations(request))
    found = [violation for violation in _last.found if violation.kind == kind]
    if not found:
        return None
    if kind == "required" and _CODES_OF_MISSING[request.service] == "MissingParameter":
        return f"The request must contain the parameter {found[0].name}"
    plural = "s" if len(found) > 1 else ""
    return f"{len(found)} validation error{plural} detected: {'; '.join(one.text for one in found)}"


def _refuses_types(request: Request) -> str | None:
    return request.unreadable or None


_PAGE = "https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html"
_TRAITS = "https://smithy.io/2.0/spec/constraint-traits.html"

RULES = (
    Rule(
        "type_of_value",
        ("*",),
        "A value of another type than in the service's model, such as a string for a number",
        _CODES_OF_TYPES,
        "https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html",
        _refuses_types,
    ),
    *(
        Rule(f"{kind}_of_model", ("*",), condition, codes, page, partial(_refuses, kind))
        for kind, condition, codes, page in (
            (
                "required",
                "A request without a member that the service's model requires",
                _CODES_OF_MISSING,
                _PAGE,
            ),
            (
                "length",
                "A string, list or map that is shorter or longer than the service's model allows",
                _CODES,
                f"{_TRAITS}#length-trait",
            ),
            (
                "range",
                "A number outside of the range in the service's model",
                _CODES,
                f"{_TRAITS}#range-trait",
            ),
            (
                "enum",
                "A value that is not in the list of values in the service's model",
                _CODES,
                f"{_TRAITS}#enum-trait",
            ),
            (
                "pattern",
                "A value that does not match, as a whole, the pattern in the service's model",
                _CODES,
                f"{_TRAITS}#pattern-trait",
            ),
        )
    ),
)
