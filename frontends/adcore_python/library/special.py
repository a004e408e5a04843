"""`scipy.special`: universal functions that are rows of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adcore.errors import DtypeError
from adcore.types import DType

from ..array_functions import array_like
from ..operators import in_doubles, mapped
from ..values import Tuple, Value
from .registry import lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__: list[str] = []

# Public names, without their module, to rows of floats of the same number of arguments.
UNARY = {
    **{name: name for name in ("gamma", "gammaln", "loggamma", "rgamma", "digamma", "erf", "erfc", "erfcx", "erfi")},
    **{name: name for name in ("dawsn", "erfinv", "erfcinv", "ndtr", "ndtri", "log_ndtr", "ndtri_exp")},
    **{name: name for name in ("expit", "logit", "log_expit", "entr", "exp10", "cosm1", "exprel", "expm1", "log1p")},
    **{name: name for name in ("exp2", "cbrt", "sindg", "cosdg", "tandg", "cotdg", "wrightomega", "spence")},
    **{name: name for name in ("j0", "j1", "y0", "y1", "i0", "i1", "k0", "k1", "i0e", "i1e", "k0e", "k1e")},
    **{name: name for name in ("expi", "exp1", "ellipk", "ellipkm1", "ellipe")},
    "psi": "digamma",
}
BINARY = {
    **{name: name for name in ("beta", "betaln", "binom", "poch", "gammainc", "gammaincc", "gammaincinv")},
    **{name: name for name in ("gammainccinv", "xlogy", "xlog1py", "rel_entr", "kl_div", "huber", "pseudo_huber")},
    **{name: name for name in ("powm1", "boxcox", "boxcox1p", "inv_boxcox", "inv_boxcox1p", "owens_t")},
    **{name: name for name in ("jv", "yv", "iv", "kv", "ive", "kve", "struve", "modstruve", "ellipkinc", "ellipeinc")},
    "hyp0f1": "hyp0f1",
    "jn": "jv",
}
TERNARY = {
    name: name
    for name in ("betainc", "betaincc", "betaincinv", "betainccinv", "hyp1f1", "hyperu", "elliprf", "elliprd")
}
QUATERNARY = {"hyp2f1": "hyp2f1"}

# Rows whose first argument is an integer, by the number of arguments.
ORDERED = {
    2: (
        *("kn", "yn", "expn", "eval_laguerre", "eval_legendre", "eval_chebyt", "eval_chebyu"),
        *("eval_hermite", "eval_hermitenorm"),
    ),
    3: ("eval_gegenbauer", "eval_genlaguerre"),
    4: ("eval_jacobi",),
}
SEVERAL = {
    "sici": ("sici_si", "sici_ci"),
    "shichi": ("shichi_shi", "shichi_chi"),
    "fresnel": ("fresnel_s", "fresnel_c"),
    "airy": ("airy_ai", "airy_ai_slope", "airy_bi", "airy_bi_slope"),
}


def _mapped(low: Lowering, name: str, *operands: Value) -> Value:
    return in_doubles(low, name, [array_like(low, x) for x in operands])


def _of_one(name: str) -> Any:
    return lambda low, x: _mapped(low, name, x)


def _of_two(name: str) -> Any:
    return lambda low, x, y: _mapped(low, name, x, y)


def _of_three(name: str) -> Any:
    return lambda low, x, y, z: _mapped(low, name, x, y, z)


def _of_four(name: str) -> Any:
    return lambda low, x, y, z, w: _mapped(low, name, x, y, z, w)


def whole(low: Lowering, order: Value, name: str) -> Value:
    """An order, which has to be of integers."""
    value = array_like(low, order)
    if value.dtype.differentiable:
        low.refuse(DtypeError, f"{name} of an order that is not an integer", "int(n)")
    return value


def _ordered(name: str, count: int) -> Any:
    """Beside an integer SciPy has a function of doubles only."""

    def lower(low: Lowering, n: Value, *operands: Value) -> Value:
        values = [array_like(low, x) for x in (whole(low, n, name), *operands)]
        return mapped(low, name, values, DType.F64, False)

    if count == 2:
        return lambda low, n, x: lower(low, n, x)
    if count == 3:
        return lambda low, n, a, x: lower(low, n, a, x)
    return lambda low, n, a, b, x: lower(low, n, a, b, x)


def _several(names: tuple[str, ...]) -> Any:
    return lambda low, x: Tuple(tuple(_mapped(low, name, x) for name in names))


for _table, _kind in ((UNARY, _of_one), (BINARY, _of_two), (TERNARY, _of_three), (QUATERNARY, _of_four)):
    for _public, _row in _table.items():
        lowers(f"scipy.special.{_public}")(_kind(_row))
for _count, _names in ORDERED.items():
    for _public in _names:
        lowers(f"scipy.special.{_public}")(_ordered(_public, _count))
for _public, _rows in SEVERAL.items():
    lowers(f"scipy.special.{_public}")(_several(_rows))
