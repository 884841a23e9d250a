"""How much of a task definition a fleet's own environment variables may take."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from synthesis.rules import CrossRule

MOST_BYTES = 30_000
"""Of JSON. A task definition has 64 KiB (Amazon ECS Developer Guide, "Amazon ECS service quotas"); in the rest fit 50
secrets and what the deployment sets. The backlog service's task definition, which has the variables too, has room for
as many."""

_ESCAPED = re.compile("[<>&\u2028\u2029]")
"""What Terraform's ``jsonencode`` writes in six bytes."""

_JSON = "jsonencode([for name, value in {environment} : { name = name, value = value }])"


def environment_fits() -> CrossRule:
    """The variables come to so many bytes at most, in groups of three, which Terraform can count."""
    size = f"length(base64encode({_JSON})) / 4 * 3"
    words = (
        "comes to about %s bytes as JSON; must be at most {MOST_BYTES}, since a task definition has 64 KiB: put large values "
        "into the image, the bucket, or a secret"
    ).replace("{MOST_BYTES}", str(MOST_BYTES))
    return CrossRule(
        ("environment",),
        lambda settings: words % _size(settings.environment),
        lambda settings: _size(settings.environment) <= MOST_BYTES,
        f"{size} <= {MOST_BYTES}",
        words % f"${{{size}}}",
    )


def _size(environment: Mapping[str, str]) -> int:
    listed = [{"name": name, "value": value} for name, value in environment.items()]
    text = json.dumps(listed, ensure_ascii=False, separators=(",", ":"))
    size = len(_ESCAPED.sub(r"\\u0000", text).encode(errors="surrogatepass"))
    return -(-size // 3) * 3
