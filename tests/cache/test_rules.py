"""Stated derivatives on the disk: a rule that is changed, or anything that it depends on, makes another program."""

from __future__ import annotations

import numpy as np
import pytest

from adcore import grad, jit, jvp, soft, value_and_grad, vjp

WHOLE = """
    import functools
    import math
    import numpy as np
    import other
    from adcore import custom_jvp, custom_rule, custom_vjp, stop_gradient

    FACTORS = (2.0, 3.0)
    SCALE = 1.5
    WEIGHTS = np.array([1.0, 2.0])

    def helper(x):
        return x * 4.0

    @custom_jvp
    def f(x):
        return x * x

    @f.defjvp
    def f_rule(primals, tangents):
        return f(primals[0]), helper(primals[0]) * tangents[0] * FACTORS[0]

    @custom_jvp
    def g(x, y):
        return x * y

    g.defjvps(lambda t, ans, x, y: 5.0 * y * t, lambda t, ans, x, y: other.outside(x) * t)

    @custom_vjp
    def h(x):
        return x * x

    def forward(x):
        return h(x), x * 1.25

    def backward(kept, ct):
        return (kept * ct * SCALE,)

    h.defvjp(forward, backward)

    @custom_rule
    def k(x):
        def pushforward(t):
            return 6.0 * t
        return x * 1.0, pushforward

    @functools.partial(custom_vjp, nondiff_argnums=(0,))
    def constant(n, x):
        return x * n

    constant.defvjp(lambda n, x: (x * n, ()), lambda n, _, ct: (2.5 * n * ct,))

    @custom_vjp
    def reads(x):
        return x * 1.0

    reads.defvjp(lambda x: (x * 1.0, ()), lambda _, ct: (ct * np.sum(WEIGHTS),))

    def calls_f(x): return f(x) * 1.0
    def calls_g(x): return g(x, x)
    def calls_h(x): return h(x)
    def calls_k(x): return k(x)
    def calls_constant(x): return constant(3, x)
    def calls_reads(x): return reads(x)
"""
OTHER = """
    def outside(x):
        return x * 7.0
"""
# The function, what its derivative is at 2.0, what is replaced by what, and what the derivative is then.
EDITS = {
    "the rule": ("calls_f", 16.0, "helper(primals[0]) * tangents", "3.0 * helper(primals[0]) * tangents", 48.0),
    "a helper": ("calls_f", 16.0, "return x * 4.0", "return x * 5.0", 20.0),
    "a constant": ("calls_f", 16.0, "FACTORS = (2.0, 3.0)", "FACTORS = (3.0, 3.0)", 24.0),
    "a rule by argument": ("calls_g", 24.0, "5.0 * y * t", "6.0 * y * t", 26.0),
    "forward": ("calls_h", 3.75, "x * 1.25", "x * 2.25", 6.75),
    "backward": ("calls_h", 3.75, "kept * ct * SCALE", "kept * ct * SCALE * 2.0", 7.5),
    "a pushforward": ("calls_k", 6.0, "return 6.0 * t", "return 6.5 * t", 6.5),
    "a rule with constants": ("calls_constant", 7.5, "2.5 * n * ct", "3.5 * n * ct", 10.5),
    "a constant argument": ("calls_constant", 7.5, "constant(3, x)", "constant(4, x)", 10.0),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_change_of_a_rule_is_noticed(edit, modules, outcome):
    name, old, before, after, new = EDITS[edit]
    assert WHOLE.count(before) == 1
    modules.write(user=WHOLE, other=OTHER)
    for found in ("stored", "served"):
        assert grad(getattr(modules.load(), name))(2.0) == old
        assert outcome() == found
    modules.write(user=WHOLE.replace(before, after))
    for found in ("stored", "served"):
        assert grad(getattr(modules.load(), name))(2.0) == new
        assert outcome() == found
    modules.write(user=WHOLE)
    assert grad(getattr(modules.load(), name))(2.0) == old
    assert outcome() == "served"


def test_a_change_in_another_module_is_noticed(modules, outcome):
    modules.write(user=WHOLE, other=OTHER)
    for found in ("stored", "served"):
        assert grad(modules.load().calls_g)(2.0) == 24.0
        assert outcome() == found
    modules.write(other=OTHER.replace("x * 7.0", "x * 8.0"))
    assert grad(modules.load().calls_g)(2.0) == 26.0
    assert outcome() == "stored"


@pytest.mark.parametrize(
    ("name", "before", "after", "old", "new"),
    [
        ("calls_h", "SCALE = 1.5", "SCALE = 3.0", 3.75, 7.5),
        ("calls_reads", "[1.0, 2.0]", "[1.0, 2.0, 4.0]", 3.0, 7.0),
    ],
)
def test_what_rules_read_is_read_at_every_call(name, before, after, old, new, modules, outcome):
    modules.write(user=WHOLE, other=OTHER)
    assert grad(getattr(modules.load(), name))(2.0) == old
    assert outcome() == "stored"
    modules.write(user=WHOLE.replace(before, after))
    user = modules.load()
    assert grad(getattr(user, name))(2.0) == new
    assert outcome() == "served"
    user.WEIGHTS, user.SCALE = np.array([4.0, 4.0]), 6.0
    assert grad(getattr(user, name))(2.0) == {"calls_h": 15.0, "calls_reads": 8.0}[name]


def test_every_transform_is_served(modules, outcome):
    calls = (
        lambda m: jit(m.calls_f)(2.0),
        lambda m: m.f(2.0),
        lambda m: value_and_grad(m.calls_h)(2.0),
        lambda m: jvp(m.calls_h, (2.0,), (1.0,)),
        lambda m: grad(m.h)(2.0),
        lambda m: grad(grad(m.calls_f))(2.0),
        lambda m: vjp(m.calls_reads, 2.0)[1](1.0),
        lambda m: jit(lambda x: m.stop_gradient(x) * m.f(x))(2.0),
        lambda m: grad(soft(lambda x: abs(x) if x > 1.9 else np.sort(np.array([x, 2.1]))[0], 0.1))(2.0),
    )
    modules.write(user=WHOLE, other=OTHER)
    first = [call(modules.load()) for call in calls]
    outcome.reset()
    for call, expected in zip(calls, first, strict=True):
        assert call(modules.load()) == expected
        assert outcome() == "served"


def test_the_lines_of_rules_in_errors(modules, outcome):
    text = (
        "from adcore import custom_jvp\n@custom_jvp\ndef f(x):\n    return x\n"
        "@f.defjvp\ndef rule(p, t):\n    return p[0], t[0][:2]\n"
    )
    for blank, found in ((0, "stored"), (0, "served"), (2, "stored"), (2, "served")):
        modules.write(user="\n" * blank + text)
        f = modules.load().f
        with pytest.raises(ValueError, match="the tangent that rule gives has length 2 along axis 0, not 3") as error:
            jvp(f, (np.ones(3),), (np.ones(3),))
        assert outcome() == found
        assert error.traceback[-1].lineno + 1 == 6 + blank
