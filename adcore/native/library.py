"""`export`: functions and derivatives as a library that needs nothing of Python, with a header."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import AdcoreError, SignatureError
from ..plugins import compiler
from ..signatures import name_of
from .declarations import C_KEYWORDS, declaration
from .deriving import derived
from .fitting import fitted
from .headers import header_of, prototype
from .plans import Library, Native, Target

__all__ = ["Exported", "export"]

SHARED = (".so", ".dylib")
KINDS = (*SHARED, ".o", ".s", ".ll")


@dataclass(frozen=True)
class Exported:
    """What `export` has written.

    Attributes:
        path: the library, object file or assembly.
        header: the C header, or None.
        prototypes: of the functions, by name.
        libraries: what the library is linked with, or has to be, as the linker names it.
        target: the triple and the processor that it is for.
    """

    path: Path
    header: Path | None
    prototypes: dict[str, str]
    libraries: tuple[str, ...]
    target: tuple[str, str]

    def __str__(self) -> str:
        return "\n".join([f"{self.path}: {' '.join(self.target)}", *(f"  {p};" for p in self.prototypes.values())])


def export(
    g: Callable[..., Any] | Mapping[str, Any],
    path: str | os.PathLike[str],
    *arguments: Any,
    signature: str | None = None,
    target: str = "",
    cpu: str = "",
    features: str = "",
    libraries: Sequence[str] = (),
    header: bool = True,
) -> Exported:
    """Write functions as a C library without Python, and a header that says how they are called.

    Args:
        g: a function or a function made by a transform; or several by their names in C, each alone or in a pair with
            a signature.  What they close over and what is global to them is copied into the library.
        path: what to write: `….so` or `.dylib`, a shared library for systems like this one, by the C compiler `$CC`,
            `cc`, `gcc` or `clang`; `….o`, an object file; `….s`, assembly; `….ll`, LLVM's language.  The header has the
            same name with `.h`.
        *arguments: example arguments of all functions without a signature; only dtypes and ranks matter.  An array
            is given as a pointer and its lengths, results are put where pointers say, and a status is returned.
        signature: the declaration in C, as of `cfunc`, in the place of example arguments.
        target: a triple such as "aarch64-linux-gnu", for `.o`, `.s` and `.ll`; by default this machine's.
        cpu: the oldest processor that has to run it; by default x86-64-v2 (any of the last fifteen years), or any
            processor of other families.  "native" for this machine's, which may be twice as fast.
        features: further ones that the processor has, as LLVM writes them, "+avx2,+fma".
        libraries: what to link a shared library with, where functions call BLAS or LAPACK: names as for `-l`, or paths.
        header: whether to write the header.

    Returns:
        What was written, and the functions' prototypes.

    Raises:
        SignatureError: a function does not fit its signature, or a name is none in C.
        UnsupportedFunctionError: a function needs Python, NumPy or SciPy at run time; the message shows the line.
        AdcoreError: there is no such target, no C compiler, or nothing to link BLAS and LAPACK with.

    >>> import math, tempfile
    >>> from adcore import export, grad
    >>> def cost(x):
    ...     return math.exp(x) * x
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(export({"slope": grad(cost)}, f"{folder}/cost.o", 1.0).prototypes["slope"])
    int64_t slope(double x, double *gradient)
    """
    path = Path(path)
    if path.suffix not in KINDS:
        raise ValueError(f"export to {path.name!r}: the name ends with {', '.join(KINDS)}")
    natives, functions = _natives(g, arguments, signature)
    name = re.sub(r"\W", "_", path.stem.removeprefix("lib"))
    library = compiler().library(natives, name, Target(target, cpu, features))
    linked = (*libraries, *library.libraries)
    if path.suffix in SHARED:
        _link(path, library, libraries)
    else:
        path.write_bytes(
            {".o": library.code, ".s": library.assembly.encode(), ".ll": library.module.encode()}[path.suffix]
        )
    written = path.with_suffix(".h") if header else None
    if written is not None:
        text = header_of(name, library, natives, functions, _linking(path, library, linked), _version())
        written.write_text(text, encoding="utf-8")
    prototypes = {native.name: prototype(native) for native in natives}
    return Exported(path, written, prototypes, linked, (library.triple, library.cpu))


def _natives(g: Any, arguments: Sequence[Any], signature: str | None) -> tuple[list[Native], list[Any]]:
    named = dict(g) if isinstance(g, Mapping) else {name_of(g): g}
    if not named:
        raise ValueError("export: there are no functions")
    natives, functions = [], []
    for name, each in named.items():
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) or name in C_KEYWORDS:
            raise SignatureError(f"{name!r} is no name for a function in C", write='export({"name": function}, …)')
        function, own = each if isinstance(each, tuple) else (each, signature)
        functions.append(function)
        natives.append(derived(function, name, arguments) if own is None else fitted(function, declaration(own, name)))
    names = [native.name for native in natives]
    if len(set(names)) < len(names):
        raise SignatureError(f"two functions are called {next(n for n in names if names.count(n) > 1)!r} in C")
    return natives, functions


def _version() -> str:
    from .. import __version__

    return __version__


def _linking(path: Path, library: Library, linked: Sequence[str]) -> str:
    flags = " ".join(f"-l{each}" for each in linked)
    if path.suffix in SHARED:
        return f"Link with {path.name}, which is linked with {flags} itself."
    text = f"Link with {flags}."
    return (
        f"{text}  BLAS and LAPACK are to be linked, too: {', '.join(library.routines)}." if library.routines else text
    )


def _link(path: Path, library: Library, libraries: Sequence[str]) -> None:
    """Have the C compiler make a shared library."""
    if library.routines and not libraries:
        raise AdcoreError(
            f"{path.name} calls BLAS or LAPACK ({', '.join(library.routines)}), with which it has to be linked",
            write='libraries=("openblas",), or ("lapack", "blas"); or an object file, path.o, and link it yourself',
        )
    if not library.native:
        raise AdcoreError(
            f"{path.name} for {library.triple} cannot be linked here", write="an object file, path.o, and link it there"
        )
    found = [c for c in (os.environ.get("CC", ""), "cc", "gcc", "clang") if c and shutil.which(c.split()[0])]
    if not found:
        raise AdcoreError(
            "there is no C compiler ($CC, cc, gcc, clang) to link a shared library", write="an object file, path.o"
        )
    with tempfile.TemporaryDirectory() as folder:
        object_file = Path(folder) / "library.o"
        object_file.write_bytes(library.code)
        flags = [each if os.sep in each else f"-l{each}" for each in (*libraries, *library.libraries)]
        named = ["-Wl,--no-undefined", f"-Wl,-soname,{path.name}"] if path.suffix == ".so" else []
        command = [*found[0].split(), "-shared", "-o", str(path), str(object_file), *named, *flags]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise AdcoreError(f"{' '.join(command)} failed:\n{done.stderr.strip()}")
