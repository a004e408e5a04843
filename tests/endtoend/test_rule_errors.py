"""Stated derivatives that are missing or wrong: which error, at which line, and what it says to write."""

from __future__ import annotations

import math
import os
import traceback
from functools import partial

import numpy as np
import pytest

import adcore
from adcore import (
    AliasError,
    DtypeError,
    MissingRuleError,
    RuleError,
    UnsupportedFunctionError,
    custom_jvp,
    custom_rule,
    custom_vjp,
    grad,
    jacrev,
    jit,
    jvp,
    stop_gradient,
    straight_through,
    vjp,
)

X = np.array([1.0, 2.0])


def with_jvp(rule):
    @custom_jvp
    def f(x):
        return x * x

    f.defjvp(rule)
    return f


def with_vjp(forward, backward):
    @custom_vjp
    def f(x, n):
        return x * n

    f.defvjp(forward, backward)
    return f


def refused(function, error, *parts):
    with pytest.raises(error) as found:
        function()
    message = str(found.value)
    if not isinstance(found.value, adcore.AdcoreError):  # raised by compiled code, at the place that it is about
        message += f"\n{traceback.extract_tb(found.value.__traceback__)[-1].line}"
    for part in parts:
        assert part in message, message
    return message


FORWARD = {
    "product": (lambda p, t: (p[0], t[0] * t[0]), "'mul' is not linear"),
    "absolute": (lambda p, t: (p[0], abs(t[0])), "'abs' is not linear"),
    "affine": (lambda p, t: (p[0], t[0] * p[0] + 1.0), "'add' of a linear value and of one that does not vary"),
    "sine": (lambda p, t: (p[0], np.sin(t[0])), "'sin' is not linear"),
    "division": (lambda p, t: (p[0], p[0] / t[0]), "'div' is not linear"),
    "rounded": (lambda p, t: (p[0], np.floor(t[0])), "'floor' is not linear"),
    "compared": (lambda p, t: (p[0], np.where(t[0] > 0.0, t[0], 0.0)), "'gt' is not linear"),
    "branch": (lambda p, t: (p[0], t[0] if t[0][0] > 0.0 else 2.0 * t[0]), "'gt' is not linear"),
    "where": (lambda p, t: (p[0], np.where(p[0] > 1.0, t[0], 1.0)), "'select' of a linear value and of one that"),
    "maximum": (lambda p, t: (p[0], np.maximum(t[0], p[0])), "'maximum' is not linear"),
    "constant": (lambda p, t: (p[0], p[0]), "does not vanish where they do"),
    "norm": (lambda p, t: (p[0], t[0] / np.sqrt(np.sum(t[0] * t[0]))), "'mul' is not linear"),
    "value": (lambda p, t: (t[0], t[0]), "gives a value that depends on the tangents"),
    "none": (lambda p, t: (p[0], None), "gives the tangent as None, and an array of rank 1 (float64) is needed"),
    "no pair": (lambda p, t: p[0], "returns a number or array, and a pair (value, tangent) is needed"),
    "three": (lambda p, t: (p[0], p[0], t[0]), "returns a tuple of 3, and a pair (value, tangent) is needed"),
    "tangents": (lambda p, t: (p[0], t), "gives the tangent as a tuple of 1, and a number or array is needed"),
    "values": (lambda p, t: (p, t[0]), "gives the value as a tuple of 1, and a number or array is needed"),
    "dtype": (
        lambda p, t: (p[0], t[0].astype(np.float32)),
        "array of rank 1 (float32), and an array of rank 1 (float64)",
    ),
    "rank": (lambda p, t: (p[0], np.sum(t[0])), "gives the tangent as a number (float64), and an array of rank 1"),
    "rank of value": (
        lambda p, t: (np.sum(p[0]), t[0]),
        "gives the value as a number (float64), and an array of rank 1",
    ),
    "parameters": (lambda p: (p[0], p[0]), "takes other arguments than (primals, tangents): too many positional"),
    "stopped": (lambda p, t: (p[0], stop_gradient(t[0])), "a rule applies 'stop_gradient', whose stated derivative"),
    "text": (lambda p, t: (p[0], "t"), "gives the tangent as 't', and a number or an array is needed"),
}


@pytest.mark.parametrize("case", FORWARD)
@pytest.mark.parametrize("derivative", [grad, lambda f: lambda x: jvp(f, (x,), (x,))], ids=["grad", "jvp"])
def test_forward_rules(case, derivative):
    rule, said = FORWARD[case]
    f = with_jvp(rule)
    np.testing.assert_array_equal(f(X), X * X)  # the rule is not even looked at
    message = refused(lambda: derivative(lambda x: np.sum(f(x)))(X), RuleError, said, "test_rule_errors.py")
    assert "lambda p" in message


@pytest.mark.parametrize("tangent", [lambda t: t[1:], lambda t: np.append(t, t)], ids=["shorter", "longer"])
def test_lengths_are_checked_when_the_rule_runs(tangent):
    f = with_jvp(lambda p, t: (p[0], tangent(t[0])))
    message = "the tangent that <lambda> gives has length"
    refused(lambda: grad(lambda x: np.sum(f(x)))(X), ValueError, message, "lambda p, t: (p[0], tangent(t[0]))")
    f = with_jvp(lambda p, t: (tangent(p[0]), t[0]))
    refused(lambda: grad(lambda x: np.sum(f(x)))(X), ValueError, "the value that <lambda> gives has length")
    f = with_vjp(lambda x, n: (x * n, ()), lambda _, g: (tangent(g), None))
    refused(lambda: grad(lambda x: np.sum(f(x, 3)))(X), ValueError, "a cotangent that <lambda> gives has length")
    refused(lambda: jvp(lambda x: f(x, 3), (X,), (X,)), ValueError, "a cotangent that <lambda> gives has length")


def test_loops_in_rules():
    def sums(p, t):
        s = 0.0
        for i in range(len(t[0])):
            s = s + t[0][i]
        return p[0], s * t[0]

    refused(lambda: jvp(with_jvp(sums), (X,), (X,)), RuleError, "'mul' is not linear", "return p[0], s * t[0]")

    def grows(p, t):
        s = 1.0
        for i in range(len(t[0])):
            s = s + t[0][i]
        return p[0], s * p[0]

    refused(lambda: jvp(with_jvp(grows), (X,), (X,)), RuleError, "'add' of a linear value", "s = s + t[0][i]")

    def waits(p, t):
        k = 0
        while k < len(t[0]) and t[0][k] > 0.0:
            k += 1
        return p[0], k * t[0]

    refused(lambda: jvp(with_jvp(waits), (X,), (X,)), RuleError, "'gt' is not linear", "while k < len(t[0])")

    def either(p, t):
        y = 3.0 * t[0]
        if p[0][0] > 5.0:
            y = p[0]
        return p[0], y

    refused(lambda: jvp(with_jvp(either), (X,), (X,)), RuleError, "linear on some paths, and a constant on others")


BACKWARD = {
    "no tuple": (lambda x, n: (x * n, n), lambda n, g: n * g, "returns a number or array, and a tuple of 2"),
    "count": (lambda x, n: (x * n, n), lambda n, g: (n * g,), "returns a tuple of 1, and a tuple of 2"),
    "integer": (lambda x, n: (x * n, n), lambda n, g: (n * g, 0.0), "gives a cotangent by what has none"),
    "rank": (lambda x, n: (x * n, n), lambda n, g: (np.sum(g), None), "gives a cotangent as a number (float64)"),
    "dtype": (
        lambda x, n: (x * n, n),
        lambda n, g: (g * 1j, None),
        "array of rank 1 (complex128), and an array of rank 1 (f",
    ),
    "structure": (lambda x, n: (x * n, n), lambda n, g: ((g, g), None), "gives a cotangent as a tuple of 2"),
    "no pair": (
        lambda x, n: x * n,
        lambda n, g: (g, None),
        "a pair (value, what is kept for the cotangents) is needed",
    ),
    "value": (lambda x, n: (np.sum(x), n), lambda n, g: (g, None), "gives the value as a number (float64)"),
    "forward": (lambda x: (x, x), lambda n, g: (g, None), "takes other arguments than (*arguments)"),
    "backward": (lambda x, n: (x * n, n), lambda g: (g, None), "takes other arguments than (kept, cotangent)"),
}


@pytest.mark.parametrize("case", BACKWARD)
def test_backward_rules(case):
    forward, backward, said = BACKWARD[case]
    f = with_vjp(forward, backward)
    np.testing.assert_array_equal(f(X, 3), 3.0 * X)
    refused(lambda: grad(lambda x: np.sum(f(x, 3)))(X), RuleError, said, "test_rule_errors.py")


@pytest.mark.parametrize("backward", [lambda _, g: (np.clip(g, -1.0, 1.0), None), lambda _, g: (g + 1.0, None)])
def test_no_forward_mode_of_what_is_not_linear(backward):
    f = with_vjp(lambda x, n: (x * n, ()), backward)
    grad(lambda x: np.sum(f(x, 3)))(X)
    parts = ("so there is no forward mode", "Write instead: reverse mode; or custom_jvp or custom_rule for f")
    refused(lambda: jvp(lambda x: f(x, 3), (X,), (X,)), RuleError, *parts)


def test_no_rule():
    f, g = custom_jvp(lambda x: x * x), custom_vjp(lambda x: x * x)
    assert f(3.0) == g(3.0) == 9.0
    refused(lambda: grad(lambda x: f(x) * 2.0)(1.0), RuleError, "<lambda> has no derivative rule yet", "f(x) * 2.0")
    refused(lambda: grad(g)(1.0), RuleError, "<lambda> has no derivative rule yet")
    assert grad(lambda x: f(2.0) * x)(1.0) == 4.0  # not reached by the derivative


def test_a_rule_that_is_not_needed_is_not_looked_at():
    @custom_jvp
    def f(x):
        return x * x

    @f.defjvp
    def f_jvp(primals, tangents):
        return os.getcwd(), tangents

    assert f(2.0) == 4.0
    assert grad(lambda x, y: x * f(y))(2.0, 3.0) == 9.0
    refused(lambda: grad(lambda x, y: x * f(y), 1)(2.0, 3.0), adcore.UnsupportedFunctionError, "os.getcwd")


def test_a_rule_that_is_not_needed_does_not_raise():
    @custom_jvp
    def f(x):
        return x * x

    @f.defjvp
    def f_jvp(primals, tangents):
        if primals[0] > 0.0:
            raise ValueError("no derivative here")
        return f(primals[0]), tangents[0]

    assert f(2.0) == 4.0
    assert jit(lambda x: f(x))(2.0) == 4.0
    assert grad(f)(-2.0) == 1.0
    refused(lambda: grad(f)(2.0), ValueError, "no derivative here")


def test_rules_are_stated_once():
    f = with_jvp(lambda p, t: (p[0], t[0]))
    with pytest.raises(ValueError, match="f has a derivative rule already"):
        f.defjvp(lambda p, t: (p[0], t[0]))
    with pytest.raises(ValueError, match="f has a derivative rule already"):
        f.defjvps(None)
    g = with_vjp(lambda x, n: (x, n), lambda n, g: (g, None))
    with pytest.raises(ValueError, match="f has a derivative rule already"):
        g.defvjp(lambda x, n: (x, n), lambda n, g: (g, None))


def test_constants():
    @partial(custom_jvp, nondiff_argnums=0)
    def f(n, x):
        return x * n

    with pytest.raises(ValueError, match="defjvps of a function with nondiff_argnums"):
        f.defjvps(None, lambda t, y, n, x: t)
    with pytest.raises(ValueError, match="custom_vjp: nondiff_argnums 2"):
        custom_vjp(lambda x, y: x, nondiff_argnums=2)
    f.defjvp(lambda n, p, t: (f(n, p[0]), n * t[0]))
    assert grad(f, 1)(3, 2.0) == 3.0
    refused(lambda: grad(f)(3.0, 2.0), DtypeError, "argument 0 of f is static, a constant")
    refused(lambda: grad(lambda x: f(x, x))(2.0), UnsupportedFunctionError, "static argument 'n' of f is a number")
    with pytest.raises(ValueError, match="cannot be hashed"):
        f(X, 2.0)


def test_counts_of_rules():
    @custom_jvp
    def f(x, y):
        return x * y

    f.defjvps(lambda t, ans, x, y: t)
    parts = ("f is called with 2 arguments, and defjvps has rules for 1", "None where there is no derivative")
    refused(lambda: grad(f)(1.0, 2.0), RuleError, *parts)


def test_arguments_by_name_only():
    @custom_jvp
    def f(x, *, y):
        return x * y

    refused(lambda: f(1.0, y=2.0), RuleError, "takes 'y' by name only", "def f(x, *, y)")


def test_writes_into_arguments():
    @custom_jvp
    def f(x):
        x[0] = 1.0
        return x

    refused(lambda: f(X.copy()), AliasError, "changes one of its arguments", "a copy of it")

    @custom_jvp
    def g(items):
        items.append(1.0)
        return items[0]

    refused(lambda: g([1.0]), AliasError, "changes one of its arguments")


def test_values_closed_over():
    def f(x, a):
        return straight_through(lambda v: np.floor(v * a))(x)

    parts = ("'<lambda>' closes over 'a', by which a derivative is taken", "as a further argument")
    refused(lambda: grad(f, 1)(2.0, 3.5), UnsupportedFunctionError, *parts)
    refused(lambda: jvp(f, (2.0, 3.5), (0.0, 1.0)), UnsupportedFunctionError, *parts)
    assert grad(f)(2.0, 3.5) == 1.0


def test_straight_through():
    parts = ("returns a number (int64) for a number (float64)", "float(…)")
    refused(lambda: straight_through(math.floor)(2.5), DtypeError, *parts)
    refused(lambda: straight_through(lambda x: np.sum(x))(X), DtypeError, "returns a number (float64) for an array")
    refused(lambda: straight_through(lambda x, y: x)(2.5, 1.0), RuleError, "takes 2 arguments, and straight_through is")
    longer = straight_through(lambda x: np.append(x, x))
    refused(
        lambda: grad(lambda x: np.sum(longer(x)))(X), ValueError, "the tangent that straight_through gives has length"
    )


def test_linearizations():
    f = custom_rule(lambda x: x * x)
    parts = ("does not fit", "lambda x: x * x)", "return value, pushforward")
    refused(lambda: f(2.0), RuleError, *parts)
    g = custom_rule(lambda x: (x * x, lambda t: t * t))
    assert g(2.0) == 4.0
    refused(lambda: grad(g)(2.0), RuleError, "'mul' is not linear", "lambda t: t * t")
    h = custom_rule(lambda x: (x * x, 3.0))
    refused(
        lambda: grad(h)(2.0), RuleError, "does not fit: a number (float64) is not callable", "lambda x: (x * x, 3.0)"
    )
    k = custom_rule(lambda x, y: (x * y, lambda t: t))
    refused(lambda: grad(k)(2.0, 3.0), RuleError, "does not fit: <lambda>(): too many", "a tangent for each argument")
    m = custom_rule(lambda x: (x * x, lambda t: (t, t)))
    refused(lambda: grad(m)(2.0), RuleError, "gives the tangent as a tuple of 2", "lambda x: (x * x, lambda t: (t, t))")
    n = custom_rule(lambda x: (x * x, lambda t: None))
    refused(lambda: grad(n)(2.0), RuleError, "gives the tangent as None", "lambda x: (x * x, lambda t: None)")


def test_many_directions_that_decide():
    @custom_vjp
    def f(x):
        return x * 1.0

    f.defvjp(lambda x: (x * 1.0, ()), lambda _, g: (-g if g[0] < 0.0 else g,))
    grad(lambda x: np.sum(f(x)))(X)
    refused(lambda: jacrev(f)(X), MissingRuleError, "many derivatives at once through 'cond'")


def test_generators():
    rng = np.random.default_rng(0)
    f = custom_jvp(lambda x: x * rng.normal())
    refused(lambda: f(1.0), RuleError, "draws from a random generator")
    g = with_jvp(lambda p, t: (p[0], t[0] * rng.normal()))
    refused(lambda: grad(lambda x: np.sum(g(x)))(X), RuleError, "draws from a random generator")


def test_a_program_from_text_has_no_rules():
    from adcore.derive import push
    from adcore.text import from_text, to_text
    from adcore.verify import verify

    f = with_jvp(lambda p, t: (p[0], t[0]))
    program = adcore.program(lambda x: np.sum(f(x)), X)
    text = to_text(program)
    read = from_text(text)
    verify(read)
    assert to_text(read) == text
    with pytest.raises(UnsupportedFunctionError, match="the derivative of 'f' is not known: a program's text does not"):
        push(read, (0,))


def test_pullbacks_of_wrong_cotangents():
    f = with_vjp(lambda x, n: (x * n, n), lambda n, g: (n * g, None))
    pullback = vjp(f, X, 3)[1]
    with pytest.raises(ValueError, match="a cotangent of shape"):
        pullback(np.ones(3))
