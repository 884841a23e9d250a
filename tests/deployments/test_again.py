"""An environment is destroyed and deployed again under its name, at once, with all that people put into it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local_aws import LocalAws
from ops.terraform import TerraformError
from tests.support.deployed import Data, Deployed
from tests.support.once import once
from tests.support.providers import Providers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1, "digest": "sha256:1"},
        "layers": [],
    }
)  # fmt: skip


def _environment(name: str, *, force_destroy: bool) -> Data:
    return {
        "name": name,
        "storage": {"bucket": f"{name}-results", "force_destroy": force_destroy},
        "workers": {"simulations": {"role": "leaf"}},
    }


class Storage(Deployed):
    """The storage of an environment, used as people use it."""

    def use(self) -> None:
        """A token, an image, and an object that was overwritten and deleted, and one that stays."""
        self.aws.client("secretsmanager").put_secret_value(
            SecretId=f"{self.name}/hatchet-client-token", SecretString="a-token"
        )
        self.aws.client("ecr").put_image(
            repositoryName=f"{self.name}/worker", imageManifest=MANIFEST, imageTag="1"
        )
        s3, bucket = self.aws.client("s3"), f"{self.name}-results"
        for key in ("scythe/old", "scythe/old", "scythe/result"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"result")
        s3.delete_object(Bucket=bucket, Key="scythe/old")

    def results(self) -> str:
        found = self.aws.client("s3").get_object(Bucket=f"{self.name}-results", Key="scythe/result")
        text: str = found["Body"].read().decode()
        return text

    def left(self) -> list[str]:
        return [line for line in self.aws.leftovers() if self.name in line]


def _forced(storage: Storage) -> dict[str, Any]:
    storage.apply(["storage"])
    storage.use()
    storage.destroy(["storage"])
    left = storage.left()
    storage.apply(["storage"])
    changes = storage.plan("storage").actions
    storage.use()
    storage.destroy(["storage"])
    return {"left": left, "changes": dict(changes), "left_again": storage.left()}


def _kept(storage: Storage) -> dict[str, Any]:
    storage.apply(["storage"])
    storage.use()
    refusal = ""
    try:
        storage.destroy(["storage"])
    except TerraformError as error:
        refusal = str(error)
    left, results = storage.left(), storage.results()
    storage.apply(["storage"])
    return {
        "refusal": refusal,
        "left": left,
        "results": results,
        "changes": dict(storage.plan("storage").actions),
        "results_again": storage.results(),
    }


def _deploy_again(folder: Path) -> dict[str, Any]:
    with (
        LocalAws.start(log=folder / "local-aws.log") as aws,
        Providers.of(aws.environment) as providers,
        ThreadPoolExecutor(2) as pool,
    ):
        forced, kept = (
            Storage.synthesized(
                aws, folder / name, _environment(name, force_destroy=force), providers=providers
            )
            for name, force in (("goes", True), ("stays", False))
        )
        goes, stays = pool.submit(_forced, forced), pool.submit(_kept, kept)
        return {"goes": goes.result(), "stays": stays.result()}


@pytest.fixture(scope="session")
def again(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> dict[str, Any]:
    found: dict[str, Any] = once(tmp_path_factory, worker_id, _deploy_again, "again")
    return found


def test_with_force_destroy_everything_goes_and_comes_again(again: dict[str, Any]) -> None:
    assert again["goes"] == {"left": [], "changes": {}, "left_again": []}


def test_without_it_destroy_stops_at_the_bucket(again: dict[str, Any]) -> None:
    assert "BucketNotEmpty" in again["stays"]["refusal"]
    assert again["stays"]["left"] == ["global bucket stays-results"]
    assert again["stays"]["results"] == "result"


def test_a_bucket_that_stayed_is_deployed_again_with_its_results(again: dict[str, Any]) -> None:
    assert again["stays"]["changes"] == {}
    assert again["stays"]["results_again"] == "result"
