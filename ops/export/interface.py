"""The interface of the modules: what a release promises to those who call it, and what breaks the promise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ops.export.constructs import Module, modules_of, unwritten_app
from ops.export.moved import Move
from ops.export.root import RootModule
from ops.export.type_constraints import Constraint, narrowed

_KEY = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True)
class Interface:
    """What callers of a module and their states know of it.

    Attributes:
        addresses: of resources, or of the root's calls, each with ``one``, ``count`` or ``for_each``.
        inputs: by name, each with its ``type``, whether it is ``nullable``, and its ``default`` if it has one.
        outputs: their names.
    """

    addresses: Mapping[str, str]
    inputs: Mapping[str, Mapping[str, Any]]
    outputs: tuple[str, ...]


Interfaces = Mapping[str, Interface]
"""By the submodule's name; the root's is the empty text."""


def interfaces() -> dict[str, Interface]:
    """The interfaces of the root and of all submodules, as the constructs are now."""
    with unwritten_app() as app:
        modules = modules_of(app)
        root = RootModule(app, modules)
        calls = {f"module.{name}": _instances(arguments) for name, arguments in root.calls.items()}
        return {
            "": _interface(calls, root.synthesis),
            **{module.name: _interface(_resources(module), module.synthesis) for module in modules.values()},
        }


def _resources(module: Module) -> dict[str, str]:
    return {".".join(made.labels): _instances(made.body) for made in module.of_kind("resource")}


def _instances(body: Mapping[str, Any]) -> str:
    return next((name for name in ("count", "for_each") if name in body), "one")


def _interface(addresses: Mapping[str, str], synthesis: Mapping[str, Any]) -> Interface:
    inputs = {
        name: {
            "type": " ".join(body["type"].split()),
            "nullable": body["nullable"],
            **({"default": _plain(body["default"])} if "default" in body else {}),
        }
        for name, body in synthesis["variable"].items()
    }
    return Interface(
        dict(sorted(addresses.items())), dict(sorted(inputs.items())), tuple(sorted(synthesis["output"]))
    )


def _plain(default: Any) -> Any:
    return None if default == "${null}" else default


def breaks(
    before: Interfaces, after: Interfaces, moves: Mapping[str, Iterable[Move]]
) -> Iterator[tuple[str, str]]:
    """What an upgrade from one to the other breaks: the name of the thing, and a sentence.

    Args:
        before: what was released.
        after: what there is now.
        moves: the changes of addresses, by module.
    """
    for name, old in before.items():
        place = f"modules/{name}" if name else "the root"
        if name not in after:
            yield name, f"{place} is gone."
            continue
        for thing, sentence in _breaks_of(old, after[name], list(moves.get(name, ()))):
            yield thing, f"{place}: {sentence}"


def _breaks_of(old: Interface, new: Interface, moves: list[Move]) -> Iterator[tuple[str, str]]:
    for address, instances in old.addresses.items():
        if not _is_kept(address, instances, new, moves):
            yield address, f"{address} ({instances}) has no successor. Add a Move to ops/export/moved.py."
    for name in old.outputs:
        if name not in new.outputs:
            yield name, f"output {name} is gone. Keep it until the next major version."
    for name, body in old.inputs.items():
        yield from ((name, f"input {sentence}.") for sentence in _narrowed(name, body, new.inputs.get(name)))
    for name, body in new.inputs.items():
        if name not in old.inputs and "default" not in body:
            yield name, f"input {name} is new and has no default. Give it one."


def _is_kept(address: str, instances: str, new: Interface, moves: list[Move]) -> bool:
    """Whether Terraform finds what was at an address: at the same one, or at the end of its moves."""
    # From and to a count Terraform moves by itself
    # (https://developer.hashicorp.com/terraform/language/modules/develop/refactoring).
    now = new.addresses.get(address)
    if now and (now == instances or "for_each" not in {now, instances}):
        return True
    seen: set[str] = set()
    found = {address}
    while found - seen:
        seen |= found
        found = {_KEY.sub("", move.after) for move in moves if _KEY.sub("", move.before) in seen}
        if any(after in new.addresses or after.startswith("module.") for after in found):
            return True
    return False


def _narrowed(name: str, old: Mapping[str, Any], new: Mapping[str, Any] | None) -> Iterator[str]:
    if new is None:
        yield f"{name} is gone"
        return
    if "default" in old and "default" not in new:
        yield f"{name} has no default any more"
    if old["nullable"] and not new["nullable"] and "default" not in new:
        yield f"{name} takes no null any more"
    yield from narrowed(Constraint.of(old["type"]), Constraint.of(new["type"]), name)
