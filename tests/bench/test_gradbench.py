"""The problems of GradBench against independent references, and the adapter through its protocol."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse, special

from adcore import jit
from bench.gradbench import PROBLEMS, ba, cases, det, gmm, hello, ht, kmeans, llsq, lse, lstm, ode, particle, saddle
from bench.gradbench_tool import serve

from . import references

LANDING = 0.2071918746486116
SADDLE = 8.246324826140356e-06
ROOT = Path(__file__).parents[2]


def close(result, expected):
    """Equal up to 1e-9 of the norm."""
    result, expected = np.asarray(result), np.asarray(expected)
    assert result.shape == expected.shape
    assert np.all(np.isfinite(result))
    assert np.linalg.norm(result - expected) <= 1e-9 * np.linalg.norm(expected)


def test_hello():
    assert (hello.square(3.0), hello.double(3.0)) == (9.0, 6.0)


@pytest.mark.parametrize(("d", "k", "n", "gamma", "m"), [(3, 2, 6, 1.0, 0), (1, 3, 5, 0.7, 2), (2, 1, 4, 1.3, 1)])
def test_gmm(d, k, n, gamma, m):
    *parameters, x, _, _ = gmm.inputs(d, k, n)
    parameters = [0.5 * p for p in parameters]
    close(jit(gmm.objective)(*parameters, x, gamma, m), references.gmm(*parameters, x, gamma, m))
    gradient = gmm.gradient(*parameters, x, gamma, m)
    expected = []
    for place, parameter in enumerate(parameters):

        def moved(value, place=place):
            return references.gmm(*parameters[:place], value, *parameters[place + 1 :], x, gamma, m)

        expected.append(references.extrapolated(moved, parameter) if parameter.size else np.zeros(0))
    assert [g.shape for g in gradient] == [p.shape for p in parameters]
    close(np.concatenate([g.ravel() for g in gradient]), np.concatenate(expected))


def test_ba():
    rng = np.random.default_rng(1)
    cameras, points, weights = 0.1 * rng.normal(size=(3, 11)), rng.normal(size=(4, 3)), rng.normal(size=7)
    cameras[2, :3] = 0.0
    observations = np.stack((np.arange(7) % 3, np.arange(7) % 4), axis=1)
    arguments = cameras, points, weights, observations, rng.normal(size=(7, 2))
    expected = [
        references.ba_errors(cameras[c], points[x], weights[i], arguments[-1][i])
        for i, (c, x) in enumerate(observations)
    ]
    errors, weight_errors = jit(ba.objective)(*arguments)
    close(errors.reshape(-1, 2), np.array(expected)[:, :2])
    close(weight_errors, np.array(expected)[:, 2])
    result = sparse.csr_array(ba.jacobian(*arguments), shape=(21, 52))
    assert result.nnz == 31 * 7
    close(result.toarray(), references.ba_jacobian(*arguments))


def test_ht_simple():
    theta, *rest = ht.inputs(5, 9, False)
    close(jit(ht.simple)(theta, *rest), references.ht_simple(theta, *rest))
    jacobian = references.extrapolated(lambda t: references.ht_simple(t, *rest), theta)
    close(ht.simple_jacobian(theta, *rest), jacobian)


def test_ht_complicated():
    theta, us, *rest = ht.inputs(5, 9, True)
    close(jit(ht.complicated)(theta, us, *rest), references.ht_complicated(theta, us, *rest))
    by_theta = references.extrapolated(lambda t: references.ht_complicated(t, us, *rest), theta)
    by_us = references.extrapolated(lambda u: references.ht_complicated(theta, u, *rest), us)
    others = np.delete(by_us.reshape(5, 3, 5, 2), 0, axis=2)[0]
    np.testing.assert_allclose(others, 0.0, atol=1e-9)  # no point moves by the coordinates of another
    own = np.concatenate([by_us.reshape(5, 3, 5, 2)[i, :, i] for i in range(5)])
    close(ht.complicated_jacobian(theta, us, *rest), np.concatenate((own, by_theta), axis=1))


def test_ht_without_a_global_rotation():
    theta, *rest = ht.inputs(5, 9, False)
    theta[:3] = 0.0
    close(jit(ht.simple)(theta, *rest), references.ht_simple(theta, *rest))
    jacobian = references.extrapolated(lambda t: references.ht_simple(t, *rest), theta)
    jacobian[:, :3] = 0.0  # the benchmark has the identity there
    close(ht.simple_jacobian(theta, *rest), jacobian)


def test_lstm():
    main, extra, state, sequence = lstm.inputs(2, 4, 3)
    close(jit(lstm.objective)(main, extra, state, sequence), references.lstm(main, extra, state, sequence).real)
    by_main, by_extra = lstm.gradient(main, extra, state, sequence)
    close(by_main.ravel(), references.complex_step(lambda v: references.lstm(v, extra, state, sequence), main))
    close(by_extra.ravel(), references.complex_step(lambda v: references.lstm(main, v, state, sequence), extra))


def test_kmeans():
    centroids, points = kmeans.inputs(3, 40, 2)
    close(jit(kmeans.cost)(centroids, points), references.kmeans_cost(centroids, points))
    close(kmeans.direction(centroids, points), references.kmeans_direction(centroids, points))


@pytest.mark.parametrize("n", [1, 2, 5, 6])
def test_det(n):
    A, n = det.inputs(n)
    close(det.primal(A, n), np.linalg.det(A))
    close(det.gradient(A, n), np.linalg.det(A) * np.linalg.inv(A).T)


def test_llsq():
    x, n = llsq.inputs(9, 4)
    close(jit(llsq.objective)(x, n), references.llsq(x, n))
    close(llsq.gradient(x, n), references.llsq_gradient(x, n))


@pytest.mark.parametrize("shift", [0.0, 1000.0])
def test_lse(shift):
    x = lse.inputs(7)[0] + shift
    close(jit(lse.objective)(x), special.logsumexp(x))
    close(lse.gradient(x), special.softmax(x))


def test_ode_of_four_equations_is_exact():
    x, _ = ode.inputs(4, 1)
    close(jit(ode.solution)(x, 3), references.ode(x))
    close(ode.gradient(x, 3), references.ode(x)[-1] / x)


def test_ode_of_many_equations():
    x, s = ode.inputs(8, 5)
    close(ode.gradient(x, s), references.complex_step(lambda v: ode.last(v, s), x))


@pytest.mark.parametrize("modes", particle.VARIANTS)
def test_particle(modes):
    close(particle.VARIANTS[modes](0.0), LANDING)


@pytest.mark.parametrize("modes", saddle.VARIANTS)
def test_saddle(modes):
    close(saddle.VARIANTS[modes](np.ones(2)), np.full(4, SADDLE))


# The contenders


def test_every_problem_has_cases():
    names = [case.name for case in cases()]
    assert len(set(names)) == len(names)
    assert {name.split()[0] for name in names} == set(PROBLEMS)
    assert {"gmm d64 k100", "gmm d20 k50", "lstm l6 c8192", "llsq n16392 m128", "lse n1280000"} <= set(names)
    assert {"ba n49 m7776 p31843", "ht complicated big n51200", "kmeans k1000 n10000 d16", "det 11"} <= set(names)


@pytest.mark.parametrize("case", [c for c in cases(tiny=True) if "numba" in c.contenders], ids=lambda c: c.name)
def test_numba_computes_the_same(case):
    primal, numba = (_flat(case.contenders[name]()) for name in ("primal", "numba"))
    assert len(primal) == len(numba)
    for ours, theirs in zip(primal, numba, strict=True):
        close(theirs, ours)


@pytest.mark.parametrize("case", list(cases(tiny=True)), ids=lambda c: c.name)
def test_jax_computes_the_same(case):
    pytest.importorskip("jax")
    for mine, other in (("adcore", "jax"), ("primal", "jax primal")):
        if other in case.contenders:
            ours, theirs = (_flat(case.contenders[name]()) for name in (mine, other))
            assert len(ours) == len(theirs)
            for our, their in zip(ours, theirs, strict=True):
                close(their, our)


def _flat(contender):
    result = contender.call(*contender.arguments)
    return list(result) if isinstance(result, tuple) else [result]


# The protocol


def spoken(*messages):
    """What the adapter answers to these messages, numbered from 0."""
    out = io.StringIO()
    serve([json.dumps({"id": k} | message) for k, message in enumerate(messages)], out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def evaluated(module, **inputs):
    """The outputs of an evaluation of each function named, as the benchmark asks for them."""
    messages = [{"kind": "start", "eval": module, "config": {}}, {"kind": "define", "module": module}]
    for function, given in inputs.items():
        limits = {"min_runs": 3, "min_seconds": 0.0}
        message = {"kind": "evaluate", "module": module, "function": function, "description": "tiny"}
        messages.append(message | {"input": given | limits if isinstance(given, dict) else given})
        messages.append({"kind": "analysis", "of": len(messages) - 1, "valid": True})
    started, defined, *rest = spoken(*messages, {"kind": "end"})
    assert started == {"id": 0, "tool": "adcore"}
    assert defined == {"id": 1, "success": True}
    outputs = {}
    for k, function in enumerate(inputs):
        response, analysis = rest[2 * k : 2 * k + 2]
        assert response["success"], response["error"]
        assert response["id"] == 2 * k + 2
        assert analysis == {"id": 2 * k + 3}
        assert len(response["timings"]) == (3 if isinstance(inputs[function], dict) else 1)
        assert all(t["name"] == "evaluate" and t["nanoseconds"] > 0 for t in response["timings"])
        outputs[function] = response["output"]
    assert len(rest) == 2 * len(inputs)
    return outputs


def listed(*arrays):
    return [a.tolist() for a in arrays]


def test_protocol_hello():
    assert evaluated("hello", square=3.0, double=3.0) == {"square": 9.0, "double": 6.0}


def test_protocol_gmm():
    alpha, mu, q, l, x, gamma, m = gmm.inputs(2, 3, 4)  # noqa: E741
    names = ("alpha", "mu", "q", "l", "x")
    given = dict(zip(names, listed(alpha, mu, q, l, x), strict=True)) | {"d": 2, "k": 3, "n": 4, "gamma": 1, "m": m}
    outputs = evaluated("gmm", objective=given, jacobian=given)
    close(outputs["objective"], references.gmm(alpha, mu, q, l, x, gamma, m))
    gradient = gmm.gradient(alpha, mu, q, l, x, gamma, m)
    assert outputs["jacobian"] == dict(zip(names[:4], listed(*gradient), strict=True))


def test_protocol_ba():
    cameras, points, weights, _, features = arguments = ba.inputs(3, 4, 7)
    given = {"n": 3, "m": 4, "p": 7, "cam": listed(*cameras)[0], "x": listed(*points)[0]}
    given |= {"w": float(weights[0]), "feat": features[0].tolist()}
    outputs = evaluated("ba", objective=given, jacobian=given)
    errors = references.ba_errors(cameras[0], points[0], weights[0], features[0])
    assert outputs["objective"]["reproj_error"]["repeated"] == 7
    assert outputs["objective"]["w_err"]["repeated"] == 7
    close(outputs["objective"]["reproj_error"]["elements"], errors[:2])
    close(outputs["objective"]["w_err"]["element"], errors[2])
    dense = references.ba_jacobian(*arguments)
    columns = [*range(11), 33, 34, 35, 45]
    assert outputs["jacobian"]["cols"] == [*columns, *columns, 51]
    assert outputs["jacobian"]["rows"] == [*range(0, 210, 15), *range(210, 218), 217]
    first, second, last = dense[0], dense[1], dense[-1]
    close(outputs["jacobian"]["vals"], np.concatenate((first[columns], second[columns], last[-1:])))


@pytest.mark.parametrize("kind", ["simple", "complicated"])
@pytest.mark.parametrize("mirrored", [False, True])
def test_protocol_ht(kind, mirrored):
    theta, *rest = arguments = ht.inputs(5, 9, kind == "complicated")
    us = rest.pop(0) if kind == "complicated" else np.zeros((0, 2))
    parents, relatives, inverses, base, weights, *triangles, correspondences, points = rest
    names = ("parents", "base_relatives", "inverse_base_absolutes", "base_positions", "weights")
    model = dict(zip(names, listed(parents, relatives, inverses, base, weights), strict=True))
    model |= {"triangles": listed(*triangles)[0] if triangles else [], "is_mirrored": mirrored, "bone_count": 22}
    data = {"model": model, "correspondences": correspondences.tolist(), "points": points.tolist()}
    given = {"theta": theta.tolist(), "us": us.tolist(), "data": data}
    outputs = evaluated("ht", objective=given, jacobian=given)
    if mirrored:
        turned = relatives.copy()
        turned[parents == -1] = np.diag([-1.0, 1.0, 1.0, 1.0]) @ turned[parents == -1]
        arguments = [turned if a is relatives else a for a in arguments]
    expected = getattr(references, f"ht_{kind}")(*arguments)
    close(outputs["objective"], expected)
    close(outputs["jacobian"], getattr(ht, f"{kind}_jacobian")(*arguments))


def test_protocol_lstm():
    arguments = lstm.inputs(2, 4, 3)
    given = dict(zip(("main_params", "extra_params", "state", "sequence"), listed(*arguments), strict=True))
    outputs = evaluated("lstm", objective=given, jacobian=given)
    close(outputs["objective"], references.lstm(*arguments).real)
    assert outputs["jacobian"] == np.concatenate([g.ravel() for g in lstm.gradient(*arguments)]).tolist()


def test_protocol_kmeans():
    centroids, points = kmeans.inputs(2, 9, 2)
    given = {"centroids": centroids.tolist(), "points": points.tolist()}
    outputs = evaluated("kmeans", cost=given, dir=given)
    close(outputs["cost"], references.kmeans_cost(centroids, points))
    close(outputs["dir"], references.kmeans_direction(centroids, points))


def test_protocol_det():
    A, _ = det.inputs(3)
    outputs = evaluated("det", primal={"A": A.ravel().tolist(), "ell": 3}, gradient={"A": A.ravel().tolist(), "ell": 3})
    close(outputs["primal"], np.linalg.det(A))
    close(outputs["gradient"], (np.linalg.det(A) * np.linalg.inv(A).T).ravel())


def test_protocol_llsq():
    x, n = llsq.inputs(9, 4)
    outputs = evaluated("llsq", primal={"x": x.tolist(), "n": n}, gradient={"x": x.tolist(), "n": n})
    close(outputs["primal"], references.llsq(x, n))
    close(outputs["gradient"], references.llsq_gradient(x, n))


def test_protocol_lse():
    (x,) = lse.inputs(7)
    outputs = evaluated("lse", primal={"x": x.tolist()}, gradient={"x": x.tolist()})
    close(outputs["primal"], special.logsumexp(x))
    close(outputs["gradient"], special.softmax(x))


def test_protocol_ode():
    x, s = ode.inputs(4, 3)
    outputs = evaluated("ode", primal={"x": x.tolist(), "s": s}, gradient={"x": x.tolist(), "s": s})
    close(outputs["primal"], references.ode(x))
    close(outputs["gradient"], references.ode(x)[-1] / x)


def test_protocol_particle():
    given = {"w": 0.0}
    for output in evaluated("particle", rr=given, ff=given, fr=given, rf=given).values():
        close(output, LANDING)


def test_protocol_saddle():
    given = {"start": [1.0, 1.0]}
    for output in evaluated("saddle", rr=given, ff=given, fr=given, rf=given).values():
        close(output, [SADDLE] * 4)


def test_runs_until_both_limits_are_met():
    message = {"kind": "evaluate", "module": "lse", "function": "primal"}
    by_runs, by_seconds = spoken(
        message | {"input": {"x": [1.0, 2.0], "min_runs": 5, "min_seconds": 0.0}},
        message | {"input": {"x": [1.0, 2.0], "min_runs": 1, "min_seconds": 0.01}},
    )
    assert len(by_runs["timings"]) == 5
    assert sum(t["nanoseconds"] for t in by_seconds["timings"]) >= 10_000_000


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"kind": "define", "module": "unheard"}, "no module 'unheard'"),
        ({"kind": "evaluate", "module": "lse", "function": "unheard", "input": {}}, "no function 'unheard'"),
        ({"kind": "evaluate", "module": "lse", "function": "primal", "input": {"x": []}}, "ValueError"),
    ],
)
def test_what_fails_is_answered(message, error):
    failed, started = spoken(message, {"kind": "start", "eval": "lse"})
    assert failed["success"] is False
    assert error in failed["error"]
    assert started == {"id": 1, "tool": "adcore"}


def test_the_command():
    message = {"kind": "evaluate", "module": "hello", "function": "double", "input": 4.0}
    lines = [{"id": 7, "kind": "start", "eval": "hello"}, {"id": 8} | message, {"id": 9, "kind": "end"}]
    command = [sys.executable, "-m", "bench.gradbench_tool"]
    given = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True, cwd=ROOT)
    started, evaluation = map(json.loads, done.stdout.splitlines())
    assert started == {"id": 7, "tool": "adcore"}
    assert (evaluation["id"], evaluation["output"]) == (8, 8.0)


def test_every_evaluation_of_the_benchmark_is_there():
    functions = {name: set(import_module(f"bench.gradbench.{name}").EVALUATIONS) for name in PROBLEMS}
    derivative, gradient, modes = {"objective", "jacobian"}, {"primal", "gradient"}, {"ff", "fr", "rf", "rr"}
    assert functions == {
        "hello": {"square", "double"},
        "gmm": derivative,
        "ba": derivative,
        "ht": derivative,
        "lstm": derivative,
        "kmeans": {"cost", "dir"},
        "det": gradient,
        "llsq": gradient,
        "lse": gradient,
        "ode": gradient,
        "particle": modes,
        "saddle": modes,
    }
