"""Runs checkov, in an environment of its own, on plans as `terraform show -json` prints them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.project import ROOT
from tests.support.tools.installation import ensure_installed, run_installer

_ENVIRONMENT = ROOT / ".venv-checkov"
_LOCK_FILE = ROOT / "requirements-checkov.lock"
_INSTANCE = re.compile(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]')


class CheckovError(Exception):
    """checkov could not read a plan or did not run; the text is what it said."""


@dataclass(frozen=True, order=True)
class Finding:
    """A failed check.

    Attributes:
        check: Its id, such as ``CKV_AWS_158``.
        address: The resource's address in the plan, such as ``aws_subnet.private["eu-west-1a"]``.
        name: What the check wants.
        plan: The plan's file.
        reason: Why it stands, where the resource says so.
    """

    check: str
    address: str
    name: str
    plan: Path
    reason: str | None = None


@dataclass(frozen=True, order=True)
class Suppression:
    """A check that a resource answers for.

    Attributes:
        address: The resource's address without instance, such as ``aws_subnet.private``.
        check: The check's id.
        reason: Why its finding stands.
    """

    address: str
    check: str
    reason: str


@dataclass(frozen=True)
class Scan:
    """What checkov found in some plans.

    Attributes:
        failed: Findings that no resource answers for.
        suppressed: Findings that stand for a reason.
        unused: Suppressions of resources in the plans that answer no finding in any of them.
        evaluated: How many checks checkov made.
    """

    failed: list[Finding]
    suppressed: list[Finding]
    unused: list[Suppression]
    evaluated: int


@dataclass(frozen=True)
class Sources:
    """What checkov found in Terraform's own files.

    Attributes:
        failed: The check and the resource of each finding that no comment answers for.
        unread: Files that checkov's parser does not understand.
        evaluated: How many checks passed.
    """

    failed: set[tuple[str, str]]
    unread: set[str]
    evaluated: int


def scan(plans: Mapping[Path, Path]) -> Scan:
    """Check plans, all in one run of checkov: its start takes seconds, a further plan next to nothing.

    Args:
        plans: For each plan's JSON file (named ``….json``) the Terraform JSON that it was made of
            (``cdk.tf.json``), whose resources carry their suppressions (see `synthesis.suppression`).

    Raises:
        CheckovError: checkov did not run, or checked nothing in one of the files.
    """
    files = {plan.resolve(): template for plan, template in plans.items()}
    reports = _run(list(files))
    results = [report["results"] for report in reports]
    evaluated = [entry for result in results for entry in result["passed_checks"] + result["failed_checks"]]
    unread = set(files) - {Path(entry["file_abs_path"]) for entry in evaluated}
    if unread:  # checkov passes over a file that it takes for no plan
        raise CheckovError(f"checkov checked nothing in {', '.join(map(str, sorted(unread)))}")
    declared = {plan: _suppressions(json.loads(template.read_text())) for plan, template in files.items()}
    failed: list[Finding] = []
    suppressed: list[Finding] = []
    for entry in (entry for result in results for entry in result["failed_checks"]):
        plan = Path(entry["file_abs_path"])
        check, address = entry["check_id"], entry["resource_address"] or entry["resource"]
        reason = declared[plan].get((_INSTANCE.sub("", address), check))
        finding = Finding(check, address, entry["check_name"], plan, reason)
        (failed if reason is None else suppressed).append(finding)
    return Scan(
        failed=sorted(failed),
        suppressed=sorted(suppressed),
        unused=_unused(declared, suppressed),
        evaluated=len(evaluated),
    )


def scan_sources(folder: Path) -> Sources:
    """Check Terraform's own files in a folder, as the people do who are given them.

    Raises:
        CheckovError: checkov did not run, or checked nothing.
    """
    results = [report["results"] for report in _reports(folder, "terraform", "--directory", str(folder))]
    failed = {
        (found["check_id"], found["resource"]) for result in results for found in result["failed_checks"]
    }
    unread = {str(Path(path).relative_to(folder)) for result in results for path in result["parsing_errors"]}
    evaluated = sum(len(result["passed_checks"]) for result in results)
    if not evaluated:
        raise CheckovError(f"checkov checked nothing in {folder}")
    return Sources(failed, unread, evaluated)


def _run(plans: Sequence[Path]) -> list[dict[str, Any]]:
    reports = _reports(plans[0].parent, "terraform_plan", "--file", *map(str, plans))
    broken = [file for report in reports for file in report.get("results", {}).get("parsing_errors", [])]
    if broken or any("results" not in report for report in reports):
        raise CheckovError(f"checkov cannot read {', '.join(broken or map(str, plans))}")
    return reports


def _reports(folder: Path, framework: str, *what: str) -> list[dict[str, Any]]:
    install()
    # --skip-download: neither guidelines nor modules are fetched, so it needs no network and no key
    options = ["--framework", framework, "--skip-download", "--soft-fail", "--compact"]
    executable = str(_ENVIRONMENT / "bin" / "checkov")
    command = [executable, *options, "--output", "json", *what]
    own = {key: value for key, value in os.environ.items() if not key.startswith(("CKV_", "BC_", "PRISMA_"))}
    result = subprocess.run(
        command, cwd=folder, env=own | {"LOG_LEVEL": "ERROR"}, capture_output=True, text=True
    )
    if result.returncode != 0 or not result.stdout.strip():
        raise CheckovError(result.stderr.strip() or f"checkov ended with status {result.returncode}")
    output = json.loads(result.stdout)
    return output if isinstance(output, list) else [output]


def _suppressions(template: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    return {
        (f"{kind}.{name}", check): reason
        for kind, resources in template.get("resource", {}).items()
        for name, body in resources.items()
        for check, reason in body.get("//", {}).get("checkov", {}).items()
    }


def _unused(
    declared: Mapping[Path, Mapping[tuple[str, str], str]], suppressed: Iterable[Finding]
) -> list[Suppression]:
    used = {(_INSTANCE.sub("", finding.address), finding.check) for finding in suppressed}
    return sorted(
        {
            Suppression(address, check, reason)
            for plan, suppressions in declared.items()
            for (address, check), reason in suppressions.items()
            if (address, check) not in used and address in _planned(plan)
        }
    )


def _planned(plan: Path) -> set[str]:
    """Addresses, without instances, of what will exist once the plan is applied."""

    def below(module: Mapping[str, Any]) -> Iterable[str]:
        yield from (_INSTANCE.sub("", resource["address"]) for resource in module.get("resources", []))
        for child in module.get("child_modules", []):
            yield from below(child)

    return set(below(json.loads(plan.read_text())["planned_values"]["root_module"]))


def install() -> None:
    """Have checkov in its environment.

    Raises:
        InstallationError: pip could not get it.
    """
    ensure_installed(_ENVIRONMENT, _LOCK_FILE, _install)


def _install() -> None:
    uv = shutil.which("uv")
    python = _ENVIRONMENT / "bin" / "python"
    if uv:
        run_installer([uv, "venv", "--quiet", "--python", sys.executable, _ENVIRONMENT], folder=ROOT)
        command: list[str | Path] = [uv, "pip", "install", "--quiet", "--python", python]
    else:
        run_installer([sys.executable, "-m", "venv", _ENVIRONMENT], folder=ROOT)
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run_installer([*command, "--require-hashes", "-r", _LOCK_FILE], folder=ROOT)
