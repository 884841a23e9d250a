"""What moto 5.2.5 gets wrong about Application Auto Scaling."""

from __future__ import annotations

from moto.applicationautoscaling.models import ApplicationAutoscalingBackend

from local_aws.replacing import replace


def correct_application_autoscaling() -> None:
    """Correct moto's Application Auto Scaling in this process."""
    delete_what_a_target_has()


def delete_what_a_target_has() -> None:
    """Delete a scalable target's policies and scheduled actions with it.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html
    """
    deregister = ApplicationAutoscalingBackend.deregister_scalable_target

    def corrected(self: ApplicationAutoscalingBackend, namespace: str, r_id: str, dimension: str) -> None:
        deregister(self, namespace, r_id, dimension)
        of_target = (r_id, dimension)
        for key, policy in list(self.policies.items()):
            if (policy.resource_id, policy.scalable_dimension) == of_target:
                del self.policies[key]
        self.scheduled_actions = [
            action
            for action in self.scheduled_actions
            if (action.resource_id, action.scalable_dimension) != of_target
        ]

    replace(ApplicationAutoscalingBackend, "deregister_scalable_target", corrected)
