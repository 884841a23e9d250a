"""Whether a setting is given, said by a flag where a plan may not know its value yet."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from synthesis.allowed import flag
from synthesis.functions import coalesce, given, is_set
from synthesis.rules import CrossRule
from synthesis.typed import typed

Presence = Annotated[bool, flag()] | None
"""Whether another setting is given; null: whether that is not null."""


def presence_of(key: str, what: str) -> Presence:
    """The field of such a flag.

    Terraform refuses a ``count`` that hangs on a value of the same apply, and whether such a value is null is such a value
    (Terraform Language Documentation, "The count Meta-Argument").

    Args:
        key: the other setting.
        what: what there is then.
    """
    field: Presence = Field(
        default=None,
        description=f"Whether {what}. Default: whether {key} is set. In Terraform, say true where {key} comes from a "
        "resource of the same configuration.",
    )
    return field


def is_given(flag_: object, value: object) -> bool:
    """Whether a setting is given, known to every plan where the flag is.

    Args:
        flag_: the expression of the flag.
        value: that of the setting.
    """
    answer: bool = coalesce(typed(bool, str(flag_)), is_set(typed(str, str(value))))
    return answer


def agrees(key: str, value: str) -> CrossRule:
    """A flag is as the setting that it is about."""
    return CrossRule(
        (key,),
        f"does not go with {value}; must be true with it and false without, or left out",
        lambda it: given(getattr(it, key), lambda flag_: flag_ == is_set(getattr(it, value)), otherwise=True),
    )
