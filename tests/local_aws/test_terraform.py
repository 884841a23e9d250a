"""Every kind of resource that the project makes, applied by the real provider to the local AWS."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from local_aws import LocalAws
from ops.terraform import Terraform
from tests.support.providers import Providers

EVERY_RESOURCE = Path(__file__).parent / "every_resource"


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(("region", "az_count"), [("us-east-1", 4), ("eu-west-1", 1)])
def test_every_resource_stays_as_applied_changes_and_goes(tmp_path: Path, region: str, az_count: int) -> None:
    shutil.copytree(EVERY_RESOURCE, tmp_path, dirs_exist_ok=True)
    with (
        LocalAws.start() as aws,
        Providers.of(aws.environment) as providers,
        providers.one(tmp_path) as provider,
    ):
        environment = {
            **aws.environment,
            **provider,
            "TF_VAR_region": region,
            "TF_VAR_az_count": str(az_count),
        }
        terraform = Terraform(tmp_path, environment)
        terraform.init()
        terraform.apply()
        outputs = terraform.outputs()
        assert len(outputs["azs"]) == {"us-east-1": 5, "eu-west-1": 3}[region]
        assert outputs["token_versions"] == 0
        secrets = aws.client("secretsmanager", region)
        secrets.put_secret_value(SecretId="every/hatchet-client-token", SecretString="a-token")

        changed = Terraform(tmp_path, {**environment, "TF_VAR_max": "20", "TF_VAR_boot": "2"})
        plan = changed.plan(tmp_path / "changed.plan")
        assert plan.actions == {
            "aws_appautoscaling_target.this": "update",
            "aws_autoscaling_group.nat": "update",
            "aws_launch_template.nat": "update",
        }
        changed.apply(tmp_path / "changed.plan")
        assert changed.outputs()["token_versions"] == 1
        assert not changed.plan()

        changed.destroy()
        assert aws.leftovers(region) == []
