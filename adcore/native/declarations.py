"""C declarations of functions, read: types by the names of C, of NumPy and of Numba; lengths in brackets.

    double(double t, const double x[3])
    int64_t(int64_t n, const double x[n], double gradient[n], double *value, void *user)

A length is a number or the name of an integer among the parameters.  A pointer without brackets is to one number.
Where there are no brackets at all, the types may be those of a known convention (`CONVENTIONS`).
"""

from __future__ import annotations

import ctypes
import re
from dataclasses import replace
from typing import Any, NoReturn

from ..errors import SignatureError
from ..types import DType
from .plans import Declaration, Parameter

__all__ = ["CONVENTIONS", "C_KEYWORDS", "ctypes_type", "declaration", "spelling"]

C_KEYWORDS = frozenset(
    """auto bool break case char class const continue default delete do double else enum extern false float for goto if
    inline int long namespace new operator private register restrict return short signed sizeof static struct switch
    template this true typedef union unsigned using virtual void volatile while""".split()  # noqa: SIM905
)

_LONG = DType.I64 if ctypes.sizeof(ctypes.c_long) == 8 else DType.I32
_NAMES = {  # of C, the usual one first
    DType.F64: ("double",),
    DType.F32: ("float",),
    DType.C128: ("double _Complex", "double complex"),
    DType.C64: ("float _Complex", "float complex"),
    DType.BOOL: ("bool", "_Bool"),
    DType.I8: ("int8_t", "signed char"),
    DType.U8: ("uint8_t", "unsigned char"),
    DType.I16: ("int16_t", "short"),
    DType.U16: ("uint16_t", "unsigned short"),
    DType.I32: ("int", "int32_t"),
    DType.U32: ("unsigned int", "unsigned", "uint32_t"),
    DType.I64: ("int64_t", "long long", "intptr_t", "ptrdiff_t", "ssize_t"),
    DType.U64: ("uint64_t", "unsigned long long", "size_t", "uintptr_t"),
}
_OTHER_NAMES = {  # of NumPy, of Numba
    **{d.value: d for d in DType},
    "boolean": DType.BOOL,
    "intc": DType.I32,
    "uintc": DType.U32,
    **dict.fromkeys(("npy_intp", "intp", "Py_ssize_t"), DType.I64),
    **dict.fromkeys(("npy_uintp", "uintp"), DType.U64),
}
_C_TYPES: dict[str, DType | None] = {name: dtype for dtype, names in _NAMES.items() for name in names}
_C_TYPES.update({"long": _LONG, "void": None})
_TYPES: dict[str, DType | None] = {**_OTHER_NAMES, **_C_TYPES}
_CTYPES: dict[DType, Any] = {
    DType.F64: ctypes.c_double,
    DType.F32: ctypes.c_float,
    DType.BOOL: ctypes.c_bool,
    DType.I8: ctypes.c_int8,
    DType.U8: ctypes.c_uint8,
    DType.I16: ctypes.c_int16,
    DType.U16: ctypes.c_uint16,
    DType.I32: ctypes.c_int,
    DType.U32: ctypes.c_uint,
    DType.I64: ctypes.c_int64,
    DType.U64: ctypes.c_uint64,
}
_QUALIFIERS = {"const", "restrict", "volatile"}
_PARAMETER = re.compile(r"(?P<words>[\w\s*]+?)\s*(?P<lengths>(?:\[\s*\w+\s*\]\s*)*)")

# By types alone: those of the parameters with lengths, what is returned where all went well, and whether the array
# may stand for several numbers.
CONVENTIONS: dict[str, tuple[str, int | None, bool]] = {
    # scipy.integrate.quad and nquad
    "double(int, double *)": ("double(int n, const double x[n])", None, True),
    # scipy.ndimage: generic_filter, generic_filter1d, geometric_transform
    "int(double *, int64_t, double *)": ("int(const double x[n], intptr_t n, double *value)", 1, False),
    "int(double *, int64_t, double *, int64_t)": (
        "int(const double line[n], intptr_t n, double result[m], intptr_t m)",
        1,
        False,
    ),
    "int(int64_t *, double *, int, int)": (
        "int(const intptr_t place[m], double source[n], int m, int n)",
        1,
        False,
    ),
    # nutpie, PyMC: a log density and its gradient
    "int64_t(uint64_t, double *, double *, double *)": (
        "int64_t(uint64_t n, const double x[n], double gradient[n], double *value)",
        0,
        False,
    ),
    # nutpie: what is kept of a point
    "int64_t(uint64_t, uint64_t, double *, double *)": (
        "int64_t(uint64_t n, uint64_t m, const double x[n], double kept[m])",
        0,
        False,
    ),
}
CONVENTIONS["int64_t(int64_t, double *, double *, double *)"] = (
    "int64_t(int64_t n, const double x[n], double gradient[n], double *value)",
    0,
    False,
)


def declaration(text: str, name: str) -> Declaration:
    """What a signature says, for a function of this name.

    Raises:
        SignatureError: it cannot be read, or names a type that functions here have not.
    """
    found = _read(text, name)
    if any(p.lengths for p in found.parameters):
        return _checked(found)
    user = [p for p in found.parameters if p.dtype is None]
    known = CONVENTIONS.get(_types_of(found))
    if known is None:
        return _checked(found)
    signature, success, spread = known
    lengths = _read(signature, name)
    rest = iter(found.parameters)
    named = [replace(p, spelling=next(rest).spelling) for p in lengths.parameters]
    return replace(found, parameters=(*named, *user), success=success, spread=spread)


def spelling(dtype: DType) -> str:
    """The usual name of a type in C."""
    return _NAMES[dtype][0]


def _types_of(found: Declaration) -> str:
    """The types alone, without what is handed through."""
    kinds = [f"{_NAMES[p.dtype][0]}{' *' * p.pointer}" for p in found.parameters if p.dtype is not None]
    returns = "void" if found.returns is None else _NAMES[found.returns][0]
    return f"{returns}({', '.join(kinds)})"


def _read(text: str, name: str) -> Declaration:
    plain = re.sub(r"CPointer\(\s*(\w+)\s*\)", r"\1 *", text)
    plain = re.sub(r"\bvoidptr\b", "void *", plain).strip().rstrip(";").strip()
    head, bracket, rest = plain.partition("(")
    if not bracket or not rest.endswith(")"):
        _refuse(text, "is not the declaration of a function")
    words = [w for w in head.split() if w not in ("extern", "static", "inline")]
    dtype, spelling, given = _type(words, text)
    inside = rest[:-1].strip()
    parameters = [] if inside in ("", "void") else inside.split(",")
    found = tuple(_parameter(p.strip(), k, text) for k, p in enumerate(parameters))
    return Declaration(given or name, dtype, spelling, found, text=text)


def _parameter(written: str, index: int, text: str) -> Parameter:
    match = _PARAMETER.fullmatch(written)
    if match is None:
        _refuse(text, f"has a parameter that cannot be read: {written!r}")
    before, *after = match["words"].split("*")
    const = "const" in before.split()
    words = [w for part in (before, *after) for w in part.split() if w not in _QUALIFIERS]
    dtype, spelling, name = _type(words, text)
    stars, lengths = len(after), re.findall(r"\w+", match["lengths"])
    if stars > 1 or (stars and lengths):
        _refuse(text, f"has a pointer to pointers, {written!r}", "one pointer, to numbers in C order")
    pointer = bool(stars or lengths)
    if dtype is None and (not pointer or lengths):
        _refuse(text, f"has a parameter of type void, {written!r}")
    if dtype is not None and dtype.complex and not pointer:
        _refuse(text, f"takes a complex number by value, {written!r}", f"const {spelling} *{name or 'z'}")
    sizes = tuple(int(n) if n.isdigit() else n for n in lengths)
    return Parameter(name or f"p{index}", dtype, spelling, pointer, const, sizes)


def _type(words: list[str], text: str) -> tuple[DType | None, str, str]:
    """The dtype, its name in C, and what is declared with it, if that has a name."""
    for count in range(len(words), 0, -1):
        name = " ".join(words[:count])
        rest = words[count:]
        if name in _TYPES and len(rest) <= 1 and not C_KEYWORDS.intersection(rest):
            dtype = _TYPES[name]
            spelling = name if name in _C_TYPES or dtype is None else _NAMES[dtype][0]
            return dtype, spelling, rest[0] if rest else ""
    return _refuse(
        text,
        f"has the type {' '.join(words)!r}, which is none of those that functions here have",
        "double, float, int, int64_t, bool, or another one of docs/native.md",
    )


def _checked(found: Declaration) -> Declaration:
    """The declaration, if its names are known and differ."""
    if found.returns is not None and found.returns.complex:
        _refuse(found.text, "returns a complex number", "void, and a pointer to one")
    integers = {p.name for p in found.parameters if p.dtype and p.dtype.kind in "iu" and not p.pointer}
    names = [p.name for p in found.parameters]
    if len(set(names)) < len(names):
        _refuse(found.text, "has two parameters of one name")
    for parameter in found.parameters:
        for length in parameter.lengths:
            if isinstance(length, str) and length not in integers:
                _refuse(found.text, f"has no integer {length!r}, the length of {parameter.name!r}", f"int64_t {length}")
    return found


def _refuse(text: str, problem: str, write: str = "") -> NoReturn:
    raise SignatureError(f"the signature {text!r} {problem}", write=write)


def ctypes_type(dtype: DType | None, pointer: bool = False) -> Any:
    """The type of `ctypes`; complex numbers are behind pointers of no type."""
    if dtype is None or dtype.complex:
        return ctypes.c_void_p if pointer else None
    return ctypes.POINTER(_CTYPES[dtype]) if pointer else _CTYPES[dtype]
