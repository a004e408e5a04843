"""The page of the language that the frontend compiles, made from its own tables.

python -m adcore_python.reference > docs/language.md
"""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import adcore
from adcore.errors import AdcoreError
from adcore.plugins import Spec
from adcore.primitives import CHECKED_ERRORS
from adcore.types import DType

from .builtin_functions import BUILTINS
from .complexes import CMATH, COMPLEX
from .derived import TRANSFORMS
from .expressions import COMPARISONS, EXPRESSIONS
from .library import LIBRARY, UFUNC_METHODS, Written
from .library.refused import REFUSED as REFUSED_FUNCTIONS
from .local_rules import DECORATORS
from .math_functions import MATH
from .methods import ATTRIBUTES, METHODS
from .numpy_names import NUMPY
from .outputs import OUTPUTS
from .probing import defined
from .reference_examples import EXPRESSIONS_SHOWN, REFUSED, STATEMENTS_SHOWN
from .statements import OPERATORS, STATEMENTS

__all__ = ["page"]

ARGUMENTS = (Spec(DType.F64, python=True), Spec(DType.F64, (None,)), Spec(DType.I64, python=True))
ALWAYS_REFUSED = (print, adcore.vjp)  # they have rows for the sake of what is said
INTRODUCTION = """\
# The language that adcore compiles

This page is made by `python -m adcore_python.reference` from the frontend's own tables.  Whether an example is
compiled was found by compiling it, as the body of `def f(x, v, n)` of a float, a vector and an integer.  What is
refused is refused at compile time, with the user's line, the cause and the rewrite shown here.
"""


OBJECTS = """\
## Lists, dicts and objects

A list, dict or object is what it is in Python: one thing under every name and in every container that holds it.
Changes in branches, loops, helper functions, methods and closures are seen by all of them.  Where it depends on the run
which of two things a name is, changing it is refused.

- Lists and dicts whose length and keys are constant hold anything; loops over them are unrolled, and so is a loop of at
  most 64 iterations over a constant range that needs its counter as a constant.
- A list that a loop appends to, or a comprehension over a range or array whose length is known at run time, has items
  of one kind: numbers, arrays of one shape, and tuples, lists, dicts and objects of these.  It can be appended to,
  popped, extended, indexed, sliced, iterated over, summed, made into an array, and returned.
- Keys of dicts, and indices of lists with items of several kinds, are constants.
- Instances of dataclasses (frozen, slots, keyword-only, `field`, `InitVar`, `__post_init__`), NamedTuples and plain
  classes are made, read, changed and compared; methods, properties, class methods, `super()` and operators that the
  class defines are followed.  Dataclasses and NamedTuples are arguments and results, and a gradient has the class of
  the argument.
- What a compiled function changes in a list, dict or object of its arguments, the caller sees, as in Python; a
  derivative of such a function leaves the caller's as they are.  Arrays that it leaves there are the caller's own or
  new ones: a view of the caller's, and what may or may not be one of them, is refused.
- `dataclasses.replace`, `asdict`, `astuple`, `fields`, `is_dataclass`, `copy.copy`, `copy.deepcopy`.
"""


DRAWS = """\
## Random generators

A `numpy.random.Generator` over PCG64 (what `default_rng` makes) or PCG64DXSM draws NumPy's numbers and leaves NumPy's
state, whether it is an argument, in an argument, a variable from outside, an attribute, or made inside by
`np.random.default_rng(seed)` of an integer.  A derivative draws the same and advances it the same, once a call; its
place in a gradient, and in tangents, is None.  One generator may have several names, but it stands in the arguments
once.  A call that raises leaves it as it was.  Derivatives go to the parameters with the noise kept; where numbers are
accepted or rejected (gamma, beta), along the quantile of the draw.
"""

SPLINES = """\
## Splines and interpolators

`scipy.interpolate.CubicSpline` and the others of `scipy.interpolate` above are objects: `s(x)`, `s(x, nu)`,
`s.derivative()`, and of piecewise polynomials `s.antiderivative()`, `s.integrate(a, b)`, `s.x` and `s.c`.  One that is
made in the function has derivatives by the knots, the values and the places; the system behind it has a band, and is
solved in linear time.  One that SciPy has made outside (a closed-over or global variable, an attribute, an item of a
tuple, a default) is read at every call, and has derivatives by the places; so have `UnivariateSpline` and its like,
which are made outside only.  A derivative at a knot is that of the piece that SciPy evaluates there, the one to the
right.  Roots are refused: how many there are depends on the values.
"""


def page() -> str:
    """The page, in Markdown."""
    from .coverage import drawing
    from .library.random_draws import Generator

    _complete(ast.stmt, STATEMENTS, STATEMENTS_SHOWN)
    _complete(ast.expr, EXPRESSIONS, EXPRESSIONS_SHOWN)
    shown = {name: f"return {example}" for name, example in EXPRESSIONS_SHOWN.items()}
    lines = [INTRODUCTION, "## Statements", "", *_constructs(STATEMENTS_SHOWN, STATEMENTS_SHOWN)]
    lines += ["", "## Expressions", "", *_constructs(EXPRESSIONS_SHOWN, shown)]
    lines += ["", f"Operators: {_listed(OPERATORS.values())}; comparisons: {_listed(COMPARISONS.values())}."]
    lines += ["", f"Exceptions that `raise` takes: {_listed(CHECKED_ERRORS)}."]
    lines += ["", OBJECTS, "## Refused", "", *_refused()]
    lines += _functions("Builtin functions", _qualified, BUILTINS)
    lines += _functions("Transforms", lambda f: f"adcore.{f.__name__}", {**TRANSFORMS, **DECORATORS})
    lines += _functions("Functions of `math`", _qualified, MATH)
    lines += _functions("Functions of `cmath`", lambda f: f"cmath.{f.__name__}", CMATH)
    lines += _functions("Functions of NumPy", _numpy_name, {**NUMPY, **COMPLEX})
    public = {name: what for name, what in LIBRARY.items() if not name.startswith(("ad", "numba."))}
    distributions = {name: what.methods for name, what in public.items() if isinstance(what, Written) and what.methods}
    rest = sorted((name, what) for name, what in public.items() if name not in distributions)
    lines += ["", "## Functions of the library", "", "Most are written in the language itself.", ""]
    lines += [f"- `{_short(name)}{_of_library(what)}`" for name, what in rest]
    lines += ["", "Refused, each with what to write instead:", ""]
    lines += [f"- `{_short(name)}`: {write}" for name, (_, write) in sorted(REFUSED_FUNCTIONS.items())]
    lines += ["", "## Distributions of SciPy", ""]
    lines += [f"- `{name}`: {_listed(methods)}" for name, methods in sorted(distributions.items())]
    lines += ["", "Their parameters are SciPy's, by position or by name; `stats.norm(m, s).logpdf(x)` is the same."]
    lines += ["", DRAWS, *(f"- `rng.{name}{_parameters(getattr(Generator, name), 1)}`" for name in sorted(drawing()))]
    lines += ["", SPLINES.rstrip()]
    into = sorted(_numpy_name(f) for f in OUTPUTS if not isinstance(f, str))
    lines += ["", f"Universal functions take `out=`, and `where=` with it; `out=` is also taken by {_listed(into)}."]
    lines += ["", f"Those of two operands have the methods {_listed(f'.{name}' for name in sorted(UFUNC_METHODS))}."]
    lines += [
        "",
        "## Attributes and methods",
        "",
        f"Attributes of numbers and arrays: {_listed(sorted(ATTRIBUTES))}.",
        "",
    ]
    lines += [f"- `.{name}{_of_library(rule, 1)}`" for name, rule in sorted(METHODS.items())]
    return "\n".join(lines) + "\n"


def _complete(kind: type[ast.AST], table: dict[Any, Any], examples: dict[str, str]) -> None:
    """Refuse to make a page that leaves out a construct of which the frontend has a row."""
    absent = {t.__name__ for t in table if issubclass(t, kind) and t.__module__ == "ast"} - examples.keys()
    if absent:
        raise LookupError(f"constructs without an example: {sorted(absent)}")


def _outcome(name: str, body: str) -> tuple[str, str]:
    """Empty where the function with this body is compiled; otherwise the cause, and what to write instead."""
    from . import PythonFrontend

    text = ("async " * ("await" in body)) + "def f(x, v, n):\n    " + body.replace("\n", "\n    ") + "\n"
    with defined(f"language reference: {name}", text, {"np": np, "math": math, "adcore": adcore}) as function:
        try:
            PythonFrontend().lower(function, ARGUMENTS)
        except AdcoreError as error:
            return error.cause, error.write
    return "", ""


def _row(*cells: str) -> str:
    return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"


def _head(*cells: str) -> list[str]:
    return [_row(*cells), _row(*["---"] * len(cells))]


def _constructs(examples: dict[str, str], bodies: dict[str, str]) -> list[str]:
    lines = _head("construct", "example", "compiled", "write instead")
    for name, example in examples.items():
        cause, write = _outcome(name, bodies[name])
        shown = " ⏎ ".join(f"`{line}`" for line in example.split("\n"))
        lines.append(_row(f"`{name}`", shown, f"no: {cause}" if cause else "yes", write))
    return lines


def _refused() -> list[str]:
    lines = _head("what", "example", "cause", "write instead")
    for name, example in REFUSED.items():
        cause, write = _outcome(name, f"return {example}")
        if not cause:
            raise LookupError(f"{name} is compiled now: it has no place among what is refused")
        lines.append(_row(name, f"`{example}`", cause, write))
    return lines


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _functions(title: str, name_of: Callable[[Any], str], table: dict[Any, Any]) -> list[str]:
    names = {name_of(f) + _parameters(rule, 1) for f, rule in table.items() if f not in ALWAYS_REFUSED and name_of(f)}
    return ["", f"## {title}", "", *(f"- `{name}`" for name in sorted(names))]


def _qualified(function: Any) -> str:
    name, module = function.__name__, (getattr(function, "__module__", None) or "").lstrip("_")
    if name.startswith("_") or not module:
        return ""
    return name if module == "builtins" else f"{module}.{name}"


def _numpy_name(function: Any) -> str:
    return f"np.{function.__name__}"


def _of_library(rule: Any, own: int = 0) -> str:
    """The parameters of a function in plain Python, or of a lowering, after `own` of its own."""
    return _parameters(rule.function, own) if isinstance(rule, Written) else _parameters(rule, own + 1)


def _short(name: str) -> str:
    return name.replace("numpy.", "np.")


def _parameters(rule: Any, own: int) -> str:
    """The parameters that a function takes here, as its rule declares them after `own` of its own."""
    shown: list[str] = []
    for p in list(inspect.signature(rule).parameters.values())[own:]:
        star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        shown.append(f"{star}{p.name}" + ("" if p.default is p.empty else f"={_default(p.default)}"))
    return f"({', '.join(shown)})"


def _default(value: Any) -> str:
    found = getattr(value, "known", getattr(value, "value", value))
    return "()" if hasattr(found, "items") else repr(found)


if __name__ == "__main__":
    print(page(), end="")
