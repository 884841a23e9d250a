"""How much of a task definition a fleet's own environment variables may take."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from synthesis.functions import raw
from synthesis.rules import CrossRule
from synthesis.typed import Typed

MOST_BYTES = 30_000
"""Of JSON. A task definition has 64 KiB (Amazon ECS Developer Guide, "Amazon ECS service quotas"); in the rest fit 50
secrets and what the deployment sets. The backlog service's task definition, which has the variables too, has room for
as many."""

_ESCAPED = re.compile("[<>&\u2028\u2029]")
"""What Terraform's ``jsonencode`` writes in six bytes."""


def environment_fits() -> CrossRule:
    """The variables take at most `MOST_BYTES`, counted in groups of three, as Terraform can."""
    return CrossRule(
        ("environment",),
        lambda it: (
            f"comes to about {_size(it.environment)} bytes as JSON; must come to at most {MOST_BYTES} bytes, since a task definition has "
            "64 KiB: put large values into the image, the bucket, or a secret"
        ),
        lambda it: _size(it.environment) <= MOST_BYTES,
    )


def _size(environment: Mapping[str, str]) -> int:
    if isinstance(environment, Typed):
        listed = f"[for name, value in {environment.hcl} : {{ name = name, value = value }}]"
        size: int = raw(int, f"length(base64encode(jsonencode({listed}))) / 4 * 3")
        return size
    text = json.dumps(
        [{"name": name, "value": value} for name, value in environment.items()],
        ensure_ascii=False,
        separators=(",", ":"),
    )
    length = len(_ESCAPED.sub(r"\\u0000", text).encode(errors="surrogatepass"))
    return -(-length // 3) * 3
