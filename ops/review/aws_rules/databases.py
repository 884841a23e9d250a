"""Databases on RDS and file systems on EFS."""

from __future__ import annotations

import re
from collections import defaultdict

from ops.review.aws_rules.networking import placed
from ops.review.aws_rules.planned import Found, Planned, Resource, Rule

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def database_zones(planned: Planned) -> Found:
    """A database's subnets are in two Availability Zones at least.

    Amazon RDS User Guide, "Working with a DB instance in a VPC" (DB subnet groups), for one without a standby too.
    """
    subnets = planned.by("aws_subnet", "id")
    for group in planned.of("aws_db_subnet_group"):
        given = group.get("subnet_ids")
        if given is None:
            continue
        zones = {subnets[each].get("availability_zone") if each in subnets else each for each in given}
        if len(zones) < 2:
            yield group, f"has subnets in {len(zones)} Availability Zone; must be two at least"


def database_storage(planned: Planned) -> Found:
    """Storage that grows by itself has 10 % of room to do so; gp3 has 20 to 65,536 GiB.

    Amazon RDS User Guide, "Managing capacity automatically with Amazon RDS storage autoscaling" and "Amazon RDS DB
    instance storage"; backups: Amazon RDS API Reference, ``CreateDBInstance`` (BackupRetentionPeriod).
    """
    for instance in planned.of("aws_db_instance"):
        now, most = instance.get("allocated_storage"), instance.get("max_allocated_storage")
        if now is not None and not 20 <= now <= 65_536:
            yield instance, f"allocated_storage is {now} GiB; must be 20 to 65536"
        if now and most and (most * 10 < now * 11 or most > 65_536):
            yield (
                instance,
                f"max_allocated_storage is {most} GiB; must be 10 % over {now}, and at most 65536",
            )
        days = instance.get("backup_retention_period")
        if days is not None and not 0 <= days <= 35:
            yield instance, f"backup_retention_period is {days}; must be 0 to 35"


def database_windows(planned: Planned) -> Found:
    """Backups and maintenance have half an hour each and do not get in each other's way.

    Amazon RDS API Reference, ``CreateDBInstance`` (PreferredBackupWindow, PreferredMaintenanceWindow).
    """
    for instance in planned.of("aws_db_instance"):
        backup, maintenance = instance.get("backup_window"), instance.get("maintenance_window")
        if not backup or not maintenance:
            continue
        minutes = re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", backup)
        weekly = re.fullmatch(r"(\w{3}):(\d\d):(\d\d)-(\w{3}):(\d\d):(\d\d)", maintenance.lower())
        if not minutes or not weekly or not {weekly[1], weekly[4]} <= set(DAYS):
            yield (
                instance,
                f"the windows are {backup} and {maintenance}; must be hh:mm-hh:mm and ddd:hh:mm-ddd:hh:mm",
            )
            continue
        daily = _minutes(minutes[1], minutes[2]), _minutes(minutes[3], minutes[4])
        start = DAYS.index(weekly[1]) * 1440 + _minutes(weekly[2], weekly[3])
        end = DAYS.index(weekly[4]) * 1440 + _minutes(weekly[5], weekly[6])
        length = (end - start) % 10_080
        if (daily[1] - daily[0]) % 1440 < 30 or length < 30:
            yield instance, f"the windows are {backup} and {maintenance}; must be 30 minutes at least"
        backed_up = {(daily[0] + minute) % 1440 for minute in range((daily[1] - daily[0]) % 1440)}
        if any((start + minute) % 1440 in backed_up for minute in range(length)):
            yield instance, f"backups at {backup} fall into maintenance, {maintenance}; must not"


def maintenance_apart(planned: Planned) -> Found:
    """A database and a broker are not both away for maintenance: the services that use them bear one of them.

    Amazon RDS User Guide, "Maintaining a DB instance" (a weekly window of UTC); Amazon MQ Developer Guide,
    "Scheduling the maintenance window" (two hours from its start).
    """
    taken = [
        minute
        for instance in planned.of("aws_db_instance")
        if (found := _WEEKLY.fullmatch(str(instance.get("maintenance_window") or "").lower()))
        for minute in _week(found)
    ]
    for broker in planned.of("aws_mq_broker"):
        for window in broker.blocks("maintenance_window_start_time"):
            day, time, zone = (window.get(name) for name in ("day_of_week", "time_of_day", "time_zone"))
            if day is None or time is None:
                continue
            if zone not in (None, "UTC"):
                yield broker, f"its maintenance window is in {zone}; must be in UTC, as the database's is"
                continue
            hours, minutes = time.split(":")
            start = DAYS.index(day[:3].lower()) * 1440 + _minutes(hours, minutes)
            if any((minute - start) % 10_080 < 120 for minute in taken):
                yield broker, f"its maintenance at {day} {time} falls into the database's; must be apart"


_WEEKLY = re.compile(r"(\w{3}):(\d\d):(\d\d)-(\w{3}):(\d\d):(\d\d)")


def _week(window: re.Match[str]) -> list[int]:
    """The minutes of the week that a window takes."""
    start = DAYS.index(window[1]) * 1440 + _minutes(window[2], window[3])
    end = DAYS.index(window[4]) * 1440 + _minutes(window[5], window[6])
    return [(start + minute) % 10_080 for minute in range((end - start) % 10_080)]


def database_upgrades(planned: Planned) -> Found:
    """A database whose minor version is pinned is not upgraded by RDS: the next apply would ask for a downgrade.

    Amazon RDS User Guide, "Automatically upgrading the minor engine version"; RDS downgrades no database.
    """
    for instance in planned.of("aws_db_instance"):
        version = str(instance.get("engine_version") or "")
        if (
            instance.get("engine") == "postgres"
            and "." in version
            and instance.get("auto_minor_version_upgrade")
        ):
            yield (
                instance,
                f"engine_version is {version} with auto_minor_version_upgrade; must be a major version alone",
            )


def _minutes(hours: str, minutes: str) -> int:
    return int(hours) * 60 + int(minutes)


def database_parameters(planned: Planned) -> Found:
    """A database's parameters are those of its own major version.

    Amazon RDS API Reference, ``CreateDBParameterGroup`` (DBParameterGroupFamily).
    """
    families = {
        group.get("name"): group.get("family")
        for group in planned.of("aws_db_parameter_group")
        if group.get("name")
    }
    for instance in planned.of("aws_db_instance"):
        family = families.get(instance.get("parameter_group_name"))
        version = str(instance.get("engine_version") or "")
        if family and version and family != f"{instance.get('engine')}{version.split('.')[0]}":
            yield instance, f"engine_version is {version} with parameters of {family}; must be of one family"


def mount_targets(planned: Planned) -> Found:
    """A file system has one mount target in each zone that its tasks run in, and no second one there.

    Amazon EFS API Reference, ``CreateMountTarget``; Amazon ECS Developer Guide, "Use Amazon EFS volumes with Amazon
    ECS" (the name of a file system leads to the mount target of the task's own zone).
    """
    subnets = planned.by("aws_subnet", "id")
    targets: dict[str, list[str]] = defaultdict(list)
    for target in planned.of("aws_efs_mount_target"):
        zone = _zone(target.get("subnet_id"), subnets)
        if zone in targets[target.get("file_system_id")]:
            yield target, f"is a second mount target in {zone}; must be one in each zone"
        targets[target.get("file_system_id")].append(zone)
    tasks = planned.by("aws_ecs_task_definition", "arn")
    for service, used in placed(planned):
        task = tasks.get(str(service.get("task_definition")))
        for volume in task.blocks("volume") if task else []:
            for files in volume.get("efs_volume_configuration") or []:
                for zone in sorted({_zone(subnet, subnets) for subnet in used}):
                    if files.get("file_system_id") and zone not in targets[files["file_system_id"]]:
                        yield service, f"has no mount target of {volume['name']} in {zone}; must have one"


def _zone(subnet: str, subnets: dict[str, Resource]) -> str:
    """A subnet's zone; itself where it is not in the plans."""
    return str(subnets[subnet].get("availability_zone")) if subnet in subnets else subnet


def file_volumes(planned: Planned) -> Found:
    """A volume that is reached with rights or through an access point is so over TLS, and from its root.

    Amazon ECS API Reference, ``EFSAuthorizationConfig`` and ``EFSVolumeConfiguration`` (transitEncryption,
    rootDirectory).
    """
    for task in planned.of("aws_ecs_task_definition"):
        for volume in task.blocks("volume"):
            for files in volume.get("efs_volume_configuration") or []:
                rights = files.get("authorization_config") or []
                if rights and files.get("transit_encryption") != "ENABLED":
                    yield task, f"{volume['name']} has rights without transit_encryption; must be ENABLED"
                by_point = any(right.get("access_point_id") for right in rights)
                if by_point and files.get("root_directory") not in (None, "", "/"):
                    yield (
                        task,
                        f"{volume['name']} has a root_directory beside an access point; must be left out",
                    )


RULES: tuple[Rule, ...] = (
    database_zones,
    database_storage,
    database_windows,
    maintenance_apart,
    database_upgrades,
    database_parameters,
    mount_targets,
    file_volumes,
)
