"""What Terraform is given of the provider's schemas."""

from __future__ import annotations

from tests.support.slim_provider import fields, kinds, slim

UNKNOWN = "_".join(("aws", "lightsail", "bucket"))


def field(number: int, content: bytes) -> bytes:
    assert len(content) < 2**14
    length = len(content)
    size = bytes([length]) if length < 2**7 else bytes([length & 0x7F | 0x80, length >> 7])
    return bytes([number << 3 | 2]) + size + content


def schemas(*names: str) -> list[bytes]:
    """Resources, data sources and ephemeral resources of these names, with schemas longer and shorter than 127 bytes."""
    return [
        field(number, field(1, name.encode()) + field(2, b"x" * size))
        for number, size in ((2, 300), (3, 5), (8, 5))
        for name in names
    ]


def test_kinds_of_no_interest_are_left_out_and_all_else_stays() -> None:
    provider, capabilities = field(1, b"y" * 200), field(6, b"\x10\x01")
    kept = schemas("aws_vpc", "aws_ecs_service")
    answer = b"".join([provider, *schemas(UNKNOWN), *kept, capabilities])
    left = [field(8, field(1, UNKNOWN.encode()) + field(2, b"xxxxx"))]
    assert slim(answer) == b"".join([provider, *left, *kept, capabilities])


def test_what_the_modules_make_is_of_interest() -> None:
    assert {
        b"aws_ecs_service",
        b"aws_iam_policy_document",
        b"aws_mq_broker",
        b"aws_caller_identity",
    } <= kinds()
    assert len(kinds()) < 300


def test_a_message_is_read_whole() -> None:
    parts = [field(1, b"a" * 128), field(2, b""), field(3, b"b" * 127)]
    assert [number for number, *_ in fields(b"".join(parts))] == [1, 2, 3]
