"""Which resources of a stack its environment's choices exclude: Terraform reckons a count of 0 or an empty for_each."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cdktf import TerraformResource

from ops.export.syntax import expression
from ops.terraform import TerraformError
from synthesis.expression import ref
from synthesis.stack import EnvironmentStack

_LOCAL = re.compile(r"\blocal\.(\w+)")
_UNKNOWN = re.compile(r"\b(data|module|each|aws_\w+)\.|\$\{TfToken")


def missing(stack: EnvironmentStack) -> set[str]:
    """The addresses of a stack's resources of which there are none.

    A count that depends on what only a plan knows is taken for one that may be more.

    Args:
        stack: an environment's own stack.

    Raises:
        TerraformError: terraform, which reckons the counts, fails.
    """
    stack.prepare_stack()
    template = stack.to_terraform()
    known = _known(template.get("locals", {}))
    counts = {}
    for made in stack.node.find_all():
        if isinstance(made, TerraformResource):
            type_, _, name = str(ref(made)).partition(".")
            body = template["resource"][type_][name]
            count = str(body.get("count", "1"))
            if each := body.get("for_each"):
                count = f"${{length({expression(each)})}}"
            if not _UNKNOWN.search(count) and set(_LOCAL.findall(count)) <= known.keys():
                counts[f"{type_}.{name}"] = count
    return {address for address, count in _evaluated(known, counts).items() if count == 0}


def _known(values: Mapping[str, object]) -> dict[str, object]:
    """The locals that depend on nothing but each other."""
    known = dict(values)
    while True:
        unknown = {
            name
            for name, value in known.items()
            if _UNKNOWN.search(json.dumps(value)) or set(_LOCAL.findall(json.dumps(value))) - known.keys()
        }
        if not unknown:
            return known
        known = {name: value for name, value in known.items() if name not in unknown}


def _evaluated(values: Mapping[str, object], counts: Mapping[str, str]) -> dict[str, float]:
    """Each count as a number; no provider is asked."""
    if not counts:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        document = {"locals": {**values, "counts": dict(counts)}}
        Path(folder, "main.tf.json").write_text(json.dumps(document), encoding="utf-8")
        ran = subprocess.run(
            ["terraform", "console"],
            input="jsonencode({ for name, count in local.counts : name => tonumber(count) })\n",
            cwd=folder,
            capture_output=True,
            text=True,
        )
    if ran.returncode:
        raise TerraformError(f"terraform console failed:\n{ran.stderr}")
    found: dict[str, float] = json.loads(json.loads(ran.stdout))
    return found
