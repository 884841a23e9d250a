"""RDS, Amazon MQ and EFS: order and values."""

from __future__ import annotations

import re
from typing import Any

from local_aws.strictness.held import backend, subnets
from local_aws.strictness.rule import Request, Rule

_RDS = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference"
_MQ = "https://docs.aws.amazon.com/amazon-mq/latest/api-reference/brokers.html"

LARGEST_DATABASE = 65_536
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 128
_RESERVED_USERS = ("rdsadmin", "admin", "root")
"""Names that RDS for PostgreSQL keeps to itself."""


_STATIC = ("max_connections", "rds.logical_replication", "shared_buffers", "shared_preload_libraries")
"""Parameters of PostgreSQL that take a restart, of those that one would set for an engine."""


def _databases(request: Request) -> list[Any]:
    return list(backend(request, "rds").databases.values())


def _one_zone(request: Request) -> str | None:
    found = subnets(request, request.parameters.get("SubnetIds") or [])
    zones = {subnet.availability_zone for subnet in found}
    if len(zones) >= 2:
        return None
    return (
        "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
        f"{', '.join(sorted(zones))}. Add subnets to cover at least 2 AZs."
    )


def _subnet_group_in_use(request: Request) -> str | None:
    name = str(request.parameters.get("DBSubnetGroupName")).lower()
    for database in _databases(request):
        if database.db_subnet_group and database.db_subnet_group.name.lower() == name:
            return (
                f"Cannot delete the subnet group '{name}' because at least one database instance: {database.resource_id} "
                "is still using it."
            )
    return None


def _parameter_group_in_use(request: Request) -> str | None:
    name = str(request.parameters.get("DBParameterGroupName")).lower()
    for database in _databases(request):
        if str(database.db_parameter_group_name).lower() == name:
            return (
                f"One or more database instances are still members of this parameter group {name}, so the group "
                "cannot be deleted"
            )
    return None


def _database(request: Request) -> Any | None:
    return backend(request).databases.get(str(request.parameters.get("DBInstanceIdentifier")))


def _protected(request: Request) -> str | None:
    found = _database(request)
    if found and found.deletion_protection:
        return "Cannot delete protected DB Instance, please disable deletion protection and try again."
    return None


def _no_snapshot(request: Request) -> str | None:
    if _database(request) is None or request.parameters.get("SkipFinalSnapshot"):
        return None
    if request.parameters.get("FinalDBSnapshotIdentifier"):
        return None
    return "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."


def _snapshot_there(request: Request) -> str | None:
    name = request.parameters.get("FinalDBSnapshotIdentifier")
    if name and name in backend(request).database_snapshots:
        return f"Cannot create the snapshot because a snapshot with the identifier {name} already exists."
    return None


def _storage(request: Request) -> str | None:
    held = _database(request) if request.operation == "ModifyDBInstance" else None
    size = request.parameters.get("AllocatedStorage", held.allocated_storage if held else None)
    most = request.parameters.get("MaxAllocatedStorage")
    if most is not None and most > LARGEST_DATABASE:
        return f"Invalid max storage size for engine name postgres and storage type gp3: {most}"
    if size is not None and most is not None and most <= size:
        return "Max storage size must be greater than storage size"
    return None


def _smaller(request: Request) -> str | None:
    found, size = _database(request), request.parameters.get("AllocatedStorage")
    if found and size is not None and found.allocated_storage and size < found.allocated_storage:
        return "Requested storage size is less than the current storage size."
    return None


def _password(request: Request) -> str | None:
    password = request.parameters.get("MasterUserPassword")
    if password is None:
        return None
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return (
            f"The parameter MasterUserPassword is not a valid password because it is shorter than {SHORTEST_PASSWORD} "
            f"or longer than {LONGEST_PASSWORD} characters."
        )
    if not re.fullmatch(r"[!-~]*", password) or re.search('[/@" ]', password):
        return (
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', "
            "'@', '\"', ' ' may be used."
        )
    return None


def _user(request: Request) -> str | None:
    name = str(request.parameters.get("MasterUsername", ""))
    if name.lower() not in _RESERVED_USERS:
        return None
    return f"MasterUsername {name} cannot be used as it is a reserved word used by the engine"


def _monitoring(request: Request) -> str | None:
    if request.parameters.get("MonitoringInterval") and not request.parameters.get("MonitoringRoleArn"):
        return "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0."
    return None


def _minutes(window: str) -> tuple[int, int]:
    first, last = (int(part[:2]) * 60 + int(part[3:]) for part in window.split("-"))
    return first, last


def _windows(request: Request) -> str | None:
    """Both windows are taken for ones that end on the day on which they begin."""
    backup = request.parameters.get("PreferredBackupWindow")
    parts = re.fullmatch(
        r"(\w{3}):(\d\d:\d\d)-(\w{3}):(\d\d:\d\d)", request.parameters.get("PreferredMaintenanceWindow") or ""
    )
    if not backup or not parts or parts[1] != parts[3]:
        return None
    (first, last), (begin, end) = _minutes(backup), _minutes(f"{parts[2]}-{parts[4]}")
    if first < end and begin < last:
        return "The backup window and maintenance window must not overlap."
    return None


def _static_parameter(request: Request) -> str | None:
    for parameter in request.parameters.get("Parameters") or []:
        if parameter.get("ApplyMethod") == "immediate" and parameter.get("ParameterName") in _STATIC:
            return "cannot use immediate apply method for static parameter"
    return None


def _broker_subnets(request: Request) -> str | None:
    mode, named = request.parameters.get("DeploymentMode"), request.parameters.get("SubnetIds") or []
    wanted = {"SINGLE_INSTANCE": 1, "ACTIVE_STANDBY_MULTI_AZ": 2}.get(str(mode))
    if not named or wanted is None or len(named) == wanted:
        return None
    return f"Deployment mode [{mode}] requires {wanted} subnet(s), but {len(named)} were given."


def _broker_name(request: Request) -> str | None:
    name = str(request.parameters.get("BrokerName", ""))
    if re.fullmatch(r"[A-Za-z0-9_-]{1,50}", name):
        return None
    return (
        "Broker name must be 1 to 50 characters long, and can contain only alphanumeric characters, dashes and "
        "underscores."
    )


def _broker_there(request: Request) -> str | None:
    name = request.parameters.get("BrokerName")
    if any(broker.name == name for broker in list(backend(request).brokers.values())):
        return f"Broker name [{name}] is already in use."
    return None


def _broker_user(request: Request) -> str | None:
    for user in request.parameters.get("Users") or []:
        password = str(user.get("Password", ""))
        if not 12 <= len(password) <= 250 or re.search("[,:=]", password) or len(set(password)) < 4:
            return (
                "Password must be 12 to 250 characters long, contain at least 4 unique characters, and must not "
                "contain commas (,), colons (:) or equal signs (=)."
            )
        if user.get("Username") == "guest":
            return "Username [guest] is reserved."
    return None


def _rule(
    name: str, operations: str, condition: str, code: str, refuses: Any, page: str = "", status: int = 400
) -> Rule:
    names = tuple(operations.split())
    return Rule(
        name, names, condition, code, page or f"{_RDS}/API_{names[0].partition('.')[2]}.html", refuses, status
    )


RULES = (
    _rule(
        "subnet_group_of_one_zone", "rds.CreateDBSubnetGroup rds.ModifyDBSubnetGroup",
        "A subnet group of one zone", "DBSubnetGroupDoesNotCoverEnoughAZs", _one_zone,
    ),
    _rule(
        "subnet_group_in_use", "rds.DeleteDBSubnetGroup", "A subnet group of a database",
        "InvalidDBSubnetGroupStateFault", _subnet_group_in_use,
    ),
    _rule(
        "parameter_group_in_use", "rds.DeleteDBParameterGroup", "A parameter group of a database",
        "InvalidDBParameterGroupState", _parameter_group_in_use,
    ),
    _rule(
        "protected_database", "rds.DeleteDBInstance", "A database with deletion protection",
        "InvalidParameterCombination", _protected,
    ),
    _rule(
        "no_final_snapshot", "rds.DeleteDBInstance", "Neither a final snapshot nor SkipFinalSnapshot",
        "InvalidParameterCombination", _no_snapshot,
    ),
    _rule(
        "snapshot_that_exists", "rds.DeleteDBInstance", "A final snapshot with the name of another",
        "DBSnapshotAlreadyExists", _snapshot_there,
    ),
    _rule(
        "storage_of_a_database", "rds.CreateDBInstance rds.ModifyDBInstance",
        f"A largest storage not above the storage, or over {LARGEST_DATABASE} GiB",
        "InvalidParameterCombination", _storage,
    ),
    _rule(
        "smaller_database", "rds.ModifyDBInstance", "Less storage than before", "InvalidParameterValue", _smaller,
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.ModifyingExisting.html",
    ),
    _rule(
        "database_password", "rds.CreateDBInstance rds.ModifyDBInstance",
        "A password under 8 or over 128 characters, or with /, @, \" or a space", "InvalidParameterValue", _password,
    ),
    _rule(
        "database_user", "rds.CreateDBInstance", "A master user's name that PostgreSQL or RDS reserves",
        "InvalidParameterValue", _user,
    ),
    _rule(
        "monitoring_without_role", "rds.CreateDBInstance", "Enhanced Monitoring without a role",
        "InvalidParameterCombination", _monitoring,
    ),
    _rule(
        "overlapping_windows", "rds.CreateDBInstance rds.ModifyDBInstance",
        "A backup window that overlaps the maintenance window", "InvalidParameterValue", _windows,
    ),
    _rule(
        "static_parameter", "rds.ModifyDBParameterGroup", "A parameter that takes a restart, to be applied at once",
        "InvalidParameterCombination", _static_parameter,
    ),
    _rule(
        "subnets_of_a_broker", "mq.CreateBroker", "A broker with another number of subnets than its mode has",
        "BadRequestException", _broker_subnets, _MQ,
    ),
    _rule(
        "broker_name", "mq.CreateBroker", "A broker's name over 50 characters, or with other characters",
        "BadRequestException", _broker_name, _MQ,
    ),
    _rule(
        "broker_that_exists", "mq.CreateBroker", "A second broker of one name",
        "ConflictException", _broker_there, _MQ, 409,
    ),
    _rule(
        "broker_user", "mq.CreateBroker",
        "A user's password under 12 characters or with a comma, colon or equal sign; the user `guest`",
        "BadRequestException", _broker_user, _MQ,
    ),
)  # fmt: skip
