"""Operations of which AWS refuses nothing that the stacks could send, and why."""

from __future__ import annotations

from local_aws.strictness.rule import Exempt

EXEMPT: tuple[Exempt, ...] = (
    Exempt(
        ("ecs.DeleteService",),
        "Moto refuses it itself, as AWS does, while the service is scaled above 0 and force is not set.",
    ),
    Exempt(
        ("ecs.DeregisterTaskDefinition",),
        "AWS deregisters a task definition that services and tasks use: they go on with it.",
    ),
    Exempt(
        (
            "ec2.AllocateAddress",
            "ec2.CreateInternetGateway",
            "ec2.CreateRouteTable",
        ),
        "AWS refuses it over a quota of the account alone, which `scythe-aws validate` asks about.",
    ),
    Exempt(
        ("ec2.DeleteInternetGateway",),
        "Moto refuses it itself, as AWS does, while the gateway is attached to a VPC.",
    ),
    Exempt(
        (
            "ec2.DeleteFlowLogs",
            "ec2.DeleteLaunchTemplate",
            "ec2.DeleteNatGateway",
            "ec2.DeleteRoute",
            "ec2.DeleteVpcEndpoints",
            "ec2.DisassociateAddress",
            "ec2.DisassociateRouteTable",
            "ec2.RevokeSecurityGroupEgress",
            "ec2.RevokeSecurityGroupIngress",
        ),
        "AWS deletes it whatever uses it: routes and rules that refer to it stay and lead nowhere.",
    ),
    Exempt(
        ("ec2.DetachNetworkInterface",),
        "Moto refuses it itself, as AWS does, for the only network interface of an instance.",
    ),
    Exempt(
        ("ec2.CreateFlowLogs",),
        "Moto refuses it itself, as AWS does, where a VPC has a flow log to the same destination.",
    ),
    Exempt(
        ("ec2.CreateTags", "ec2.ModifyNetworkInterfaceAttribute", "ec2.ModifyVpcAttribute"),
        "AWS takes each value that the service's model allows, and the rules about tags are about every operation.",
    ),
    Exempt(
        ("acm.RequestCertificate",),
        "AWS takes each domain name that the service's model allows, and tells later that nobody validated it.",
    ),
    Exempt(
        ("budgets.CreateBudget", "budgets.CreateNotification", "budgets.DeleteBudget"),
        "Moto refuses a second budget of one name, as AWS does, and the stacks make one with two notifications.",
    ),
    Exempt(
        ("cloudwatch.DeleteAlarms",),
        "AWS refuses an alarm that a composite alarm names, and the stacks have no composite alarms.",
    ),
    Exempt(
        (
            "ecr.CreateRepository",
            "ecr.DeleteLifecyclePolicy",
            "ecr.DeleteRepository",
            "ecr.PutLifecyclePolicy",
        ),
        "Moto refuses it itself, as AWS does: a second repository of one name, one with images, a policy with a fault.",
    ),
    Exempt(
        ("efs.CreateFileSystem", "efs.CreateMountTarget", "efs.DeleteFileSystem"),
        "Moto refuses it itself, as AWS does: a second mount target in a zone, a file system with mount targets.",
    ),
    Exempt(
        (
            "efs.CreateAccessPoint",
            "efs.DeleteAccessPoint",
            "efs.DeleteFileSystemPolicy",
            "efs.DeleteMountTarget",
            "efs.PutFileSystemPolicy",
        ),
        "AWS refuses it while the file system is being made or deleted, for which the provider waits.",
    ),
    Exempt(
        ("elbv2.CreateRule", "elbv2.DeleteTargetGroup"),
        "Moto refuses it itself, as AWS does: a priority that is taken, a target group that a listener has.",
    ),
    Exempt(
        (
            "elbv2.DeleteListener",
            "elbv2.DeleteRule",
            "elbv2.ModifyLoadBalancerAttributes",
            "elbv2.ModifyTargetGroupAttributes",
        ),
        "AWS deletes a listener with its rules, and the attributes that the stacks send are constants or of a model's type.",
    ),
    Exempt(
        ("events.DeleteRule", "events.PutRule"),
        "Moto refuses it itself, as AWS does: a rule with targets, a pattern or a schedule that cannot be read.",
    ),
    Exempt(
        ("iam.DeleteRolePolicy",),
        "AWS refuses a policy that is not there alone, and moto does the same.",
    ),
    Exempt(
        ("mq.DeleteBroker",),
        "AWS refuses a broker that is being made or rebooted, for which the provider waits.",
    ),
    Exempt(
        ("route53.CreateHostedZone",),
        "Only the tests send it: the stacks are given a hosted zone.",
    ),
    Exempt(
        ("s3.DeleteBucketEncryption", "s3.DeleteObject", "s3.PutBucketTagging", "s3.PutObject"),
        "AWS takes it for each bucket that exists, and moto refuses others.",
    ),
    Exempt(
        ("secretsmanager.DeleteSecret", "secretsmanager.PutSecretValue"),
        "Moto refuses it itself, as AWS does, of a secret that is scheduled for deletion.",
    ),
    Exempt(
        ("servicediscovery.CreatePrivateDnsNamespace",),
        "Moto refuses it itself, as AWS does, where the VPC has a namespace of the same name.",
    ),
    Exempt(
        ("sns.DeleteTopic", "sns.Unsubscribe"),
        "AWS deletes a topic with its subscriptions, and no error for one that is gone.",
    ),
)
