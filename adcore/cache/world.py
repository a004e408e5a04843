"""What a specialisation may depend on, put into a canonical form.

From the function everything is followed that lowering could read: its code, the globals that the code names, what it
closes over, defaults, attributes of modules, classes and their methods, the arguments' constants.  Two worlds with the
same form are alike for lowering, but for numbers and arrays that are held by a name: of these the form has only what a
program is specialised on, since they are mostly read at every call; `digest_of` tells the others apart.  Objects are
counted in the order in which they are met, so that a number stands for what is the same object in another process.
"""

from __future__ import annotations

import collections
import dataclasses
import enum
import functools
import inspect
import opcode
import struct
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from ..arguments import abstract
from ..errors import DtypeError
from ..plugins import Leaf, Spec, Static
from ..structured import Structured
from ..trees import is_namedtuple
from .names import is_ours, is_trusted, name_of

__all__ = ["Slot", "UnstorableError", "World", "digest_of", "globals_of", "has_own_code"]

OBJECTS = 3000  # more are not followed
WORDS = 30_000  # of the form, likewise
BYTES = 1 << 22  # of arrays that count by their contents


class UnstorableError(Exception):
    """Something that another process cannot recognize."""


@dataclass(frozen=True, eq=False)
class Slot:
    """A number or array that is held by a name: a global variable, a variable of an enclosing function, an attribute.

    Attributes:
        owner: the closure cell, or the dict, as a capture has it.
        name: as a capture has it; None for a cell.
        value: what it holds.
    """

    owner: Any
    name: Any
    value: Any


_LITERALS = {bool, int, float, complex, str, bytes, types.NoneType, types.EllipsisType, types.NotImplementedType}
_BY_VALUE = _LITERALS - {float, complex}  # for compiled code, or there is but one of them
_NUMBERS = (bool, int, float, complex)
_DICTS = (dict, collections.OrderedDict, collections.defaultdict)
_NAMES_READ = {opcode.opmap[n] for n in ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL") if n in opcode.opmap}
_GLOBAL, _EXTENDED = opcode.opmap["LOAD_GLOBAL"], opcode.EXTENDED_ARG
_KNOWN_OPCODES = sys.version_info < (3, 15)  # in which the argument of LOAD_GLOBAL is twice the index of the name

# What Python or `dataclass` puts into a class, and says nothing that is not said elsewhere.
_OF_CLASSES = {
    *("__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__annotations__", "__annotate_func__"),
    *("__annotations_cache__", "__abstractmethods__", "_abc_impl", "__parameters__", "__orig_bases__"),
    *("__static_attributes__", "__firstlineno__", "__dataclass_fields__", "__dataclass_params__", "__classcell__"),
}


class World:
    """The form of a function's surroundings.

    Attributes:
        objects: what was met, by number.
        slots: the numbers and arrays that are held by a name.
        files: of the functions that were met.
    """

    def __init__(self, *roots: Any) -> None:
        """Follow these.

        Raises:
            UnstorableError: something is not of a known kind, or there is too much.
        """
        self.objects: list[Any] = []
        self.slots: list[Slot] = []
        self.files: list[str] = []
        self._numbers: dict[int, int] = {}
        self._form: list[str] = []
        self._done = 0  # objects whose contents are in the form
        self._bytes = 0  # of arrays whose contents are
        self._held: set[tuple[int, Any]] = set()
        self._names: dict[str, None] = {}  # that code uses for attributes
        self._modules: list[types.ModuleType] = []
        self._read: dict[int, int] = {}  # how many of the names were looked up, by the position of the module
        try:
            for root in roots:
                self._visit(root)
            self._finish()
        except RecursionError:
            raise UnstorableError("something that is nested too deeply") from None

    def digest(self) -> bytes:
        """Of the form."""
        return blake2b("\n".join(self._form).encode("utf-8", "surrogatepass"), digest_size=20).digest()

    def number(self, thing: Any) -> int | None:
        """The number of an object, if it was met."""
        return self._numbers.get(id(thing))  # all that have one are alive

    def object(self, number: int) -> Any:
        """What has this number."""
        found = self.objects[number]
        return found.thing if type(found) is _Kept else found

    def slot(self, owner: Any, name: Any) -> int | None:
        """The index of the slot that a capture reads."""
        name = None if isinstance(owner, types.CellType) else name
        return next((k for k, s in enumerate(self.slots) if s.owner is owner and s.name == name), None)

    def follows(self, owner: Any, name: Any) -> bool:
        """Whether what an owner holds under a name is in the form."""
        return (id(owner), None if isinstance(owner, types.CellType) else name) in self._held

    # The form

    def _put(self, *things: Any) -> None:
        if len(self._form) >= WORDS:
            raise UnstorableError(f"more than {WORDS} things that it may depend on")
        self._form.append(repr(things))

    def _visit(self, value: Any) -> None:
        kind = type(value)
        if kind in _LITERALS:
            self._put(kind.__name__, _exactly(value))
            if kind not in _BY_VALUE:
                self._remember(value)
        elif kind is tuple or kind is frozenset:
            self._remember(value)
            self._sequence(kind.__name__, value)
        elif kind in _INLINE:
            self._remember(value)
            _INLINE[kind](self, value)
        elif isinstance(value, np.generic):
            self._put("scalar", str(value.dtype), value.tobytes())
            self._remember(value)
        elif isinstance(value, np.dtype):
            self._remember(value)
            self._put("dtype", repr(value), value.itemsize, value.alignment, str(value.metadata))
        else:
            self._refer(value)

    def _remember(self, value: Any) -> int:
        """The number of an object that is met for the first time, or of one whose identity says nothing."""
        number = len(self.objects)
        if number >= OBJECTS:
            raise UnstorableError(f"more than {OBJECTS} objects that it may depend on")
        self.objects.append(value)
        self._numbers.setdefault(id(value), number)
        return number

    def _identical(self, value: Any) -> None:
        """Something that compiled code may know by identity, and which other thing that was met it is."""
        self._visit(value)
        if type(value) not in _BY_VALUE:
            self._put("is", self.number(value))

    def _refer(self, value: Any) -> None:
        """The number of an object, whose contents come later."""
        known = self.number(value)
        if known is not None and type(self.objects[known]) is _Kept:
            raise UnstorableError("a namespace that is used as a dict")
        self._put("object", self._remember(value) if known is None else known)

    def _sequence(self, kind: str, values: Iterable[Any]) -> None:
        if kind in ("set", "frozenset"):
            self._put(kind, sorted(digest_of(v).hex() for v in values))
            return
        items = list(values)
        self._put(kind, len(items))
        for item in items:
            self._visit(item)

    def _finish(self) -> None:
        """The contents of all objects, and what is read of modules."""
        while True:
            while self._done < len(self.objects):
                value = self.objects[self._done]
                self._done += 1
                kind = type(value)
                if kind not in _FINISHED and not isinstance(value, np.dtype | np.generic):
                    self._put("contents", self._done - 1)
                    self._contents(value)
            if not self._attributes_of_modules():
                return

    def _contents(self, value: Any) -> None:
        kind = type(value)
        if is_ours(kind) and not isinstance(value, enum.Enum):
            self._our_own(value)
            return
        name = None if kind in _CONTENTS and kind not in _MAY_HAVE_NAMES else name_of(value)
        if name is not None:
            self._put("name", *name)
            if isinstance(value, types.ModuleType):
                self._modules.append(value)
            return
        follow = _CONTENTS.get(kind)
        if follow is not None:
            follow(self, value)
        elif isinstance(value, type):
            self._class(value)
        elif isinstance(value, enum.Enum):
            self._put("member", value._name_)
            self._visit(kind)
        else:
            self._other(value)

    # Functions

    def _function(self, function: types.FunctionType) -> None:
        self._put("function", function.__name__, function.__qualname__, function.__module__)
        self._visit(function.__code__)
        self._visit(function.__defaults__)
        self._visit(None if function.__kwdefaults__ is None else tuple(function.__kwdefaults__.items()))
        own = {k: v for k, v in vars(function).items() if k != "__adcore_derived__"}
        self._visit(tuple(own.items()))
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            self._put("cell", name)
            self._refer(cell)
        outside = function.__globals__
        self._own(outside)
        for name in globals_of(function.__code__):
            self._put("global", name)
            if name in outside:
                self._slot(outside, name, outside[name])
            else:
                self._visit(vars(_BUILTINS).get(name))

    def _cell(self, cell: types.CellType) -> None:
        try:
            value = cell.cell_contents
        except ValueError:
            self._put("empty")
            return
        self._slot(cell, None, value)

    def _code(self, code: types.CodeType) -> None:
        if code.co_filename not in self.files:
            self.files.append(code.co_filename)
        self._put("code", code.co_name, code.co_qualname, code.co_firstlineno, self.files.index(code.co_filename))
        self._put(code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        self._put(code.co_code, code.co_linetable, code.co_exceptiontable)
        self._put(code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        self._names |= dict.fromkeys(code.co_names)
        self._sequence("constants", code.co_consts)
        self._names |= dict.fromkeys(_texts(code.co_consts))

    def _method(self, method: types.MethodType) -> None:
        self._put("method")
        self._visit(method.__func__)
        self._visit(method.__self__)

    def _builtin(self, function: types.BuiltinFunctionType) -> None:
        owner = function.__self__
        if owner is None or isinstance(owner, types.ModuleType):
            raise UnstorableError(f"{function!r}, which is known by no name")
        self._put("method", function.__name__)
        self._visit(owner)

    def _partial(self, bound: functools.partial[Any]) -> None:
        self._put("partial")
        self._visit(bound.func)
        self._visit(bound.args)
        self._visit(tuple(bound.keywords.items()))

    def _wrapped(self, function: Any) -> None:
        self._put("cached", repr(function.cache_parameters()))
        self._visit(function.__wrapped__)

    def _descriptor(self, found: Any) -> None:
        self._put("method", found.__name__)
        self._visit(found.__objclass__)

    def _property(self, found: property) -> None:
        self._put("property")
        for each in (found.fget, found.fset, found.fdel):
            self._visit(each)

    def _around(self, found: Any) -> None:
        self._put(type(found).__name__)
        self._visit(getattr(found, "func" if isinstance(found, functools.cached_property) else "__func__"))

    # Modules

    def _module(self, module: types.ModuleType) -> None:
        self._put("module", module.__name__)
        self._own(vars(module))
        self._modules.append(module)

    def _attributes_of_modules(self) -> bool:
        """Look up in modules what code names; gives whether there was anything new."""
        names, count = list(self._names), len(self.objects)
        looked = False
        for k, module in enumerate(self._modules):
            first, self._read[k] = self._read.get(k, 0), len(names)
            for name in names[first:]:
                looked = True
                space = vars(module)
                if is_trusted(module.__name__):
                    self._of_package(module, name)
                elif name in space:
                    self._put("attribute", k, name)
                    self._slot(space, name, space[name])
        return looked or len(self.objects) > count

    def _of_package(self, module: types.ModuleType, name: str) -> None:
        """What a package has under a name; some of its modules are imported when they are asked for."""
        space = vars(module)
        if name not in space and "__getattr__" in space and name in getattr(module, "__all__", ()):
            getattr(module, name, None)
        if name in space:
            self._put("attribute", module.__name__, name)
            self._visit(space[name])

    # Classes and instances

    def _class(self, kind: type) -> None:
        self._put("class", kind.__name__, kind.__qualname__, kind.__module__)
        if not is_trusted(type(kind).__module__):
            self._visit(type(kind))
        for base in kind.__bases__:
            self._visit(base)
        if issubclass(kind, enum.Enum):
            self._put("members", list(kind.__members__))
            for member in kind.__members__.values():
                self._visit(member._value_)
        if "__dataclass_fields__" in vars(kind):
            self._fields(kind)
        for name, value in list(vars(kind).items()):
            if name not in _OF_CLASSES and not _is_generated(kind, name, value):
                self._put("attribute", name)
                self._visit(value)

    def _fields(self, kind: Any) -> None:
        self._put("dataclass", repr(kind.__dataclass_params__))
        for name, each in kind.__dataclass_fields__.items():
            initial = isinstance(each.type, dataclasses.InitVar)
            self._put(name, each.init, each.kw_only, each.compare, each.hash, repr(each._field_type), initial)
            for default in (each.default, each.default_factory):
                self._put("default") if default is dataclasses.MISSING else self._visit(default)

    def _own(self, space: Any) -> None:
        """Count a dict that names are looked up in; its contents are not followed as those of a dict."""
        if self.number(space) is None:
            self._numbers[id(space)] = self._remember(_Kept(space))

    def _other(self, value: Any) -> None:
        kind = type(value)
        if is_namedtuple(value):
            self._put("named tuple")
            self._visit(kind)
            self._sequence("items", tuple(value))
            return
        compiled = inspect.getattr_static(value, "py_func", None)
        if isinstance(compiled, types.FunctionType) and is_trusted(kind.__module__):
            self._put("compiled", kind.__module__, kind.__qualname__, *_declared(value))
            self._visit(compiled)
            return
        if _has_hidden_state(kind):
            raise UnstorableError(f"a {kind.__module__}.{kind.__qualname__}")
        self._put("instance")
        self._visit(kind)
        for name, descriptor in _slots_of(kind):
            try:
                held = descriptor.__get__(value, kind)
            except AttributeError:
                continue
            self._put("slot", name)
            self._visit(held)
        space = _namespace(value)
        self._own(space)
        self._put("attributes", len(space))
        for name, each in list(space.items()):
            self._visit(name)
            self._slot(space, name, each)

    def _dict(self, found: dict[Any, Any]) -> None:
        self._put(type(found).__name__, len(found))
        if isinstance(found, collections.defaultdict):
            self._visit(found.default_factory)
        for key, value in list(found.items()):
            self._identical(key)
            self._slot(found, key, value)

    def _our_own(self, thing: Any) -> None:
        """A transform or structure of adcore's; a transformed function is what its transform is."""
        kind = type(thing)
        self._put("ours", kind.__module__, kind.__qualname__)
        if "transform" in getattr(thing, "__dict__", {}):
            self._visit(thing.transform)
        elif isinstance(thing, Structured):
            self._visit(thing.layout)
            self._visit(thing.fields)
        elif dataclasses.is_dataclass(thing):
            for field in dataclasses.fields(thing):
                self._visit(getattr(thing, field.name))
        else:
            raise UnstorableError(f"a {kind.__module__}.{kind.__qualname__}")

    # Numbers and arrays

    def _slot(self, owner: Any, name: Any, value: Any) -> None:
        """What a name stands for."""
        kind, key = _kind_of(value), (id(owner), name)
        first = key not in self._held
        self._held.add(key)
        if kind is None:
            self._visit(value)
            return
        self._put("held", *kind)
        if first:
            self._remember(_Kept(value))
            if isinstance(value, np.ndarray) and value.dtype.names is not None:
                self._remember(value.dtype)
            self.slots.append(Slot(owner, name, value))

    def _array(self, array: np.ndarray) -> None:
        self._bytes += array.nbytes
        if self._bytes > BYTES:
            raise UnstorableError(f"arrays of more than {BYTES} bytes that are not read at every call")
        self._put("array", digest_of(array).hex())


class _Kept:
    """Keeps something alive among the objects."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing


_BUILTINS = sys.modules["builtins"]


def _exactly(value: Any) -> Any:
    """A literal so that its form says all of it."""
    if type(value) is float:
        return struct.pack("<d", value)
    if type(value) is complex:
        return struct.pack("<dd", value.real, value.imag)
    return repr(value)


def _kind_of(value: Any) -> tuple[Any, ...] | None:
    """What a program is specialised on, of a number or array; None of anything else."""
    kind = type(value)
    if _is_generator(kind):
        return ("generator", type(value.bit_generator).__name__)
    if _is_sparse(kind):
        return (kind.__module__, kind.__name__, value.format, value.ndim, str(value.dtype), value.nnz == 1)
    if kind in _NUMBERS:
        fits = kind is not int or -(2**63) <= value < 2**63
        return (kind.__name__, fits)
    if isinstance(value, np.generic | np.ndarray) and not isinstance(value, np.void):
        try:
            spec = abstract(value)
        except DtypeError:
            if kind is not np.ndarray:
                return None
            return (kind.__name__, repr(value.dtype), value.dtype.alignment, tuple(n == 1 for n in value.shape))
        return (kind.__module__, kind.__name__, repr(spec), str(value.dtype))
    return None


def _is_generator(kind: type) -> bool:
    """Whether this is `numpy.random.Generator`, which is imported when somebody asks for it."""
    module = sys.modules.get("numpy.random")
    return kind is getattr(module, "Generator", ())  # another thread may be importing it


def _is_sparse(kind: type) -> bool:
    module = sys.modules.get("scipy.sparse")
    return issubclass(kind, (getattr(module, "spmatrix", ()), getattr(module, "sparray", ())))


def digest_of(value: Any) -> bytes:
    """Of everything that a number or array, or a literal, consists of.

    Raises:
        UnstorableError: it is something else, or too large.
    """
    found = blake2b(digest_size=20)
    kind = type(value)
    if kind in _LITERALS:
        found.update(repr((kind.__name__, _exactly(value))).encode("utf-8", "surrogatepass"))
    elif kind is tuple or kind is frozenset:
        parts = [digest_of(v) for v in value]
        found.update(repr((kind.__name__, parts if kind is tuple else sorted(parts))).encode())
    elif _is_generator(kind):
        found.update(repr(value.bit_generator.state).encode())
    elif _is_sparse(kind):
        places = value.tocoo()
        parts = [digest_of(each) for each in (places.data, *places.coords)]
        found.update(repr((kind.__qualname__, value.format, value.shape, parts)).encode())
    elif isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
        found.update(repr((kind.__module__, kind.__qualname__, repr(value.dtype), value.shape)).encode())
        found.update(value.tobytes())
    else:
        raise UnstorableError(f"a {kind.__module__}.{kind.__qualname__} in a set, or that is not read at every call")
    return found.digest()


_COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__")
_OF_VALUES = (*_COMPARISONS, "__bool__", "__len__", "__contains__", "__format__", "__str__", "__repr__")


def has_own_code(*things: Any) -> bool:
    """Whether comparing, testing or formatting these runs code of the user's, or reads what is held by names."""
    for thing in things:
        if type(thing) in _LITERALS:
            continue
        if isinstance(thing, dict) or (isinstance(thing, tuple | list | frozenset) and has_own_code(*thing)):
            return True
        methods = (inspect.getattr_static(type(thing), name, None) for name in _OF_VALUES)
        if any(isinstance(m, types.FunctionType) and not is_trusted(m.__module__) for m in methods):
            return True
    return False


def globals_of(code: types.CodeType) -> Iterator[str]:
    """The names that a function, or one inside it, looks up in its globals."""
    found: dict[str, None] = {}
    codes = [code]
    for each in codes:
        codes += [c for c in each.co_consts if isinstance(c, types.CodeType)]
        if not _KNOWN_OPCODES:
            found |= dict.fromkeys(each.co_names)
            continue
        text, extended = each.co_code, 0
        for op, low in zip(text[::2], text[1::2], strict=True):
            argument = extended | low
            extended = argument << 8 if op == _EXTENDED else 0
            if op in _NAMES_READ:
                found[each.co_names[argument >> 1 if op == _GLOBAL else argument]] = None
    return iter(found)


def _texts(constants: tuple[Any, ...]) -> Iterator[str]:
    """The strings among constants that can be names, as of getattr."""
    for each in constants:
        if type(each) is str and each.isidentifier():
            yield each
        elif type(each) is tuple:
            yield from _texts(each)


def _slots_of(kind: type) -> Iterator[tuple[str, Any]]:
    """The attributes of instances that are not in their dict."""
    for each in kind.__mro__:
        for name, found in list(vars(each).items()):
            if isinstance(found, types.MemberDescriptorType):
                yield name, found


def _declared(compiled: Any) -> Iterator[str]:
    """The types that a function compiled by Numba declares, for its arguments and for variables."""
    if not getattr(compiled, "_can_compile", True):
        yield from map(str, compiled.nopython_signatures)
    for name, kind in getattr(compiled, "locals", {}).items():
        yield f"{name}: {kind}"


def _has_hidden_state(kind: type) -> bool:
    """Whether instances hold more than their attributes: those of a class that is not written in Python, or of one that
    derives from it.
    """
    pointers = sum(1 for _ in _slots_of(kind)) + (kind.__dictoffset__ > 0) + (kind.__weakrefoffset__ > 0)
    return bool(kind.__itemsize__) or kind.__basicsize__ > object.__basicsize__ + tuple.__itemsize__ * pointers


def _namespace(value: Any) -> dict[Any, Any]:
    """The dict of an object, without what its class makes of reading attributes."""
    try:
        return object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}


def _is_generated(kind: type, name: str, value: Any) -> bool:
    """Whether a class has this by being an enumeration, a NamedTuple or a dataclass, whose parts count already."""
    if isinstance(value, types.GetSetDescriptorType | types.MemberDescriptorType):
        return True
    if issubclass(kind, enum.Enum):
        return name in kind.__members__ or (name[:1] == name[-1:] == "_" and not name.startswith("__"))
    function = getattr(value, "__func__", value)
    code = function.__code__ if isinstance(function, types.FunctionType) else None
    if is_namedtuple(kind) and tuple in kind.__bases__:
        made = code is not None and (name == "__new__" or code.co_filename == collections.__file__)
        return made or type(value).__name__ == "_tuplegetter"
    if code is None or "__dataclass_params__" not in vars(kind):
        return False
    made = code.co_filename == "<string>" and code.co_qualname.startswith("__create_fn__.")
    return made or code.co_filename == dataclasses.__file__


_INLINE: Mapping[type, Callable[[World, Any], None]] = {
    range: lambda w, r: w._put("range", r.start, r.stop, r.step),
    slice: lambda w, s: w._sequence("slice", (s.start, s.stop, s.step)),
    types.CodeType: World._code,
    Spec: lambda w, s: w._put("spec", repr(s)),
    Leaf: lambda w, s: w._put("leaf", s.index),
    Static: lambda w, s: w._identical(s.value),
}
_FINISHED = {*_INLINE, tuple, frozenset, float, complex, _Kept}  # whose contents are where they were met
_MAY_HAVE_NAMES = {types.FunctionType, types.BuiltinFunctionType, types.ModuleType}
_CONTENTS: Mapping[type, Callable[[World, Any], None]] = {
    types.FunctionType: World._function,
    types.CellType: World._cell,
    types.MethodType: World._method,
    types.BuiltinFunctionType: World._builtin,
    types.ModuleType: World._module,
    functools.partial: World._partial,
    functools._lru_cache_wrapper: World._wrapped,
    types.MethodDescriptorType: World._descriptor,
    types.WrapperDescriptorType: World._descriptor,
    property: World._property,
    staticmethod: World._around,
    classmethod: World._around,
    functools.cached_property: World._around,
    list: lambda w, v: w._sequence("list", v),
    set: lambda w, v: w._sequence("set", v),
    np.ndarray: World._array,
    **dict.fromkeys(_DICTS, World._dict),
}
