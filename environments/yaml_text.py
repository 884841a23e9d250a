"""YAML as environment files are written in it: one document of plain data.

Scalars mean what YAML 1.2's core schema says (``no`` and ``on`` are text, ``1:30`` is text, ``010`` is ten),
which is also what editors check with. Aliases and merge keys work; what they expand to is limited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from synthesis.rules import Path, printable, shown

MOST_VALUES = 20_000
"""So many keys and values a file may hold, its aliases written out."""
MOST_LEVELS = 30

_PREFIX = "tag:yaml.org,2002:"
_SCALARS: dict[str, re.Pattern[str]] = {
    f"{_PREFIX}null": re.compile(r"~|null|Null|NULL|", re.ASCII),
    f"{_PREFIX}bool": re.compile(r"true|True|TRUE|false|False|FALSE"),
    f"{_PREFIX}int": re.compile(r"[-+]?[0-9]{1,30}"),
    f"{_PREFIX}float": re.compile(
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
    ),
}
_MERGE = f"{_PREFIX}merge"
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class YamlFault(Exception):
    """Text that cannot be read any further.

    Attributes:
        message: what is wrong; what is allowed.
        line: where, from 1; 0 where that is not known.
        key: the path of the key, where one is known.
    """

    def __init__(self, message: str, line: int = 0, key: Path = ()) -> None:
        self.message, self.line, self.key = message, line, key
        super().__init__(message)


class _Composer(yaml.SafeLoader):
    """PyYAML as far as the tree of nodes; nothing of its construction of objects is used."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own attribute)
    _level = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        self._level += 1
        if self._level > MOST_LEVELS:
            line = self.line + 1
            raise YamlFault(f"is nested more than {MOST_LEVELS} deep; must be flatter", line)
        node = super().compose_node(parent, index)
        self._level -= 1
        return node


for _tag, _pattern in _SCALARS.items():
    _Composer.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern.pattern})$"), None)
_Composer.add_implicit_resolver(_MERGE, re.compile("^<<$"), ["<"])


class Document:
    """The data of a YAML text.

    Attributes:
        data: mappings, lists, text, numbers, booleans and nulls.
        faults: what is wrong with it though it could be read, such as a key that stands twice.
        unread: the keys whose values are left out, for no plain data stands there.
        lines: the line of each key.

    Raises:
        YamlFault: for a text that is not one YAML document of plain data.
    """

    def __init__(self, text: str) -> None:
        self.faults: list[YamlFault] = []
        self.unread: list[Path] = []
        self.lines: dict[Path, int] = {}
        self._left = MOST_VALUES
        self._open: set[int] = set()
        if match := _CONTROL.search(text):
            line = text.count("\n", 0, match.start()) + 1
            raise YamlFault(f"holds the control character {shown(match[0])}; must be printable text", line)
        node = _compose(text)
        self.data = None if node is None else self._data(node, ())

    def _data(self, node: Node, key: Path) -> Any:
        line = node.start_mark.line + 1
        self._left -= 1
        if self._left < 0:
            raise YamlFault(
                f"holds more than {MOST_VALUES} values, its aliases written out; must hold fewer", line, key
            )
        if id(node) in self._open:
            raise YamlFault("refers to itself; must not", line, key)
        self._open.add(id(node))
        try:
            return (
                self._collection(node, key) if not isinstance(node, ScalarNode) else self._scalar(node, key)
            )
        finally:
            self._open.discard(id(node))

    def _collection(self, node: Node, key: Path) -> Any:
        if isinstance(node, SequenceNode) and node.tag == f"{_PREFIX}seq":
            return [self._data(item, (*key, index)) for index, item in enumerate(node.value)]
        if isinstance(node, MappingNode) and node.tag == f"{_PREFIX}map":
            return self._mapping(node, key)
        return self._refuse_tag(node, key)

    def _mapping(self, node: MappingNode, key: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for name_node, value_node in node.value:
            line = name_node.start_mark.line + 1
            if name_node.tag == _MERGE:
                for mapping in self._merged(value_node, key):
                    merged = {**mapping, **merged}
                continue
            name = self._data(name_node, key)
            if not isinstance(name, str):
                message = f"has the key {shown(name)}, which is not text; must be text (put it in quotes)"
                self.faults.append(YamlFault(message, line, key))
                continue
            value = self._data(value_node, (*key, name))
            if name in data:
                first = self.lines[(*key, name)]
                message = f"stands twice, in lines {first} and {line}; must stand once"
                self.faults.append(YamlFault(message, line, (*key, name)))
                continue
            data[name] = value
            self.lines[(*key, name)] = line
        return {**merged, **data}

    def _merged(self, node: Node, key: Path) -> Iterator[dict[str, Any]]:
        for item in node.value if isinstance(node, SequenceNode) else [node]:
            mapping = self._data(item, key)
            if not isinstance(mapping, dict):
                message = "merges (<<) what is not a mapping; must be an alias of a mapping"
                raise YamlFault(message, item.start_mark.line + 1, key)
            yield mapping

    def _scalar(self, node: ScalarNode, key: Path) -> Any:
        text, kind = node.value, node.tag.removeprefix(_PREFIX)
        if node.tag == _MERGE:
            return text
        if kind != "str" and not (node.tag in _SCALARS and _SCALARS[node.tag].fullmatch(text)):
            return self._refuse_tag(node, key)
        match kind:
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return int(text)
            case "float":
                return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise YamlFault("holds half of a character; must be text", node.start_mark.line + 1, key)
        if "TfToken[" in text:
            # https://developer.hashicorp.com/terraform/cdktf/concepts/tokens
            raise YamlFault(
                "holds TfToken[, which CDKTF replaces by a value of its own; must be other text",
                node.start_mark.line + 1,
                key,
            )
        return text

    def _refuse_tag(self, node: Node, key: Path) -> None:
        self.unread.append(key)
        tag = printable(node.tag.replace(_PREFIX, "!!"))[:60]
        self.faults.append(YamlFault(f"has the tag {tag}; must be plain data", node.start_mark.line + 1, key))


def _compose(text: str) -> Node | None:
    loader = _Composer(text)
    try:
        if not loader.check_node():
            return None
        node: Node | None = loader.get_node()
        if loader.check_node():
            raise YamlFault("begins a second document; must be one document", loader.line + 1)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlFault(_explained(error), mark.line + 1 if mark else 0) from None
    except (ValueError, OverflowError):
        # PyYAML gives an escape such as "\\UFFFFFFFF" to chr() unchecked.
        line = loader.line + 1
        raise YamlFault("holds an escape that stands for no character; must be text", line) from None
    finally:
        loader.dispose()
    return node


def _explained(error: yaml.MarkedYAMLError) -> str:
    problem = printable((error.problem or "").replace("\n", " "))
    if "'\\t'" in problem:
        return "is indented with a tab; must be indented with spaces"
    where = f" ({printable(error.context)})" if error.context else ""
    return f"is not YAML: {problem}{where}; must be YAML"
