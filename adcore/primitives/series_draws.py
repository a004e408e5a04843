"""Routines that move a draw from a distribution along with its parameters: of the same quantile at others."""

from __future__ import annotations

from .base import TABLE

__all__ = ["beta_draw", "gamma_draw"]

GAMMAINC, GAMMAINCINV, BETAINC, BETAINCINV = (
    TABLE[name] for name in ("gammainc", "gammaincinv", "betainc", "betaincinv")
)


def gamma_draw(a, at, drawn):
    """What a draw from the gamma distribution of shape `at` is at shape `a`: of the same quantile."""
    if a == at:
        return drawn
    return GAMMAINCINV(a, GAMMAINC(at, drawn))


def beta_draw(p, q, at_p, at_q, drawn):
    """What a draw from the beta distribution of `at_p`, `at_q` is at `p`, `q`: of the same quantile."""
    if p == at_p and q == at_q:
        return drawn
    return BETAINCINV(p, q, BETAINC(at_p, at_q, drawn))
