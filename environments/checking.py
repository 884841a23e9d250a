"""From a file's data to settings, or to all that is wrong with it."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Mapping
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from environments.schema import Environment
from synthesis.rules import CROSS_RULE, RULE, Path, Rule, shown

_KEY_OF_A_MAPPING = "[key]"
_STAND_INS: Mapping[str, Any] = {"name": "stand-in", "workers": {"stand-in": {"role": "leaf"}}}
"""What is checked instead of a required part with a fault, so that the faults of the rest come out too."""


class Refused(Exception):
    """Data that is no environment.

    Attributes:
        faults: the key and the words of each fault.
    """

    def __init__(self, faults: Mapping[Path, list[str]]) -> None:
        self.faults = faults
        super().__init__(f"{len(faults)} keys with faults")


def check(data: dict[str, Any], broken: Iterable[Path] = ()) -> Environment:  # noqa: C901  # one loop, read as a whole
    """The environment that the data describes. The data is the function's to change.

    What is broken is cut out and the rest checked again, until nothing new comes to light: so a fault in one
    key hides none in another.

    Args:
        data: what the file holds.
        broken: keys with faults that are known already.

    Raises:
        Refused: with all faults.
    """
    faults: dict[Path, list[str]] = {}
    known = list(broken)
    for key in known:
        _cut(data, key)
    while True:
        for name, stand_in in _STAND_INS.items():
            if any(_touch((name,), key) and len(key) == 1 for key in known):
                data[name] = stand_in
        try:
            environment = Environment.model_validate(data)
            break
        except ValidationError as error:
            before = len(known)
            for details in error.errors(include_url=False):
                key, depends_on = _places(details)
                if not any(_touch(cut, place) for cut in known[:before] for place in depends_on):
                    faults.setdefault(key, []).append(_words(key, details))
                known += [place for place in depends_on if place not in known]
            for place in known:
                _cut(data, place)
            _stand_in_for_roles(data, known)
            if len(known) == before:
                raise Refused(faults) from None
    if faults:
        raise Refused(faults)
    return environment


def _places(details: ErrorDetails) -> tuple[Path, tuple[Path, ...]]:
    """Where an error is reported, and the keys that it comes from."""
    loc = details["loc"]
    key = loc[:-1] if loc[-1:] == (_KEY_OF_A_MAPPING,) else loc
    if details["type"] == CROSS_RULE:
        context = details["ctx"]
        prefix = key[: len(key) - context["depth"]]
        return key, tuple(prefix + place for place in context["depends_on"])
    if details["type"] == "missing" and len(key) > 1 and not _is_role(key):
        # There is nothing to cut: what lacks the key goes as a whole.
        return key, (_not_an_item(key[:-1]),)
    return key, (_not_an_item(key),)


def _not_an_item(key: Path) -> Path:
    """A list goes as a whole: without one item, the others' places would be wrong."""
    return key[:-1] if isinstance(key[-1], int) else key


def _cut(data: Any, key: Path) -> None:
    for part in key[:-1]:
        if not isinstance(data, dict | list):
            return
        data = data.get(part) if isinstance(data, dict) else data[int(part)]
    if isinstance(data, dict):
        data.pop(key[-1], None)


def _is_role(key: Path) -> bool:
    return len(key) == 3 and (key[0], key[2]) == ("workers", "role")


def _stand_in_for_roles(data: dict[str, Any], known: Iterable[Path]) -> None:
    for key in filter(_is_role, known):
        fleet = data["workers"].get(key[1])
        if isinstance(fleet, dict):
            fleet["role"] = "leaf"
            if len({"cpu", "memory"} & fleet.keys()) == 1:
                # The other one's default is the true role's, which nobody knows.
                fleet.pop("cpu", None)
                fleet.pop("memory", None)


def _touch(first: Path, second: Path) -> bool:
    shorter = min(len(first), len(second))
    return first[:shorter] == second[:shorter]


def _words(key: Path, details: ErrorDetails) -> str:
    kind, value = details["type"], details["input"]
    if kind in {RULE, CROSS_RULE}:
        return details["msg"]
    if kind == "missing":
        return f"is missing; must be {_allowed(key)}"
    if kind == "extra_forbidden":
        return _unknown(key)
    if kind in {"model_type", "dict_type", "list_type"}:
        return f"got {shown(value)}; must be {_allowed(key)}"
    if kind == "too_short":
        return "is empty; must hold at least one"
    if kind == "too_long":
        # pydantic stops counting where a mapping is too long.
        return f"holds {len(value)}; must hold at most {details['ctx']['max_length']}"
    return f"got {shown(value)}; {details['msg'][:1].lower()}{details['msg'][1:]}"


def _unknown(key: Path) -> str:
    parent = _type_at(key[:-1])
    keys = list(parent.model_fields) if _is_settings(parent) else []
    near = difflib.get_close_matches(str(key[-1]), keys, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"is no key that there is{hint}; must be one of {', '.join(keys)}"


def _allowed(key: Path) -> str:
    """What may stand at a key, in words."""
    parent = _type_at(key[:-1])
    if _is_settings(parent) and key[-1] in parent.model_fields:
        for rule in parent.model_fields[str(key[-1])].metadata:
            if isinstance(rule, Rule):
                return rule.allowed
    annotation = _type_at(key)
    if _is_settings(annotation):
        return f"a mapping with keys such as {', '.join(list(annotation.model_fields)[:6])}"
    return "a list" if get_origin(annotation) is list else "a mapping"


def _type_at(key: Path) -> Any:
    annotation: Any = Environment
    for part in key:
        if _is_settings(annotation):
            field = annotation.model_fields.get(part)
            annotation = field.annotation if field else None
        elif get_origin(annotation) in {dict, list}:
            annotation = get_args(annotation)[-1]
        else:
            return None
        annotation = _without_none(annotation)
    return annotation


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in {Union, types.UnionType}:
        return next(part for part in get_args(annotation) if part is not type(None))
    return annotation


def _is_settings(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
