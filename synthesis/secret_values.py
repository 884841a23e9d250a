"""What looks like a secret's value, and so belongs into Secrets Manager and into no file or message.

Both patterns are in the syntax that Python and Terraform (RE2) share.
"""

from __future__ import annotations

import re

VALUE_OF_A_SECRET = "|".join(
    [
        r"\beyJ[\w-]{8,}\.[\w-]{8,}",  # a JSON Web Token (Hatchet's client token is one)
        r"\b(AKIA|ASIA)[A-Z2-7]{16}\b",  # an AWS access key (IAM User Guide, "unique identifiers")
        "-----BEGIN[ A-Z]*PRIVATE KEY",
        r"\bgh[oprsu]_\w{20,}",
        r"\bgithub_pat_\w{20,}",
        r"\bxox[abprs]-[\w-]{10,}",
        r"\bsk-[\w-]{20,}",
        r"://[^/\s:@\"]+:[^/\s@\"]+@",  # a URL with a password
    ]
)
NAME_OF_A_SECRET = "|".join(
    f"(?i:(^|_){word}(_VALUE)?$)"
    for word in (
        *("PASS", "PASSWD", "PASSWORD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIALS?", "APIKEY"),
        "(API|ACCESS|PRIVATE|LICEN[CS]E)_KEY",
    )
)
_secret, _secret_name = re.compile(VALUE_OF_A_SECRET), re.compile(NAME_OF_A_SECRET)


def holds_secret(text: str) -> bool:
    """Whether the text holds what looks like a secret's value."""
    return _secret.search(text) is not None


def names_secret(name: str) -> bool:
    """Whether an environment variable of this name is meant to hold a secret, such as ``DB_PASSWORD``."""
    return _secret_name.search(name) is not None
