"""What moto 5.2.5 gets wrong about EC2 for Terraform."""

from __future__ import annotations

import inspect
import uuid
from typing import Any

from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateBackend
from moto.ec2.models.nat_gateways import NatGatewayBackend
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.models.vpcs import VPCBackend
from moto.ec2.responses.vpcs import VPCs
from moto.ec2.utils import parse_user_data, random_private_ip

from local_aws.replacing import replace


def correct_ec2() -> None:
    """Correct moto's EC2 in this process."""
    keep_rule_descriptions()
    keep_launch_template_tags_out_of_its_data()
    read_user_data_of_launch_template_versions()
    launch_with_the_templates_network_interfaces()
    detach_network_interfaces_of_terminated_instances()
    refresh_instances()
    delete_nat_gateways_network_interfaces()
    follow_changes_of_vpc_endpoints()
    modify_prefix_lists_in_part()


def keep_rule_descriptions() -> None:
    """Give security group rules on groups and prefix lists their description, kept by moto for CIDRs only.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html
    """
    create = SecurityGroupRule.__init__
    signature = inspect.signature(create)

    def corrected(self: SecurityGroupRule, *args: Any, **kwargs: Any) -> None:
        create(self, *args, **kwargs)
        given = signature.bind(self, *args, **kwargs).arguments
        for peer in ("source_group", "prefix_list_id"):
            if description := (given.get(peer) or {}).get("Description"):
                self.ip_range["Description"] = description

    replace(SecurityGroupRule, "__init__", corrected)


def keep_launch_template_tags_out_of_its_data() -> None:
    """Keep a launch template's own tags out of the tags of what it launches.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html (the tags of the
    template are the request's `TagSpecification`, those of instances and volumes are in its data)
    """
    create = LaunchTemplateBackend.create_launch_template

    def corrected(
        self: Any, name: str, description: str, template_data: dict[str, Any], tag_spec: Any
    ) -> Any:
        specifications = template_data.get("TagSpecifications", [])
        specifications[:] = [tags for tags in specifications if tags["ResourceType"] != "launch-template"]
        return create(self, name, description, template_data, tag_spec)

    replace(LaunchTemplateBackend, "create_launch_template", corrected)


def read_user_data_of_launch_template_versions() -> None:
    """Take user data as Base64 in a launch template's later versions too, where moto fails to launch from it.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html
    """
    create = LaunchTemplate.create_version

    def corrected(self: LaunchTemplate, data: dict[str, Any], description: str) -> Any:
        if type(data.get("UserData")) is str:
            data["UserData"] = parse_user_data(data["UserData"])
        return create(self, data, description)

    replace(LaunchTemplate, "create_version", corrected)


def launch_with_the_templates_network_interfaces() -> None:
    """Launch an instance with the network interfaces of its launch template.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RequestLaunchTemplateData.html
    """
    run = InstanceBackend.run_instances

    def corrected(self: Any, *args: Any, **kwargs: Any) -> Any:
        if (template := kwargs.get("launch_template")) and not kwargs.get("nics"):
            interfaces = self._get_template_from_args(template).data.get("NetworkInterfaces")
            if interfaces:
                kwargs["nics"] = interfaces
        return run(self, *args, **kwargs)

    replace(InstanceBackend, "run_instances", corrected)


def detach_network_interfaces_of_terminated_instances() -> None:
    """Make the network interfaces that outlive an instance available again.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/delete-eni.html
    """
    terminate = Instance.terminate

    def corrected(self: Instance) -> Any:
        answer = terminate(self)
        had = dict(self.nics)
        for interface in had.values():
            if interface.instance is self:  # its replacement may have it already
                self.detach_eni(interface)
        self.nics = had  # moto describes a terminated instance by the addresses that it had
        return answer

    replace(Instance, "terminate", corrected)


def refresh_instances() -> None:
    """Replace all instances of an autoscaling group at once when an instance refresh is started.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_StartInstanceRefresh.html
    """

    def start_instance_refresh(self: Any) -> ActionResult:
        backend = self.autoscaling_backend
        group = backend.autoscaling_groups[self._get_param("AutoScalingGroupName")]
        for state in list(group.instance_states):
            backend.terminate_instance(state.instance.id, should_decrement=False)
        return ActionResult({"InstanceRefreshId": str(uuid.uuid4())})

    replace(AutoScalingResponse, "start_instance_refresh", start_instance_refresh)


def delete_nat_gateways_network_interfaces() -> None:
    """Delete a NAT gateway's network interface with it.

    https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html ("a NAT gateway has a network
    interface that's automatically assigned")
    """
    delete = NatGatewayBackend.delete_nat_gateway

    def corrected(self: Any, nat_gateway_id: str) -> Any:
        gateway = delete(self, nat_gateway_id)
        # "Deleting a NAT gateway disassociates its Elastic IP address" (Amazon VPC User Guide).
        for address in self.addresses:
            if address.eni is gateway._eni:
                address.association_id = address.eni = None
        if gateway._eni.id in self.enis:
            gateway._eni.delete()
        return gateway

    replace(NatGatewayBackend, "delete_nat_gateway", corrected)


def follow_changes_of_vpc_endpoints() -> None:
    """Give and take routes and network interfaces as a VPC endpoint gets and loses route tables and subnets.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcEndpoint.html
    """
    modify = VPCBackend.modify_vpc_endpoint

    def corrected(self: Any, vpc_id: str, *args: Any, **changes: Any) -> None:
        modify(self, vpc_id, *args, **changes)
        endpoint = self.describe_vpc_endpoints(vpc_end_point_ids=[vpc_id])[0]
        prefix_list = endpoint.destination_prefix_list_id
        for table in changes["add_route_tables"]:
            self.create_route(table, None, gateway_id=vpc_id, destination_prefix_list_id=prefix_list)
        for table in changes["remove_route_tables"]:
            self.delete_route(table, prefix_list)
        if endpoint.vpc_endpoint_type.lower() != "interface":
            return
        for subnet in changes["add_subnets"]:
            endpoint.network_interface_ids.append(
                self.create_network_interface(subnet, random_private_ip()).id
            )
        for interface in [self.enis[name] for name in endpoint.network_interface_ids]:
            if interface.subnet.id in changes["remove_subnets"]:
                endpoint.network_interface_ids.remove(interface.id)
                interface.delete()

    replace(VPCBackend, "modify_vpc_endpoint", corrected)


def modify_prefix_lists_in_part() -> None:
    """Keep the name and the entries of a prefix list that a change does not name, and take its number of entries.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyManagedPrefixList.html
    """
    modify = VPCs.modify_managed_prefix_list

    def corrected(self: Any) -> Any:
        found = self.ec2_backend.managed_prefix_lists[self._get_param("PrefixListId")]
        before = found.prefix_list_name
        answer = modify(self)
        found.prefix_list_name = self._get_param("PrefixListName") or before
        found.max_entries = self._get_param("MaxEntries") or found.max_entries
        return answer

    replace(VPCs, "modify_managed_prefix_list", corrected)
