"""What a task definition says, as this machine can run it."""

from __future__ import annotations

import graphlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_aws import LocalAws

Data = Mapping[str, Any]
Replace = Callable[[str], str]


class ResourceInitializationError(Exception):
    """What ECS says of a task whose secrets it cannot get."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval "
            f"failed: unable to retrieve secret from asm: service call has been retried 1 time(s): {reason}"
        )


@dataclass(frozen=True)
class ContainerDefinition:
    """A container of a task, with the texts of this machine."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    depends_on: Mapping[str, str]
    """By the other container's name, the condition."""
    essential: bool
    health_check: Data | None
    init: bool
    """Whether an init process is its PID 1."""
    start_timeout: float | None
    stop_timeout: float


def replacing(places: Mapping[str, str]) -> Replace:
    """Replace texts in one pass, the longest first, and only whole: `db:80` is not in `db:8080`."""
    if not places:
        return lambda text: text
    pattern = re.compile("|".join(map(_whole, sorted(places, key=len, reverse=True))))
    return lambda text: pattern.sub(lambda found: places[found[0]], text)


def _whole(text: str) -> str:
    before = r"(?<![\w.-])" if re.match(r"[\w/]", text) else ""
    after = r"(?![\w-]|\.\w)" if re.search(r"\w\Z", text) else ""
    return before + re.escape(text) + after


def refusals(definition: Data, files: Mapping[str, Path]) -> list[str]:
    """What RegisterTaskDefinition refuses and moto takes, and what is not run here.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html

    Args:
        definition: as DescribeTaskDefinition answers.
        files: the access points of EFS that are here.
    """
    containers = {container["name"]: container for container in definition["containerDefinitions"]}
    found = []
    if len(containers) < len(definition["containerDefinitions"]):
        found.append("two containers have one name")
    if not any(container["essential"] for container in containers.values()):
        found.append("no container is essential")
    for name, container in containers.items():
        for dependency in container.get("dependsOn", []):
            found += [f"{name}: {fault}" for fault in _dependency_faults(dependency, containers)]
        both = {item["name"] for item in container.get("secrets", [])} & _by_name(
            container["environment"]
        ).keys()
        found += [f"{name}: {variable} is a secret and not" for variable in sorted(both)]
        if container.get("stopTimeout", 0) > 120:
            found.append(f"{name}: stopTimeout is above Fargate's 120")
        if container.get("restartPolicy", {}).get("enabled") or container.get("environmentFiles"):
            found.append(f"{name}: restartPolicy and environmentFiles are not run here")
        for volume in _mounted(container) - {volume["name"] for volume in definition.get("volumes", [])}:
            found.append(f"{name}: volume {volume} is not in the task")
    for volume in definition.get("volumes", []):
        found += [f"volume {volume['name']}: {fault}" for fault in _volume_faults(volume, files)]
    return found + _circles(containers)


def _volume_faults(volume: Data, files: Mapping[str, Path]) -> list[str]:
    """Of a volume, by https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_EFSVolumeConfiguration.html."""
    found = []
    known = {"name", "host", "configuredAtLaunch", "efsVolumeConfiguration"}
    if volume.keys() - known or volume.get("host"):
        found.append("only a task's own and EFS's are run here")
    if efs := volume.get("efsVolumeConfiguration"):
        access = efs.get("authorizationConfig", {})
        if access and efs.get("transitEncryption") != "ENABLED":
            found.append("an access point takes transit encryption")
        if access and efs.get("rootDirectory", "/") != "/":
            found.append("an access point has a root directory of its own")
        if access.get("accessPointId") not in files:
            found.append(f"no directory is here for the access point {access.get('accessPointId')}")
    return found


def volume_folders(definition: Data, own: Path, files: Mapping[str, Path]) -> dict[str, Path]:
    """The directories of a task's volumes by name: the task's own, and those of EFS, which outlive it."""
    return {
        volume["name"]: files[efs["authorizationConfig"]["accessPointId"]]
        if (efs := volume.get("efsVolumeConfiguration"))
        else own / volume["name"]
        for volume in definition.get("volumes", [])
    }


def _mounted(container: Data) -> set[str]:
    return {mount["sourceVolume"] for mount in container.get("mountPoints", [])}


def _dependency_faults(dependency: Data, containers: Mapping[str, Data]) -> list[str]:
    name, condition = dependency["containerName"], dependency["condition"]
    if name not in containers:
        return [f"depends on {name}, which is not in the task"]
    if condition in ("COMPLETE", "SUCCESS") and containers[name]["essential"]:
        return [f"{condition} of {name}, which is essential"]
    if condition == "HEALTHY" and not containers[name].get("healthCheck"):
        return [f"HEALTHY of {name}, which has no health check"]
    return []


def _circles(containers: Mapping[str, Data]) -> list[str]:
    graph = {
        name: [dependency["containerName"] for dependency in container.get("dependsOn", [])]
        for name, container in containers.items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as circle:
        return [f"containers depend on each other: {circle.args[1]}"]
    return []


def containers(
    definition: Data,
    overrides: Data,
    *,
    secret: Callable[[str], str],
    replace: Mapping[str, str],
    programs: Mapping[str, str],
    variables: Mapping[str, str],
    volumes: Mapping[str, Path],
) -> list[ContainerDefinition]:
    """Read a task definition.

    Args:
        definition: as DescribeTaskDefinition answers.
        overrides: as RunTask takes them.
        secret: gives what a secret's `valueFrom` means.
        replace: texts of commands, variables, secrets and their ARNs, and what stands for them here.
        programs: the same for the paths of programs, in commands alone.
        variables: what each container has beside its own.
        volumes: the directories of the task's volumes by name.
    """
    changed = {override["name"]: override for override in overrides.get("containerOverrides", [])}
    unknown = changed.keys() - {container["name"] for container in definition["containerDefinitions"]}
    assert not unknown, (
        f"InvalidParameterException: overrides of containers that are not in the task: {unknown}"
    )
    read = []
    for container in definition["containerDefinitions"]:
        override = changed.get(container["name"], {})
        mounted = {}
        for mount in container.get("mountPoints", []):
            folder = volumes[mount["sourceVolume"]]
            folder.mkdir(parents=True, exist_ok=True)
            mounted[mount["containerPath"]] = str(folder)
        value, text = replacing({**replace, **mounted}), replacing({**replace, **programs, **mounted})
        own = _by_name(container["environment"]) | _by_name(override.get("environment", []))
        own |= {item["name"]: secret(value(item["valueFrom"])) for item in container.get("secrets", [])}
        check = container.get("healthCheck")
        command = [
            *container.get("entryPoint", []),
            *(override.get("command") or container.get("command", [])),
        ]
        assert command, (
            f"{container['name']}: what its image runs is not known here; say entryPoint or command"
        )
        read.append(
            ContainerDefinition(
                name=container["name"],
                command=[text(word) for word in command],
                environment={**variables, **{name: value(content) for name, content in own.items()}},
                depends_on={
                    item["containerName"]: item["condition"] for item in container.get("dependsOn", [])
                },
                essential=container["essential"],
                health_check=check and {**check, "command": [text(word) for word in check["command"]]},
                init=container.get("linuxParameters", {}).get("initProcessEnabled", False),
                start_timeout=container.get("startTimeout"),
                stop_timeout=container.get("stopTimeout", 30),
            )
        )
    return read


def secret_value(aws: LocalAws, value_from: str) -> str:
    """What a `valueFrom` means: a secret's ARN, with `:json-key:version-stage:version-id` or without.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html

    Raises:
        ResourceInitializationError: the secret has no such value.
    """
    parts = value_from.split(":")
    assert parts[2:3] == ["secretsmanager"], (
        f"only secrets of Secrets Manager by ARN are run here: {value_from}"
    )
    arn, (key, stage, version) = ":".join(parts[:7]), [*parts[7:], "", "", ""][:3]
    wanted = {"VersionStage": stage, "VersionId": version}
    try:
        content: str = aws.client("secretsmanager", parts[3]).get_secret_value(
            SecretId=arn, **{name: text for name, text in wanted.items() if text}
        )["SecretString"]
    except ClientError as refused:
        raise ResourceInitializationError(
            f"failed to fetch secret {arn} from secrets manager: {refused.response['Error']['Code']}: "
            f"{refused.response['Error']['Message']}"
        ) from refused
    if not key:
        return content
    try:
        values = json.loads(content)
    except ValueError as error:
        raise ResourceInitializationError(f"secret {arn} is no JSON: {error}") from error
    if key not in values:
        raise ResourceInitializationError(
            f"retrieved secret from Secrets Manager did not contain json key {key}"
        )
    return values[key] if isinstance(values[key], str) else json.dumps(values[key])


def _by_name(pairs: Sequence[Data]) -> dict[str, str]:
    return {pair["name"]: pair["value"] for pair in pairs}
