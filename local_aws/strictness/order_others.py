"""The order of things of other services: what may not be deleted while something uses it, or be made twice."""

from __future__ import annotations

from typing import Any

from local_aws.strictness.held import backend
from local_aws.strictness.rule import Request, Rule

_CLOUD_MAP = "https://docs.aws.amazon.com/cloud-map/latest/api"
_IAM = "https://docs.aws.amazon.com/IAM/latest/APIReference"
_ASG = "https://docs.aws.amazon.com/autoscaling/ec2/APIReference"


def _namespace_with_services(request: Request) -> str | None:
    name = request.parameters.get("Id")
    if any(each.namespace_id == name for each in list(backend(request).services.values())):
        return "Namespace has associated services; delete the services before deleting the namespace"
    return None


def _service_with_instances(request: Request) -> str | None:
    """ECS registers each running task of a service that names it."""
    found = backend(request).services.get(str(request.parameters.get("Id")))
    if found is None:
        return None
    tasks = any(
        registry.get("registryArn") == found.arn and service.desired_count and service.status == "ACTIVE"
        for service in list(backend(request, "ecs").services.values())
        for registry in service.service_registries or []
    )
    if tasks or found.instances:
        return "Service contains registered instances; delete the instances before deleting the service"
    return None


def _discovery_service_there(request: Request) -> str | None:
    name, namespace = request.parameters.get("Name"), request.parameters.get("NamespaceId")
    held = list(backend(request).services.values())
    if any((each.name, each.namespace_id) == (name, namespace) for each in held):
        return "Service already exists."
    return None


def _role(request: Request) -> Any | None:
    name = request.parameters.get("RoleName")
    return next((role for role in list(backend(request).roles.values()) if role.name == name), None)


def _role_with_inline(request: Request) -> str | None:
    role = _role(request)
    return "Cannot delete entity, must delete policies first." if role and role.policies else None


def _role_with_attached(request: Request) -> str | None:
    role = _role(request)
    return "Cannot delete entity, must detach all policies first." if role and role.managed_policies else None


def _role_with_profile(request: Request) -> str | None:
    role = _role(request)
    profiles = list(backend(request).instance_profiles.values())
    if role and any(each and each.name == role.name for profile in profiles for each in profile.roles):
        return "Cannot delete entity, must remove roles from instance profile first."
    return None


def _attached_policy(request: Request) -> str | None:
    arn = request.parameters.get("PolicyArn")
    if any(arn in role.managed_policies for role in list(backend(request).roles.values())):
        return "Cannot delete a policy attached to entities."
    return None


def _profile_with_role(request: Request) -> str | None:
    found = backend(request).instance_profiles.get(request.parameters.get("InstanceProfileName"))
    return (
        "Cannot delete entity, must remove roles from instance profile first."
        if found and found.roles
        else None
    )


def _zone_with_records(request: Request) -> str | None:
    found = backend(request).zones.get(str(request.parameters.get("Id")).rpartition("/")[2])
    records = found.rrsets if found else []
    if any(record.type not in ("SOA", "NS") for record in records):
        return (
            "The specified hosted zone contains non-required resource record sets  and so cannot be deleted."
        )
    return None


def _group_with_instances(request: Request) -> str | None:
    found = backend(request).autoscaling_groups.get(request.parameters.get("AutoScalingGroupName"))
    if found and found.instance_states and not request.parameters.get("ForceDelete"):
        return (
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still "
            "in the group."
        )
    return None


def _group_there(request: Request) -> str | None:
    name = request.parameters.get("AutoScalingGroupName")
    if name in backend(request).autoscaling_groups:
        return "AutoScalingGroup by this name already exists - A group with the name already exists"
    return None


def _group_bounds(request: Request) -> str | None:
    held = backend(request).autoscaling_groups.get(request.parameters.get("AutoScalingGroupName"))
    least = request.parameters.get("MinSize", held.min_size if held else None)
    most = request.parameters.get("MaxSize", held.max_size if held else None)
    if least is not None and most is not None and least > most:
        return f"Max bound, {most}, must be greater than or equal to min bound, {least}"
    return None


def _group_lifetime(request: Request) -> str | None:
    lifetime = request.parameters.get("MaxInstanceLifetime")
    if not lifetime or 86_400 <= lifetime <= 31_536_000:
        return None
    return "Valid MaxInstanceLifetime values are between 86400 and 31536000 seconds."


def _topic_gone(request: Request) -> str | None:
    arn = request.parameters.get("TopicArn")
    return None if arn in backend(request).topics else "Topic does not exist"


def _no_address(request: Request) -> str | None:
    """AWS takes whatever has an @."""
    if request.parameters.get("Protocol") == "email" and "@" not in str(request.parameters.get("Endpoint")):
        return "Invalid parameter: Email address"
    return None


def _rule_gone(request: Request) -> str | None:
    bus = backend(request).event_buses.get(
        str(request.parameters.get("EventBusName", "default")).rpartition("/")[2]
    )
    name = request.parameters.get("Rule", request.parameters.get("Name"))
    if bus is None or name in bus.rules:
        return None
    return f"Rule {name} does not exist on EventBus {bus.name}."


def _secret_scheduled(request: Request) -> str | None:
    found = backend(request).secrets.get(str(request.parameters.get("Name")))
    if found is not None and found.is_deleted():
        return (
            "You can't create this secret because a secret with this name is already scheduled for deletion."
        )
    return None


RULES = (
    Rule(
        "namespace_with_services", ("servicediscovery.DeleteNamespace",), "A namespace with services",
        "ResourceInUse", f"{_CLOUD_MAP}/API_DeleteNamespace.html", _namespace_with_services, 409,
    ),
    Rule(
        "discovery_service_with_instances", ("servicediscovery.DeleteService",),
        "A Cloud Map service with registered instances, such as the tasks of an ECS service",
        "ResourceInUse", f"{_CLOUD_MAP}/API_DeleteService.html", _service_with_instances, 409,
    ),
    Rule(
        "discovery_service_that_exists", ("servicediscovery.CreateService",), "A second service of one name",
        "ServiceAlreadyExists", f"{_CLOUD_MAP}/API_CreateService.html", _discovery_service_there,
    ),
    Rule(
        "role_with_inline_policies", ("iam.DeleteRole",), "A role with inline policies",
        "DeleteConflict", f"{_IAM}/API_DeleteRole.html", _role_with_inline, 409,
    ),
    Rule(
        "role_with_attached_policies", ("iam.DeleteRole",), "A role with attached policies",
        "DeleteConflict", f"{_IAM}/API_DeleteRole.html", _role_with_attached, 409,
    ),
    Rule(
        "role_of_an_instance_profile", ("iam.DeleteRole",), "A role of an instance profile",
        "DeleteConflict", f"{_IAM}/API_DeleteRole.html", _role_with_profile, 409,
    ),
    Rule(
        "attached_policy", ("iam.DeletePolicy",), "A policy that is attached to a role",
        "DeleteConflict", f"{_IAM}/API_DeletePolicy.html", _attached_policy, 409,
    ),
    Rule(
        "instance_profile_with_a_role", ("iam.DeleteInstanceProfile",), "An instance profile with a role",
        "DeleteConflict", f"{_IAM}/API_DeleteInstanceProfile.html", _profile_with_role, 409,
    ),
    Rule(
        "zone_with_records", ("route53.DeleteHostedZone",), "A hosted zone with records besides SOA and NS",
        "HostedZoneNotEmpty", "https://docs.aws.amazon.com/Route53/latest/APIReference/API_DeleteHostedZone.html",
        _zone_with_records,
    ),
    Rule(
        "autoscaling_group_with_instances", ("autoscaling.DeleteAutoScalingGroup",),
        "A group with instances, without ForceDelete",
        "ResourceInUse", f"{_ASG}/API_DeleteAutoScalingGroup.html", _group_with_instances,
    ),
    Rule(
        "autoscaling_group_that_exists", ("autoscaling.CreateAutoScalingGroup",), "A second group of one name",
        "AlreadyExists", f"{_ASG}/API_CreateAutoScalingGroup.html", _group_there,
    ),
    Rule(
        "bounds_of_an_autoscaling_group",
        ("autoscaling.CreateAutoScalingGroup", "autoscaling.UpdateAutoScalingGroup"), "A minimum above the maximum",
        "ValidationError", f"{_ASG}/API_CreateAutoScalingGroup.html", _group_bounds,
    ),
    Rule(
        "lifetime_of_instances",
        ("autoscaling.CreateAutoScalingGroup", "autoscaling.UpdateAutoScalingGroup"),
        "A maximum lifetime of instances under a day or over a year",
        "ValidationError", f"{_ASG}/API_CreateAutoScalingGroup.html", _group_lifetime,
    ),
    Rule(
        "topic_that_is_gone", ("sns.Subscribe", "sns.SetTopicAttributes"), "A topic that does not exist",
        "NotFound", "https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html", _topic_gone, 404,
    ),
    Rule(
        "subscription_without_address", ("sns.Subscribe",), "A mail address without an @",
        "InvalidParameter", "https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html", _no_address,
    ),
    Rule(
        "event_rule_that_is_gone", ("events.PutTargets", "events.RemoveTargets"), "A rule that does not exist",
        "ResourceNotFoundException",
        "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html", _rule_gone,
    ),
    Rule(
        "secret_scheduled_for_deletion", ("secretsmanager.CreateSecret",),
        "A secret with the name of one that is scheduled for deletion",
        "InvalidRequestException",
        "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html", _secret_scheduled,
    ),
)  # fmt: skip
