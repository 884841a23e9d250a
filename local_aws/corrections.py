"""What moto 5.2.5 gets wrong for Terraform, corrected in the server's process, each thing narrowly."""

from __future__ import annotations

import json
from copy import copy
from functools import cache
from typing import Any

from moto import backends
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.budgets.responses import BudgetsResponse
from moto.core import responses
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.core.serialize import never_return
from moto.core.utils import method_names_from_class
from moto.iam import models as iam
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.s3.models import FakeDeleteMarker

from local_aws.application_autoscaling import correct_application_autoscaling
from local_aws.budgets import correct_budgets
from local_aws.ec2 import correct_ec2
from local_aws.ecs import correct_ecs
from local_aws.efs import correct_efs
from local_aws.local_aws import ACCOUNT_ID
from local_aws.rds import correct_rds
from local_aws.replacing import replace
from local_aws.service_discovery import correct_service_discovery


def correct_moto() -> None:
    """Correct moto in this process; to be called once, before it serves."""
    find_services_and_actions_once()
    shape_each_answer_alone()
    refuse_unknown_actions()
    look_up_keys_where_roles_are()
    read_policies_once()
    keep_tags(ApplicationAutoScalingResponse, "ResourceARN")
    keep_tags(BudgetsResponse, "ResourceARN")
    tag_new_scalable_targets()
    tag_new_budgets()
    stand_for_tls()
    dispose_of_delete_markers()
    correct_application_autoscaling()
    correct_budgets()
    correct_ec2()
    correct_ecs()
    correct_efs()
    correct_rds()
    correct_service_discovery()


class UnknownOperationError(ServiceException):
    """An action that moto lacks."""

    code = "UnknownOperationException"


def find_services_and_actions_once() -> None:
    """Keep which services and actions there are: moto lists its folders and a class's methods at each request."""
    services = tuple(backends.list_of_moto_modules())
    replace(backends, "list_of_moto_modules", lambda: services)
    replace(responses, "method_names_from_class", cache(method_names_from_class))


def shape_each_answer_alone() -> None:
    """Decide for one answer what it includes: moto decides for all requests of a service that are under way.

    A read of a service with its tags has none where another read without them comes between.
    """

    def include(self: BaseResponse, path: str) -> None:
        self.RESPONSE_KEY_PATH_TO_TRANSFORMER = self.RESPONSE_KEY_PATH_TO_TRANSFORMER | {path: lambda x: x}

    def exclude(self: BaseResponse, path: str) -> None:
        self.RESPONSE_KEY_PATH_TO_TRANSFORMER = self.RESPONSE_KEY_PATH_TO_TRANSFORMER | {path: never_return}

    replace(BaseResponse, "_include_in_response", include)
    replace(BaseResponse, "_exclude_from_response", exclude)


def look_up_keys_where_roles_are() -> None:
    """Look an access key up in the partitions in use: moto makes all five for it, with 1,582 policies of AWS's each."""

    def corrected(access_key: str) -> str:
        for account_id, partitions in list(iam.iam_backends.items()):
            for backend in list(partitions.values()):
                if access_key in backend.access_keys:
                    return account_id
        return ACCOUNT_ID

    iam.get_account_id_from = corrected


def read_policies_once() -> None:
    """Make AWS's own 1,582 policies once for each partition: moto reads four megabytes for it at each reset."""
    read = iam.IAMBackend._init_aws_policies
    policies: dict[tuple[str, str], list[iam.ManagedPolicy]] = {}

    def corrected(self: iam.IAMBackend) -> list[iam.ManagedPolicy]:
        key = (self.account_id, self.region_name)
        if key not in policies:
            policies[key] = read(self)
        return [copy(policy) for policy in policies[key]]  # each counts what it is attached to

    replace(iam.IAMBackend, "_init_aws_policies", corrected)


def refuse_unknown_actions() -> None:
    """Answer an action that moto lacks with 501, not with 500, which the provider repeats for many minutes.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html (500, 502, 503 and 504 are
    transient)
    """
    call_action = BaseResponse.call_action

    def corrected(self: BaseResponse) -> Any:
        try:
            return call_action(self)
        except NotImplementedError as missing:
            refused = UnknownOperationError(f"The local AWS lacks it: {missing}.")
            _, headers, body = self.serialized(ActionResult(refused))
            return 501, headers, body

    replace(BaseResponse, "call_action", corrected)


def keep_tags(response: type[BaseResponse], arn: str) -> None:
    """Give a JSON service without tags the three actions for them.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ListTagsForResource.html
    https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_ListTagsForResource.html

    Application Auto Scaling has them as a map, Budgets as a list; each answers in the form that it takes.
    """
    as_list = response is BudgetsResponse

    def list_tags_for_resource(self: Any) -> str:
        tags = _tags(self).get(self._get_param(arn), {})
        if as_list:
            return json.dumps({"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]})
        return json.dumps({"Tags": tags})

    def tag_resource(self: Any) -> str:
        added = _map(self._get_param("ResourceTags") if as_list else self._get_param("Tags"))
        _tags(self).setdefault(self._get_param(arn), {}).update(added)
        return json.dumps({})

    def untag_resource(self: Any) -> str:
        tags = _tags(self).get(self._get_param(arn), {})
        for key in self._get_param("ResourceTagKeys" if as_list else "TagKeys"):
            tags.pop(key, None)
        return json.dumps({})

    for action in (list_tags_for_resource, tag_resource, untag_resource):
        replace(response, action.__name__, action)


def tag_new_scalable_targets() -> None:
    """Keep the tags that a scalable target is registered with, and forget them with the target.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
    """
    register = ApplicationAutoScalingResponse.register_scalable_target

    def corrected(self: Any) -> str:
        answer = register(self)
        if tags := self._get_param("Tags"):
            _tags(self)[json.loads(answer)["ScalableTargetARN"]] = dict(tags)
        return answer

    replace(ApplicationAutoScalingResponse, "register_scalable_target", corrected)


def tag_new_budgets() -> None:
    """Keep the tags that a budget is created with, and forget them with the budget.

    https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_CreateBudget.html
    """
    create, delete = BudgetsResponse.create_budget, BudgetsResponse.delete_budget

    def arn(self: Any, name: str) -> str:
        return f"arn:{self.partition}:budgets::{self._get_param('AccountId')}:budget/{name}"

    def create_budget(self: Any) -> str:
        answer = create(self)
        _tags(self)[arn(self, self._get_param("Budget")["BudgetName"])] = _map(
            self._get_param("ResourceTags")
        )
        return answer

    def delete_budget(self: Any) -> str:
        answer = delete(self)
        _tags(self).pop(arn(self, self._get_param("BudgetName")), None)
        return answer

    replace(BudgetsResponse, "create_budget", create_budget)
    replace(BudgetsResponse, "delete_budget", delete_budget)


def _tags(response: Any) -> dict[str, dict[str, str]]:
    """The tags of a service by ARN; kept in its backend, which a reset replaces."""
    backend = response.backend if hasattr(response, "backend") else response.applicationautoscaling_backend
    tags: dict[str, dict[str, str]] = backend.__dict__.setdefault("tags_by_arn", {})
    return tags


def _map(tags: Any) -> dict[str, str]:
    return dict(tags) if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags or []}


def stand_for_tls() -> None:
    """Take each request for one over TLS: moto would refuse all to a bucket whose policy refuses plain HTTP.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-securetransport
    """
    is_action_permitted = IAMPolicyStatement.is_action_permitted

    def corrected(self: IAMPolicyStatement, *arguments: Any, **named: Any) -> PermissionResult:
        plain = self._statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
        if plain in ("false", ["false"]):
            return PermissionResult.NEUTRAL
        return is_action_permitted(self, *arguments, **named)

    replace(IAMPolicyStatement, "is_action_permitted", corrected)


def dispose_of_delete_markers() -> None:
    """Let a bucket be emptied whose versioning is suspended: moto fails at its delete markers.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectsfromVersioningSuspendedBuckets.html
    """
    replace(FakeDeleteMarker, "dispose", lambda self: None)
