"""What several examples need to be there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.local_aws.strictness.example import Example, nothing
from tests.local_aws.strictness.in_process import REGION, InProcess

ACCOUNT = "123456789012"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            }
        ],
    }
)
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
    }
)
IMAGE = "example.org/worker:1"
TARGET = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/workers/leaf",
    "ScalableDimension": "ecs:service:DesiredCount",
}


class Network(NamedTuple):
    """A VPC with a subnet in each of two zones and a security group."""

    vpc: str
    subnets: list[str]
    group: str

    @property
    def configuration(self) -> dict[str, Any]:
        """The network configuration of an ECS service."""
        return {"awsvpcConfiguration": {"subnets": self.subnets, "securityGroups": [self.group]}}


def network(aws: InProcess, block: str = "10.0", *, gateway: bool = False) -> Network:
    """Make a network, with an internet gateway if wanted."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock=f"{block}.0.0/16")["Vpc"]["VpcId"]
    subnets = [subnet(aws, vpc, f"{block}.{number}.0/24", zone) for number, zone in enumerate("ab")]
    group = ec2.create_security_group(GroupName="workers", Description="workers", VpcId=vpc)["GroupId"]
    if gateway:
        attached(aws, vpc)
    return Network(vpc, subnets, group)


def subnet(aws: InProcess, vpc: str, block: str, zone: str) -> str:
    """Make a subnet."""
    made = aws.client("ec2").create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=f"{REGION}{zone}")
    name: str = made["Subnet"]["SubnetId"]
    return name


def attached(aws: InProcess, vpc: str) -> str:
    """Make an internet gateway of a VPC."""
    ec2 = aws.client("ec2")
    gateway: str = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    return gateway


def role(aws: InProcess, name: str = "task") -> str:
    """Make a role."""
    arn: str = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    return arn


def cluster(aws: InProcess, *providers: str) -> str:
    """Make a cluster with capacity providers."""
    ecs = aws.client("ecs")
    ecs.create_cluster(clusterName="workers")
    if providers:
        ecs.put_cluster_capacity_providers(
            cluster="workers", capacityProviders=providers, defaultCapacityProviderStrategy=[]
        )
    return "workers"


def container(**changes: Any) -> dict[str, Any]:
    """Definition of a container that ECS takes."""
    return {
        "name": "worker",
        "image": IMAGE,
        "essential": True,
        "portMappings": [{"containerPort": 80}],
        **changes,
    }


def task(*containers: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Arguments of a task definition that Fargate takes."""
    return {
        "family": "leaf",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "1024",
        "memory": "4096",
        "containerDefinitions": list(containers) or [container()],
        **changes,
    }


def service(aws: InProcess, net: Network | None = None, **changes: Any) -> dict[str, Any]:
    """Make what a service needs, and return its arguments."""
    found = net or network(aws)
    cluster(aws, "FARGATE", "FARGATE_SPOT")
    aws.client("ecs").register_task_definition(**task())
    return {
        "cluster": "workers",
        "serviceName": "leaf",
        "taskDefinition": "leaf:1",
        "desiredCount": 0,
        "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
        "networkConfiguration": found.configuration,
        **changes,
    }


def running(aws: InProcess, **changes: Any) -> Network:
    """Make a service with a task, and its network."""
    net = network(aws)
    aws.client("ecs").create_service(**service(aws, net, **{"desiredCount": 1, **changes}))
    return net


def target(aws: InProcess) -> dict[str, Any]:
    """Make a scalable target, and return what names it."""
    running(aws)
    aws.client("application-autoscaling").register_scalable_target(**TARGET, MinCapacity=0, MaxCapacity=5)
    return TARGET


def balancer(aws: InProcess, net: Network | None = None) -> str:
    """Make a load balancer."""
    found = net or network(aws, gateway=True)
    made = aws.client("elbv2").create_load_balancer(
        Name="engine", Subnets=found.subnets, SecurityGroups=[found.group]
    )
    arn: str = made["LoadBalancers"][0]["LoadBalancerArn"]
    return arn


def target_group(aws: InProcess, vpc: str, name: str = "engine") -> str:
    """Make a target group."""
    made = aws.client("elbv2").create_target_group(
        Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip"
    )
    arn: str = made["TargetGroups"][0]["TargetGroupArn"]
    return arn


def forwarding(group: str) -> list[dict[str, Any]]:
    """A listener's default action."""
    return [{"Type": "forward", "TargetGroupArn": group}]


def certificate(aws: InProcess) -> str:
    """Request a certificate."""
    arn: str = aws.client("acm").request_certificate(DomainName="hatchet.example.org")["CertificateArn"]
    return arn


def database(aws: InProcess, **changes: Any) -> Network:
    """Make a database, and its network."""
    net = network(aws)
    rds = aws.client("rds")
    rds.create_db_subnet_group(
        DBSubnetGroupName="hatchet", DBSubnetGroupDescription="d", SubnetIds=net.subnets
    )
    rds.create_db_parameter_group(
        DBParameterGroupName="hatchet", DBParameterGroupFamily="postgres16", Description="d"
    )
    rds.create_db_instance(**instance(net, **changes))
    return net


def instance(net: Network, **changes: Any) -> dict[str, Any]:
    """Arguments of a database in the groups of `database`."""
    return {
        "DBInstanceIdentifier": "hatchet",
        "Engine": "postgres",
        "DBInstanceClass": "db.t4g.small",
        "AllocatedStorage": 20,
        "MasterUsername": "hatchet",
        "MasterUserPassword": "a-long-enough-password",
        "DBSubnetGroupName": "hatchet",
        "DBParameterGroupName": "hatchet",
        "VpcSecurityGroupIds": [net.group],
        **changes,
    }


def bucket(aws: InProcess) -> str:
    """Make a bucket."""
    aws.client("s3").create_bucket(Bucket="results")
    return "results"


def refused(
    service_name: str,
    method: str,
    text: str,
    arguments: Any,
    prepare: Callable[[InProcess], Any] = nothing,
) -> Example:
    """A request that AWS refuses."""
    return Example(service_name, method, arguments, text, prepare)
