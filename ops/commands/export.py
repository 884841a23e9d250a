"""What ``scythe-aws export`` does with what was typed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from environments.loading import find, load_all
from main import parts
from ops.errors import CommandError
from ops.export import differences, of_environment, write
from ops.export.carried import carried
from ops.export.changelog import releases
from ops.export.exit import Sources
from ops.export.repository import repository

VERSION = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}")
"""Of a release, without the ``v`` of its tag (https://semver.org)."""

SOURCE = re.compile(r"[A-Za-z0-9._/:@?=&+-]+")


def export(
    out: Path | None, *, environment: str | None, source: str | None, version: str | None, check: bool
) -> int:
    """Write the modules' repository, or an environment's configurations, and name the files; or tell what differs.

    Args:
        out: the folder; None for one below ``dist``.
        environment: the environment of which to write the configurations; None for the modules' repository.
        source: where an environment's configurations find the modules; None for copies beside them.
        version: the release of the repository, or the one of `source`.
        check: write nothing, and print a diff.

    Returns:
        0, or 1 where `check` found differences.

    Raises:
        CommandError: something was typed that can not be.
        ExportError: the folder can't be written, or holds what no export wrote.
        TerraformError: terraform, which formats the files, is missing or too old.
        EnvironmentFileError: the environment's file has faults.
    """
    if version is not None and not VERSION.fullmatch(version):
        raise CommandError(f"--version: got {version}; must be a release such as 1.2.3")
    if source is not None and not (environment and SOURCE.fullmatch(source)):
        raise CommandError(
            "--source: goes with --environment, and must be the address or the path of the modules"
        )
    if environment is None:
        version = released(version)
        out = out or Path("dist/terraform-aws-scythe")
        files = repository(version)
    else:
        (chosen,) = load_all(find([environment]))
        out = out or Path("dist", chosen.name)
        files = of_environment(chosen, Sources(source, version or "") if source else None)
    if check:
        lines = list(differences(out, files))
        print("\n".join(lines) if lines else f"{out} is up to date.")
        return bool(lines)
    for file in write(out, files):
        print(file)
    if environment is None:
        print(how_to_publish(str(version)), file=sys.stderr)
    else:
        # A stack that makes nothing has a state too, whose outputs the others read.
        for file in carried(out, [f"{chosen.name}-{part}" for part in parts(chosen)]):
            print(file)
    return 0


def released(version: str | None) -> str:
    """The newest release of the changelog, which a version that was typed must be.

    Raises:
        CommandError: it is another.
    """
    newest, *older = releases()
    if version in {None, newest}:
        return newest
    there = ", ".join([f"{newest} (the newest)", *older])
    raise CommandError(
        f"--version: got {version}; must be the newest release of ops/export/templates/CHANGELOG.md.j2, "
        f"which has {there}; a new release adds its entry there"
    )


def how_to_publish(version: str) -> str:
    """What to tag, and where a registry then has it; nothing is pushed here."""
    return (
        f"To publish version {version}: push these files to a repository named terraform-aws-scythe, then\n"
        f"  git tag v{version} && git push origin v{version}\n"
        f"A registry that watches the repository has it as <namespace>/scythe/aws, version {version}, and the "
        "submodules as\n<namespace>/scythe/aws//modules/<name>."
    )
