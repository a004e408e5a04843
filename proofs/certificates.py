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
    maps = [_map(primitive, index) for index in range(len(primitive.maps))]
    return {"symbol": primitive.symbol, "kinks": primitive.kinks, "maps": maps}


def _map(primitive: Primitive, index: int) -> dict[str, str]:
    if primitive.maps[index] is None:
        return {"kind": "none"}
    if isinstance(primitive.maps[index], Missing):
        return {"kind": "missing"}
    if primitive.symbol:
        found = certificate(primitive, index)
        return {"kind": "derivative", "derivative": str(found.derivative), "coefficient": str(found.coefficient)}
    return {"kind": "linear", "generators": " ∘ ".join(_generators(primitive, index))}


def _generators(primitive: Primitive, index: int) -> list[str]:
    """The names of the generators, on the row's first example with that operand."""
    case = next(c for c in cases(primitive, seeds=(0,)) if any(i == index for i, _ in c.maps()))
    rule = primitive.maps[index]
    assert rule is not None
    return _names(rule(case.builder, case.equation))


def _names(generator: Generator) -> list[str]:
    return [part.name for part in generator.residuals] if generator.name == "compose" else [generator.name]


def written() -> dict[str, Any]:
    """The certificates in the file."""
    return json.loads(FILE.read_text())


if __name__ == "__main__":
    FILE.write_text(json.dumps(certificates(), indent=1, ensure_ascii=False) + "\n")
