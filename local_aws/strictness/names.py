"""Names that AWS reserves or does not take."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.strictness.rule import Request, Rule

_BUCKETS = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_RESERVED_BEGINNINGS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDINGS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")

_DESCRIPTION = re.compile(r"[A-Za-z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")
MOST_TAGS = 50


def _bucket(request: Request) -> str | None:
    name = str(request.parameters.get("Bucket", ""))
    reserved = name.startswith(_RESERVED_BEGINNINGS) or name.endswith(_RESERVED_ENDINGS)
    if reserved or not _BUCKET.fullmatch(name) or ".." in name or _is_address(name):
        return "The specified bucket is not valid."
    return None


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


def _load_balancer(request: Request) -> str | None:
    name = str(request.parameters.get("Name", ""))
    for wrong, text in (
        (name.startswith("internal-"), "cannot begin with 'internal-'"),
        (name.startswith("-"), "cannot begin with a hyphen(-)"),
        (name.endswith("-"), "cannot end with a hyphen(-)"),
        (len(name) > 32, "cannot be longer than '32' characters"),
        (
            not re.fullmatch(r"[A-Za-z0-9-]*", name),
            "can only contain characters that are alphanumeric characters and hyphens(-)",
        ),
    ):
        if wrong:
            return f"Load balancer name '{name}' {text}"
    return None


def _security_group(request: Request) -> str | None:
    name = str(request.parameters.get("GroupName", ""))
    if name.lower().startswith("sg-"):
        return (
            f"Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*."
        )
    if not _DESCRIPTION.fullmatch(name) or not name:
        return f"Value ({name}) for parameter GroupName is invalid. Character sets beyond ASCII are not supported."
    return None


def _described(value: Any) -> Iterator[str]:
    """Descriptions of a security group and of its rules."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name == "Description" and isinstance(item, str):
                yield item
            else:
                yield from _described(item)
    elif isinstance(value, list):
        for item in value:
            yield from _described(item)


def _description(request: Request) -> str | None:
    for text in _described(request.parameters):
        if not _DESCRIPTION.fullmatch(text):
            return (
                f"Invalid rule description '{text}'. Valid descriptions are strings less than 256 characters from the "
                "following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
            )
    return None


def _log_group(request: Request) -> str | None:
    if str(request.parameters.get("logGroupName", "")).lower().startswith("aws/"):
        return "Log groups starting with AWS/ are reserved for AWS."
    return None


def _secret(request: Request) -> str | None:
    name = str(request.parameters.get("Name", ""))
    if not re.fullmatch(r"[A-Za-z0-9/_+=.@!-]{1,512}", name):
        return "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
    return None


def _database(request: Request) -> str | None:
    name = str(request.parameters.get("DBInstanceIdentifier", ""))
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,62}", name) and not name.endswith("-") and "--" not in name:
        return None
    return (
        "The parameter DBInstanceIdentifier is not a valid identifier. Identifiers must begin with a letter; must "
        "contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive "
        "hyphens."
    )


def _group_of_databases(request: Request) -> str | None:
    member = "DBSubnetGroupName" if request.operation == "CreateDBSubnetGroup" else "DBParameterGroupName"
    name = str(request.parameters.get(member, ""))
    if name.lower() == "default" or name.lower().startswith("default."):
        return f"The parameter {member} is not valid: {name} is a reserved name."
    return None


def _tags(value: Any) -> Iterator[list[str]]:
    """The keys of each list or map of tags in a request."""
    if not isinstance(value, Mapping):
        return
    for name, item in value.items():
        if name.lower() in ("tags", "tagset", "resourcetags", "tagsmodel"):
            yield _keys(item)
        elif name in ("TagSpecifications", "Tagging", "TagSpecification"):
            for each in item if isinstance(item, list) else [item]:
                yield from _tags(each)


def _keys(tags: Any) -> list[str]:
    if isinstance(tags, Mapping):
        return [str(key) for key in tags]
    return [
        str(tag.get("Key", tag.get("key", tag.get("TagKey"))))
        for tag in tags or []
        if isinstance(tag, Mapping)
    ]


def _many_tags(request: Request) -> str | None:
    if any(len(keys) > MOST_TAGS for keys in _tags(request.parameters)):
        return f"The number of tags exceeds the limit of {MOST_TAGS} per resource."
    return None


def _reserved_tags(request: Request) -> str | None:
    for keys in _tags(request.parameters):
        for key in keys:
            if key.lower().startswith("aws:"):
                return f"Tag keys starting with 'aws:' are reserved for internal use: {key}"
    return None


class _Code(dict[str, str]):
    """A code for some services, and one for all others."""

    def __missing__(self, service: str) -> str:
        return self["*"]


_TAGS_PAGE = "https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"

RULES = (
    Rule(
        "bucket_name",
        ("s3.CreateBucket",),
        "A bucket's name that is reserved (`sthree-`, `amzn-s3-demo-`, `xn--`, `-s3alias`, `--ol-s3`, ...), an IP "
        "address, or not of 3 to 63 lowercase letters, digits, dots and hyphens",
        "InvalidBucketName",
        _BUCKETS,
        _bucket,
    ),
    Rule(
        "load_balancer_name",
        ("elbv2.CreateLoadBalancer",),
        "A load balancer's name that begins with `internal-`, begins or ends with a hyphen, or is longer than 32",
        "ValidationError",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html",
        _load_balancer,
    ),
    Rule(
        "security_group_name",
        ("ec2.CreateSecurityGroup",),
        "A security group's name that begins with `sg-`",
        "InvalidParameterValue",
        "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html",
        _security_group,
    ),
    Rule(
        "security_group_description",
        (
            "ec2.CreateSecurityGroup",
            "ec2.AuthorizeSecurityGroupIngress",
            "ec2.AuthorizeSecurityGroupEgress",
        ),
        "A description of a security group or a rule over 255 characters or with others than AWS takes",
        "InvalidParameterValue",
        "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html",
        _description,
    ),
    Rule(
        "log_group_name",
        ("logs.CreateLogGroup",),
        "A log group's name that begins with `aws/`",
        "InvalidParameterException",
        "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html",
        _log_group,
    ),
    Rule(
        "secret_name",
        ("secretsmanager.CreateSecret",),
        "A secret's name with other characters than letters, digits and -/_+=.@!",
        "ValidationException",
        "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html",
        _secret,
    ),
    Rule(
        "database_name",
        ("rds.CreateDBInstance",),
        "A database's identifier that does not begin with a letter, ends with a hyphen, or has two in a row",
        "InvalidParameterValue",
        "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html",
        _database,
    ),
    Rule(
        "default_group_of_databases",
        ("rds.CreateDBSubnetGroup", "rds.CreateDBParameterGroup"),
        "A subnet group or parameter group with the name `default`",
        "InvalidParameterValue",
        "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html",
        _group_of_databases,
    ),
    Rule(
        "too_many_tags",
        ("*",),
        f"More than {MOST_TAGS} tags",
        _Code(
            {
                "*": "TooManyTagsException",
                "ec2": "TagLimitExceeded",
                "ecs": "InvalidParameterException",
                "elbv2": "TooManyTags",
                "iam": "LimitExceeded",
                "s3": "BadRequest",
                "sns": "TagLimitExceeded",
            }
        ),
        _TAGS_PAGE,
        _many_tags,
    ),
    Rule(
        "reserved_tag",
        ("*",),
        "A tag whose key begins with `aws:`",
        _Code(
            {
                "*": "ValidationException",
                "ec2": "InvalidParameterValue",
                "ecs": "InvalidParameterException",
                "elbv2": "ValidationError",
                "iam": "InvalidInput",
                "s3": "InvalidTag",
                "sns": "InvalidParameter",
            }
        ),
        _TAGS_PAGE,
        _reserved_tags,
    ),
)
