"""How each row of the table is written in Python, as one expression of its operands' expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from ..primitives import array_axes, index_arrays, without_arrays
from ..primitives.routines import Routine
from ..primitives.scipy_rows import SciPy
from ..program import Equation
from ..types import DType, Lit, Type, literal
from .expressions import Expression, Level, call, constant, indexed, infix, negated, union
from .separate import is_fresh_constant

__all__ = [
    "COMPARISONS",
    "FACTORIZATIONS",
    "SPELLED",
    "as_region_value",
    "compared",
    "constant_array",
    "elements_and_places",
    "factorized",
    "shape_text",
    "spelled",
    "subscript",
    "whole_axes",
]

COMPARISONS = {
    "lt": ("<", Level.COMPARISON),
    "le": ("<=", Level.COMPARISON),
    "gt": (">", Level.COMPARISON),
    "ge": (">=", Level.COMPARISON),
    "eq": ("==", Level.COMPARISON),
    "ne": ("!=", Level.COMPARISON),
}
_INFIX = {
    "add": ("+", Level.SUM),
    "plus": ("+", Level.SUM),
    "sub": ("-", Level.SUM),
    "mul": ("*", Level.PRODUCT),
    **COMPARISONS,
    "and": ("&", Level.BIT_AND),
    "or": ("|", Level.BIT_OR),
    "xor": ("^", Level.BIT_XOR),
    "shift_left": ("<<", Level.SHIFT),
    "shift_right": (">>", Level.SHIFT),
    "matmul": ("@", Level.PRODUCT),
}
_LOGIC = {"and": ("and", Level.AND), "or": ("or", Level.OR)}
_DIVISIONS = {"div": ("/", "np.divide"), "floordiv": ("//", "np.floor_divide"), "mod": ("%", "np.mod")}
_OPPOSITE = {"lt": ">=", "le": ">", "gt": "<=", "ge": "<", "eq": "!=", "ne": "=="}
_FOLDS = {
    "total": "np.sum",
    "reduce_max": "np.max",
    "reduce_min": "np.min",
    "reduce_and": "np.all",
    "reduce_or": "np.any",
}
_I = literal(1j)
_PYTHON = {DType.BOOL: "bool", DType.I64: "int", DType.F64: "float", DType.C128: "complex"}
_NUMPY_NAMES = {"pow": "np.power", "integer_pow": "np.power"}
_FAST_POWERS = frozenset(literal(v) for v in (-1.0, 0.0, -0.0, 0.5, 1.0, 2.0))


def spelled(equation: Equation, operands: Sequence[Expression], lengths: Sequence[Expression]) -> Expression:
    """The value of an equation that is one expression; `lengths` are those of the result's axes."""
    name = equation.primitive.name
    if is_fresh_constant(equation):
        return constant_array(equation, operands)
    if name in SPELLED:
        return SPELLED[name](equation, operands, lengths)
    if name in _FOLDS:
        return _fold(equation, operands[0])
    if equation.outs[0].type.shape and name != "matmul":
        operands = _aligned(equation, operands)
    return _elementwise(equation, operands)


# Elementwise


def _aligned(equation: Equation, operands: Sequence[Expression]) -> list[Expression]:
    """Repeated operands written without the repetition, where NumPy broadcasting against the others restores it."""
    shape = equation.outs[0].type.shape
    covered = {axis for axis, length in enumerate(shape) if length == literal(1)}
    for x in operands:
        covered |= set(range(len(shape))) - set(x.loose[1] if x.loose else ())
    chosen = list(operands)
    for index, x in enumerate(operands):
        if x.loose and len(covered) == len(shape):
            chosen[index] = _unrepeated(x, len(shape))
        elif x.loose:
            covered = set(range(len(shape)))
    return chosen


def _unrepeated(x: Expression, rank: int) -> Expression:
    assert x.loose is not None
    inner, axes = x.loose
    if axes == tuple(range(len(axes))):
        return inner
    return indexed(inner, ", ".join("None" if a in axes else ":" for a in range(rank)))


def _elementwise(equation: Equation, x: Sequence[Expression]) -> Expression:
    name, first = equation.primitive.name, equation.operands[0].type
    scalar, boolean = not first.shape, first.dtype is DType.BOOL
    numpy = scalar and any(e.numpy for e in x)
    if name in _LOGIC and scalar and boolean:
        return infix(*_LOGIC[name], x[0], x[1])
    if name in _INFIX:
        return compared(equation, infix(*_INFIX[name], x[0], x[1], numpy=numpy), x)
    if name in _DIVISIONS:
        return _division(equation, x, numpy)
    if name in _SPECIAL:
        return replace(_SPECIAL[name](equation, x), numpy=numpy and name in ("neg", "abs", "select"))
    if name == "pow" and not scalar and equation.operands[1] not in _FAST_POWERS:
        return union(f"{x[0].within(Level.ATOM)}**{x[1].within(Level.UNARY)}", *x, level=Level.POWER)
    meaning = equation.primitive.meaning
    if isinstance(meaning, SciPy | Routine):
        return replace(_special_function(name, meaning, x), numpy=scalar)
    return call(_NUMPY_NAMES.get(name, f"np.{name}"), *x, numpy=scalar)


def _special_function(name: str, meaning: SciPy | Routine, x: Sequence[Expression]) -> Expression:
    """SciPy's function by its name; one with integer arguments, and a routine of ours, as the row itself."""
    if isinstance(meaning, Routine) or meaning.integers:
        return call(f'TABLE["{name}"]', *x)
    whole = call(f"special.{meaning.name}", *x)
    return whole if meaning.result is None else union(f"{whole.text}[{meaning.result}]", whole)


def compared(equation: Equation, whole: Expression, x: Sequence[Expression]) -> Expression:
    """A comparison of integers knows its opposite (one of floats has none that is right for nan)."""
    name, first = equation.primitive.name, equation.operands[0].type
    if name in _OPPOSITE and first == Type(DType.I64):
        return replace(whole, opposite=infix(_OPPOSITE[name], Level.COMPARISON, x[0], x[1]).text)
    return whole


def _division(equation: Equation, x: Sequence[Expression], numpy: bool) -> Expression:
    operator, function = _DIVISIONS[equation.primitive.name]
    divisor = equation.operands[1]
    harmless = divisor.type.shape or numpy or (isinstance(divisor, Lit) and divisor.value != 0)
    if harmless:
        return infix(operator, Level.PRODUCT, x[0], x[1], numpy=numpy)
    return call(function, *x, numpy=True)


def _wrapping(operator: str, level: Level) -> Callable[[Equation, Sequence[Expression]], Expression]:
    def spell(equation: Equation, x: Sequence[Expression]) -> Expression:
        exact = [call("int", e) if e.numpy else e for e in x]
        text = f"-(2**63) <= {infix(operator, level, exact[0], exact[1]).within(Level.BIT_OR)} < 2**63"
        return replace(union(f"not {text}", *x, level=Level.NOT), opposite=text)

    return spell


def _negation(equation: Equation, x: Sequence[Expression]) -> Expression:
    return union(f"-{x[0].within(Level.UNARY)}", *x, level=Level.UNARY)


def _inversion(equation: Equation, x: Sequence[Expression]) -> Expression:
    if equation.operands[0].type == Type(DType.BOOL):
        return negated(x[0])
    return union(f"~{x[0].within(Level.UNARY)}", *x, level=Level.UNARY)


def _selection(equation: Equation, x: Sequence[Expression]) -> Expression:
    if equation.outs[0].type.shape:
        return call("np.where", *x)
    condition, yes, no = (e.within(Level.OR) for e in x)
    return union(f"{yes} if {condition} else {no}", *x, level=Level.CONDITIONAL)


def _extreme(equation: Equation, x: Sequence[Expression]) -> Expression:
    name = equation.primitive.name
    if equation.outs[0].type == Type(DType.I64):
        return call(name.removesuffix("imum"), *x)
    return call(f"np.{name}", *x)


def _conversion(equation: Equation, x: Sequence[Expression]) -> Expression:
    dtype = equation.params["dtype"]
    if equation.outs[0].type.shape:
        return union(f"{x[0].within(Level.ATOM)}.astype({dtype_text(dtype)})", *x)
    return call(_PYTHON.get(dtype, dtype_text(dtype)), *x)


def _side(equation: Equation, x: Sequence[Expression]) -> Expression:
    a, b = (e.within(Level.BIT_OR) for e in x)
    return union(f"np.int8(np.select([{a} > {b}, {a} < {b}, {a} == {b}], [1, -1, 0], 2))", *x)


def _portion(equation: Equation, x: Sequence[Expression]) -> Expression:
    side = x[0].within(Level.BIT_OR)
    text = f"(1.0 * ({side} == {equation.params['of']}) + 0.5 * ({side} == 0))"
    dtype, arrays = equation.params["dtype"], bool(equation.outs[0].type.shape)
    if dtype is not DType.F64:
        text = f"{text}.astype({dtype_text(dtype)})" if arrays else f"{dtype_text(dtype)}{text}"
    return union(text, *x)


def _error_function(equation: Equation, x: Sequence[Expression]) -> Expression:
    function, type = f"math.{equation.primitive.name}", equation.outs[0].type
    if type.shape:
        return call(f"np.vectorize({function}, otypes=[{dtype_text(type.dtype)}])", *x)
    found = call(function, *x)
    return found if type.dtype is DType.F64 else call(dtype_text(type.dtype), found, numpy=True)


def _expit(equation: Equation, x: Sequence[Expression]) -> Expression:
    type = equation.outs[0].type
    if type.dtype.complex:
        return union(f"(1.0 / (1.0 + np.exp(-{x[0].within(Level.UNARY)})))", *x, numpy=not type.shape)
    decayed = f"np.exp(-abs({x[0].text}))"  # which does not overflow
    text = f"(np.where({x[0].within(Level.SUM)} < 0.0, {decayed}, {dtype_text(type.dtype)}(1.0)) / (1.0 + {decayed}))"
    return union(text, *x, numpy=not type.shape)


_SPECIAL: dict[str, Callable[[Equation, Sequence[Expression]], Expression]] = {
    "side": _side,
    "portion": _portion,
    "neg": _negation,
    "not": _inversion,
    "abs": lambda equation, x: call("abs", *x),
    "select": _selection,
    "maximum": _extreme,
    "minimum": _extreme,
    "cast": _conversion,
    "real": lambda equation, x: union(f"{x[0].within(Level.ATOM)}.real", *x),
    "imag": lambda equation, x: union(f"{x[0].within(Level.ATOM)}.imag", *x),
    "complex": lambda equation, x: infix("+", Level.SUM, x[0], infix("*", Level.PRODUCT, constant(_I), x[1])),
    "add_wraps": _wrapping("+", Level.SUM),
    "sub_wraps": _wrapping("-", Level.SUM),
    "mul_wraps": _wrapping("*", Level.PRODUCT),
    "expit": _expit,
    "erf": _error_function,
    "erfc": _error_function,
}

# Arrays


def dtype_text(dtype: DType) -> str:
    return "bool" if dtype is DType.BOOL else f"np.{dtype.value}"


def shape_text(lengths: Sequence[Expression]) -> str:
    return lengths[0].text if len(lengths) == 1 else f"({', '.join(n.text for n in lengths)})"


def constant_array(equation: Equation, x: Sequence[Expression]) -> Expression:
    name = equation.primitive.name
    if name == "iota":
        return call("np.arange", *x)
    if name == "empty":
        dtype = equation.params["dtype"]
        kind = "" if dtype is DType.F64 else f", dtype={dtype_text(dtype)}"
        return union(f"np.zeros({shape_text(x)}{kind})", *x)
    value, lengths = x[0], x[1:]
    shape = shape_text(lengths)
    plain = {"0.0": f"np.zeros({shape})", "1.0": f"np.ones({shape})"}
    text = plain.get(value.text, f"np.full({shape}, {value.text})")
    return replace(union(text, *x), loose=(value, equation.params["axes"]))


def _repetition(equation: Equation, x: Sequence[Expression], lengths: Sequence[Expression]) -> Expression:
    axes = equation.params["axes"]
    loose = Expression("", loose=(x[0], axes))
    inner = _unrepeated(loose, len(lengths))
    text = f"np.broadcast_to({inner.text}, {shape_text(lengths)})"
    return replace(union(text, inner, *lengths), loose=(x[0], axes))


def _reshaped(equation: Equation, x: Sequence[Expression], lengths: Sequence[Expression]) -> Expression:
    if not equation.operands[0].type.shape:
        return union(f"np.full({shape_text(x[1:])}, {x[0].text})", *x)
    shape = ", ".join(n.text for n in x[1:]) or "()"
    whole = union(f"{x[0].within(Level.ATOM)}.reshape({shape})", *x)
    return whole if lengths else union(f"{whole.text}[()]", whole, numpy=True)


def _permuted(equation: Equation, x: Sequence[Expression], lengths: Sequence[Expression]) -> Expression:
    order = equation.params["order"]
    if order == (1, 0):
        return union(f"{x[0].within(Level.ATOM)}.T", *x)
    return union(f"np.transpose({x[0].text}, {order})", *x)


def _viewed(equation: Equation, x: Sequence[Expression], lengths: Sequence[Expression]) -> Expression:
    seen = indexed(x[0], subscript(equation.params["codes"], x[1:], whole_axes(equation, 1)), *x[1:])
    return replace(seen, numpy=not lengths)


def _gathered(equation: Equation, x: Sequence[Expression], lengths: Sequence[Expression]) -> Expression:
    elements, places = elements_and_places(x[0], equation.params["codes"], x[1:], whole_axes(equation, 1))
    return indexed(elements, places, *x[1:])


def _solved(equation: Equation, x: Sequence[Expression], lengths: Sequence[Expression]) -> Expression:
    return factorized(equation, x)


def factorized(equation: Equation, x: Sequence[Expression]) -> Expression:
    """A call of `adcore.factorizations`, as yet without the names of its results."""
    named = [Expression(f"{k}={v!r}") for k, v in equation.params.items() if k != "by"]
    operands = x[: FACTORIZATIONS.get(equation.primitive.name, len(x))]
    return call(f"factorizations.{equation.primitive.name}", *operands, *named)


FACTORIZATIONS = {
    "lu": 1,
    "cholesky": 1,
    "qr": 1,
    "eig": 1,
    "eigh": 1,
    "svd": 1,
    "schur": 1,
    "sparse_lu": 4,
}  # and how many operands they are called with


def _transformed(equation: Equation, x: Sequence[Expression], lengths: Sequence[Expression]) -> Expression:
    if equation.params["inverse"]:
        return union(f"np.fft.ifft({x[0].text}, norm='forward')", *x)
    return call("np.fft.fft", *x)


def _hosted(equation: Equation, x: Sequence[Expression], lengths: Sequence[Expression]) -> Expression:
    """A call of a function of the user's, by its name: to read, as it is not there to be run."""
    return call(f"{equation.primitive.name}_{equation.params['function'].name}", *x)


SPELLED: dict[str, Callable[[Equation, Sequence[Expression], Sequence[Expression]], Expression]] = {
    "expand": _repetition,
    "reshape": _reshaped,
    "permute": _permuted,
    "view": _viewed,
    "gather": _gathered,
    "solve": _solved,
    "solve_triangular": _solved,
    "pseudo_inverse": _solved,
    "determinant": _solved,
    "sparse_order": _solved,
    "sparse_solve": _solved,
    "sylvester": _solved,
    "square_root": _solved,
    "riccati": _solved,
    "argsort": lambda equation, x, lengths: union(f'np.argsort({x[0].text}, kind="stable")', *x),
    "fft": _transformed,
    "host_call": _hosted,
    "host_integers": _hosted,
    "host_jacobian": _hosted,
}


def _fold(equation: Equation, x: Expression) -> Expression:
    axes, function = equation.params["axes"], _FOLDS[equation.primitive.name]
    whole = not equation.outs[0].type.shape
    if equation.primitive.name == "reduce_or" and equation.outs[0].type.dtype.integer:
        return union(f"np.bitwise_or.reduce({x.text}, axis={None if whole else axes})", x, numpy=whole)
    if whole:
        return call(function, x, numpy=True)
    axis = axes[0] if len(axes) == 1 else axes
    return union(f"{function}({x.text}, axis={axis})", x)


# Subscripts


def whole_axes(equation: Equation, before: int) -> frozenset[int]:
    """The axes of the first operand that slices take all of; `before` operands come before those of the axis codes."""
    codes, rest = equation.params["codes"], list(equation.operands[before:])
    found: set[int] = set()
    for axis, (code, length) in enumerate(zip(codes, equation.operands[0].type.shape, strict=True)):
        if code == "s" and rest[1] == length:
            found.add(axis)
        del rest[: {"s": 3, ":": 0}.get(code, 1)]
    return frozenset(found)


def subscript(codes: str, scalars: Sequence[Expression], whole: AbstractSet[int]) -> str:
    """The index of the region that axis codes describe, e.g. `i, a:b`; a region taken backwards needs a second one.

    The slices of the axes in `whole` are as long as the axes.
    """
    rest = list(scalars)
    entries: list[str] = []
    backwards: list[str] = []
    for axis, code in enumerate(codes):
        if code == "i":
            entries.append(rest.pop(0).text)
            continue
        entry, reverse = (":", False) if code == ":" else _slice(rest[0], rest[1], rest[2], axis in whole)
        del rest[: 3 if code == "s" else 0]
        entries.append("::-1" if reverse and entry == ":" else entry)
        backwards.append("::-1" if reverse and entry != ":" else ":")
    text = ", ".join(entries)
    while backwards and backwards[-1] == ":":
        backwards.pop()
    return f"{text}][{', '.join(backwards)}" if backwards else text


def elements_and_places(
    x: Expression, codes: str, operands: Sequence[Expression], whole: AbstractSet[int]
) -> tuple[Expression, str]:
    """A view of the array with the axes of the index arrays in front, and the index arrays as a subscript."""
    plain, scalars = without_arrays(codes, tuple(operands))
    if plain.strip(":"):
        x = indexed(x, subscript(plain, scalars, whole), *scalars)
    axes = array_axes(codes)
    rank = len(codes) - codes.count("i")
    if axes != tuple(range(len(axes))):
        order = (*axes, *(a for a in range(rank) if a not in axes))
        x = union(f"{x.within(Level.ATOM)}.transpose{order}", x)
    return x, ", ".join(a.text for a in index_arrays(codes, tuple(operands)))


def _slice(start: Expression, length: Expression, step: Expression, whole: bool) -> tuple[str, bool]:
    """The slice, and whether it still has to be reversed."""
    if step.text == "1":
        return f"{_from(start)}:{_sum(start, length)}", False
    if step.text == "-1":
        if whole and length.level >= Level.SUM and start.text == f"{length.text} - 1":
            return ":", True
        after = _shifted(start, 1)
        return f"{_difference(after, length)}:{after.text}", True
    if step.text.isdigit():
        count = _integer(length)
        span = infix("*", Level.PRODUCT, length, step)
        if count is not None:
            span = constant(literal(count * int(step.text)))
        return f"{_from(start)}:{_sum(start, span)}:{step.text}", False
    return call("span", start, length, step).text, False


def _from(start: Expression) -> str:
    return "" if start.text == "0" else start.text


def _integer(x: Expression) -> int | None:
    return int(x.text) if x.text.removeprefix("-").isdigit() else None


def _sum(x: Expression, y: Expression) -> str:
    a, b = _integer(x), _integer(y)
    if a is not None and b is not None:
        return str(a + b)
    if a == 0:
        return y.text
    if x.level > Level.SUM and y.level is Level.SUM and y.text.endswith(f" - {x.text}"):
        return y.text.removesuffix(f" - {x.text}")
    return infix("+", Level.SUM, x, y).text


def _shifted(x: Expression, by: int) -> Expression:
    value = _integer(x)
    if value is not None:
        return Expression(str(value + by))
    if x.level is Level.SUM and x.text.endswith(f" - {by}"):
        return replace(x, text=x.text.removesuffix(f" - {by}"))
    return infix("+", Level.SUM, x, constant(literal(by)))


def _difference(x: Expression, y: Expression) -> str:
    a, b = _integer(x), _integer(y)
    if a is not None and b is not None:
        return str(a - b)
    return "0" if x.text == y.text else infix("-", Level.SUM, x, y).text


def as_region_value(value: Expression, type: Type) -> Expression:
    """What is assigned to a region: a repeated value need not be repeated first."""
    return _unrepeated(value, type.rank) if value.loose else value
