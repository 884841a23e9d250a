"""The secrets that the set-up fills: places, never values."""

from __future__ import annotations

from constructs import Construct

from modules.common.secret import create_secret
from synthesis.expression import Expression, ref, text
from synthesis.literals import hcl
from synthesis.stack import Label

KEYS = (
    "SERVER_AUTH_COOKIE_SECRETS",
    "SERVER_ENCRYPTION_JWT_PRIVATE_KEYSET",
    "SERVER_ENCRYPTION_JWT_PUBLIC_KEYSET",
    "SERVER_ENCRYPTION_MASTER_KEYSET",
)
"""The keys' secret is one JSON object of these: the keysets are one unit, of which none works without the others."""


class Secrets(Construct):
    """The engine's keys, and the admin's first password.

    Destroyed without a recovery window, so that their names are free at once: without its database an engine's
    keys open nothing.

    Costs: $0.40 a month each (AWS Secrets Manager pricing).

    Attributes:
        keys_arn: of the secret of the engine's keys.
        admin_arn: of the secret of the admin's e-mail address and first password.
    """

    def __init__(self, scope: Construct, id_: str, *, label: Label, key_arn: Expression) -> None:
        super().__init__(scope, id_)
        self._label, self._key_arn = label, key_arn
        self.keys_arn = self._create(
            "keys", "Hatchet's encryption keys and cookie secrets; its set-up stores them once"
        )
        self.admin_arn = self._create("admin", "First password of Hatchet's admin; its set-up stores it once")

    def of_server(self) -> dict[str, Expression]:
        """What the engine and the API read of them, each variable with its ``valueFrom``."""
        return {name: Expression(hcl(f"{text(self.keys_arn)}:{name}::")) for name in KEYS}

    def _create(self, name: str, description: str) -> Expression:
        secret = create_secret(
            self,
            name,
            label=self._label,
            name=f"hatchet-{name}",
            description=description,
            key_arn=self._key_arn,
            unrotated="made once: other keys would void every token and all that they encrypted",
        )
        return ref(secret).arn
