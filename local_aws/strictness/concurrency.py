"""Changes of one resource that overlap: AWS refuses the later one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from local_aws.strictness.rule import Request, Rule


def _overlap(operations: Collection[str], members: Sequence[str]) -> Callable[[Request], bool]:
    """Whether one of the operations is under way for the resource that the members name."""

    def refuses(request: Request) -> bool:
        own = _resource(request, members)
        return any(other.name in operations and _resource(other, members) == own for other in request.beside)

    return refuses


def _resource(request: Request, members: Sequence[str]) -> tuple[object, ...]:
    return request.account, request.region, *(request.parameters.get(member) for member in members)


def _rule(
    name: str, operations: str, members: str, condition: str, code: str, text: str, page: str, status: int = 400
) -> Rule:  # fmt: skip
    names = tuple(operations.split())
    overlap = _overlap(names, members.split())
    return Rule(
        name, names, condition, code, page, lambda request: text if overlap(request) else None, status
    )


RULES = (
    # 400, as its API reference has it: an SDK does not repeat it, and neither does terraform-provider-aws
    # (its issue 17915; aws_appautoscaling_scheduled_action repeats ObjectNotFoundException alone).
    _rule(
        "overlapping_changes_of_a_scalable_target",
        "application-autoscaling.RegisterScalableTarget application-autoscaling.DeregisterScalableTarget "
        "application-autoscaling.PutScalingPolicy application-autoscaling.DeleteScalingPolicy "
        "application-autoscaling.PutScheduledAction application-autoscaling.DeleteScheduledAction",
        "ServiceNamespace ResourceId ScalableDimension",
        "A change of a scalable target, its policies or its scheduled actions while another is under way",
        "ConcurrentUpdateException",
        "You already have a pending update to an Auto Scaling resource.",
        "https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html",
    ),
    _rule(
        "overlapping_capacity_providers",
        "ecs.PutClusterCapacityProviders",
        "cluster",
        "A change of a cluster's capacity providers while another is under way",
        "UpdateInProgressException",
        "The specified cluster is in a busy state. Cluster attachments must be in an UPDATE_COMPLETED or "
        "UPDATE_FAILED state before they can be updated. Wait and try again.",
        "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PutClusterCapacityProviders.html",
    ),
    _rule(
        "overlapping_changes_of_an_event_rule",
        "events.PutTargets events.RemoveTargets",
        "Rule EventBusName",
        "A change of a rule's targets while another is under way",
        "ConcurrentModificationException",
        "There is concurrent modification on a rule, target, archive, or replay.",
        "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html",
    ),
    _rule(
        "overlapping_changes_of_a_log_group",
        "logs.CreateLogGroup logs.DeleteLogGroup logs.PutRetentionPolicy logs.DeleteRetentionPolicy",
        "logGroupName",
        "A change of a log group while another is under way",
        "OperationAbortedException",
        "A conflicting operation is currently in progress against this resource. Please try again.",
        "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html",
    ),
    _rule(
        "overlapping_changes_of_a_role",
        "iam.CreateRole iam.DeleteRole iam.TagRole iam.UntagRole",
        "RoleName",
        "A change of a role while another is under way",
        "ConcurrentModification",
        "Multiple requests to change this object were submitted simultaneously.",
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html",
        409,
    ),
    _rule(
        "overlapping_record_changes",
        "route53.ChangeResourceRecordSets route53.DeleteHostedZone",
        "HostedZoneId",
        "A change of a hosted zone's records while another is under way",
        "PriorRequestNotComplete",
        "The request was rejected because Route 53 was still processing a prior request.",
        "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html",
    ),
    _rule(
        "overlapping_changes_of_a_bucket",
        "s3.CreateBucket s3.DeleteBucket s3.PutBucketPolicy s3.DeleteBucketPolicy s3.PutPublicAccessBlock "
        "s3.DeletePublicAccessBlock s3.PutBucketVersioning s3.PutBucketEncryption s3.PutBucketOwnershipControls "
        "s3.DeleteBucketOwnershipControls s3.PutBucketLifecycleConfiguration s3.DeleteBucketLifecycle",
        "Bucket",
        "A change of a bucket's configuration while another is under way",
        "OperationAborted",
        "A conflicting conditional operation is currently in progress against this resource. Please try again.",
        "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
        409,
    ),
    _rule(
        "overlapping_changes_of_an_autoscaling_group",
        "autoscaling.UpdateAutoScalingGroup autoscaling.DeleteAutoScalingGroup autoscaling.StartInstanceRefresh",
        "AutoScalingGroupName",
        "A change of an autoscaling group while another is under way",
        "ResourceContention",
        "You already have a pending update to an Amazon EC2 Auto Scaling resource (for example, an Auto Scaling "
        "group, instance, or load balancer).",
        "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html",
        500,
    ),
)
