"""Constraints on settings as data: one source for three readers.

A `Rule` says what a value may be: as a Python check and words for the environment file's errors, as a
condition for the ``validation`` block of an exported Terraform variable (with the same words), and as
JSON Schema for editors. `CrossRule` does the same for settings that must fit one another.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from synthesis.left_open import LeftOpen, filled_in
from synthesis.secret_values import holds_secret

Path = tuple[str | int, ...]
RULE = "rule"
"""The type of pydantic's error for a value that its `Rule` refuses; the message says all."""
CROSS_RULE = "cross_rule"
"""The type of pydantic's error for a `Fault`; its context has ``depends_on`` and the ``depth`` of its path."""


def shown(value: object, longest: int = 60) -> str:
    """A value as an error shows it: one line, as in YAML, shortened; a secret's value never."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}[str(value)]
    text = json.dumps(value, ensure_ascii=False)
    if holds_secret(text):
        return "what looks like a secret's value (not shown)"
    return printable(text if len(text) <= longest else f"{text[:longest]}...")


def printable(text: str) -> str:
    """The text on one line, without what a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable_lines(text: str) -> str:
    """The text without what a terminal would obey; its lines stay lines."""
    return "\n".join(printable(line.expandtabs(4)) for line in text.split("\n"))


@dataclass(frozen=True)
class Rule:
    """What one value may be; used as ``Annotated[int, whole(1, 6)]``.

    Attributes:
        allowed: words that complete "must be ...".
        check: whether a value of the right type is allowed; of an expression, the condition that says so.
        schema: what JSON Schema can say of it.
    """

    allowed: str
    check: Callable[[Any], bool]
    schema: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def refusal(self, value: object) -> str:
        """What is said of a value that is not allowed."""
        return f"got {shown(value)}; must be {self.allowed}"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._validate, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), **self.schema}

    def _validate(self, value: object, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            checked = handler(value)
            allowed = self.check(checked)
        except ValidationError:
            allowed = False
        if not allowed:
            raise PydanticCustomError(RULE, "{refusal}", {"refusal": self.refusal(value)})
        return checked


@dataclass(frozen=True)
class Fault:
    """What is wrong with settings that fail a rule on several keys.

    Attributes:
        path: the key to report it at, below the settings.
        message: what is wrong and what is allowed.
        depends_on: the keys, below the settings, that the fault comes from.
    """

    path: Path
    message: str
    depends_on: tuple[Path, ...]


@dataclass(frozen=True)
class CrossRule:
    """What several settings of one class must be together.

    Attributes:
        path: the key to report a fault at, below the settings.
        message: what is wrong and what is allowed; a function of the settings where it names their values.
        check: whether the settings are allowed; of expressions, the condition that says so.
    """

    path: Path
    message: str | Callable[[Any], str]
    check: Callable[[Any], bool]

    def words(self, settings: Any) -> str:
        """The message; of expressions, as a Terraform template."""
        return self.message if isinstance(self.message, str) else self.message(settings)

    def faults(self, settings: Any) -> Iterable[Fault]:
        """What it finds in settings with values."""
        if not self.check(settings):
            yield Fault(self.path, self.words(settings), read_by(self.check, settings))


@dataclass(frozen=True)
class ItemRule:
    """What each item of a mapping must be, beside what its type says.

    Attributes:
        key: the mapping's key.
        message: what is wrong and what is allowed; a function as `check` is where it names values.
        check: whether an item is allowed, of the settings and the item's name and value.
        below: the key below the item that a fault is reported at.
    """

    key: str
    message: str | Callable[[Any, Any, Any], str]
    check: Callable[[Any, Any, Any], bool]
    below: Path = ()

    def words(self, settings: Any, name: Any, value: Any) -> str:
        """The message; of expressions, as a Terraform template."""
        return self.message if isinstance(self.message, str) else self.message(settings, name, value)

    def faults(self, settings: Any) -> Iterable[Fault]:
        """What it finds in settings with values."""
        for name, value in getattr(settings, self.key).items():
            if not self.check(settings, name, value):
                depends_on = read_by(partial(self._check_again, name), settings)
                yield Fault((self.key, name, *self.below), self.words(settings, name, value), depends_on)

    def _check_again(self, name: str, settings: Any) -> bool:
        return self.check(settings, name, getattr(settings, self.key)[name])


def read_by(check: Callable[[Any], object], settings: Any) -> tuple[Path, ...]:
    """The keys that a check reads of settings."""
    read: list[Path] = []
    check(_Recorded(settings, (), read))
    return tuple(
        path for path in dict.fromkeys(read) if not any(path == other[: len(path)] != other for other in read)
    )


class _Recorded:
    """Settings, or a mapping in them, that notes what is read of it."""

    def __init__(self, of: Any, path: Path, read: list[Path]) -> None:
        self._of, self._path, self._noted = of, path, read

    def _note(self, key: str | int, value: Any) -> Any:
        path = (*self._path, key)
        self._noted.append(path)
        is_deep = isinstance(value, BaseModel) or (
            isinstance(value, dict) and any(isinstance(item, BaseModel) for item in value.values())
        )
        return _Recorded(value, path, self._noted) if is_deep else value

    def __getattr__(self, name: str) -> Any:
        derived = getattr(type(self._of), name, None)
        if isinstance(derived, property) and derived.fget:
            return derived.fget(self)
        return self._note(name, getattr(self._of, name))

    def __getitem__(self, key: str) -> Any:
        return self._note(key, self._of[key])

    def items(self) -> Iterator[tuple[str, Any]]:
        for name in self._of:
            yield name, self[name]

    def __eq__(self, other: object) -> bool:
        return bool(self._of == other)

    def __hash__(self) -> int:
        return hash(self._of)


class Settings(BaseModel):
    """The base of all settings: immutable, closed, no silent conversions.

    Raises:
        pydantic.ValidationError: with one error per fault.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    rules: ClassVar[tuple[CrossRule | ItemRule, ...]] = ()
    left_open: ClassVar[Mapping[str, LeftOpen]] = {}
    """Keys whose default depends on other keys, and what it is of the settings, those above included; a key in its own
    default is the one above."""

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: Any) -> Any:
        return filled_in(cls, data, {}) if isinstance(data, dict) else data

    def faults(self) -> Iterable[Fault]:
        """What the cross rules find; a class with rules that Terraform can't state adds them here."""
        for rule in self.rules:
            yield from rule.faults(self)

    @model_validator(mode="after")
    def _obey_cross_rules(self) -> Self:
        lines = [
            InitErrorDetails(
                type=PydanticCustomError(
                    CROSS_RULE,
                    "{message}",
                    {"message": fault.message, "depends_on": fault.depends_on, "depth": len(fault.path)},
                ),
                loc=fault.path,
                input=None,
            )
            for fault in self.faults()
        ]
        if lines:
            raise ValidationError.from_exception_data(type(self).__name__, lines)
        return self
