"""Sparse Jacobians and Hessians: a pattern, a colouring, and compiled sums of columns and rows, kept between calls."""

from __future__ import annotations

import functools
import types
from collections import OrderedDict
from collections.abc import Callable
from inspect import Parameter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..api import grad
from ..arguments import abstract, specialisation_key
from ..dispatch import Specialisation, Transformed, transformed
from ..errors import AdcoreError, DtypeError, UnsupportedFunctionError
from ..pickling import BySource
from ..plugins import Lowered, Spec
from ..signatures import definition, name_of, signature_of
from ..statics import NOTHING, constant
from ..transforms import Identity, Transform, as_tuple, constants_of
from ..trees import flatten
from .colouring import ORDERS, Pattern
from .decisions import values_read
from .inside import Inside, Stored
from .plans import Plan, Sums, Ways
from .probing import probed
from .programs import ColumnSums, Dependences, Products, RowSums

__all__ = ["SparseJacobian", "hessian_pattern", "jacobian_pattern", "sparse_hessian", "sparse_jacobian"]

KEPT = 16  # plans, for arguments of other shapes
FORMATS = ("csr", "csc")
MODES = ("auto", "columns", "rows", "bidirectional")
COLORINGS = ("star", "acyclic")


class SparseJacobian(BySource):
    """A function's sparse Jacobian, as a function of the same arguments.

    The pattern, its colouring and the compiled code are kept: a call with arguments of the same shapes computes as many
    directional derivatives as there are colours, beside one run of the function.

    Attributes:
        function: what is differentiated.
        title: what errors call the transform.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        argnums: int | tuple[int, ...],
        given: Pattern | None,
        ways: Ways,
        check: bool | None,
        original: Callable[..., Any],
    ) -> None:
        functools.update_wrapper(self, original, updated=())
        self._made_from = (function, argnums, given, ways, check, original)
        self.function = function
        self.title = ways.title
        self._argnums = argnums
        self._given = given
        self._ways = ways
        self._check = check
        self._signature = signature_of(function)
        self._constants = constants_of(function)
        kinds = {p.kind for p in self._signature.parameters.values()}
        is_plain = self._constants == NOTHING and kinds <= {Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD}
        self._plain = len(self._signature.parameters) if is_plain else None  # how many arguments stand for themselves
        self._dependences: Transformed = transformed(Dependences(function, argnums), wraps=False)
        self._products: Transformed = transformed(Products(function, argnums), wraps=False)
        self._sums: dict[tuple[type, int], Any] = {}
        self._cases: OrderedDict[Any, _Case] = OrderedDict()

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def made_from(self) -> tuple[Any, ...]:
        return self._made_from

    @property
    def transform(self) -> Transform:
        """What a call in a compiled function is bound to."""
        return Identity(self.function)

    def __adcore_lower__(self, arguments: tuple[Any, ...]) -> Lowered:
        if self._ways.coloring == "acyclic":
            cause = f"a {self.title} by substitution in a compiled function"
            raise UnsupportedFunctionError(cause, write='coloring="star" there')
        stored = None if self._given is None else Stored.of(self._ways.plan(self._given), self._ways.format)
        is_checked = bool(self._check) or (self._check is None and stored is not None)
        return Inside(self.function, self._argnums, ways=self._ways, stored=stored, checked=is_checked).lower(arguments)

    def __repr__(self) -> str:
        return f"<{self.title} of {name_of(self.function)}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The matrix, a sparse array of SciPy's, at these arguments."""
        arguments = self._bound(args, kwargs)
        plan, is_new = self._plan(arguments)
        found = plan.pattern.matrix(self._values(plan, arguments), plan.format)
        if self._check or (self._check is None and self._given is not None and is_new):
            self._compare(found, arguments)
        return found

    def plan(self, *args: Any, **kwargs: Any) -> Plan:
        """The pattern and the sums by which the matrix is computed at these arguments."""
        return self._plan(self._bound(args, kwargs))[0]

    def decided_by(self, *args: Any, **kwargs: Any) -> tuple[str, ...]:
        """The arguments and captured values that decide the pattern, by name: it is found anew when they change.

        None where the pattern depends on nothing but shapes, or has been given.
        """
        case = self._case(self._bound(args, kwargs))
        if case.found is None:
            return ()
        params = case.found.lowered.program.params
        return tuple(params[k].name for k in case.read if params[k].name != "words")

    def pattern(self, *args: Any, **kwargs: Any) -> Pattern:
        """The pattern at these arguments, computed anew."""
        arguments = self._bound(args, kwargs)
        return self._detected(arguments, self._columns(arguments))

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """One value for each parameter, constants marked as such."""
        if self._plain == len(args) and not kwargs:
            return args
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{name_of(self.function)}(): {error}") from None
        bound.apply_defaults()
        mark = functools.partial(constant, self.function)
        return self._constants.marked(self._signature, tuple(bound.arguments.values()), mark)

    # The pattern

    def _columns(self, arguments: tuple[Any, ...]) -> int:
        """How many elements the arguments have that are differentiated."""
        places = self._dependences.transform.targets(arguments)  # type: ignore[attr-defined]
        if len(set(places)) < len(places):
            where = f"argnums {self._argnums} of {name_of(self.function)}"
            raise DtypeError(f"{self.title}: {where} name an argument twice")
        leaves = [leaf for place in places for leaf in flatten(place.of(arguments))[0]]
        return sum(np.size(leaf) for leaf in leaves if _is_real(leaf))

    def _plan(self, arguments: tuple[Any, ...]) -> tuple[Plan, bool]:
        """The plan for these arguments, and whether it has been made now."""
        leaves, tree = flatten(arguments)
        if all(type(leaf) is np.ndarray for leaf in leaves):
            numbers, key = leaves, (tree, *((leaf.dtype, leaf.shape) for leaf in leaves))
        else:
            specs = [abstract(leaf) for leaf in leaves]
            numbers = [leaf for leaf, spec in zip(leaves, specs, strict=True) if isinstance(spec, Spec)]
            key = tree, specialisation_key(specs), tuple(map(np.shape, leaves))
        case = self._cases.get(key)
        if case is None or not case.is_current():
            case = self._cases[key] = self._case(arguments)
        self._cases.move_to_end(key)
        while len(self._cases) > KEPT:
            self._cases.popitem(last=False)
        values = case.values(numbers)
        if case.plan is not None and case.decided_by == values:
            return case.plan, False
        pattern = self._detected(arguments, case.columns) if self._given is None else self._given
        case.plan, case.decided_by = self._ways.plan(pattern), values
        return case.plan, True

    def _case(self, arguments: tuple[Any, ...]) -> _Case:
        columns = self._columns(arguments)
        if self._given is None:
            dispatcher = self._dependences.dispatcher
            bound = dispatcher.bind((arguments, np.zeros(columns, np.int64)), {})
            return _Case(columns, dispatcher.specialisation(bound))
        if self._given.shape[1] != columns:
            shape = f"{self._given.shape[0]} by {self._given.shape[1]}"
            raise ValueError(f"{self.title}: the pattern is {shape}, the arguments have {columns} elements")
        return _Case(columns, None)

    def _detected(self, arguments: tuple[Any, ...], columns: int) -> Pattern:
        found = probed(lambda words: self._dependences(arguments, words), columns)  # type: ignore[operator]
        return found.symmetric() if self._ways.symmetric else found

    # The elements

    def _values(self, plan: Plan, arguments: tuple[Any, ...]) -> NDArray[Any]:
        parts = [(kind, sums) for kind, sums in ((ColumnSums, plan.columns), (RowSums, plan.rows)) if sums is not None]
        chunks = [(kind, sums, chunk) for kind, sums in parts for chunk in sums.chunks]
        found: NDArray[Any] | None = None
        for kind, sums, chunk in chunks:
            computed = self._compiled(kind, sums)(arguments, sums.colours, chunk.first, sums.length, chunk.places)
            if chunk.elements is None:
                found = computed
                continue
            if found is None:
                found = np.empty(sum(len(c.places) for _, _, c in chunks), computed.dtype)
            found[chunk.elements] = computed
        assert found is not None
        return found if plan.substitution is None else plan.substitution.elements(found)

    def _compiled(self, kind: type[ColumnSums] | type[RowSums], sums: Sums) -> Any:
        key = kind, sums.count
        if key not in self._sums:
            self._sums[key] = transformed(kind(self.function, self._argnums, count=sums.count), wraps=False)
        return self._sums[key]

    # The check

    def _compare(self, matrix: Any, arguments: tuple[Any, ...]) -> None:
        """Compare the product with a random direction with the directional derivative.

        Raises:
            AdcoreError: they are not the same.
        """
        direction = np.random.default_rng(0).uniform(0.5, 1.5, matrix.shape[1])
        exact = self._products(arguments, direction)  # type: ignore[operator]
        found, size = matrix @ direction, abs(matrix) @ direction
        with np.errstate(invalid="ignore"):
            tolerance = np.sqrt(np.finfo(exact.dtype).eps) * (size + np.abs(exact))
            wrong = np.flatnonzero((np.abs(found - exact) > tolerance) | (np.isnan(found) != np.isnan(exact)))
        if len(wrong):
            shown = ", ".join(map(str, wrong[:5])) + (", …" if len(wrong) > 5 else "")
            raise AdcoreError(
                f"{self.title}: the pattern leaves out elements that are not 0: a product is wrong in rows {shown}",
                definition(self.function),
                "sparse=True, which finds the pattern, or a pattern with these elements",
            )


class _Case:
    """Arguments of certain structures, dtypes and shapes.

    Attributes:
        columns: how many elements are differentiated.
        found: the program of their dependences; None where the pattern is given.
        plan: the plan made last, if any.
        decided_by: the values that its pattern depends on.
    """

    def __init__(self, columns: int, found: Specialisation | None) -> None:
        self.columns = columns
        self.found = found
        self.read = [] if found is None else sorted(values_read(found.lowered.program))
        self.plan: Plan | None = None
        self.decided_by: tuple[Any, ...] = ()

    def is_current(self) -> bool:
        return self.found is None or self.found.is_current()

    def values(self, leaves: list[Any]) -> tuple[Any, ...]:
        """What the pattern depends on beside the shapes of the arguments: shapes and values."""
        if self.found is None:
            return ()
        captured = [capture.read() for capture in self.found.lowered.captures]
        seen = [*leaves, None, *captured]  # as the parameters of the program, where the words come in between
        values = (np.asarray(seen[k]).tobytes() for k in self.read if k != len(leaves))
        return (*map(np.shape, captured), *values)


def _is_real(leaf: Any) -> bool:
    spec = abstract(leaf)
    return isinstance(spec, Spec) and spec.dtype.differentiable


def _required(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name}={value!r}; there are {', '.join(map(repr, known))}")


def sparse_jacobian(
    f: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    pattern: Any = None,
    *,
    format: str = "csr",
    mode: str = "auto",
    order: str = "best",
    check: bool | None = None,
) -> SparseJacobian:
    """The Jacobian as a sparse matrix, from as few directional derivatives as its pattern allows.

    Columns that share no row are added up before they are computed, by forward mode, and rows that share no column, by
    reverse mode (Curtis, Powell and Reid 1974; Gebremedhin, Manne and Pothen 2005).

    Args:
        f: the function, of real numbers and arrays of them, or trees of these, and other arguments.
        argnums: which positional arguments to differentiate.
        pattern: a sparse matrix of SciPy's, or an array, whose stored (or nonzero) places are those of the elements
            that may be other than 0.  Without it the pattern is found: the places of all elements that can be other
            than 0 at any point where the function takes the same branches and has the same indices.  It is found again
            when shapes change, or values that decide a branch, an index or a trip count.
        format: "csr" or "csc".
        mode: sums of "columns", of "rows", of both ("bidirectional"), or what costs least ("auto").
        order: in which columns or rows get colours, as in `color_columns`.
        check: whether the product with one direction is compared with the directional derivative at every call; without
            it, at the first call with a given pattern.

    Returns:
        A function with the signature of `f`, whose result is a sparse array of SciPy's.  Its columns are the elements
        of the arguments, each raveled, one after the other, and its rows those of the value.  Elements that are 0 at
        the point are stored where the pattern has them.

    Raises:
        ValueError: a pattern, format, mode or order that does not fit; the pattern has another shape than the Jacobian.
        AdcoreError: a check has found that the pattern leaves out elements.
        DtypeError: an argument or the value is complex, or no real number.

    >>> import numpy as np
    >>> jacobian = sparse_jacobian(lambda x: x[1:] * x[:-1])
    >>> jacobian(np.array([1.0, 2.0, 3.0, 4.0])).toarray()
    array([[2., 1., 0., 0.],
           [0., 3., 2., 0.],
           [0., 0., 4., 3.]])
    >>> jacobian.plan(np.ones(4)).sums
    2
    """
    _required("format", format, FORMATS)
    _required("mode", mode, MODES)
    _required("order", order, (*ORDERS, "best"))
    given = None if pattern is None else Pattern.of(pattern)
    return SparseJacobian(f, argnums, given, Ways(False, format, mode, "star", order), check, f)


def sparse_hessian(
    f: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    pattern: Any = None,
    *,
    format: str = "csr",
    coloring: str = "star",
    order: str = "best",
    check: bool | None = None,
) -> SparseJacobian:
    """The Hessian of a function that returns one real number, as a sparse matrix.

    Arguments, result and errors as of `sparse_jacobian`, but for

    Args:
        f: the function, which returns one real number.
        coloring: "star", by which every element is read off, or "acyclic", by which elements follow by substitution
            from fewer sums, with the rounding errors of some subtractions.

    Returns:
        A function with the signature of `f`; rows and columns of the result are the elements of the arguments.

    >>> import numpy as np
    >>> hessian = sparse_hessian(lambda x: np.sum(x[1:] * x[:-1] ** 2))
    >>> hessian(np.array([1.0, 2.0, 3.0])).toarray()
    array([[4., 2., 0.],
           [2., 6., 4.],
           [0., 4., 0.]])
    """
    _required("format", format, FORMATS)
    _required("coloring", coloring, COLORINGS)
    _required("order", order, (*ORDERS, "best"))
    given = None
    if pattern is not None:
        given = Pattern.of(pattern)
        if given.shape[0] != given.shape[1]:
            raise ValueError(f"the pattern of a Hessian is square, not {given.shape[0]} by {given.shape[1]}")
        given = given.symmetric()
    gradient = grad(f, argnums=as_tuple(argnums))
    return SparseJacobian(gradient, argnums, given, Ways(True, format, "columns", coloring, order), check, f)


def jacobian_pattern(f: Callable[..., Any], *args: Any, argnums: int | tuple[int, ...] = 0) -> Any:
    """The places of a Jacobian that may hold something other than 0, at these arguments.

    Args:
        f, argnums: as of `sparse_jacobian`.
        *args: the arguments.

    Returns:
        A sparse array of booleans.

    >>> import numpy as np
    >>> jacobian_pattern(lambda x: np.cumsum(x * x), np.ones(3)).toarray().astype(int)
    array([[1, 0, 0],
           [1, 1, 0],
           [1, 1, 1]])
    """
    found = sparse_jacobian(f, argnums).pattern(*args)
    return found.matrix(np.ones(found.count, bool))


def hessian_pattern(f: Callable[..., Any], *args: Any, argnums: int | tuple[int, ...] = 0) -> Any:
    """The places of a Hessian that may hold something other than 0, at these arguments; as `jacobian_pattern`.

    >>> import numpy as np
    >>> hessian_pattern(lambda x: x[0] * x[1] + x[2], np.ones(3)).toarray().astype(int)
    array([[0, 1, 0],
           [1, 0, 0],
           [0, 0, 0]])
    """
    found = sparse_hessian(f, argnums).pattern(*args)
    return found.matrix(np.ones(found.count, bool))
