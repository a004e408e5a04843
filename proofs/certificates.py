"""Certificates of all rows as data: `python -m proofs.certificates` writes `certificates.json`.

For each linear map of each row: the row's symbol, its derivative by SymPy, and the coefficient that the map's code
emits when it is run on symbols; for rows without a symbol, the generators that the map is made of, whose laws hold in
`adcore.laws`.  A test compares the file with the table, so that no row changes, and none is added, unnoticed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from adcore.laws import cases
from adcore.linear import Generator
from adcore.primitives import TABLE, Missing, Primitive
from proofs.symbols import certificate

__all__ = ["FILE", "certificates", "entry", "written"]

FILE = Path(__file__).with_name("certificates.json")


def certificates() -> dict[str, Any]:
    """One entry for each row of the table."""
    return {primitive.name: entry(primitive) for primitive in TABLE}


def entry(primitive: Primitive) -> dict[str, Any]:
    """What a row states, and the evidence for each of its maps."""
    maps = [_map(primitive, k, j) for k, entry in enumerate(primitive.maps) for j in range(_results(entry))]
    return {"symbol": primitive.symbol, "kinks": "; ".join(str(k) for k in primitive.kinks), "maps": maps}


def _results(entry: Any) -> int:
    return len(entry) if isinstance(entry, tuple) else 1


def _map(primitive: Primitive, index: int, result: int) -> dict[str, str]:
    if primitive.map_for(index, result) is None:
        return {"kind": "none"}
    if isinstance(primitive.maps[index], Missing):
        return {"kind": "missing"}
    if primitive.symbol:
        found = certificate(primitive, index)
        return {"kind": "derivative", "derivative": str(found.derivative), "coefficient": str(found.coefficient)}
    return {"kind": "linear", "generators": _generators(primitive, index, result)}


def _generators(primitive: Primitive, index: int, result: int) -> str:
    """The names of the generators, on the row's first example with that operand."""
    case = next(c for c in cases(primitive, seeds=(0,)) if (index, result) in c.maps())
    rule = primitive.map_for(index, result)
    assert rule is not None
    return _written(rule(case.builder, case.equation))


def _written(generator: Generator) -> str:
    if generator.name == "compose":
        return " ∘ ".join(_written(part) for part in generator.residuals)
    if generator.name == "sum":
        return f"({' + '.join(_written(part) for part in generator.residuals)})"
    return generator.name


def written() -> dict[str, Any]:
    """The certificates in the file."""
    return json.loads(FILE.read_text())


if __name__ == "__main__":
    FILE.write_text(json.dumps(certificates(), indent=1, ensure_ascii=False) + "\n")
