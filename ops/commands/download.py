"""``scythe-aws download``: a run's results, from the bucket to a folder."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TransferSpeedColumn

from environments.schema import Environment
from ops.commands.connect import bucket_of
from ops.deployed.aws import Caller, code, is_refusal
from ops.environment import environment_of
from ops.errors import CommandError
from synthesis.rules import printable
from untrusted.paths import UnsafePathError, all_below, is_file_name

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef

AT_ONCE = 8
FINAL = "final/"
"""Where scythe-engine puts what is gathered (``ExperimentRun.final_results_dirkey``)."""

BETWEEN = ("artifacts/", "scatter-gather/", "results/task-dataframes/")
"""What a run has below its prefix that is no result: its inputs, and what was passed on to be gathered."""

_VERSION = re.compile(r"v(\d{1,9})\.(\d{1,9})\.(\d{1,9})", re.ASCII)
"""As scythe-engine writes a version (``SemVer.__str__``)."""

_TIME = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", re.ASCII)
"""As scythe-engine writes the time of a run (``DatetimeFormat``)."""


@dataclass(frozen=True)
class Item:
    """An object of a run.

    Attributes:
        key: in the bucket.
        path: below the run.
        size: in bytes.
        modified: in seconds since 1970.
    """

    key: str
    path: str
    size: int
    modified: float


def download(given: str, run: str, out: Path | None = None, *, everything: bool = False) -> None:
    """Download what a run has in the bucket, but for what is here already.

    Args:
        given: the environment's name or path.
        run: an experiment's id as allocate returns it, ``<name>/<version>/<time>``; without its last parts the
            newest run is meant.
        out: the folder; by default one named after the run.
        everything: its inputs too, and what was passed on between its tasks.

    Raises:
        CommandError: there is no such run, or it has no result yet.
    """
    environment = environment_of(given)
    caller = Caller(environment)
    runs = _Runs(caller, environment)
    name = runs.resolve(run.strip("/"))
    items = [item for item in runs.items(name) if everything or not item.path.startswith(BETWEEN)]
    folder = out or Path(name)
    targets = _targets(folder, items)
    wanted = [item for item in items if not _is_here(targets[item.path], item)]
    _fetch(runs, wanted, targets)
    print(f"{name}: {len(wanted)} files to {folder}, {len(items) - len(wanted)} were there.")
    if not any(item.path.startswith(FINAL) for item in items):
        raise CommandError(
            f"{name} has no gathered results yet ({FINAL}): scythe-aws status {given} says what runs", 1
        )


class _Runs:
    """The runs in an environment's bucket, as scythe-engine lays them out (``scythe/experiments.py``)."""

    def __init__(self, caller: Caller, environment: Environment) -> None:
        self.s3: S3Client = caller.session.client("s3")
        self.bucket = bucket_of(caller, environment)
        self._environment = environment
        self._prefix = f"{environment.storage.prefix}/"

    def resolve(self, given: str) -> str:
        """The whole id of a run.

        Raises:
            CommandError: there is none.
        """
        found = next(self._ids(given), None) if all(map(is_file_name, given.split("/"))) else None
        if found is None:
            raise self._missing(given)
        return found

    def _ids(self, given: str) -> Iterator[str]:
        """The whole ids of the runs that a part of an id can mean, the newest first."""
        last = given.rpartition("/")[2]
        if _TIME.fullmatch(last):
            yield given
        elif _VERSION.fullmatch(last):
            yield from (f"{given}/{time}" for time in self._times(given))
        else:
            versions = filter(_VERSION.fullmatch, self._below(given))
            for version in sorted(versions, key=_version, reverse=True):
                yield from self._ids(f"{given}/{version}")

    def _times(self, version: str) -> list[str]:
        """The times of a version's runs, the newest first; what has another form is no run's."""
        return sorted(filter(_TIME.fullmatch, self._below(version)), reverse=True)

    def items(self, run: str) -> list[Item]:
        """What a run has.

        Raises:
            CommandError: it has nothing.
        """
        prefix = f"{self._prefix}{run}/"
        items = [
            Item(
                entry["Key"],
                entry["Key"].removeprefix(prefix),
                entry["Size"],
                entry["LastModified"].timestamp(),
            )
            for page in self._pages(prefix, "")
            for entry in page.get("Contents", [])
            if not entry["Key"].endswith("/")
        ]
        if not items:
            raise self._missing(run)
        return items

    def _below(self, run: str) -> list[str]:
        """The names of the folders below a part of an id."""
        prefix = f"{self._prefix}{run}/" if run else self._prefix
        return [
            str(entry["Prefix"]).removeprefix(prefix).rstrip("/")
            for page in self._pages(prefix, "/")
            for entry in page.get("CommonPrefixes", [])
        ]

    def _pages(self, prefix: str, delimiter: str) -> Iterator[ListObjectsV2OutputTypeDef]:
        try:
            yield from self.s3.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=prefix, Delimiter=delimiter
            )
        except ClientError as error:
            if code(error) == "NoSuchBucket":
                raise CommandError(
                    f"the bucket {self.bucket} does not exist: run cdktf deploy {self._environment.name}-storage first"
                ) from None
            if is_refusal(error):
                raise CommandError(
                    f"these credentials may not list {self.bucket}/{prefix} (s3:ListBucket): attach the policy "
                    f"{self._environment.name}-researcher-{self._environment.region}"
                ) from None
            raise

    def _missing(self, run: str) -> CommandError:
        there = sorted(self._below(""))
        names = f"; it has runs of {', '.join(there)}" if there else ", and no run at all"
        return CommandError(printable(f"{self.bucket}/{self._prefix} has no run {run}{names}"))


def _version(name: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", name)))


def _targets(folder: Path, items: list[Item]) -> dict[str, Path]:
    """The files of objects, by their paths below the run.

    Raises:
        CommandError: one of them would not be a file of the folder's.
    """
    try:
        return all_below(folder, (item.path for item in items))
    except UnsafePathError as error:
        raise CommandError(f"{printable(str(error))}; nothing was downloaded", 1) from None


def _is_here(target: Path, item: Item) -> bool:
    """Whether a file is what a download of the same object has left."""
    try:
        found = target.stat()
    except OSError:
        return False
    return found.st_size == item.size and found.st_mtime == item.modified


def _fetch(runs: _Runs, items: list[Item], targets: Mapping[str, Path]) -> None:
    """Download objects, several at a time; each file appears when it is whole."""
    columns = (MofNCompleteColumn(), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    with (
        Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as progress,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        bar = progress.add_task("", total=sum(item.size for item in items))
        futures = {pool.submit(_fetch_one, runs, item, targets[item.path]): item for item in items}
        try:
            for future in as_completed(futures):
                future.result()
                progress.advance(bar, futures[future].size)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _fetch_one(runs: _Runs, item: Item, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(prefix=".part-", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            runs.s3.download_fileobj(runs.bucket, item.key, file)
        Path(part).chmod(0o644)
        # As the object's, by which a later download knows it.
        os.utime(part, (item.modified, item.modified))
        Path(part).replace(target)
    finally:
        Path(part).unlink(missing_ok=True)
