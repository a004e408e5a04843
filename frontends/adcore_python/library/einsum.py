"""`np.einsum`: any expression, given as a string or as lists of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from adcore.errors import UnsupportedFunctionError

from ..array_functions import array_like, dtype_of
from ..containers import items as items_in
from ..contraction import Factor, Labels, contracted
from ..operators import describe
from ..values import FALSE, NONE, Array, List, Scalar, Static, Tuple, Value
from ..views import permuted
from .registry import lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["einsum"]

WRITE = 'letters for axes, e.g. np.einsum("ij,jk->ik", x, y)'


@lowers("numpy.einsum")
def einsum(
    low: Lowering,
    *operands: Value,
    optimize: Value = FALSE,
    dtype: Value = NONE,
    order: Value = NONE,
    casting: Value = NONE,
) -> Value:
    """`np.einsum`; operands are multiplied in pairs whatever `optimize` says, and results lie in C order."""
    subscripts, given = _text(low, operands), operands[1:]
    if subscripts is None:
        return _of_lists(low, operands, dtype)
    arrays = [array_like(low, v) for v in given]
    wanted, arrow, out = subscripts.replace(" ", "").partition("->")
    terms = wanted.split(",")
    if len(terms) != len(arrays):
        few = "fewer" if len(arrays) < len(terms) else "more"
        _refuse(low, f"{few} operands provided to einstein sum function than specified in the subscripts string")
    labels = [_labels(low, term, rank_of(x)) for term, x in zip(terms, arrays, strict=True)]
    dots = max((label for term in labels for label in term if isinstance(label, int)), default=-1)
    leading = tuple(range(dots, -1, -1))
    if arrow:
        before, there, behind = out.partition("...")
        result: Labels = (*before, *(leading if there else ()), *behind)
    else:
        letters = [label for term in labels for label in term if isinstance(label, str)]
        result = (*leading, *sorted({label for label in letters if letters.count(label) == 1}))
    return _sum(low, arrays, labels, result, dtype)


def _text(low: Lowering, operands: tuple[Value, ...]) -> str | None:
    if not operands:
        _refuse(low, "must specify the einstein sum subscripts string and at least one operand")
    first = operands[0]
    return first.value if isinstance(first, Static) and isinstance(first.value, str) else None


def rank_of(x: Scalar | Array) -> int:
    return x.rank if isinstance(x, Array) else 0


def _labels(low: Lowering, term: str, rank: int) -> Labels:
    """The labels of an operand's axes: letters, and numbers from the right for those of an ellipsis."""
    before, dots, behind = term.partition("...")
    letters = (*before, *behind)
    if not all(letter.isalpha() and letter.isascii() for letter in letters):
        _refuse(low, f"the einstein sum subscripts {term!r} have other signs than letters")
    between = rank - len(letters)
    if between < 0 or (between and not dots):
        count = "too many" if between < 0 else "fewer"
        _refuse(low, f"einstein sum subscripts {term!r}: {count} subscripts for an operand of {rank} dimensions")
    return (*before, *range(between - 1, -1, -1), *behind)


def _of_lists(low: Lowering, operands: tuple[Value, ...], dtype: Value) -> Value:
    """`np.einsum(x, [0, 1], y, [1, 2], [0, 2])`."""
    if len(operands) < 2:
        _refuse(low, "an operand without labels")
    last = operands[-1] if len(operands) % 2 else None
    pairs = operands[: len(operands) // 2 * 2]
    arrays = [array_like(low, v) for v in pairs[::2]]
    lists = [_listed(low, v, rank_of(x)) for v, x in zip(pairs[1::2], arrays, strict=True)]
    dots = max((label for term in lists for label in term if isinstance(label, int)), default=-1)
    leading = tuple(range(dots, -1, -1))
    if last is not None:
        result = _listed(low, last, 0, leading)
    else:
        found = [label for term in lists for label in term if isinstance(label, tuple)]
        once = sorted({label for label in found if found.count(label) == 1})
        result = (*leading, *once)
    return _sum(low, arrays, lists, result, dtype)


def _listed(low: Lowering, value: Value, rank: int, leading: Labels | None = None) -> Labels:
    """The labels in a list of integers, as tuples; numbers from the right for those of an ellipsis."""
    labels: list[Any] = []
    items = items_in(low, value) if isinstance(value, List | Tuple) else [value]
    for item in items:
        if isinstance(item, Static) and item.value is Ellipsis:
            between = tuple(range(rank - len(items), -1, -1))
            labels.extend(between if leading is None else leading)
        elif isinstance(item, Scalar) and isinstance(item.known, int):
            labels.append((item.known,))
        else:
            _refuse(low, f"a label is {describe(item)}, not a constant integer")
    if leading is None and len(labels) != rank:
        _refuse(low, f"{len(items)} labels for an operand of {rank} dimensions")
    return tuple(labels)


def _sum(low: Lowering, arrays: list[Any], labels: list[Labels], out: Labels, dtype: Value) -> Value:
    everything = {label for term in labels for label in term}
    for label in out:
        if label not in everything:
            _refuse(low, f"einstein sum subscripts string included output subscript {label!r} which never appeared")
        if out.count(label) > 1:
            _refuse(low, f"einstein sum subscripts string includes output subscript {label!r} multiple times")
    atoms = [low.atom(x) for x in arrays]
    if not (isinstance(dtype, Static) and dtype.value is None):
        atoms = [low.cast(a, dtype_of(low, dtype, a.type.dtype)) for a in atoms]
    (x, *others), kept = arrays, {*out} == everything
    if not others and isinstance(x, Array) and kept and atoms[0].type.dtype is x.dtype:
        return _view(low, x, labels[0], out)
    return contracted(low, [Factor(a, term) for a, term in zip(atoms, labels, strict=True)], out)


def _view(low: Lowering, x: Array, labels: Labels, out: Labels) -> Value:
    """One operand of which nothing is summed: a view in NumPy."""
    if len(out) == len(labels):
        return permuted(x, tuple(labels.index(label) for label in out))
    made = contracted(low, [Factor(low.atom(x), labels)], out)
    if isinstance(made, Array):
        low.memory.relate([(made.buffer, (x.buffer,))])
    return made


def _refuse(low: Lowering, cause: str) -> NoReturn:
    low.refuse(UnsupportedFunctionError, cause, WRITE)
