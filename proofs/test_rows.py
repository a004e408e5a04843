"""Every scalar row's linear map is the derivative of its symbol."""

import pytest

from proofs.symbols import certificate, certified_rows

# SymPy differentiates these into Heaviside or sign functions, which it does not compare with the rule's own cases.
DECIDED_NUMERICALLY = {"maximum", "minimum", "pow", "logaddexp"}

MAPS = [(p, i) for p in certified_rows() for i, rule in enumerate(p.maps) if rule is not None]


@pytest.mark.parametrize(("primitive", "index"), MAPS, ids=[f"{p.name}-{i}" for p, i in MAPS])
def test_map_is_the_derivative_of_the_symbol(primitive, index):
    found = certificate(primitive, index)
    assert found.largest() < 1e-45
    if primitive.name not in DECIDED_NUMERICALLY:
        assert found.simplified() == 0
