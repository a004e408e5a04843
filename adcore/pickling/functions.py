"""Python functions as their text, with what they close over and the globals that they read."""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from ..cache import globals_of, is_trusted
from ..errors import UnsupportedFunctionError
from ..plugins import Text, frontend

__all__ = ["Shared", "contents_of", "globals_read", "importable_as", "is_imported", "reduced_function"]

_MAIN = ("__main__", "__mp_main__")
_NAMES = ("__name__", "__qualname__", "__module__", "__doc__")


def importable_as(thing: Any) -> str | None:
    """The qualified name by which another process can import a function or a transformed one; None if it cannot."""
    space = vars(thing)
    name = space.get("__qualname__") or getattr(thing, "__qualname__", None)
    module = getattr(thing, "__module__", None)
    if not isinstance(name, str) or not isinstance(module, str) or module in _MAIN or _travels(module):
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return name if found is thing else None


def _travels(module: str) -> bool:
    """Whether the user has asked cloudpickle to pickle what a module contains by value."""
    cloudpickle = sys.modules.get("cloudpickle")
    asked = () if cloudpickle is None else cloudpickle.list_registry_pickle_by_value()
    return any(module == m or module.startswith(f"{m}.") for m in asked)


def is_imported(module: types.ModuleType) -> bool:
    """Whether another process can import a module by its name."""
    return module.__name__ not in _MAIN and sys.modules.get(module.__name__) is module


class Namespace:
    """Stands for the globals of a module: the module's own where it is adcore's or one that adcore uses, else a dict
    with what the functions read.
    """

    def __init__(self, space: dict[str, Any]) -> None:
        self.module = space.get("__name__", "__main__")
        imported = sys.modules.get(self.module)
        self.is_whole = is_trusted(self.module) and imported is not None and vars(imported) is space

    def __reduce__(self) -> Any:
        return (_of_module if self.is_whole else _of_names), (self.module,)


def _of_module(module: str) -> dict[str, Any]:
    return vars(import_module(module))


def _of_names(module: str) -> dict[str, Any]:
    return {"__builtins__": builtins, "__name__": module}


class Cell:
    """Stands for a variable of an enclosing function, which several functions may share."""

    def __reduce__(self) -> Any:
        return types.CellType, ()


class Shared:
    """What the functions of one pickle have in common."""

    def __init__(self) -> None:
        self._spaces: dict[int, Namespace] = {}
        self._cells: dict[int, Cell] = {}

    def namespace(self, space: dict[str, Any]) -> Namespace:
        return self._spaces.setdefault(id(space), Namespace(space))

    def cell(self, cell: types.CellType) -> Cell:
        return self._cells.setdefault(id(cell), Cell())


def reduced_function(function: types.FunctionType, shared: Shared) -> Any:
    """How a function is pickled by its text, None where there is none: it is made empty first, since what it reads may
    refer to it.
    """
    try:
        text = frontend().written(function)
    except UnsupportedFunctionError:
        return None
    namespace = shared.namespace(function.__globals__)
    cells = tuple(shared.cell(cell) for cell in function.__closure__ or ())
    read = {} if namespace.is_whole else dict(globals_read(function))
    state = {
        "names": {name: getattr(function, name) for name in _NAMES},
        "attributes": {k: v for k, v in vars(function).items() if k != "__adcore_derived__"},
        "contents": [contents_of(cell) for cell in function.__closure__ or ()],
        "globals": read,
        "submodules": [] if namespace.is_whole else _submodules(function, read),
    }
    defaults = (function.__defaults__, function.__kwdefaults__)
    return _empty, (text, namespace, cells, *defaults), state, None, None, _filled


def contents_of(cell: types.CellType) -> tuple[Any, ...]:
    """What a variable holds; nothing before it is bound."""
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def globals_read(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """The globals that a function, or one inside it, names."""
    space = function.__globals__
    return ((name, space[name]) for name in globals_of(function.__code__) if name in space)


def _submodules(function: types.FunctionType, read: dict[str, Any]) -> list[str]:
    """Modules of packages that a function reaches by attributes, which importing the package need not import."""
    words = set(_words(function.__code__))
    packages = [m.__name__ for m in read.values() if isinstance(m, types.ModuleType) and hasattr(m, "__path__")]
    found = (m for m in list(sys.modules) for p in packages if m.startswith(f"{p}."))
    return sorted({m for m in found if set(m.split(".")[1:]) <= words})


def _words(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield from _words(each)


def _empty(
    text: Text,
    namespace: dict[str, Any],
    cells: tuple[types.CellType, ...],
    defaults: tuple[Any, ...] | None,
    by_name: dict[str, Any] | None,
) -> types.FunctionType:
    made = types.FunctionType(frontend().compiled(text), namespace, text.name, defaults, cells)
    made.__kwdefaults__ = by_name
    return made


def _filled(function: types.FunctionType, state: dict[str, Any]) -> None:
    for name in state["submodules"]:
        import_module(name)
    for name, value in state["globals"].items():
        function.__globals__.setdefault(name, value)
    for name, value in state["names"].items():
        setattr(function, name, value)
    vars(function).update(state["attributes"])
    for cell, contents in zip(function.__closure__ or (), state["contents"], strict=True):
        if contents:
            (cell.cell_contents,) = contents
