"""``scythe-aws validate``: check environment files, and the account against what they ask for."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from environments.errors import EnvironmentFileError, FileFault, key_path
from environments.loading import unwise
from ops.environment import environments_of


def validate(given: Sequence[str], *, aws: bool = False, as_json: bool = False) -> int:
    """Check environments and print what is wrong with them or unwise, a line each.

    Args:
        given: names or paths of environments; none for all.
        aws: also compare the account's quotas with what the environments need, as `ops.deployed.quotas` reckons it.
        as_json: print one JSON document instead: ``faults``, ``warnings`` and ``quotas``.

    Returns:
        The exit status: 0, 1 where a quota is too low, or 2 where a file cannot be used.
    """
    try:
        found = environments_of(given)
    except EnvironmentFileError as error:
        if not as_json:
            raise
        _print_json(faults=error.faults)
        return 2
    warnings = unwise(found)
    if not as_json:
        for warning in warnings:
            print(warning, file=sys.stderr)
    compared = []
    if aws:
        from ops.deployed.quotas import compare  # loads boto3

        compared = compare([environment for _, environment in found])
    if as_json:
        _print_json(warnings=warnings, quotas=[dataclasses.asdict(quota) for quota in compared])
    else:
        for quota in compared:
            if not quota.is_enough:
                print(quota, file=sys.stderr)
    return 0 if all(quota.is_enough for quota in compared) else 1


def _print_json(
    faults: Iterable[FileFault] = (),
    warnings: Iterable[FileFault] = (),
    quotas: Sequence[dict[str, Any]] = (),
) -> None:
    document = {"faults": _as_data(faults), "warnings": _as_data(warnings), "quotas": quotas}
    print(json.dumps(document, indent=2, ensure_ascii=False))


def _as_data(faults: Iterable[FileFault]) -> list[dict[str, object]]:
    return [
        {"file": fault.file, "key": key_path(fault.key), "line": fault.line, "message": fault.message}
        for fault in faults
    ]
