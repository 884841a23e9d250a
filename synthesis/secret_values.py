"""What looks like a secret, and so belongs into Secrets Manager and into no file or message.

All patterns are in the syntax that Python and Terraform (RE2) share.
"""

from __future__ import annotations

import re

from synthesis.functions import matches, not_

VALUE_OF_A_SECRET = "|".join(
    [
        r"\beyJ[\w-]{8,}\.[\w-]{8,}",  # a JSON Web Token (Hatchet's client token is one)
        r"\b(AKIA|ASIA)[A-Z2-7]{16}\b",  # an AWS access key (IAM User Guide, "unique identifiers")
        "-----BEGIN[ A-Z]*PRIVATE KEY",
        r"\bgh[oprsu]_\w{20,}",
        r"\bgithub_pat_\w{20,}",
        r"\bglpat-[\w-]{20,}",
        r"\bxox[abprs]-[\w-]{10,}",
        r"\b(sk|rk)[-_][\w-]{20,}",
        r"\b(hf|npm|dop_v1)_\w{30,}",
        r"\bpypi-[\w-]{30,}",
        r"\bAIza[\w-]{35}",
        r"://[^/\s:@\"]*:[^/\s@\"]+@",  # a URL with a password
        # A URL or a connection string with one among its parameters.
        r"(?i:[?&;](pass|passwd|password|pwd|secret|token|api_?key|access_?key|account_?key|sharedaccesskey|sig|signature)=[^&;\s\"]{4,})",
    ]
)

NAME_OF_A_PASSWORD = "(?i:(PASSWORD|PASSWD|PASSPHRASE|_PWD)(_VALUE)?$)"  # noqa: S105  # a pattern
"""A variable whose value is a secret, even where it is a number."""

_KEYS = "(AUTH|API|ACCESS|ACCOUNT|PRIVATE|SIGNING|ENCRYPTION|LICEN[CS]E)_?KEY"

NAME_OF_A_SECRET = f"(?i:SECRET|((^|_)(PASS|TOKEN|CREDENTIALS?|LICEN[CS]E|{_KEYS})(_VALUE)?$))"
"""A variable whose value is a secret, but for a number: ``MAX_TOKEN`` counts."""

NO_SECRET = r"^(?i:|true|false|yes|no|on|off|none|null)$"  # noqa: S105  # a pattern
"""Values that keep no secret, whatever their name."""

NUMBER = r"^[+-]?[0-9]+(\.[0-9]+)?$"

_value = re.compile(VALUE_OF_A_SECRET)


def holds_secret(text: str) -> bool:
    """Whether the text holds what looks like a secret's value."""
    return _value.search(text) is not None


def keeps_secret(name: str, value: str) -> bool:
    """Whether an environment variable keeps a secret, as its value or its name says, such as ``DB_PASSWORD``."""
    named = matches(NAME_OF_A_PASSWORD, name) | (
        matches(NAME_OF_A_SECRET, name) & not_(matches(NUMBER, value))
    )
    return matches(VALUE_OF_A_SECRET, value) | (not_(matches(NO_SECRET, value)) & named)
