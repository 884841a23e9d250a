"""The rights that a KMS key of the account's own takes."""

from __future__ import annotations

from modules.common.policies import Condition, Statement
from synthesis.expression import Expression
from synthesis.literals import hcl


def use_of(service: str, *keys: object, writes: bool = False) -> Statement | None:
    """Let a role have a service use keys for it: to read, and to write; None, and no statement, where there is no key.

    The service makes the calls, in the role's name (AWS KMS Developer Guide, "kms:ViaService"). Reading takes
    ``kms:Decrypt``, writing ``kms:GenerateDataKey`` too (AWS Secrets Manager User Guide, "Secret encryption and
    decryption"; Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys", permissions).

    Args:
        service: the service, as in its endpoints: ``s3``.
        keys: expressions of the keys' ARNs, each null or empty where there is none, or a list of them.
        writes: whether the role also writes.
    """
    written = [key for key in map(hcl, keys) if key not in {"null", "[]"}]
    if not written:
        return None
    # The key of a thing is in the thing's region.
    region = 'split(":", key_arns[0])[3]'
    via = f'"{service}.${{{region}}}.amazonaws.com${{startswith({region}, "cn-") ? ".cn" : ""}}"'
    return Statement(
        ["kms:Decrypt", "kms:GenerateDataKey"] if writes else ["kms:Decrypt"],
        Expression("key_arns"),
        [Condition("StringEquals", "kms:ViaService", [Expression(via)])],
        only_with=("key_arns", Expression(f"distinct(compact(flatten([{', '.join(written)}])))")),
    )
