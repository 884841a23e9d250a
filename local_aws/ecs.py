"""What moto 5.2.5 gets wrong about ECS for Terraform, and for what runs tasks in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.models import EC2ContainerServiceBackend, Service
from moto.ecs.responses import EC2ContainerServiceResponse

from local_aws.replacing import replace


def correct_ecs() -> None:
    """Correct moto's ECS in this process."""
    keep_service_settings()
    bring_services_up()
    take_task_states()
    run_tasks_without_container_memory()


_SERVICE_SETTINGS = {
    "availabilityZoneRebalancing": "availability_zone_rebalancing",
    "capacityProviderStrategy": "capacity_provider_strategy",
    "deploymentConfiguration": "deployment_configuration",
    "enableECSManagedTags": "enable_ecs_managed_tags",
    "enableExecuteCommand": "enable_execute_command",
    "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
}


def keep_service_settings() -> None:
    """Keep the settings of an ECS service that moto forgets, and no launch type beside a capacity strategy.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html ("If a
    capacityProviderStrategy is specified, the launchType parameter must be omitted.")
    """

    def corrected(action: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def answered(self: Any) -> Any:
            answer = action(self)
            service = answer.result["service"]
            for name, attribute in _SERVICE_SETTINGS.items():
                if (value := self._get_param(name)) is not None:
                    setattr(service, attribute, value)
            if self._get_param("capacityProviderStrategy"):
                service.launch_type = None
                for deployment in service.deployments:
                    deployment.pop("launchType", None)
                    deployment["capacityProviderStrategy"] = service.capacity_provider_strategy
            return answer

        return answered

    for name in ("create_service", "update_service"):
        replace(EC2ContainerServiceResponse, name, corrected(getattr(EC2ContainerServiceResponse, name)))


def bring_services_up() -> None:
    """Have all tasks of a service run: moto starts none, and Terraform would wait for them.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html (runningCount, deployments)
    """

    def corrected(action: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def answered(self: Any) -> Any:
            answer = action(self)
            service: Service = answer.result["service"]
            service.running_count, service.pending_count = service.desired_count, 0
            for deployment in service.deployments:
                deployment |= {
                    "desiredCount": service.desired_count,
                    "runningCount": service.desired_count,
                    "pendingCount": 0,
                    "taskDefinition": service.task_definition,
                    "rolloutState": "COMPLETED",
                }
            return answer

        return answered

    for name in ("create_service", "update_service"):
        replace(EC2ContainerServiceResponse, name, corrected(getattr(EC2ContainerServiceResponse, name)))


def take_task_states() -> None:
    """Take what an agent reports of a task's end, and keep it for DescribeTasks.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SubmitTaskStateChange.html
    """

    def submit_task_state_change(self: Any) -> ActionResult:
        arn, status = self._get_param("task"), self._get_param("status")
        (task,) = self.ecs_backend.describe_tasks(self._get_param("cluster"), [arn])
        task.last_status = task.desired_status = status
        task.stopped_reason = self._get_param("reason") or ""
        task.containers = [
            {
                "containerArn": f"{arn.replace(':task/', ':container/')}/{change['containerName']}",
                "taskArn": arn,
                "name": change["containerName"],
                "lastStatus": change["status"],
                **{key: change[key] for key in ("exitCode", "reason") if key in change},
            }
            for change in self._get_param("containers") or []
        ]
        return ActionResult({"acknowledgment": "ACK"})

    replace(EC2ContainerServiceResponse, "submit_task_state_change", submit_task_state_change)


def run_tasks_without_container_memory() -> None:
    """Run a task whose definition has its memory for all containers together, as Fargate's have.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html
    """
    required = EC2ContainerServiceBackend._calculate_task_resource_requirements

    def corrected(task_definition: Any) -> Any:
        if "FARGATE" in task_definition.compatibilities:
            return {
                "CPU": 0,
                "MEMORY": 0,
                "PORTS": [],
                "PORTS_UDP": [],
            }  # what an instance would have to have left
        return required(task_definition)

    replace(EC2ContainerServiceBackend, "_calculate_task_resource_requirements", staticmethod(corrected))
