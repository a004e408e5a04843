# ruff: noqa: SIM108
"""What is refused says where, why, and what to write instead."""

from __future__ import annotations

import numpy as np
import pytest

from adcore import jit
from adcore.errors import AdcoreError, DtypeError, UnsupportedFunctionError, UnsupportedSyntaxError

from .conftest import lower, run

X = np.array([1.0, 2.0, 3.0])
A = np.ones((2, 3))
OUTSIDE = np.zeros(3)
NAMES = ["a", "b"]
TABLE = {"a": 1.0}


def try_statement(x):
    try:
        return x[0]
    except IndexError:
        return 0.0


def with_statement(x):
    with np.errstate(all="ignore"):
        return x.sum()


def global_statement(x):
    global COUNTER
    COUNTER = 1
    return x


def printing(x):
    print(x)
    return x


def class_asked_for(x):
    return x if isinstance(x, 3) else 2.0 * x


def unknown_function(x):
    return np.packbits(x)


def float_array_index(x):
    return x[x]


def indexed_in_place(x):
    k = np.arange(3)
    k[[0, 1]] += 0.5
    return k


def output_of_another_kind(x):
    k = np.arange(3)
    np.add(x, 1.0, out=k)
    return k


def exact_output(x):
    k = np.arange(3)
    y = np.zeros((3, 3))
    np.dot(np.ones((3, 3), int), k, out=y[0])
    return y


def where_without_out(x):
    return np.log(x, where=x > 0)


def output_of_another_rank(x):
    return np.sum(x, out=np.zeros(1))


def too_many_masks(x):
    return x[x > 0, x > 0]


def write_outside(x):
    OUTSIDE[0] = x[0]
    return x


def list_from_outside(x):
    return x[0] + len(NAMES)


def key_of_a_dict_from_outside(x):
    return x if "a" in TABLE else -x


def truth_of_array(x):
    return 1.0 if x > 0 else 2.0


def kinds_on_paths(x):
    if x[0] > 0:
        y = x
    else:
        y = 1.0
    return y + 1


def kind_changes_in_loop(x):
    y = 0.0
    for _ in range(3):
        y = y + x
    return y


def none_in_loop(x):
    best = None
    for v in x:
        if best is None or v > best:
            best = v
    return best


def append_arrays_of_the_counter(x):
    found = []
    for k in range(3):
        found.append(np.full(k, x[0]))
    return np.concatenate(found)


def endless(x):
    return endless(x)


def fibonacci(x):
    if x[0] < 2:
        return x[0]
    return fibonacci(x - 1) + fibonacci(x - 2)


def read_in_loop_only(x):
    s = 0.0
    for v in x:
        if v < 0:
            s += never  # noqa: F821
            del never  # noqa: F821
    return s


def in_place_float(x):
    k = np.arange(3)
    k += x
    return k


def float_index(x):
    return x[1.0]


def no_such_keyword(x):
    return np.sum(x, casting="no")


def order_of_complex_numbers(x):
    return x * 1j < 2.0


def half_precision(x):
    return x.astype(np.float16)


def set_display(x):
    return {x[0], x[1]}


def undefined(x):
    return x + not_defined_anywhere  # noqa: F821


def attribute_write(x):
    x.flat = 0
    return x


def yielding(x):
    yield x


REFUSED = [
    (try_statement, UnsupportedSyntaxError, "`except` is not supported"),
    (with_statement, UnsupportedSyntaxError, "the statement With is not supported"),
    (global_statement, UnsupportedSyntaxError, "`global COUNTER` changes a name outside the function"),
    (printing, UnsupportedFunctionError, "print() has an effect outside the function"),
    (class_asked_for, UnsupportedSyntaxError, "isinstance() of a number (int64)"),
    (unknown_function, UnsupportedFunctionError, "packbits is not supported"),
    (float_array_index, DtypeError, "arrays used as indices must be of integer (or boolean) type"),
    (indexed_in_place, DtypeError, "a result of dtype float64 does not fit in place into an array of int64"),
    (output_of_another_kind, DtypeError, "is not cast to an output of dtype int64 with casting rule 'same_kind'"),
    (exact_output, DtypeError, "a result of dtype int64 is not cast to an output of dtype float64"),
    (where_without_out, UnsupportedFunctionError, "where= without out= leaves elements that nobody has written"),
    (output_of_another_rank, UnsupportedFunctionError, "out= is an array (float64, rank 1), the result has rank 0"),
    (too_many_masks, UnsupportedSyntaxError, "too many indices for array: array is 1-dimensional, but 2 were indexed"),
    (write_outside, UnsupportedSyntaxError, "writing into 'OUTSIDE', which is defined outside the function"),
    (list_from_outside, UnsupportedSyntaxError, "'NAMES' is a list defined outside the function"),
    (key_of_a_dict_from_outside, UnsupportedSyntaxError, "`in` on a dict"),
    (truth_of_array, UnsupportedSyntaxError, "the truth value of an array is ambiguous"),
    (kinds_on_paths, UnsupportedSyntaxError, "'y' is an array (float64, rank 1) on one path and a number (float64)"),
    (kind_changes_in_loop, UnsupportedSyntaxError, "'y' is a number (float64) where the loop begins and an array"),
    (none_in_loop, UnsupportedSyntaxError, "None"),
    (append_arrays_of_the_counter, UnsupportedSyntaxError, "'found' is a list whose items differ in length"),
    (endless, UnsupportedFunctionError, "levels deep"),
    (read_in_loop_only, UnsupportedSyntaxError, "'never' is read but never bound"),
    (in_place_float, DtypeError, "does not fit in place into an array of int64"),
    (float_index, DtypeError, "an index is a number (float64), not an integer"),
    (no_such_keyword, UnsupportedFunctionError, "unexpected keyword argument 'casting'"),
    (order_of_complex_numbers, DtypeError, "lt is not defined on an array (complex128, rank 1)"),
    (half_precision, DtypeError, "dtype float16 is not supported"),
    (set_display, UnsupportedSyntaxError, "Set is not supported"),
    (undefined, UnsupportedSyntaxError, "name 'not_defined_anywhere' is not defined"),
    (attribute_write, UnsupportedSyntaxError, "assigning to attribute 'flat' of an array"),
    (yielding, UnsupportedSyntaxError, "Yield is not supported"),
]


@pytest.mark.parametrize(("function", "kind", "cause"), REFUSED, ids=[f.__name__ for f, _, _ in REFUSED])
def test_refused(function, kind, cause):
    with pytest.raises(kind) as caught:
        lower(function, X)
    assert type(caught.value) is kind
    message = str(caught.value)
    assert cause in message
    assert f'File "{__file__}", line ' in message
    assert f"in {function.__name__}" in message
    assert "^" in message
    assert "Write instead: " in message


def test_recursion_without_a_constant_end():
    with pytest.raises(UnsupportedFunctionError, match=r"levels deep|calls itself"):
        lower(fibonacci, X)


def test_golden_message():
    with pytest.raises(UnsupportedSyntaxError) as caught:
        lower(truth_of_array, X)
    line = truth_of_array.__code__.co_firstlineno + 1
    assert str(caught.value) == (
        "the truth value of an array is ambiguous\n"
        f'  File "{__file__}", line {line}, in truth_of_array\n'
        "    return 1.0 if x > 0 else 2.0\n"
        "           ^^^^^^^^^^^^^^^^^^^^^\n"
        "  Write instead: np.any(x) or np.all(x)"
    )


def test_equations_know_their_line():
    def two_lines(x):
        y = x * 2
        return y + 1

    first, second = lower(two_lines, 1.0).program.equations
    start = two_lines.__code__.co_firstlineno
    assert first.source is not None
    assert (first.source.line, first.source.text.strip()) == (start + 1, "y = x * 2")
    assert first.source.text[first.source.column : first.source.end_column] == "x * 2"
    assert second.source is not None
    assert second.source.line == start + 2


def test_no_source():
    namespace: dict = {}
    exec("def made(x):\n    return x", namespace)
    with pytest.raises(UnsupportedFunctionError, match="source of function 'made' cannot be read"):
        lower(namespace["made"], 1.0)


@pytest.mark.parametrize(
    ("function", "arguments", "error", "message"),
    [
        (lambda x, i: x[i], (X, 7), IndexError, "index 7 is out of bounds for axis 0 with size 3"),
        (lambda a, i: a[0, i], (A, -4), IndexError, "index -4 is out of bounds for axis 1 with size 3"),
        (lambda x, y: x / y, (1.0, 0.0), ZeroDivisionError, "float division by zero"),
        (lambda x, y: x // y, (1, 0), ZeroDivisionError, "integer division or modulo by zero"),
        (lambda x, y: x @ y, (X, np.ones(4)), ValueError, "matmul: Input operand 1 has a mismatch"),
        (lambda x, n: x.reshape(n, 2), (X, 2), ValueError, "cannot reshape array of size 3 into shape (2, 2)"),
        (lambda x, n: np.zeros(n) + x, (1.0, -1), ValueError, "negative dimensions are not allowed"),
        (lambda x, i: x[i], (X, np.array([1, 7, -9])), IndexError, "index 7 is out of bounds for axis 0 with size 3"),
        (
            lambda a, i: a[:, i],
            (A, np.array([[1, -4]])),
            IndexError,
            "index -4 is out of bounds for axis 1 with size 3",
        ),
        (lambda a, i: a[i, np.arange(4)], (A, np.array([1, 0])), IndexError, "indexing arrays could not be broadcast"),
        (
            lambda x, m: x[m],
            (X, np.array([True, False])),
            IndexError,
            "boolean index did not match indexed array along",
        ),
        (
            lambda x, m: _stored(x, m, np.ones(2)),
            (X, X > 2),
            ValueError,
            "cannot assign 2 input values to the 1 output",
        ),
    ],
)
def test_raised_at_run_time(function, arguments, error, message):
    with pytest.raises(error) as caught:
        run(function, *arguments)
    assert message in str(caught.value)
    assert not isinstance(caught.value, AdcoreError)
    with pytest.raises(error):
        function(*arguments)


def _stored(x, mask, value):
    x = x.copy()
    x[mask] = value
    return x


def test_dicts_of_other_keys_in_a_loop_are_named():
    def f(state):
        for _ in range(20):
            state = {"u": state["u"] * 0.5}
        return state["u"]

    cause = "'state' is one with 'u', 'v' where the loop begins and one with 'u' where its body ends"
    with pytest.raises(UnsupportedSyntaxError, match=cause):
        jit(f)({"u": 1.0, "v": 1.0})
