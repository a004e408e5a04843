"""Operators on numbers and arrays: promotion, broadcasting, and Python's own errors for Python's own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from adcore.cache import has_own_code
from adcore.errors import DtypeError, UnsupportedFunctionError, UnsupportedSyntaxError
from adcore.primitives import TypeRuleError
from adcore.types import Atom, DType, Lit, Var, literal

from .classes import is_structured, special
from .integers import add, exact_power, exact_shift, multiply, subtract
from .promotion import converted, inexact, is_python, promoted
from .values import Array, Callee, Cell, Dict, Fields, List, Method, Record, Scalar, Static, Tuple, Value, number

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = [
    "SPECIAL",
    "broadcast",
    "compare",
    "describe",
    "invert",
    "is_one",
    "mapped",
    "negative",
    "numeric",
    "operate",
    "stretch",
    "truth",
]

BITWISE = {"&": "and", "|": "or", "^": "xor"}
SHIFTS = {"<<": "shift_left", ">>": "shift_right"}
SPECIAL = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "truediv",
    "//": "floordiv",
    "%": "mod",
    "**": "pow",
    "@": "matmul",
    "&": "and",
    "|": "or",
    "^": "xor",
    "<<": "lshift",
    ">>": "rshift",
}
REFLECTED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def describe(value: Value) -> str:
    """What a value is, in the words of an error message."""
    if isinstance(value, Scalar):
        return f"a number ({value.dtype.value})"
    if isinstance(value, Array):
        return f"an array ({value.dtype.value}, rank {value.rank})"
    if isinstance(value, Static):
        return f"{value.value!r}" if value.value is None else f"a {type(value.value).__name__}"
    if isinstance(value, Tuple):
        return f"a tuple of {len(value.items)}"
    if isinstance(value, Record):
        return f"a {value.kind.__name__}"
    if isinstance(value, Fields):  # of a dict or an object
        return f"one with {', '.join(map(repr, value.items)) or 'nothing'}"
    return "a function" if isinstance(value, Callee) else f"a {type(value).__name__.lower()}"


def is_one(atom: Atom) -> bool:
    return isinstance(atom, Lit) and atom.value == 1


def numeric(low: Lowering, value: Value, use: str = "an operand") -> Scalar | Array:
    """The value as a number or array; a tuple or list of numbers is not one."""
    if isinstance(value, Scalar | Array):
        return value
    return low.refuse(
        UnsupportedSyntaxError, f"{use} is {describe(value)}, not a number or array", "numbers and arrays here"
    )


# Broadcasting


def broadcast(low: Lowering, atoms: Sequence[Atom]) -> list[Atom]:
    """Arrays brought to one shape by NumPy's rules; numbers stay numbers, which the builder expands."""
    shapes = [a.type.shape for a in atoms if a.type.shape]
    target = common_shape(shapes, low)
    return [stretch(low, a, target) if a.type.shape else a for a in atoms]


def common_shape(shapes: Sequence[tuple[Atom, ...]], low: Lowering | None = None) -> tuple[Atom, ...]:
    """The shape that shapes are broadcast to; with `low`, a slice of one element is one however long its array is."""
    if all(s == shapes[0] for s in shapes):
        return shapes[0] if shapes else ()
    rank = max(map(len, shapes))
    target: list[Atom] = []
    for axis in range(-rank, 0):
        lengths = [s[axis] for s in shapes if len(s) >= -axis and not is_one(s[axis])]
        known = [n for n in lengths if isinstance(n, Lit)]
        long = [n for n in lengths if low is None or not low.facts.single(low.b, n)]
        target.append((known or long or lengths or [literal(1)])[0])
    return tuple(target)


def stretch(low: Lowering, atom: Atom, target: tuple[Atom, ...]) -> Atom:
    """One array brought to a shape; lengths that are not the same atoms are compared at run time."""
    b, shape = low.b, atom.type.shape
    if shape == target:
        return atom
    lead = len(target) - len(shape)
    if lead < 0:
        cause = f"an array of rank {len(shape)} is not broadcast to rank {len(target)}"
        low.refuse(UnsupportedFunctionError, cause, "an array of that rank or of a lower one")
    if any(_is_repeated(low, n, target[lead + k]) for k, n in enumerate(shape)):
        ones = [literal(1) if _is_repeated(low, n, target[lead + k]) else n for k, n in enumerate(shape)]
        return stretch(low, b.conform(atom, *ones, checked=True), target)
    new = tuple(range(lead)) + tuple(
        lead + k for k, n in enumerate(shape) if is_one(n) and not is_one(target[lead + k])
    )
    kept = tuple(n for k, n in enumerate(shape) if lead + k not in new)
    wanted = tuple(n for k, n in enumerate(target) if k not in new)
    if kept != shape:
        atom = b.reshape(atom, *kept) if kept else b.view(atom, *[0] * len(shape), codes="i" * len(shape))
    if kept != wanted:
        atom = b.conform(atom, *wanted, checked=True)
    return b.expand(atom, *(target[a] for a in new), axes=new)


def _is_repeated(low: Lowering, length: Atom, wanted: Atom) -> bool:
    """Whether an axis of one element by its making, though not by its type, is broadcast."""
    facts = low.facts
    one = length != wanted and isinstance(length, Var) and facts.single(low.b, length)
    return one and not (isinstance(wanted, Var) and facts.single(low.b, wanted))


def mapped(low: Lowering, name: str, values: Sequence[Scalar | Array], dtype: DType | None, python: bool) -> Value:
    """An elementwise primitive applied to values cast to a dtype (None: their own) and broadcast."""
    atoms = [low.atom(v) if dtype is None else converted(low, v, dtype) for v in values]
    try:
        return low.value(getattr(low.b, name)(*broadcast(low, atoms)), python)
    except TypeRuleError:
        kinds = ", ".join(describe(v) for v in values)
        return low.refuse(DtypeError, f"{name} is not defined on {kinds}", "real numbers, e.g. x.real or abs(x)")


def in_doubles(low: Lowering, name: str, values: Sequence[Scalar | Array]) -> Value:
    """An elementwise primitive of floats; of float32 it is computed in float64."""
    dtype = inexact(promoted(values))
    if dtype is not DType.F32:
        return mapped(low, name, values, dtype, False)
    return low.value(low.cast(low.atom(numeric(low, mapped(low, name, values, DType.F64, False))), dtype))


# Arithmetic


def operate(low: Lowering, op: str, x: Value, y: Value) -> Value:
    """`x op y` for the operator as Python writes it."""
    own = _by_class(low, x, y, f"__{SPECIAL[op]}__", f"__r{SPECIAL[op]}__")
    if own is not None:
        return own
    if op == "@":
        from .linear_algebra import matmul

        if not isinstance(x, Array) and not isinstance(y, Array):
            x, y = numeric(low, x), numeric(low, y)
        return matmul(low, x, y)
    special = _sequences(low, op, x, y)
    if special is not None:
        return special
    if op == "|" and is_type(x) and is_type(y):
        return Static(x.value | y.value)
    x, y = numeric(low, x), numeric(low, y)
    python = is_python(x) and is_python(y)
    dtype = promoted((x, y))
    if op in BITWISE or op in SHIFTS:
        return _bits(low, op, x, y, dtype, python)
    if op == "/" and not dtype.differentiable:
        dtype = DType.F64
    if op in ("//", "%") and dtype.complex:
        low.refuse(DtypeError, f"operator {op} on complex numbers", "real numbers, e.g. x.real // y")
    if dtype is DType.BOOL:
        low.strict += python
        if not python and op in "+*":
            return mapped(low, "or" if op == "+" else "and", (x, y), None, False)
        if not python and op == "-":
            low.refuse(DtypeError, "NumPy does not subtract booleans", "x ^ y, or x != y")
        dtype = DType.I64
    if op == "**":
        return _power(low, x, y, dtype, python)
    integers = not x.dtype.differentiable and not y.dtype.differentiable
    p, q = broadcast(low, [converted(low, v, dtype) for v in (x, y)])
    return low.value(ARITHMETIC[op](low, p, q, python, integers), python)


def is_type(value: Value) -> TypeGuard[Static]:
    return isinstance(value, Static) and isinstance(value.value, type | UnionType)


def _by_class(low: Lowering, x: Value, y: Value, name: str, reflected: str) -> Value | None:
    """The operator as a class of the user's defines it; None where none does."""
    for value, other, method in ((x, y, name), (y, x, reflected)):
        function = special(value, method)
        if function is not None:
            found = low.call(function, [other], {})
            if not (isinstance(found, Static) and found.value is NotImplemented):
                return found
    return None


def _sequences(low: Lowering, op: str, x: Value, y: Value) -> Value | None:
    """Operators on strings, tuples, lists and dicts."""
    from .containers import entries, items

    if isinstance(x, Static) and isinstance(y, Static) and op == "+":
        both = isinstance(x.value, str) and isinstance(y.value, str)
        return Static(x.value + y.value) if both else None
    if op == "+" and isinstance(x, Tuple) and isinstance(y, Tuple):
        return Tuple(x.items + y.items)
    if op == "+" and isinstance(x, List) and isinstance(y, List):
        made = low.call(Method(x, "copy"), [], {})
        low.call(Method(made, "extend"), [y], {})
        return made
    if op == "|" and isinstance(x, Dict) and isinstance(y, Dict):
        return low.memory.new_dict({**entries(low, x), **entries(low, y)})
    for a, c in ((x, y), (y, x)):
        if op == "*" and isinstance(a, Tuple | List) and isinstance(c, Scalar):
            if not isinstance(c.known, int):
                return _repeated(low, a, c)
            found = items(low, a)
            low.worked(len(found) * max(c.known, 0))
            found = found * c.known
            return Tuple(tuple(found)) if isinstance(a, Tuple) else low.memory.new_list(found)
    return None


def _repeated(low: Lowering, sequence: Tuple | List, times: Scalar) -> Value:
    """A list of one item, repeated a number of times that is known at run time."""
    from .containers import items
    from .growing import common_item, repeated

    found = items(low, sequence)
    item = common_item(low, found) if len(found) == 1 and isinstance(sequence, List) else None
    if item is None or times.dtype is not DType.I64:
        low.refuse_syntax("a sequence is repeated a number of times that is not constant", "np.full(n, value)")
    return List(low.memory.identity(repeated(low, item, found[0], times.atom)))


def _plain(name: str, of_integers: Any) -> Any:
    def lower(low: Lowering, x: Atom, y: Atom, python: bool, integers: bool) -> Atom:
        return of_integers(low, x, y) if python and integers else getattr(low.b, name)(x, y)

    return lower


def _division(low: Lowering, x: Atom, y: Atom, python: bool, integers: bool) -> Atom:
    if python:
        low.strict += 1
        kind = "complex " if x.type.dtype.complex else "float "
        message = "division by zero" if integers else f"{kind}division by zero"
        low.check(low.b.ne(y, 0.0), "ZeroDivisionError", message)
    return low.b.div(x, y)


def _whole_division(name: str, of_integers: str, of_floats: str) -> Any:
    def lower(low: Lowering, x: Atom, y: Atom, python: bool, integers: bool) -> Atom:
        b = low.b
        if python:
            low.strict += 1
            message = of_integers if integers else of_floats
            low.check(b.ne(y, 0 if integers else 0.0), "ZeroDivisionError", message)
        if python or not integers or (isinstance(y, Lit) and y.value != 0):
            return getattr(b, name)(x, y)
        zero = b.eq(y, 0)
        return b.select(zero, 0, getattr(b, name)(x, b.select(zero, 1, y)))

    return lower


ARITHMETIC = {
    "+": _plain("add", add),
    "-": _plain("sub", subtract),
    "*": _plain("mul", multiply),
    "/": _division,
    "//": _whole_division("floordiv", "integer division or modulo by zero", "float floor division by zero"),
    "%": _whole_division("mod", "integer modulo by zero", "float modulo"),
}


def _bits(low: Lowering, op: str, x: Scalar | Array, y: Scalar | Array, dtype: DType, python: bool) -> Value:
    if dtype.differentiable:
        low.refuse(DtypeError, f"operator {op} on a float", "integers or booleans")
    if op in BITWISE:
        return mapped(low, BITWISE[op], (x, y), dtype, python)
    if python:
        low.strict += 1
        p, q = (low.cast(low.atom(v), DType.I64) for v in (x, y))
        low.check(low.b.ge(q, 0), "ValueError", "negative shift count")
        if op == "<<":
            exact_shift(low, p, q)
    return mapped(low, SHIFTS[op], (x, y), dtype if dtype.integer else DType.I64, python)


def _power(low: Lowering, x: Scalar | Array, y: Scalar | Array, dtype: DType, python: bool) -> Value:
    known = y.known if isinstance(y, Scalar) else None
    if dtype is DType.I64 and python and known is not None and known < 0:
        low.strict += 1
        dtype = DType.F64
    p, q = broadcast(low, [converted(low, v, dtype) for v in (x, y)])
    b = low.b
    if dtype.integer:
        holds = b.ge(q, 0)
        if holds.type.shape:
            holds = b.reduce_and(holds, axes=tuple(range(holds.type.rank)))
        low.check(holds, "ValueError", "Integers to negative integer powers are not allowed.")
        if python and known == 2:
            return Scalar(multiply(low, p, p), True)
        if python:
            exact_power(low, p, q)
        return low.value(b.mul(p, p) if known == 2 else b.integer_pow(p, q), python)
    result = b.pow(p, q)
    if python and not dtype.complex:
        _python_power(low, p, q, result)
    return low.value(result, python)


def _python_power(low: Lowering, x: Atom, y: Atom, z: Atom) -> None:
    b = low.b
    low.strict += 1
    zero = "0.0 cannot be raised to a negative power"
    low.check(b.lor(b.ne(x, 0.0), b.ge(y, 0.0)), "ZeroDivisionError", zero)
    whole = b.eq(b.floor(y), y)
    low.check(b.lor(whole, b.ge(x, 0.0)), "ValueError", "a negative number to a fractional power is complex")
    fine = b.lor(b.isfinite(z), b.lnot(b.land(b.isfinite(x), b.isfinite(y))))
    low.check(fine, "OverflowError", "(34, 'Numerical result out of range')")


def negative(low: Lowering, value: Value) -> Value:
    """`-x`."""
    own = special(value, "__neg__")
    if own is not None:
        return low.call(own, [], {})
    x = numeric(low, value)
    if x.dtype is DType.BOOL:
        low.strict += is_python(x)
        if not is_python(x):
            low.refuse(DtypeError, "NumPy does not negate booleans with -", "~x")
        x = Scalar(low.cast(x.atom, DType.I64), True) if isinstance(x, Scalar) else x
    return mapped(low, "neg", (x,), None, is_python(x))


def invert(low: Lowering, value: Value) -> Value:
    """`~x`."""
    own = special(value, "__invert__")
    if own is not None:
        return low.call(own, [], {})
    x = numeric(low, value)
    if x.dtype.differentiable:
        low.refuse(DtypeError, "operator ~ on a float", "integers or booleans")
    low.strict += is_python(x)
    return mapped(low, "not", (x,), DType.I64 if is_python(x) else None, is_python(x))


# Comparison and truth

COMPARISONS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}


def compare(low: Lowering, op: str, x: Value, y: Value) -> Value:
    """`x op y` for a comparison as Python writes it."""
    if op in ("is", "is not"):
        if _is_truth(x) and _is_truth(y):
            return compare(low, "==" if op == "is" else "!=", x, y)
        return number(_same(low, x, y) is (op == "is"))
    if op in ("in", "not in"):
        return _contains(low, y, x, op == "not in")
    own = _compared_by_class(low, op, x, y)
    if own is not None:
        return own
    if isinstance(x, Tuple | List) and isinstance(y, Tuple | List):
        return _compare_sequences(low, x, y, op)
    if isinstance(x, Dict) and isinstance(y, Dict) and op in ("==", "!="):
        return _equal_dicts(low, x, y, op)
    if isinstance(x, Static) or isinstance(y, Static):
        return _compare_constants(low, op, x, y)
    x, y = numeric(low, x), numeric(low, y)
    return mapped(low, COMPARISONS[op], (x, y), _compared_in(x, y), is_python(x) and is_python(y))


def _compared_in(x: Scalar | Array, y: Scalar | Array) -> DType:
    """The dtype of a comparison; that of a Python integer which the other operand's dtype does not hold is int64."""
    dtype = promoted((x, y))
    for value in (x, y):
        known = value.known if is_python(value) and isinstance(value, Scalar) else None
        if dtype.integer and isinstance(known, int) and not isinstance(known, bool):
            limits = np.iinfo(dtype.numpy)
            if not limits.min <= known <= limits.max:
                return DType.I64
    return dtype


def _compared_by_class(low: Lowering, op: str, x: Value, y: Value) -> Value | None:
    """A comparison that the class of an operand defines, or `dataclass` for it."""
    from .records import equal

    names = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
    own = _by_class(low, x, y, f"__{names[op]}__", f"__{names[REFLECTED[op]]}__")
    if own is not None:
        return own
    if op == "!=":
        same = _by_class(low, x, y, "__eq__", "__eq__")
        if same is not None:
            return Scalar(low.b.lnot(truth(low, same).atom), True)
    if is_structured(x) or is_structured(y):
        low.refuse_syntax(f"comparing {describe(x)} with {describe(y)}", "comparisons of their fields, x['name']")
    if isinstance(x, Record) or isinstance(y, Record):
        if op not in ("==", "!="):
            low.refuse_syntax(f"comparing {describe(x)} with {describe(y)}", "comparisons of numbers")
        same = equal(low, x, y) or number(_same(low, x, y))
        return same if op == "==" else Scalar(low.b.lnot(truth(low, same).atom), True)
    return None


def _is_truth(x: Value) -> bool:
    """Whether this is one of Python's True and False, of which there is one each."""
    return isinstance(x, Scalar) and x.python and x.dtype is DType.BOOL


def _same(low: Lowering, x: Value, y: Value) -> bool:
    if isinstance(x, List | Dict | Record | Cell) and isinstance(y, type(x)):
        if x.identity is not y.identity and low.memory.may_share(x.identity, y.identity):
            low.refuse_syntax("whether these are one object is known at run time only", "a comparison of their values")
        return x.identity is y.identity
    if isinstance(x, Static) and isinstance(y, Static):
        return x.value is y.value
    if isinstance(x, Scalar) and isinstance(y, Scalar):
        return x.known is not None and x.known is y.known
    return x is y or (isinstance(x, Array) and x == y)


def _compare_constants(low: Lowering, op: str, x: Value, y: Value) -> Value:
    if op not in ("==", "!="):
        low.refuse_syntax(f"comparing {describe(x)} with {describe(y)}", "comparisons of numbers")
    if isinstance(x, Static) and isinstance(y, Static):
        with low.foreign("this comparison", has_own_code(x.value, y.value)):
            return number(bool(x.value == y.value) is (op == "=="))
    return number(op == "!=")


def _compare_sequences(low: Lowering, x: Tuple | List, y: Tuple | List, op: str) -> Value:
    from .containers import items

    if isinstance(x, Tuple) is not isinstance(y, Tuple):
        return number(op == "!=") if op in ("==", "!=") else _compare_constants(low, op, x, y)
    ours, theirs = items(low, x), items(low, y)
    if op in ("==", "!="):
        holds: Atom = literal(len(ours) == len(theirs))
        for a, c in zip(ours, theirs, strict=False) if len(ours) == len(theirs) else ():
            holds = low.b.land(holds, truth(low, compare(low, "==", a, c)).atom)
        return Scalar(holds if op == "==" else low.b.lnot(holds), True)
    return Scalar(_ordered(low, op, ours, theirs), True)


def _ordered(low: Lowering, op: str, x: Sequence[Value], y: Sequence[Value]) -> Atom:
    """The order of two sequences: that of the first items that differ."""
    if not x or not y:
        return compare(low, op, number(len(x)), number(len(y))).atom  # type: ignore[union-attr]
    before = truth(low, compare(low, op[0], x[0], y[0])).atom
    same = truth(low, compare(low, "==", x[0], y[0])).atom
    return low.b.lor(before, low.b.land(same, _ordered(low, op, x[1:], y[1:])))


def _equal_dicts(low: Lowering, x: Dict, y: Dict, op: str) -> Value:
    from .containers import entries

    ours, theirs = entries(low, x), entries(low, y)
    holds: Atom = literal(ours.keys() == theirs.keys())
    for key in ours if ours.keys() == theirs.keys() else ():
        holds = low.b.land(holds, truth(low, compare(low, "==", ours[key], theirs[key])).atom)
    return Scalar(holds if op == "==" else low.b.lnot(holds), True)


def _contains(low: Lowering, container: Value, item: Value, negate: bool) -> Value:
    from .containers import entries, maybe_items
    from .strings import plain

    own = special(container, "__contains__")
    if own is not None:
        found = truth(low, low.call(own, [item], {}))
        return Scalar(low.b.lnot(found.atom) if negate else found.atom, True)
    key = plain(item)
    if isinstance(container, Static) and isinstance(container.value, str | frozenset) and key is not None:
        with low.foreign(f"`in` on {describe(container)}", has_own_code(key[0])):
            return number(container.value.__contains__(key[0]) is not negate)  # type: ignore[arg-type]
    if isinstance(container, Dict) and key is not None:
        return number((key[0] in entries(low, container)) is not negate)
    items = maybe_items(low, container)
    if items is None:
        low.refuse_syntax(f"`in` on {describe(container)}", "a tuple, or a loop that compares")
    holds: Atom = literal(False)
    for each in items:
        holds = low.b.lor(holds, truth(low, compare(low, "==", each, item)).atom)
    return Scalar(low.b.lnot(holds) if negate else holds, True)


def truth(low: Lowering, value: Value) -> Scalar:
    """`bool(x)`."""
    if isinstance(value, Static):
        with low.foreign(f"the truth value of {describe(value)}", has_own_code(value.value)):
            return number(bool(value.value))
    for name in ("__bool__", "__len__"):
        own = special(value, name)
        if own is not None:
            return truth(low, low.call(own, [], {}))
    if is_structured(value):
        low.refuse_syntax(f"the truth value of {describe(value)}", "a test of its length or of a field")
    if isinstance(value, Record):
        return number(True)
    if isinstance(value, Tuple | List | Dict):
        from .containers import length

        return Scalar(low.b.gt(length(low, value).atom, 0), True)
    if isinstance(value, Array):
        low.refuse_syntax("the truth value of an array is ambiguous", "np.any(x) or np.all(x)")
    x = numeric(low, value, "a condition")
    atom = low.atom(x)
    return Scalar(atom if x.dtype is DType.BOOL else low.b.ne(atom, x.dtype.zero), True)
