"""What adcore finds around it: versions, the processor, glibc's vector mathematics, the cache, plugins."""

from __future__ import annotations

import ctypes
import platform
from importlib.metadata import PackageNotFoundError, entry_points, version
from typing import Any

from . import cache

__all__ = ["cache_lines", "describe", "examine", "healthy", "version_of"]

_PACKAGES = ("adcore", "numpy", "scipy", "llvmlite", "numba", "optree", "matplotlib", "rich", "jax", "autograd")
_REQUIRED = ("adcore", "numpy", "scipy", "llvmlite", "numba", "optree")
_VECTOR_LIBRARY = "libmvec.so.1"
# the vector forms of exp that glibc may have, by the width that they work at
_VECTOR_FORMS = {"AVX-512": "_ZGVeN8v_exp", "AVX2": "_ZGVdN4v_exp", "SSE2": "_ZGVbN2v_exp", "NEON": "_ZGVnN2v_exp"}
_FEATURES = ("sse4.2", "avx", "avx2", "fma", "avx512f", "avx512dq", "avx512vl", "neon", "sve")


def version_of(package: str) -> str | None:
    """The installed version of a package, None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> dict[str, Any]:
    # LLVM's view of the machine, which is what code is generated for
    from llvmlite import binding

    flags = binding.get_host_cpu_features()
    return {
        "name": binding.get_host_cpu_name(),
        "triple": binding.get_process_triple(),
        "features": [f for f in _FEATURES if flags.get(f, False)],
        "llvm": ".".join(str(n) for n in binding.llvm_version_info),
    }


def _vector_mathematics() -> dict[str, Any]:
    try:
        library = ctypes.CDLL(_VECTOR_LIBRARY)
    except OSError:
        return {"library": _VECTOR_LIBRARY, "found": False, "widths": []}
    widths = [width for width, symbol in _VECTOR_FORMS.items() if hasattr(library, symbol)]
    return {"library": _VECTOR_LIBRARY, "found": True, "widths": widths}


def _plugins(group: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for entry in sorted(entry_points(group=group), key=lambda e: e.name):
        try:
            entry.load()
        except (ImportError, AttributeError) as error:
            problem = f"{type(error).__name__}: {error}"
        else:
            problem = ""
        found.append({"name": entry.name, "object": entry.value, "problem": problem})
    return found


def examine() -> dict[str, Any]:
    """Everything that `adcore doctor` reports, as plain values."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": platform.platform(),
        "packages": {name: version_of(name) for name in _PACKAGES},
        "processor": _processor(),
        "vector mathematics": _vector_mathematics(),
        "cache": cache.examine(),
        "frontends": _plugins("adcore.frontends"),
        "backends": _plugins("adcore.backends"),
    }


def healthy(found: dict[str, Any]) -> bool:
    """Whether the required packages are there and at least one frontend and one backend load."""
    complete = all(found["packages"][name] for name in _REQUIRED)
    return complete and all(
        plugins and not any(p["problem"] for p in plugins) for plugins in (found["frontends"], found["backends"])
    )


def describe(found: dict[str, Any]) -> str:
    """The report for a reader."""
    processor, vector = found["processor"], found["vector mathematics"]
    lines = [
        f"Python      {found['python']}",
        f"System      {found['system']}",
        f"Processor   {processor['name']} ({processor['triple']}), LLVM {processor['llvm']}",
        f"            {' '.join(processor['features']) or 'no vector features known here'}",
        f"Vector math {_vector_line(vector)}",
        "",
        "Cache",
        *(f"  {line}" for line in cache_lines(found["cache"]).splitlines()),
        "",
        "Packages",
        *(f"  {name:<12}{number or 'not installed'}" for name, number in found["packages"].items()),
    ]
    for group in ("frontends", "backends"):
        lines += ["", group.capitalize(), *map(_plugin_line, found[group])]
        if not found[group]:
            lines.append("  none registered: reinstall adcore")
    return "\n".join(lines)


def cache_lines(found: dict[str, Any]) -> str:
    """What is kept on disk, for a reader."""
    lines = [
        f"directory   {found['directory'] or 'none'}",
        f"in use      {found['problem'] or 'yes'}",
        f"kept        {found['entries']} files, {_size(found['bytes'])} of {_size(found['limit'])}",
    ]
    return "\n".join(lines)


def _size(count: int) -> str:
    """Bytes for a reader.

    >>> _size(512), _size(50000), _size(256 << 20)
    ('512 bytes', '48 KiB', '256 MiB')
    """
    if count < 1 << 10:
        return f"{count} bytes"
    return f"{count >> 10} KiB" if count < 1 << 20 else f"{count >> 20} MiB"


def _vector_line(vector: dict[str, Any]) -> str:
    if not vector["found"]:
        return f"{vector['library']} not found: exp, log, sin, … run one element at a time"
    return f"{vector['library']} found, widths: {', '.join(vector['widths']) or 'none'}"


def _plugin_line(plugin: dict[str, Any]) -> str:
    return f"  {plugin['name']:<12}{plugin['object']:<32}{plugin['problem'] or 'loads'}"
