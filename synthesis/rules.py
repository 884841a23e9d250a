"""Constraints on settings as data: one source for three readers.

A `Rule` says what a value may be: as a Python check and words for the environment file's errors, as a
condition for the ``validation`` block of an exported Terraform variable (with the same words), and as
JSON Schema for editors. `CrossRule` does the same for settings that must fit one another.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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

from synthesis.secret_values import holds_secret

Path = tuple[str | int, ...]
RULE = "rule"
"""The type of pydantic's error for a value that its `Rule` refuses; the message says all."""
CROSS_RULE = "cross_rule"
"""The type of pydantic's error for a `Fault`; its context has ``depends_on`` and the ``depth`` of its path."""
PLACEHOLDER = re.compile(r"\{([a-z_]\w*)\}")


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
        check: whether a value of the right type is allowed.
        condition: the same as a Terraform expression over ``{value}``. Terraform 1.11 evaluates both
            sides of ``||`` and ``&&``, so what may fail stands in ``can()`` or ``try()``.
        schema: what JSON Schema can say of it.
    """

    allowed: str
    check: Callable[[Any], bool]
    condition: str
    schema: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def terraform(self, expression: object, *, nullable: bool = False) -> str:
        """The condition of a ``validation`` block; null passes where a value may be left out."""
        condition = PLACEHOLDER.sub(lambda _: str(expression), self.condition)
        return f"{expression} == null ? true : {condition}" if nullable else condition

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
        check: whether the settings are allowed.
        condition: the same as a Terraform expression in which keys stand as ``{az_count}``.
        template: the message as a Terraform template with such keys, where the message is a function.
        depends_on: the keys, below the settings, that a fault comes from; None for those of the condition.
    """

    path: Path
    message: str | Callable[[Any], str]
    check: Callable[[Any], bool]
    condition: str
    template: str = ""
    depends_on: tuple[Path, ...] | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the settings that the rule reads."""
        return tuple(dict.fromkeys(PLACEHOLDER.findall(self.condition)))

    def terraform(self, expressions: Mapping[str, object]) -> str:
        """The condition of a ``validation`` block, each key replaced by its expression."""
        return filled(self.condition, expressions)

    def words(self, expressions: Mapping[str, object]) -> str:
        """The message as a Terraform template, each key replaced by its expression.

        Raises:
            TypeError: the message is a function, and there is no template of it.
        """
        if self.template:
            return filled(self.template, expressions)
        if not isinstance(self.message, str):
            msg = "a rule's message is made of values, and it has no template"
            raise TypeError(msg)
        return self.message

    def faults(self, settings: Any) -> Iterable[Fault]:
        """What it finds."""
        if not self.check(settings):
            message = self.message if isinstance(self.message, str) else self.message(settings)
            depends_on = tuple((key,) for key in self.keys) if self.depends_on is None else self.depends_on
            yield Fault(self.path, message, depends_on)


@dataclass(frozen=True)
class ItemRule:
    """What each item of a mapping must be, beside what its type says.

    Attributes:
        key: the mapping's key.
        message: what is wrong and what is allowed, a Terraform template over what the condition reads.
        condition: what must hold of an item: a Terraform expression over ``{name}``, ``{value}`` and the settings' keys.
        find: finds the same faults in the settings.
        below: the key below the item that they are reported at.
    """

    key: str
    message: str
    condition: str
    find: Callable[[Any], Iterable[Fault]]
    below: Path = ()

    @classmethod
    def of(cls, key: str, message: str, check: Callable[[Any, str, Any], bool], condition: str) -> ItemRule:
        """A rule that looks at one item after the other, and reports each at itself.

        Args:
            key: the mapping's key.
            message: what is wrong and what is allowed.
            check: whether the settings' item of a name and a value is allowed.
            condition: the same as a Terraform expression.
        """
        others = [other for other in PLACEHOLDER.findall(condition) if other not in {"name", "value"}]

        def find(settings: Any) -> Iterator[Fault]:
            for name, value in getattr(settings, key).items():
                if not check(settings, name, value):
                    depends_on = [(other, name) for other in others if name in getattr(settings, other)]
                    yield Fault((key, name), message, (*depends_on, (key, name)))

        return cls(key, message, condition, find)

    def terraform(self, expressions: Mapping[str, object]) -> str:
        """The condition for one item."""
        return filled(self.condition, expressions)

    def words(self, expressions: Mapping[str, object]) -> str:
        """The message for one item, as a Terraform template."""
        return filled(self.message, expressions)

    def faults(self, settings: Any) -> Iterable[Fault]:
        """What it finds."""
        return self.find(settings)


def filled(template: str, expressions: Mapping[str, object]) -> str:
    """A condition or a message with the expression of each key in its place."""
    return PLACEHOLDER.sub(lambda match: str(expressions[match[1]]), template)


class Settings(BaseModel):
    """The base of all settings: immutable, closed, no silent conversions.

    Raises:
        pydantic.ValidationError: with one error per fault.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    rules: ClassVar[tuple[CrossRule | ItemRule, ...]] = ()
    left_open: ClassVar[Mapping[str, str]] = {}
    """Keys whose default depends on other keys, which a validator fills in: that default as a Terraform expression in
    which keys stand as ``{role}``, those of the settings above too; a key in its own default is the one above."""

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
