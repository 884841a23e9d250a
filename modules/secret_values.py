"""What looks like a secret's value, and so belongs into Secrets Manager and into no file or message."""

from __future__ import annotations

import re

_SECRET = re.compile(
    r"""
      \beyJ[\w-]{8,}\.[\w-]{8,}                               # a JSON Web Token (Hatchet's client token is one)
    | \b(?:AKIA|ASIA)[A-Z2-7]{16}\b                           # an AWS access key (IAM User Guide, "unique identifiers")
    | -----BEGIN[ A-Z]*PRIVATE[ ]KEY
    | \bgh[oprsu]_\w{20,} | \bgithub_pat_\w{20,} | \bxox[abprs]-[\w-]{10,}
    | \bsk-[\w-]{20,}
    | ://[^/\s:@"]+:[^/\s@"]+@                                # a URL with a password
    """,
    re.VERBOSE,
)
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:PASS|PASSWD|PASSWORD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|APIKEY|(?:API|ACCESS|PRIVATE|LICEN[CS]E)_KEY)"
    r"(?:_VALUE)?$",
    re.IGNORECASE,
)


def holds_secret(text: str) -> bool:
    """Whether the text holds what looks like a secret's value."""
    return _SECRET.search(text) is not None


def names_secret(name: str) -> bool:
    """Whether an environment variable of this name is meant to hold a secret, such as ``DB_PASSWORD``."""
    return _SECRET_NAME.search(name) is not None
