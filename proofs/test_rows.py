"""Every scalar row's linear map is the derivative of its symbol."""

import pytest

from adcore.primitives import Missing
from proofs.symbols import certificate, certified_rows

# SymPy does not decide these by itself: derivatives with Heaviside or sign functions, rules with several branches,
# and relations between neighbouring functions of a family.
DECIDED_NUMERICALLY = {
    *("maximum", "minimum", "pow", "logaddexp", "arctan", "tanh", "rel_entr", "kl_div", "erfinv", "erfcinv"),
    *("ndtri", "ndtri_exp", "rgamma", "fresnel_s", "fresnel_c", "hyp2f1"),
    *("ive", "kve", "i0e", "i1e", "k0e", "k1e", "spherical_jn", "spherical_yn", "spherical_in", "spherical_kn"),
    *("erfcx", "dawsn", "huber", "exprel", "boxcox", "boxcox1p", "inv_boxcox", "inv_boxcox1p", "digamma"),
    *("digamma_increment", "gammainc_order_slope", "expn", "spence", "ellipk", "ellipkm1", "ellipkinc", "ellipeinc"),
    *("lambertw0", "lambertw1", "eval_jacobi", "eval_gegenbauer", "eval_genlaguerre", "eval_laguerre"),
    *("eval_legendre", "eval_chebyt", "eval_chebyu", "eval_hermite", "eval_hermitenorm"),
}

MAPS = [
    (p, i)
    for p in certified_rows()
    for i, rule in enumerate(p.maps)
    if rule is not None and not isinstance(rule, Missing)
]


@pytest.mark.parametrize(("primitive", "index"), MAPS, ids=[f"{p.name}-{i}" for p, i in MAPS])
def test_map_is_the_derivative_of_the_symbol(primitive, index):
    found = certificate(primitive, index)
    assert found.largest() < 1e-45
    if primitive.name not in DECIDED_NUMERICALLY:
        assert found.simplified() == 0
