"""``scythe-aws schema`` and ``settings``: what an environment file may say, for editors and for people."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import jinja2
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from environments.loading import FOLDER
from environments.schema import Environment, json_schema
from synthesis.rules import Rule

SCHEMA = FOLDER / "schema.json"
"""The schema that the environments of the folder name in their first line."""

_TEMPLATE = "settings.md.j2"


@dataclass(frozen=True)
class Key:
    """One row of the table.

    Attributes:
        path: the key below its section, such as ``<name>.scaling.max``.
        allowed: what may stand there, in the words of the errors.
        default: what counts when it is left out, as YAML says it; empty where there is nothing.
        description: what it is for.
    """

    path: str
    allowed: str
    default: str
    description: str


@dataclass
class Section:
    """The keys below one of the file's own.

    Attributes:
        name: the key; empty for those that have none below them.
        description: what they are about.
        keys: all of them.
    """

    name: str
    description: str
    keys: list[Key] = field(default_factory=list)


def write_schema(out: Path | None = None) -> Path:
    """Write the JSON Schema of environment files.

    Args:
        out: the file; `SCHEMA` by default.
    """
    return _write(out or SCHEMA, json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")


def write_settings(out: Path) -> Path:
    """Write the table of all settings, as Markdown."""
    return _write(out, settings_table())


def settings_table() -> str:
    """The table of all settings, as Markdown."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701  # Markdown, of our own words
    )
    templates.filters["cell"] = lambda text: " ".join(text.split()).replace("|", "\\|").replace("<", "\\<")
    return templates.get_template(_TEMPLATE).render(sections=sections())


def sections() -> list[Section]:
    """All keys that an environment file may have, in its order."""
    plain = Section("", "What the file says of the environment as a whole.")
    found = [plain]
    for name, info in Environment.model_fields.items():
        inner = _settings(info.annotation)
        if inner is None:
            plain.keys.append(_key(name, info, info.default))
            continue
        section = Section(name, info.description or "")
        prefix = "<name>." if get_origin(info.annotation) is dict else ""
        section.keys += _keys(inner, prefix, _instance(info.default))
        found.append(section)
    return found


def _keys(model: type[BaseModel], prefix: str, defaults: BaseModel | None) -> Iterator[Key]:
    for name, info in model.model_fields.items():
        default = info.default if defaults is None else getattr(defaults, name)
        inner = _settings(info.annotation)
        if inner is None or default is None or isinstance(default, list):
            yield _key(prefix + name, info, default)
        if inner is not None:
            ending = "[]." if isinstance(default, list) else "."
            yield from _keys(inner, f"{prefix}{name}{ending}", _instance(default))


def _key(path: str, info: FieldInfo, default: object) -> Key:
    return Key(path, _allowed(info), _shown(default), info.description or "")


def _allowed(info: FieldInfo) -> str:
    rules = [rule for rule in info.metadata if isinstance(rule, Rule)]
    return rules[0].allowed if rules else _words(info.annotation)


def _words(annotation: Any) -> str:
    annotation = _without_none(annotation)
    if get_origin(annotation) is Annotated:
        return next(rule.allowed for rule in get_args(annotation)[1:] if isinstance(rule, Rule))
    if _settings(annotation) is not None:
        return "a list of mappings" if get_origin(annotation) is list else "a mapping"
    name, value = get_args(annotation)
    return f"a mapping from {_words(name)} to {_words(value)}"


def _shown(default: object) -> str:
    if default is PydanticUndefined:
        return "required"
    return "" if default is None else f"`{json.dumps(default)}`"


def _settings(annotation: Any) -> type[BaseModel] | None:
    """The settings that an annotation holds: themselves, optional, in a list, or by name."""
    annotation = _without_none(annotation)
    if get_origin(annotation) in {dict, list}:
        annotation = get_args(annotation)[-1]
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in {Union, types.UnionType}:
        return next(part for part in get_args(annotation) if part is not type(None))
    return annotation


def _instance(default: object) -> BaseModel | None:
    return default if isinstance(default, BaseModel) else None


def _write(out: Path, text: str) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    return out
