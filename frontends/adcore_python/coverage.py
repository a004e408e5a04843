"""The table of all that can be called in a compiled function: what it takes, and how often it can be differentiated.

python -m adcore_python.coverage

writes `coverage.json` beside this module, which `adcore ops` prints, and docs/coverage.md.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from adcore.plugins import Known

from .coverage_examples import DISTRIBUTIONS, EXAMPLES, FORMS, Pair, Row
from .known import KNOWN
from .library import LIBRARY, UFUNC_METHODS
from .library import METHODS as OF_ARRAYS
from .local_rules import FUNCTIONS as RULES
from .methods import ATTRIBUTES, METHODS
from .probing import DTYPES, orders, parameters, probed, source_of

__all__ = ["calls", "drawing", "names", "page", "probe", "recorded"]

RECORD = Path(__file__).with_name("coverage.json")
PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"
MODULES = (
    *("adcore", "adcore.sparse", "adcore.special"),
    *("cmath", "copy", "dataclasses", "functools", "math", "operator", "scipy"),
    *("numpy", "numpy.polynomial"),
    *(
        f"scipy.{name}"
        for name in ("fft", "integrate", "interpolate", "linalg", "ndimage", "signal", "sparse", "sparse.linalg")
    ),
    *("scipy.optimize", "scipy.spatial.distance", "scipy.special", "scipy.stats"),
)
# What the frontend knows otherwise than by a table of functions.
FURTHER = (
    "adcore.special.mittag_leffler",
    "adcore.stop_gradient",
    "numpy.mgrid",
    "numpy.ogrid",
    "numpy.r_",
    "numpy.c_",
)
# What is no function of the user's, and what docs/odes.md, docs/integrals.md and docs/numba-calls.md are about.
INTERNAL = (
    "adcore.closures.",
    "adcore.factorizations.",
    "adcore.implicit.",
    "adcore.ode.",
    "adcore.vectors.",
    "adcore_python.",
    "numba.",
    *(f"scipy.integrate.{name}" for name in ("dblquad", "odeint", "quad", "solve_ivp")),
)
OWNERS = {"ndarray": np.ndarray, "list": list, "dict": dict, "tuple": tuple, "namedtuple": Row}
# Names that stand for others in the library, classes that only mark a place, what has a row to be refused well, and
# what states derivatives, which no single call shows.
LEFT_OUT = {"numpy.vectorize.__call__", "print", "set", "super", *(f"adcore.{f.__name__}" for f in RULES)}

TITLES = {
    "": "Builtin functions",
    **dict.fromkeys(("copy.", "dataclasses.", "functools."), "Copies, dataclasses and partial functions"),
    "adcore.": "`adcore`",
    "math.": "`math`",
    "cmath.": "`cmath`",
    "operator.": "`operator`",
    **dict.fromkeys(("list.", "dict.", "tuple.", "namedtuple."), "Lists, dicts and tuples"),
    "ndarray.": "Attributes and methods of arrays",
    **{
        f"{start}.": f"`{start}`"
        for start in ("numpy", "numpy.linalg", "numpy.fft", "numpy.polynomial", "numpy.random")
    },
    **{f"{start}.": f"`{start}`" for start in MODULES if start.startswith("scipy.")},
}
SHORT = {
    tuple(d.value for d in DTYPES): "all",
    tuple(d.value for d in DTYPES if d.kind != "c"): "real",
    (): "–",
}
INTRODUCTION = """\
# What can be called in a compiled function

This page is made by `python -m adcore_python.coverage`, which lowers and runs the calls shown here for arguments of
each dtype, and differentiates what comes out of it; `adcore ops` prints the same table. Most functions take more than
the call shows: [language.md](language.md) lists their parameters.

In a call, `x`, `y`, `z`, `p`, `q` are numbers, `u`, `v`, `w` vectors, `a`, `b`, `c` square matrices and `t` an array of
three axes, of the dtype in question; `i` is a vector of integers, `m` a mask. `Pair` is a dataclass of two fields,
`Row` a named tuple. Dtypes: *all* are float64, float32, complex128, complex64, int64 and bool, *real* the same without
the complex ones.

Derivatives: *any*, of any order, of which three were derived one from another; a number, of so many orders at most, so
*0* where there is no rule yet; *zero*, the derivative is 0 wherever there is one; *none*, with the reason.
"""


def names() -> list[str]:
    """The public names of all that is known, in their order."""
    found = {name for function in KNOWN if (name := _public(function))} | set(FURTHER)
    for name, what in LIBRARY.items():
        found.add(name)
        found |= {f"{name}.{method}" for method in getattr(what, "methods", ())}
    found |= {f"numpy.ufunc.{method}" for method in UFUNC_METHODS}
    found |= {f"numpy.random.Generator.{name}" for name in drawing()}
    found |= {f"ndarray.{name}" for name in ATTRIBUTES}
    found |= {f"{owner}.{name}" for owner, kind in OWNERS.items() for name in _own(owner, kind)}
    return sorted(name for name in found - LEFT_OUT if not name.startswith(INTERNAL))


def drawing() -> list[str]:
    """The methods of random generators."""
    from .library.random_draws import Generator

    return [name for name in vars(Generator) if not name.startswith("_") and hasattr(np.random.Generator, name)]


def _own(owner: str, kind: type) -> set[str]:
    """The methods of a kind of objects; those of tuples are no news of named tuples, the library's are of arrays."""
    found = {name for name in METHODS if hasattr(kind, name) and (kind is np.ndarray or name not in OF_ARRAYS)}
    return {name for name in found if name.startswith("_")} if owner == "namedtuple" else found


def _public(function: Any) -> str:
    """The name by which users know a function; empty where they do not."""
    name = function.__name__
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return f"numpy.{owner.__name__}.{name}"
    module = (getattr(function, "__module__", None) or "numpy").lstrip("_").partition(".")[0]
    if name.startswith("_"):
        return ""
    return name if module == "builtins" else f"{module}.{name}"


def namespace() -> dict[str, Any]:
    """The names that calls are written in."""
    for module in MODULES:
        importlib.import_module(module)
    found = {name: importlib.import_module(name) for name in MODULES if "." not in name}
    return {**found, "Pair": Pair, "Row": Row}


def calls(name: str) -> tuple[str, ...]:
    """The calls that are tried, in their order."""
    if name in EXAMPLES:
        return (EXAMPLES[name],)
    if name.startswith("scipy.stats."):
        short, _, method = name.removeprefix("scipy.stats.").partition(".")
        arguments = DISTRIBUTIONS[short]
        if method:
            return (f"{name}({arguments})",)
        point, _, rest = arguments.partition(", ")
        return tuple(f"{name}({rest}).{method}({point})" for method in ("pdf", "pmf"))
    start = max((s for s in FORMS if name.startswith(s)), key=len)
    return tuple(form.format(name.removeprefix("ndarray.")) for form in FORMS[start])


def probe(name: str, tried: tuple[str, ...], known: Mapping[str, Any]) -> Known:
    """The row of a name, by the first of the calls that is compiled.

    Raises:
        LookupError: none is, for any dtype.
    """
    for call in tried:
        text, letters = source_of(call), parameters(call)
        programs = {d: p for d in DTYPES if (p := probed(text, letters, d, known)) is not None}
        if programs:
            taken = tuple(d.value for d in programs) if set(letters) - {"n", "i", "m"} else ()
            return Known(name, call, taken, _joined({d.value: orders(p, letters) for d, p in programs.items()}))
    raise LookupError(f"{name} is known, but no call of it is compiled: {'; '.join(tried)}")


def _joined(orders: dict[str, str]) -> str:
    """The orders for all dtypes, where they are all the same as one."""
    inexact = {dtype: order for dtype, order in orders.items() if dtype.startswith(("float", "complex"))}
    by_order: dict[str, list[str]] = {}
    for dtype, order in (inexact or orders).items():
        by_order.setdefault(order, []).append(dtype)
    if len(by_order) == 1 or not inexact:
        return next(iter(by_order))
    return "; ".join(f"{', '.join(dtypes)}: {order}" for order, dtypes in by_order.items())


def recorded() -> tuple[Known, ...]:
    """The table as it was written last."""
    rows = json.loads(RECORD.read_text("utf-8"))
    return tuple(Known(**{**row, "dtypes": tuple(row["dtypes"])}) for row in rows)


def record(rows: Iterable[Known]) -> str:
    """The text of the table, a line a row."""
    return "[\n" + ",\n".join(json.dumps(dataclasses.asdict(row)) for row in rows) + "\n]\n"


def page(rows: Iterable[Known]) -> str:
    """The table in Markdown, by what the names begin with."""
    groups: dict[str, list[Known]] = {title: [] for title in TITLES.values()}
    for row in rows:
        groups[TITLES[max((start for start in TITLES if row.name.startswith(start)), key=len)]].append(row)
    every = [row for group in groups.values() for row in group]
    lines = [INTRODUCTION, *_counts(every)]
    for title, group in groups.items():
        lines += ["", f"## {title}", "", "| name | call | dtypes | derivatives |", "| --- | --- | --- | --- |"]
        lines += [f"| `{r.name}` | {_shown(r.call)} | {_dtypes(r.dtypes)} | {r.order} |" for r in group]
    return "\n".join(lines) + "\n"


def _counts(rows: list[Known]) -> list[str]:
    """How many there are of which kind."""
    kinds = {
        "of any order in each argument": [r for r in rows if r.order == "any"],
        "0 everywhere": [r for r in rows if r.order == "zero"],
        "none, for the results are integers, booleans or constants": [r for r in rows if r.order.startswith("none")],
    }
    rest = len(rows) - sum(map(len, kinds.values()))
    lines = [f"There are {len(rows)} callables. Their derivatives are:", ""]
    lines += [f"- {kind}: {len(those)}" for kind, those in kinds.items()]
    lines += [
        f"- not the same in all arguments, or for all dtypes: {rest}",
        "",
        "| dtype | callables |",
        "| --- | --- |",
    ]
    return lines + [f"| `{d.value}` | {sum(d.value in r.dtypes for r in rows)} |" for d in DTYPES]


def _shown(call: str) -> str:
    return " ⏎ ".join(f"`{line}`" for line in call.replace("|", "\\|").split("\n"))


def _dtypes(dtypes: tuple[str, ...]) -> str:
    return SHORT.get(dtypes) or ", ".join(dtypes)


def main() -> None:
    """Find out the table anew, and write it and its page."""
    known = namespace()
    rows = [probe(name, calls(name), known) for name in names()]
    RECORD.write_text(record(rows), "utf-8")
    PAGE.write_text(page(rows), "utf-8")


if __name__ == "__main__":
    main()
