"""The public transforms.  Names and argument order follow JAX."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import linear_maps
from .diagonals import HessianDiagonal, Laplacian
from .dispatch import Specialisation, Transformed, derived, specialise, transformed
from .errors import AdcoreError
from .jacobians import ForwardJacobian, Jacobian, ReverseJacobian
from .policies import Policy, loop_policy
from .program import Program, clone
from .second_order import HessianProduct, ProductWithHessian
from .signatures import arranged
from .splitting import PullbackSplit, PushforwardSplit
from .statics import Argnames, Argnums, declared
from .transforms import Checkpoint, Gradient, Identity, Pushforward, Transform

if TYPE_CHECKING:
    from .python_source import Form

__all__ = [
    "checkpoint",
    "grad",
    "hessian",
    "hessian_diagonal",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "laplacian",
    "linearize",
    "program",
    "source",
    "value_and_grad",
    "vhp",
    "vjp",
]

_MISSING: Any = object()


def jit(
    f: Callable[..., Any] = _MISSING,
    *,
    static_argnums: Argnums = None,
    static_argnames: Argnames = None,
    debug: str | None = None,
    parallel: bool = False,
    device: str | None = None,
) -> Any:
    """The function itself, compiled.

    Args:
        f: an ordinary Python function of numbers, arrays of real and complex numbers, integers and booleans, and
            tuples, lists and dicts of these; without it a decorator is returned.
        static_argnums: positions of arguments that are constants: a program is made for each value of them, by `==` and
            type, and `f` sees them as if they stood in its text, so that a recursion may end by them.
        static_argnames: names of further ones.
        debug: "nan" to have every call checked: where its result is infinite or NaN and was made so, `NonFiniteError`
            names the line, the operands and the iteration.  All transforms have it, and those of the function returned
            inherit it; see `debug_nans` and docs/stability.md.
        parallel: whether loops whose iterations are independent, expressions of large arrays and matrix products are
            shared out among threads: as many as `set_num_threads` says, or if that is one, as there are processors.
            All transforms have it, and those of the function returned inherit it; results are the same, to the bit, for
            any number of threads.  See docs/threads.md.
        device: "cuda" to run on a CUDA device: arrays are those of CuPy, PyTorch, Numba, JAX or any other library with
            `__cuda_array_interface__` or DLPack, results are arrays of the library of the first one, and nothing goes
            through the host; "cuda:atomics" lets it add numbers in any order; see docs/cuda.md.  All transforms that
            have it mean the same; the outermost one counts.

    Returns:
        A function with the same signature.  Arrays come back as fresh C-contiguous arrays, scalars as Python ones.

    Raises:
        UnsupportedSyntaxError, UnsupportedFunctionError, AliasError: at the first call, if `f` is outside the
            language; the message shows the line.
        ValueError: `f` has no argument that is said to be static; at a call, a static argument cannot be hashed.
        NonFiniteError: at a call, with `debug="nan"`.

    >>> import math
    >>> norm = jit(lambda x, y: math.sqrt(x * x + y * y))
    >>> norm(3.0, 4.0)
    5.0
    >>> @jit(static_argnames="n")
    ... def power(x, n):
    ...     return x * power(x, n - 1) if n else 1.0
    >>> power(3.0, n=4)
    81.0
    """
    if f is _MISSING:
        return _decorator(jit, locals())
    static = declared(f, static_argnums, static_argnames)
    return transformed(Identity(f, declared=static), debug=debug, parallel=parallel, device=device)


def grad(
    f: Callable[..., Any] = _MISSING,
    argnums: int | tuple[int, ...] = 0,
    argnames: str | tuple[str, ...] | None = None,
    has_aux: bool = False,
    holomorphic: bool = False,
    conj: bool = False,
    donate_argnums: int | tuple[int, ...] = (),
    *,
    static_argnums: Argnums = None,
    static_argnames: Argnames = None,
    on_kink: Any = None,
    debug: str | None = None,
    parallel: bool = False,
    device: str | None = None,
) -> Any:
    """The gradient of a function that returns one real number, by reverse mode.

    Args:
        f: the function; without it a decorator is returned, so that `@grad(argnums=1)` works.
        argnums: which positional arguments to differentiate; an int gives one gradient, a tuple a tuple of them.
        argnames: names of further arguments to differentiate.
        has_aux: `f` returns (value, aux); the result is (gradient, aux).
        holomorphic: `f` is a holomorphic function of complex numbers that returns one; the result is its complex
            derivative.
        conj: give complex gradients conjugated: the direction in which the value grows fastest.  Without it the
            gradient with respect to z = x + iy is ∂f/∂x - i ∂f/∂y, as in JAX (see docs/complex.md).
        donate_argnums: arguments into which `f` may write, as it does when it is called by itself; all others are
            left alone, whatever `f` does to them.
        static_argnums, static_argnames: arguments that are constants, as in `jit`; they have no derivative.
        on_kink: what to do at a point where the gradient is not the derivative (`adcore.verdict`): "raise"
            `NonDifferentiableError`; "warn" with `NonDifferentiableWarning`; "report": return (the result, the verdict)
            at every call; a function that is given the verdict and returns another gradient, or None; "left" or
            "right": take all kinks from the side where x < y, or x > y; "central": the mean of these two.  By default
            nothing is looked at and nothing is paid for.
        debug, parallel, device: as in `jit`.

    Returns:
        A function with the signature of `f`.  The gradient has the structure, dtype and shape of the argument.

    Raises:
        DtypeError: an argument to differentiate is an integer or boolean, or `f` returns one; or a complex number
            without `holomorphic`.
        TypeError: `f` returns something else than one real number, or `argnums` is out of range.

    >>> import math
    >>> @grad
    ... def slope(x, n):
    ...     y = x
    ...     for _ in range(n):
    ...         y = math.sin(y) * x
    ...     return y
    >>> round(slope(1.0, 3), 12)
    1.902669639637
    >>> grad(lambda x: x**3)(2.0)
    12.0
    """
    if f is _MISSING:
        return _decorator(grad, locals())
    static = declared(f, static_argnums, static_argnames)
    wanted = (argnums, has_aux, holomorphic, argnames, False, donate_argnums, conj)
    return _at_kinks(Gradient(f, *wanted, declared=static), on_kink, debug, parallel, device)


def value_and_grad(
    f: Callable[..., Any] = _MISSING,
    argnums: int | tuple[int, ...] = 0,
    argnames: str | tuple[str, ...] | None = None,
    has_aux: bool = False,
    holomorphic: bool = False,
    conj: bool = False,
    donate_argnums: int | tuple[int, ...] = (),
    *,
    static_argnums: Argnums = None,
    static_argnames: Argnames = None,
    on_kink: Any = None,
    debug: str | None = None,
    parallel: bool = False,
    device: str | None = None,
) -> Any:
    """Value and gradient together; arguments as in `grad`.

    Returns:
        A function that gives (value, gradient), with `has_aux` ((value, aux), gradient).  With `on_kink` "left" or
        "right" the value is that of the side too.

    >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 3.0)
    (6.0, (3.0, 2.0))
    """
    if f is _MISSING:
        return _decorator(value_and_grad, locals())
    static = declared(f, static_argnums, static_argnames)
    wanted = (argnums, has_aux, holomorphic, argnames, True, donate_argnums, conj)
    return _at_kinks(Gradient(f, *wanted, declared=static), on_kink, debug, parallel, device)


def _at_kinks(gradient: Gradient, on_kink: Any, debug: str | None, parallel: bool, device: str | None) -> Any:
    """The gradient, with what is wanted where a point touches a kink."""
    if on_kink is None:
        return transformed(gradient, debug=debug, parallel=parallel, device=device)
    if debug is not None:
        raise ValueError(f"{gradient.title}: debug={debug!r} beside on_kink; adcore.debug_nans() goes with it")
    if parallel:
        raise ValueError(f"{gradient.title}: parallel=True beside on_kink; adcore.set_num_threads() goes with it")
    if device is not None:
        raise ValueError(f"{gradient.title}: device={device!r} beside on_kink, for which the host has to look")
    from .verdicts.handling import handled  # which is written with what is defined here

    return handled(gradient, on_kink)


def _decorator(transform: Callable[..., Any], given: dict[str, Any]) -> Any:
    """The transform with these options, of a function that is still to come."""
    return functools.partial(transform, **{name: value for name, value in given.items() if name != "f"})


def jacfwd(
    f: Callable[..., Any] = _MISSING,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    *,
    static_argnums: Argnums = None,
    static_argnames: Argnames = None,
    debug: str | None = None,
    parallel: bool = False,
    device: str | None = None,
) -> Any:
    """The Jacobian, by forward mode: all columns at once, beside one run of the function.

    Fast where the arguments have fewer elements than the results.

    Args:
        f: the function; without it a decorator is returned.
        argnums: which positional arguments to differentiate; an int gives one Jacobian, a tuple a tuple of them.
        has_aux: `f` returns (value, aux); the result is (Jacobian, aux).
        holomorphic: `f` is a holomorphic function of complex numbers; the result is its complex derivative.
        static_argnums, static_argnames: arguments that are constants, as in `jit`; they have no derivative.
        debug, parallel, device: as in `jit`.

    Returns:
        A function with the signature of `f`.  For a value of shape (m, …) and an argument of shape (n, …) the Jacobian
        has the shape (m, …, n, …); of trees it has the structure of the value, and in each leaf that of the argument.
        It is None where the value or the argument is an integer or boolean.

    Raises:
        DtypeError: an argument to differentiate is an integer or boolean; or a complex number without `holomorphic`.

    >>> import numpy as np
    >>> jacfwd(lambda x: np.array([x[0] * x[1], x[0] + x[1], x[1]]))(np.array([2.0, 3.0]))
    array([[3., 2.],
           [1., 1.],
           [0., 1.]])
    """
    if f is _MISSING:
        return _decorator(jacfwd, locals())
    static = declared(f, static_argnums, static_argnames)
    made = ForwardJacobian(f, argnums, has_aux, holomorphic, declared=static)
    return transformed(made, debug=debug, parallel=parallel, device=device)


def jacrev(
    f: Callable[..., Any] = _MISSING,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    *,
    static_argnums: Argnums = None,
    static_argnames: Argnames = None,
    debug: str | None = None,
    parallel: bool = False,
    device: str | None = None,
) -> Any:
    """The Jacobian, by reverse mode: all rows at once, beside one run of the function.

    Fast where the results have fewer elements than the arguments.  Arguments and result as of `jacfwd`.

    Raises:
        DtypeError: an argument to differentiate is an integer or boolean; or a value is a complex number without
            `holomorphic`.

    >>> jacrev(lambda x, y: (x * y, x + y), argnums=(0, 1))(2.0, 3.0)
    ((3.0, 2.0), (1.0, 1.0))
    """
    if f is _MISSING:
        return _decorator(jacrev, locals())
    static = declared(f, static_argnums, static_argnames)
    made = ReverseJacobian(f, argnums, has_aux, holomorphic, declared=static)
    return transformed(made, debug=debug, parallel=parallel, device=device)


def jacobian(
    f: Callable[..., Any] = _MISSING,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    *,
    sparse: Any = False,
    static_argnums: Argnums = None,
    static_argnames: Argnames = None,
    debug: str | None = None,
    parallel: bool = False,
    device: str | None = None,
) -> Any:
    """The Jacobian, by the mode that takes fewer directions: `jacfwd` or `jacrev`, whose arguments and result it has.

    Where the lengths that decide are known at a call only, both modes are compiled and the call takes one of them.

    Args:
        sparse: True for a SciPy sparse matrix, whose pattern is found by dataflow, or that pattern; see
            `adcore.sparse.sparse_jacobian`.

    Raises:
        DtypeError: an argument to differentiate is an integer or boolean; or arguments and values are complex, without
            `holomorphic`.

    >>> import numpy as np
    >>> jacobian(lambda x: np.array([x[0] * x[1], x[2] ** 2]))(np.array([2.0, 3.0, 4.0]))
    array([[3., 2., 0.],
           [0., 0., 8.]])
    """
    if f is _MISSING:
        return _decorator(jacobian, locals())
    if sparse is not False:
        other = has_aux or holomorphic or bool(debug) or parallel or device is not None
        return _sparse("jacobian", f, argnums, sparse, other, static_argnums, static_argnames)
    static = declared(f, static_argnums, static_argnames)
    return transformed(
        Jacobian(f, argnums, has_aux, holomorphic, declared=static), debug=debug, parallel=parallel, device=device
    )


def hessian_diagonal(
    f: Callable[..., Any] = _MISSING,
    argnums: int | tuple[int, ...] = 0,
    *,
    static_argnums: Argnums = None,
    static_argnames: Argnames = None,
    debug: str | None = None,
    parallel: bool = False,
    device: str | None = None,
) -> Any:
    """The diagonal of the Hessian of a function that returns one real number, ∂²f/∂xₖ² for every element.

    The gradient runs once and its derivative along n directions, sixteen at a time, for n elements; the memory is that
    of sixteen gradients, not of the Hessian.

    Returns:
        A function with the signature of `f`; the diagonal has the structure, dtype and shape of the argument.

    Raises:
        DtypeError: an argument to differentiate is an integer, boolean or complex number.

    >>> import numpy as np
    >>> hessian_diagonal(lambda x: np.sum(x**3) + x[0] * x[1])(np.array([1.0, 2.0, 3.0]))
    array([ 6., 12., 18.])
    """
    if f is _MISSING:
        return _decorator(hessian_diagonal, locals())
    static = declared(f, static_argnums, static_argnames)
    return transformed(HessianDiagonal(f, argnums, declared=static), debug=debug, parallel=parallel, device=device)


def laplacian(
    f: Callable[..., Any] = _MISSING,
    argnums: int | tuple[int, ...] = 0,
    *,
    static_argnums: Argnums = None,
    static_argnames: Argnames = None,
    debug: str | None = None,
    parallel: bool = False,
    device: str | None = None,
) -> Any:
    """The Laplacian Σₖ ∂²f/∂xₖ² of a function that returns one real number, by all elements of the arguments together.

    Computed as `hessian_diagonal` is, whose arguments it has.

    >>> import numpy as np
    >>> laplacian(lambda x: np.sum(x**3))(np.array([1.0, 2.0, 3.0]))
    36.0
    """
    if f is _MISSING:
        return _decorator(laplacian, locals())
    static = declared(f, static_argnums, static_argnames)
    return transformed(Laplacian(f, argnums, declared=static), debug=debug, parallel=parallel, device=device)


def hessian(
    f: Callable[..., Any] = _MISSING,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    sparse: Any = False,
    *,
    static_argnums: Argnums = None,
    static_argnames: Argnames = None,
    debug: str | None = None,
    parallel: bool = False,
    device: str | None = None,
) -> Any:
    """The Hessian, forward over reverse: `jacfwd(jacrev(f))`, whose arguments it has.

    Args:
        sparse: True for a sparse matrix of SciPy's, whose pattern is found, or the pattern; `f` returns one real number
            then, and `adcore.sparse.sparse_hessian` has more options.

    Returns:
        A function with the signature of `f`.  For a value of shape (m, …) and an argument of shape (n, …) the Hessian
        has the shape (m, …, n, …, n, …); with a tuple of arguments it is a tuple of tuples.

    >>> import numpy as np
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0]))
    array([[6., 4.],
           [4., 0.]])
    """
    if f is _MISSING:
        return _decorator(hessian, locals())
    if sparse is not False:
        other = has_aux or holomorphic or bool(debug) or parallel or device is not None
        return _sparse("hessian", f, argnums, sparse, other, static_argnums, static_argnames)
    static: dict[str, Any] = {"static_argnums": static_argnums, "static_argnames": static_argnames}
    gradient = jacrev(f, argnums, has_aux, holomorphic, **static)
    return jacfwd(gradient, argnums, has_aux, holomorphic, debug=debug, parallel=parallel, device=device)


def _sparse(name: str, f: Any, argnums: Any, sparse: Any, other: bool, *static: Any) -> Any:
    """A sparse Jacobian or Hessian, which takes fewer options than a dense one."""
    from .sparse import sparse_hessian, sparse_jacobian  # which compile loops with what is defined here

    if other or any(s is not None for s in static):
        raise ValueError(
            f"{name}(sparse=…) takes no has_aux, holomorphic, debug, parallel and device; constants: jit(f, …)"
        )
    make = sparse_hessian if name == "hessian" else sparse_jacobian
    return make(f, argnums, None if sparse is True else sparse)


def jvp(
    f: Callable[..., Any] = _MISSING,
    primals: Any = _MISSING,
    tangents: Any = _MISSING,
    has_aux: bool = False,
    *,
    debug: str | None = None,
    parallel: bool = False,
) -> Any:
    """Value and directional derivative, by forward mode.

    Args:
        f: the function.
        primals: the tuple of arguments of `f`.
        tangents: the tuple of their tangents, of the same structure and shapes.
        has_aux: `f` returns (value, aux); the result is (value, tangent, aux).
        debug, parallel: as in `jit`.

    Returns:
        (value, tangent).  Without `primals` and `tangents` a function of these, compiled once: `g = jvp(f)`.
        Where the value has integers or booleans the tangent is None.

    Raises:
        TypeError: a tangent has another structure or rank than its primal.
        ValueError: a tangent has another shape than its primal.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
    (6.0, 3.0)
    """
    if f is _MISSING:
        return functools.partial(jvp, has_aux=has_aux, debug=debug, parallel=parallel)
    return _along(f, _PUSH_WITH_AUX if has_aux else Pushforward, primals, tangents, debug, parallel)


def hvp(
    f: Callable[..., Any] = _MISSING,
    primals: Any = _MISSING,
    tangents: Any = _MISSING,
    *,
    debug: str | None = None,
    parallel: bool = False,
) -> Any:
    """Gradient and the product of the Hessian with a vector, by forward over reverse mode; no Hessian is made.

    Args:
        f: a function that returns one real number.
        primals: the tuple of arguments of `f`.
        tangents: the tuple of the parts of the vector, of the same structure and shapes.

    Returns:
        (gradient, product), each of the structure of the argument; where `f` has several arguments, a tuple with a
        part for each, None for one without real numbers.  The cost is that of a few gradients (Pearlmutter 1994).
        Without `primals` and `tangents` a function of these, compiled once: `g = hvp(f)`.

    Raises:
        TypeError, ValueError: as `jvp` and `grad`.

    >>> import numpy as np
    >>> hvp(lambda x: x[0] ** 2 * x[1], (np.array([2.0, 3.0]),), (np.array([1.0, 0.0]),))
    (array([12.,  4.]), array([6., 4.]))
    """
    if f is _MISSING:
        return functools.partial(hvp, debug=debug, parallel=parallel)
    return _along(f, HessianProduct, primals, tangents, debug, parallel)


def vhp(
    f: Callable[..., Any] = _MISSING,
    primals: Any = _MISSING,
    cotangents: Any = _MISSING,
    *,
    debug: str | None = None,
    parallel: bool = False,
) -> Any:
    """Gradient and the product of a vector with the Hessian, by reverse over reverse mode; no Hessian is made.

    Arguments and result as of `hvp`, with which it agrees where second derivatives are continuous.

    >>> vhp(lambda x, y: x**2 * y, (2.0, 3.0), (1.0, 0.0))
    ((12.0, 4.0), (6.0, 4.0))
    """
    if f is _MISSING:
        return functools.partial(vhp, debug=debug, parallel=parallel)
    return _along(f, ProductWithHessian, primals, cotangents, debug, parallel)


def _along(
    f: Callable[..., Any],
    make: Callable[[Any], Transform],
    primals: Any,
    direction: Any,
    debug: str | None,
    parallel: bool,
) -> Any:
    """A derivative along a direction; without one the function of the point and the direction."""
    found = derived(f, make, debug, parallel)
    return found if primals is _MISSING else found(tuple(primals), tuple(direction))


def linearize(
    f: Callable[..., Any] = _MISSING,
    *primals: Any,
    has_aux: bool = False,
    debug: str | None = None,
    parallel: bool = False,
) -> Any:
    """Value and pushforward, by forward mode in two parts.

    Args:
        f: the function.
        *primals: its arguments.
        has_aux: `f` returns (value, aux); the result is (value, pushforward, aux).
        debug, parallel: as in `jit`; calls of the pushforward are checked too.

    Returns:
        (value, pushforward): `pushforward(*tangents)` takes a tangent for each argument, of its structure, and gives
        the tangent of the value (None for integers and booleans).  It may be called any number of times and does not
        run `f` again; the residuals are kept in between.

    Raises:
        TypeError, ValueError: from the pushforward, for a tangent of another structure or shape than its argument.

    >>> value, pushforward = linearize(lambda x, y: x * y, 2.0, 3.0)
    >>> value, pushforward(1.0, 0.0), pushforward(0.0, 1.0)
    (6.0, 3.0, 2.0)
    """
    if f is _MISSING or not primals:
        given = () if f is _MISSING else (f,)
        return functools.partial(linearize, *given, has_aux=has_aux, debug=debug, parallel=parallel)
    found, bound, value, aux, residuals, lists, again = _split(f, PushforwardSplit, primals, has_aux, debug, parallel)
    is_given = len(bound) == len(primals) and all(map(operator.is_, bound, primals))
    defaults = () if is_given else bound[len(arranged(f, primals)) :]
    return (value, linear_maps.Pushforward(found, primals, defaults, residuals, lists, again), *aux)


def vjp(
    f: Callable[..., Any] = _MISSING,
    *primals: Any,
    has_aux: bool = False,
    debug: str | None = None,
    parallel: bool = False,
) -> Any:
    """Value and pullback, by reverse mode.

    Args:
        f: the function.
        *primals: its arguments.
        has_aux: `f` returns (value, aux); the result is (value, pullback, aux).
        debug, parallel: as in `jit`; calls of the pullback are checked too.

    Returns:
        (value, pullback): `pullback(cotangent)` takes a cotangent of the value's structure and gives the tuple of
        the arguments' cotangents (None for integers and booleans).  It may be called any number of times; the
        residuals are kept in between.

    Raises:
        TypeError, ValueError: from the pullback, for a cotangent of another structure or shape than the value.

    >>> value, pullback = vjp(lambda x, y: (x * y, x + y), 2.0, 3.0)
    >>> value, pullback((1.0, 0.0))
    ((6.0, 5.0), (3.0, 2.0))
    """
    if f is _MISSING or not primals:
        given = () if f is _MISSING else (f,)
        return functools.partial(vjp, *given, has_aux=has_aux, debug=debug, parallel=parallel)
    found, _, value, aux, residuals, lists, again = _split(f, PullbackSplit, primals, has_aux, debug, parallel)
    return (value, linear_maps.Pullback(found, value, residuals, lists, len(primals), has_aux, again), *aux)


def _split(
    f: Callable[..., Any],
    make: type[PullbackSplit | PushforwardSplit],
    primals: tuple[Any, ...],
    has_aux: bool,
    debug: str | None,
    parallel: bool,
) -> tuple[Specialisation, tuple[Any, ...], Any, list[Any], tuple[Any, ...], tuple[Any, ...], list[Any] | None]:
    """The function run with what its linear map needs.

    How it was compiled, one value for each parameter, the value, aux, residuals, lists, and what it was run with, where
    what the map gives is checked.
    """
    split = splitting(make, f, has_aux, debug, parallel)
    bound = split.dispatcher.bind(primals, {})
    found = split.dispatcher.specialisation(bound)
    again = found.copied(bound) if split.dispatcher.is_checked() else None
    out, residuals, lists = split(*primals)
    value, *aux = out if has_aux else (out,)
    return found, bound, value, aux, residuals, lists, again


def splitting(
    make: type[PullbackSplit | PushforwardSplit],
    f: Callable[..., Any],
    has_aux: bool = False,
    debug: str | None = None,
    parallel: bool = False,
) -> Any:
    """The function that gives what its linear map needs too, kept with `f`."""
    return derived(f, _WITH_AUX[make] if has_aux else make, debug, parallel)


# One object for each, by which `derived` knows them.
_WITH_AUX = {make: functools.partial(make, has_aux=True) for make in (PullbackSplit, PushforwardSplit)}
_PUSH_WITH_AUX = functools.partial(Pushforward, has_aux=True)


def checkpoint(
    f: Callable[..., Any] = _MISSING,
    policy: Policy = "sqrt",
    snapshots: int | None = None,
    bytes: int | None = None,
) -> Any:
    """The function itself, with less memory in reverse mode.

    Called inside a function that is differentiated, its inside is run again in the reverse sweep, and nothing but its
    inputs is kept for that (as with `jax.checkpoint`).  Its loops, of known and unknown length, keep what the policy
    says while they are reversed.

    Args:
        f: the function; without it a decorator is returned, so that `@checkpoint(policy=…)` works.
        policy: as in `loop_policy`: "sqrt" keeps the state of √n iterations and runs the iterations in between again,
            one more run of the loop in all; a number keeps the state of as many iterations; "revolve" the states of at
            most `snapshots` iterations, or as many as fit into `bytes`; "all" what every iteration needs.
        snapshots, bytes: for "revolve", as in `loop_policy`.

    Returns:
        A function with the same values and derivatives, to call or to differentiate.

    Raises:
        ValueError: another policy; or, at a call, a number of bytes into which not one state of a loop fits.

    >>> import math
    >>> def f(x, n):
    ...     for _ in range(n):
    ...         x = math.sin(x) + 0.5
    ...     return x
    >>> grad(checkpoint(f))(0.3, 1000) == grad(f)(0.3, 1000)
    True
    """
    chosen = loop_policy(policy, snapshots, bytes)
    if f is _MISSING:
        return functools.partial(checkpoint, policy=chosen)
    return transformed(Checkpoint(f, chosen))


def program(g: Callable[..., Any], *args: Any) -> Program:
    """The Program of a function or of a transformed function, for arguments like these.

    Args:
        g: the function.
        *args: example arguments; only their types matter.  A transformed function that was called already can do
            without: then it is the program of the last call.

    >>> from adcore.text import to_text
    >>> print(to_text(program(lambda x: x * x, 3.0)), end="")
    program f(x: f64) -> (f64) {
      t: f64 = mul(x, x)
      return t
    }
    """
    if not isinstance(g, Transformed):
        g = jit(g)
    found = specialise(g, args)
    if found is None:
        raise AdcoreError("this function has not been called yet", write="program(g, *example_arguments)")
    return clone(found.lowered.program)


def source(g: Callable[..., Any], *args: Any, form: Form = "arrays") -> str:
    """The program of a function or of a transformed function, as Python that a person can read and run.

    Arguments as in `program`.  In the form "arrays" work on whole arrays is NumPy's; in the form "loops" it is written
    as loops over the elements, which `numba.njit` compiles.

    >>> print(source(grad(lambda x: x * x * x), 2.0).count("def "))
    1
    """
    from .python_source import to_python  # needed by nobody who only computes

    return to_python(program(g, *args), form)
