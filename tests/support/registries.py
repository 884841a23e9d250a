"""Registries of container images, as `crane` serves them, and an ECR before one of them."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from threading import Thread

import pytest
from werkzeug import Request, Response
from werkzeug.serving import make_server

from local_aws import LocalAws

PASSWORD = "123456789012-auth-token"
"""What moto's ECR gives."""

_crane = shutil.which("crane")
needs_crane = pytest.mark.skipif(_crane is None, reason="crane is not on the PATH")
CRANES_FOLDER = [str(Path(_crane).parent)] if _crane else []
"""What a PATH that has crane consists of; nothing where none is."""
_numbers = count()


class Ecr:
    """An ECR that holds images: moto's API, and `crane registry serve` behind ECR's own login.

    Attributes:
        host: what the API names as its registry.
        behind: the registry where it keeps them.
        written: the repositories of manifests that were written, in their order.
        refused: a repository that takes none.
    """

    def __init__(self, aws: LocalAws, behind: str) -> None:
        self._aws = aws
        self._api = aws.client("ecr", "eu-west-1")
        self.behind = behind
        self.written: list[str] = []
        self.refused = ""
        self._server = make_server("127.0.0.1", 0, Request.application(self._answer), threaded=True)
        self.host = f"127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def lose(self, repository: str, tag: str) -> None:
        self._api.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
        crane("delete", f"{self.behind}/{repository}:{tag}")

    def _answer(self, request: Request) -> Response:
        if not request.path.startswith("/v2/"):
            answer = _forwarded(request, self._aws.endpoint_url.removeprefix("http://"))
            answer.data = re.sub(
                rb"https://[0-9]+[.]dkr[.]ecr[a-z0-9.-]+", b"http://%b" % self.host.encode(), answer.data
            )
            return answer
        login = base64.b64encode(f"AWS:{PASSWORD}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {login}":
            return Response(status=401, headers={"WWW-Authenticate": 'Basic realm="ECR"'})
        repository, _, reference = request.path.removeprefix("/v2/").partition("/manifests/")
        if request.method != "PUT" or not reference:
            return _forwarded(request, self.behind)
        if repository == self.refused:
            return Response('{"errors": [{"code": "DENIED", "message": "no more today"}]}', status=403)
        answer = _forwarded(request, self.behind)
        self.written.append(repository)
        if ":" not in reference:
            self._api.put_image(
                repositoryName=repository,
                imageManifest=request.get_data().decode(),
                imageManifestMediaType=request.content_type or "",
                imageTag=reference,
                imageDigest=answer.headers["Docker-Content-Digest"],
            )
        return answer


def _forwarded(request: Request, host: str) -> Response:
    connection = HTTPConnection(host, timeout=30)
    kept = {name: value for name, value in request.headers if name not in {"Host", "Transfer-Encoding"}}
    connection.request(request.method, request.full_path.rstrip("?"), request.get_data(), kept)
    answer = connection.getresponse()
    return Response(answer.read(), answer.status, answer.getheaders())


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """The host of an empty registry."""
    log = folder / f"registry{next(_numbers)}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["crane", "registry", "serve", "--address", "127.0.0.1:0"], stdout=output, stderr=output
        )
    try:
        while not (port := re.search(r"serving on port (\d+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.02)
        yield f"127.0.0.1:{port[1]}"
    finally:
        process.terminate()
        process.wait()


def crane(*arguments: str) -> str:
    return subprocess.run(["crane", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def push(address: str, folder: Path) -> None:
    """Push an image of its own for two platforms."""
    layer = folder / "layer"
    layer.write_text(address)
    with tarfile.open(folder / "layer.tar", "w") as tar:
        tar.add(layer, "layer")
    platforms = []
    for name in ("amd64", "arm64"):
        base = f"{address.rpartition(':')[0]}:base-{name}"
        crane("append", "--new_layer", str(folder / "layer.tar"), "--new_tag", base)
        platforms += ["--manifest", crane("mutate", "--set-platform", f"linux/{name}", "--tag", base, base)]
    crane("index", "append", *platforms, "--tag", address)
