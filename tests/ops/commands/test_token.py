"""`scythe-aws token`: what it takes, what it stores, what it starts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml

from environments.loading import load
from local_aws import LocalAws
from main import synthesize
from ops.deployed.hatchet_token import claims_of, require_reachable
from ops.errors import CommandError
from tests.support.command import client_token, scythe_aws
from tests.support.deployed import Deployed
from tests.support.providers import Providers

IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/lab/worker@sha256:{'a' * 64}"
ORDERS = ["-".join(order) for order in permutations(("image", "token", "deploy"))]


def lab(aws: LocalAws, name: str = "lab") -> dict[str, Any]:
    """An environment in a VPC and with a bucket that are there, so that it is deployed in seconds."""
    ec2, s3 = aws.client("ec2"), aws.client("s3")
    subnets = ec2.describe_subnets()["Subnets"]
    s3.create_bucket(Bucket="results-of-the-lab")
    return {
        "name": name,
        "network": {
            "existing": {
                "vpc_id": subnets[0]["VpcId"],
                "private_subnet_ids": [subnets[0]["SubnetId"]],
            }
        },
        "storage": {"existing": True, "bucket": "results-of-the-lab"},
        "workers": {
            "simulations": {
                "role": "leaf",
                "scaling": {
                    "min": 1,
                    "max": 20,
                    "schedule": [
                        {"start": "cron(0/30 20 ? * FRI *)", "end": "cron(0 6 ? * MON *)", "max": 50}
                    ],
                },
            },
        },
    }


# --- what it takes


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("", "the token is empty"),
        ("hello", "the token is no JSON Web Token"),
        ("eyJhbGciOi.eyJzdWIiO", "the token is no JSON Web Token"),
        ("eyJhbGciOi.eyJzdW IiO.abc", "the token is no JSON Web Token"),
        ("eyJhbGciOi.AAAA.c2ln", "the token's claims cannot be read"),
        ("eyJhbGciOi.W10.c2ln", "the token's claims cannot be read"),
        (client_token(sub=None), "the token has no claim sub;"),
        (
            client_token(server_url="", grpc_broadcast_address=7),
            "no claim server_url, grpc_broadcast_address;",
        ),
        (client_token(exp=1_700_000_000), "the token has expired"),
        (client_token(sub="a\x1b[2Jb"), "the token's claim sub has no form"),
        *(
            (client_token(server_url=url), "the token's claim server_url has no form")
            for url in (
                "ftp://x.org",
                "https://",
                "https://[x",
                "https://x:99999",
                "https://u:p@x.org",
                "http://x\n",
                "x",
            )
        ),
        *(
            (
                client_token(grpc_broadcast_address=address),
                "the token's claim grpc_broadcast_address has no form",
            )
            for address in ("x", "x:", "x:0", "x:99999", ":443", "x y:443", "https://x.org:443", "x:443\n")
        ),
        ("eyJhbGciOi." * 2_000, "the token is no JSON Web Token"),
    ],
)
def test_what_is_no_client_token_is_refused_without_showing_it(token: str, said: str) -> None:
    with pytest.raises(CommandError) as refused:
        claims_of(token)
    text = str(refused.value)
    assert said in text and "\n" not in text
    assert not any(part in text for part in token.split(".") if part)


@pytest.mark.parametrize("claims", [{}, {"exp": None}])
def test_a_client_token_is_taken(claims: dict[str, object]) -> None:
    found = claims_of(client_token(**claims))
    assert (found.server_url, found.address) == (
        "https://cloud.onhatchet.run",
        "engine.cloud.onhatchet.run:443",
    )


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"grpc_broadcast_address": "localhost:7077"}, "grpc_broadcast_address leads to the task itself"),
        (
            {"grpc_broadcast_address": "hatchet-engine:443"},
            "grpc_broadcast_address leads to a name without a domain",
        ),
        ({"grpc_broadcast_address": "hatchet.example.org:8443"}, "grpc_broadcast_address leads to port 8443"),
        ({"grpc_broadcast_address": "127.0.0.9:443"}, "leads to the task itself"),
        ({"grpc_broadcast_address": "[::1]:443"}, "leads to the task itself"),
        ({"grpc_broadcast_address": "0.0.0.0:443"}, "leads to the task itself"),
        ({"grpc_broadcast_address": "LOCALHOST.:443"}, "leads to the task itself"),
        ({"server_url": "http://hatchet.example.org"}, "server_url leads to port 80"),
        ({"server_url": "https://hatchet.example.org:8080"}, "server_url leads to port 8080"),
        ({"server_url": "https://localhost"}, "server_url leads to the task itself"),
    ],
)
def test_a_token_whose_engine_no_task_reaches_is_not_stored(
    aws: LocalAws, tmp_path: Path, claims: dict[str, str], said: str
) -> None:
    result = scythe_aws(
        "token", "docs", cwd=tmp_path, environment=aws.environment, given=client_token(**claims)
    )
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert said in result.stderr and result.stderr.startswith(
        "tasks cannot reach the token's engine: its claim "
    )


@pytest.mark.parametrize(
    "claims",
    [
        {
            "server_url": "https://hatchet.example.org:443/",
            "grpc_broadcast_address": "hatchet.example.org:443",
        },
        {"server_url": "https://10.1.2.3", "grpc_broadcast_address": "10.1.2.3:443"},
    ],
)
def test_an_engine_of_another_place_is_reached(claims: dict[str, str]) -> None:
    require_reachable(claims_of(client_token(**claims)))


@pytest.mark.parametrize("arguments", [["{}"], ["--token", "{}"], ["--token={}"], ["--", "{}"]])
def test_a_token_given_as_an_argument_is_refused_and_not_shown(tmp_path: Path, arguments: list[str]) -> None:
    token = client_token()
    given = [argument.format(token) for argument in arguments]
    result = scythe_aws("token", "docs", *given, cwd=tmp_path, given=token)
    assert result.returncode == 2
    assert result.stderr.startswith("the token is read from standard input and never given as an argument")
    assert "eyJ" not in result.stdout + result.stderr


@pytest.mark.parametrize("command", [["token"], ["connect"]])
def test_a_token_given_as_the_environment_is_not_shown(tmp_path: Path, command: list[str]) -> None:
    result = scythe_aws(*command, client_token(), cwd=tmp_path)
    assert result.returncode == 2
    assert "eyJ" not in result.stdout + result.stderr


def test_without_the_storage_stack_it_says_what_comes_first(aws: LocalAws, tmp_path: Path) -> None:
    result = scythe_aws("token", "docs", cwd=tmp_path, environment=aws.environment, given=client_token())
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "the secret docs/hatchet-client-token does not exist yet: run cdktf deploy docs-storage first\n"
    )


def test_a_named_secret_that_is_not_there_is_told(aws: LocalAws, tmp_path: Path) -> None:
    arn = f"arn:aws:secretsmanager:us-east-1:{aws.account_id}:secret:elsewhere-AbCdEf"
    file = tmp_path / "lab.yaml"
    file.write_text(f"name: lab\nhatchet: {{token_secret_arn: '{arn}'}}\nworkers: {{sims: {{role: leaf}}}}\n")
    result = scythe_aws("token", file, cwd=tmp_path, environment=aws.environment, given=client_token())
    assert result.returncode == 2
    assert result.stderr == f"{arn} (hatchet.token_secret_arn) does not exist in this account\n"


# --- what it starts


class Lab:
    """One environment, and what a person does to it."""

    def __init__(self, aws: LocalAws, folder: Path, order: str, base: Deployed, providers: Providers) -> None:
        """Prepare an environment with its first two stacks deployed: those of `base`, but for the secret."""
        self.name = f"lab{ORDERS.index(order)}"
        self.file = folder / order / f"{self.name}.yaml"
        states = self.file.parent / "state"
        states.mkdir(parents=True)
        self.file.write_text(yaml.safe_dump(lab(aws, self.name)))
        self._aws = aws
        self.deployed = Deployed(aws, self.file.parent, load(self.file), providers=providers)
        self.said = ""
        secret = aws.client("secretsmanager").create_secret(Name=f"{self.name}/hatchet-client-token")
        for part in ("network", "storage"):
            state = json.loads((base.folder / "state" / f"base-{part}.tfstate").read_text())
            if part == "storage":
                state["outputs"]["token_secret_arn"]["value"] = secret["ARN"]
            (states / f"{self.name}-{part}.tfstate").write_text(json.dumps(state))

    def synth(self) -> None:
        synthesize([load(self.file)], self.file.parent / "cdktf.out")

    def image(self) -> None:
        self.file.with_suffix(".image").write_text(f"{IMAGE}\n")

    def token(self) -> None:
        result = scythe_aws(
            "token", self.file, cwd=self.file.parent, environment=self._aws.environment, given=client_token()
        )
        assert result.returncode == 0, result.stderr
        self.said = result.stdout

    def deploy(self) -> None:
        self.synth()
        self.deployed.apply(["workers"])

    @property
    def bounds(self) -> dict[str, tuple[int, int]]:
        """The bounds of each scalable target and scheduled action."""
        client = self._aws.client("application-autoscaling")
        targets = client.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
        actions = client.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"]
        found = {item["ResourceId"].split("/")[-1]: item for item in targets if self._owns(item)}
        found |= {
            item["ScheduledActionName"]: item["ScalableTargetAction"] for item in actions if self._owns(item)
        }
        return {name: (item["MinCapacity"], item["MaxCapacity"]) for name, item in found.items()}

    @property
    def token_check(self) -> str:
        """Whether Terraform finds a token; it warns where not."""
        self.deployed.plan("workers")
        checks = self.deployed.plan_json("workers")["checks"]
        (check,) = [found for found in checks if found["address"]["kind"] == "check"]
        return str(check["status"])

    @property
    def images(self) -> set[str]:
        """The images of the deployed services."""
        ecs = self._aws.client("ecs")
        cluster = f"{self.name}-workers"
        services = ecs.describe_services(cluster=cluster, services=["simulations"])["services"]
        tasks = [ecs.describe_task_definition(taskDefinition=item["taskDefinition"]) for item in services]
        return {task["taskDefinition"]["containerDefinitions"][0]["image"] for task in tasks}

    def _owns(self, item: dict[str, Any]) -> bool:
        return bool(item["ResourceId"].split("/")[1] == f"{self.name}-workers")


RUNNING = {
    "simulations": (1, 20),
    "start 1": (1, 50),
    "end 1": (1, 20),
}
HELD = dict.fromkeys(RUNNING, (0, 0))


@pytest.fixture(scope="module")
def labs(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Lab]]:
    folder = tmp_path_factory.mktemp("labs")
    with Providers.of(aws.environment) as providers:
        base = Deployed.synthesized(aws, folder, lab(aws, "base"), providers=providers)
        base.apply(["network", "storage"])
        yield {order: Lab(aws, folder, order, base, providers) for order in ORDERS}


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS)
def test_every_order_of_image_token_and_deployment_ends_the_same(labs: dict[str, Lab], order: str) -> None:
    environment = labs[order]
    done: set[str] = set()
    for step in order.split("-"):
        getattr(environment, step)()
        done.add(step)
        if "deploy" in done and done != {"image", "token", "deploy"}:
            assert environment.bounds == HELD, f"started after {done}"
        if order == "image-deploy-token" and step != "image":
            assert environment.token_check == ("pass" if step == "token" else "fail")
    if environment.images != {IMAGE}:
        # The task definition is older than the image: nothing may run yet, and the last words said so.
        assert environment.bounds == HELD
        if order.endswith("token"):
            assert f"simulations: waits for the deployment of {environment.name}-workers." in environment.said
            assert environment.said.endswith(f"Then run: cdktf deploy {environment.name}-workers\n")
        environment.deploy()
    elif order.endswith("token"):
        assert environment.said.endswith("\nsimulations: may run 1 to 20 tasks.\n")
    assert environment.images == {IMAGE}
    assert environment.bounds == RUNNING
    plan = environment.deployed.plan("workers")
    assert not plan, plan.actions
