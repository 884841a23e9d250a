"""The corrections of moto's EC2, each by its AWS API."""

from __future__ import annotations

import base64
from typing import Any

import jmespath
import pytest

from local_aws import LocalAws


@pytest.fixture
def empty(aws: LocalAws) -> LocalAws:
    aws.reset()
    return aws


def private_network(aws: LocalAws) -> tuple[str, str]:
    """A VPC and a subnet in the first AZ of us-east-1."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20", AvailabilityZone="us-east-1a")
    return vpc, subnet["Subnet"]["SubnetId"]


def s3_routes(aws: LocalAws, table: str) -> list[str]:
    (described,) = aws.client("ec2").describe_route_tables(RouteTableIds=[table])["RouteTables"]
    return [route["GatewayId"] for route in described["Routes"] if "DestinationPrefixListId" in route]


def test_a_gateway_endpoint_routes_from_the_tables_it_is_given_later(aws: LocalAws) -> None:
    ec2 = aws.client("ec2")
    vpc, _ = private_network(aws)
    first, later = (ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2))
    service = "com.amazonaws.us-east-1.s3"
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName=service, VpcEndpointType="Gateway", RouteTableIds=[first]
    )
    name = endpoint["VpcEndpoint"]["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=name, AddRouteTableIds=[later], RemoveRouteTableIds=[first])
    assert (s3_routes(aws, first), s3_routes(aws, later)) == ([], [name])
    ec2.delete_vpc_endpoints(VpcEndpointIds=[name])
    assert s3_routes(aws, later) == []


def test_an_interface_endpoint_has_an_interface_in_each_of_its_subnets(aws: LocalAws) -> None:
    ec2 = aws.client("ec2")
    vpc, first = private_network(aws)
    later = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.16.0/20")["Subnet"]["SubnetId"]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName="com.amazonaws.us-east-1.logs",
        VpcEndpointType="Interface",
        SubnetIds=[first],
    )["VpcEndpoint"]["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddSubnetIds=[later], RemoveSubnetIds=[first])
    in_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    interfaces = ec2.describe_network_interfaces(Filters=in_vpc)["NetworkInterfaces"]
    assert [interface["SubnetId"] for interface in interfaces] == [later]


def test_security_group_rules_keep_their_descriptions(aws: LocalAws) -> None:
    ec2 = aws.client("ec2")
    vpc, _ = private_network(aws)
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]
    prefix_list = ec2.describe_managed_prefix_lists()["PrefixLists"][0]["PrefixListId"]
    peers: list[dict[str, Any]] = [
        {"UserIdGroupPairs": [{"GroupId": group, "Description": "HTTPS"}]},
        {"PrefixListIds": [{"PrefixListId": prefix_list, "Description": "HTTPS"}]},
        {"IpRanges": [{"CidrIp": "10.0.0.0/16", "Description": "HTTPS"}]},
    ]
    for peer in peers:
        rules = ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **peer}]
        )["SecurityGroupRules"]
        assert [rule["Description"] for rule in rules] == ["HTTPS"]


def test_a_launch_templates_tags_are_not_in_its_data(aws: LocalAws) -> None:
    ec2 = aws.client("ec2")
    of_instances = {"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}
    ec2.create_launch_template(
        LaunchTemplateName="tagged",
        LaunchTemplateData={"TagSpecifications": [of_instances]},
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": [{"Key": "c", "Value": "d"}]}],
    )
    (version,) = ec2.describe_launch_template_versions(LaunchTemplateName="tagged")["LaunchTemplateVersions"]
    assert version["LaunchTemplateData"]["TagSpecifications"] == [of_instances]
    (template,) = ec2.describe_launch_templates(LaunchTemplateNames=["tagged"])["LaunchTemplates"]
    assert template["Tags"] == [{"Key": "c", "Value": "d"}]


def test_an_autoscaling_group_launches_with_the_templates_interface_and_gives_it_back(
    empty: LocalAws,
) -> None:
    aws = empty
    ec2, scaling = aws.client("ec2"), aws.client("autoscaling")
    _, subnet = private_network(aws)
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    template = {
        "ImageId": "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
        "InstanceType": "t4g.nano",
        "NetworkInterfaces": [{"DeviceIndex": 0, "NetworkInterfaceId": interface}],
    }
    ec2.create_launch_template(LaunchTemplateName="nat", LaunchTemplateData=template)
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="nat",
        LaunchTemplate={"LaunchTemplateName": "nat"},
        AvailabilityZones=["us-east-1a"],
        MinSize=1,
        MaxSize=1,
    )
    (instance,) = ec2.describe_instances()["Reservations"][0]["Instances"]
    assert [nic["NetworkInterfaceId"] for nic in instance["NetworkInterfaces"]] == [interface]

    changed = {"UserData": base64.b64encode(b"#!/bin/sh").decode()}
    ec2.create_launch_template_version(
        LaunchTemplateName="nat", SourceVersion="1", LaunchTemplateData=template | changed
    )
    ec2.modify_launch_template(LaunchTemplateName="nat", DefaultVersion="2")
    assert scaling.start_instance_refresh(AutoScalingGroupName="nat")["InstanceRefreshId"]
    running = [{"Name": "instance-state-name", "Values": ["running"]}]
    (refreshed,) = ec2.describe_instances(Filters=running)["Reservations"][0]["Instances"]
    assert refreshed["InstanceId"] != instance["InstanceId"]
    assert [nic["NetworkInterfaceId"] for nic in refreshed["NetworkInterfaces"]] == [interface]

    scaling.delete_auto_scaling_group(AutoScalingGroupName="nat", ForceDelete=True)
    (left,) = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert (left["NetworkInterfaceId"], left["Status"]) == (interface, "available")
    assert "Attachment" not in left
    states = "Reservations[].Instances[].State.Name"
    assert jmespath.search(states, ec2.describe_instances()) == ["terminated", "terminated"]


def test_a_nat_gateways_interface_goes_with_it(empty: LocalAws) -> None:
    aws = empty
    ec2 = aws.client("ec2")
    _, subnet = private_network(aws)
    gateway = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"][
        "NatGatewayId"
    ]
    assert len(ec2.describe_network_interfaces()["NetworkInterfaces"]) == 1
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_a_prefix_list_keeps_what_a_change_does_not_name(aws: LocalAws) -> None:
    ec2 = aws.client("ec2")
    made = ec2.create_managed_prefix_list(
        PrefixListName="allowed", AddressFamily="IPv4", MaxEntries=1, Entries=[{"Cidr": "10.0.0.0/8"}]
    )["PrefixList"]["PrefixListId"]
    ec2.modify_managed_prefix_list(PrefixListId=made, MaxEntries=2)
    ec2.modify_managed_prefix_list(
        PrefixListId=made, CurrentVersion=1, AddEntries=[{"Cidr": "192.168.0.0/16"}]
    )
    (found,) = ec2.describe_managed_prefix_lists(PrefixListIds=[made])["PrefixLists"]
    assert (found["PrefixListName"], found["MaxEntries"]) == ("allowed", 2)
    entries = ec2.get_managed_prefix_list_entries(PrefixListId=made)["Entries"]
    assert {entry["Cidr"] for entry in entries} == {"10.0.0.0/8", "192.168.0.0/16"}
