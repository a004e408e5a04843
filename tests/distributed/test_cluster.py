"""Sums over chunks on a real cluster of two worker processes."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import NamedTuple

import dask
import dask.array as da
import dask.bag as db
import numpy as np
import pytest
import scipy.optimize
from distributed import Client, LocalCluster

import adcore
from adcore import AdcoreError, PickleError, hessian, hvp
from adcore.arguments import any_lengths
from adcore.distributed import grad, sums, total, value_and_grad
from tests.distributed.work import compilations, slow_chunk, watch_compilations

OPTIONS = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}


@pytest.fixture(scope="module")
def client():
    with LocalCluster(**OPTIONS) as cluster, Client(cluster) as found:
        yield found


rng = np.random.default_rng(0)
X = rng.normal(size=(90, 3))
Y = rng.integers(0, 2, size=90).astype(float)
W = np.array([0.3, -0.2, 0.5])
SIZES = [20, 30, 10, 30]


def logistic(w, x, y):
    z = x @ w
    return np.sum(np.log1p(np.exp(z)) - y * z)


def mean_logistic(w, x, y):
    return logistic(w, x, y) / x.shape[0]


def chunks(array):
    return np.split(array, np.cumsum(SIZES)[:-1])


def loaded(k, array):
    return chunks(array)[k]


def as_array(client, array):
    return da.from_array(array, chunks=(tuple(SIZES), *((n,) for n in array.shape[1:])))


KINDS = {
    "array": as_array,
    "persisted array": lambda client, array: client.persist(as_array(client, array)),
    "lists": lambda client, array: chunks(array),
    "delayed": lambda client, array: [dask.delayed(loaded)(k, array) for k in range(len(SIZES))],
    "futures": lambda client, array: client.scatter(chunks(array), hash=False),
    "mixed": lambda client, array: [*chunks(array)[:2], *client.scatter(chunks(array)[2:], hash=False)],
}


def in_order(function, *arguments):
    """The sum over the chunks, one after the other in this process."""
    found = [function(W, *parts) for parts in zip(*map(chunks, arguments), strict=True)]
    value, gradient = found[0]
    for v, g in found[1:]:
        value, gradient = value + v, gradient + g
    return value, gradient


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_chunks_give_the_same_bits(client, kind):
    x, y = KINDS[kind](client, X), KINDS[kind](client, Y)
    value, gradient = value_and_grad(logistic)(W, x, y)
    with any_lengths():
        wanted, slope = in_order(adcore.value_and_grad(logistic), X, Y)
    assert value == wanted
    assert np.array_equal(gradient, slope)
    assert np.array_equal(grad(logistic)(W, x, y), slope)


def test_the_mean_counts_chunks_by_their_lengths(client):
    value, gradient = value_and_grad(mean_logistic, reduction="mean")(W, as_array(client, X), as_array(client, Y))
    wanted, slope = adcore.value_and_grad(mean_logistic)(W, X, Y)
    np.testing.assert_allclose(value, wanted, rtol=1e-14)
    np.testing.assert_allclose(gradient, slope, rtol=1e-13)


class Line(NamedTuple):
    slope: np.ndarray
    offset: float


def residual(line, scale, x, y, power=2):
    r = x @ line["a"].slope + line["a"].offset - y
    return np.sum(r**power) * scale[0] / scale[1], (np.max(r), x.shape[0])


def test_trees_aux_and_arguments_by_name(client):
    line, scale = {"a": Line(W, 0.25)}, (2.0, 3.0)
    g = value_and_grad(residual, argnums=(0, 1), data_argnums=(2, 3), has_aux=True)
    (value, aux), (slopes, scales) = g(line, scale, x=as_array(client, X), y=as_array(client, Y), power=4)
    derived = adcore.value_and_grad(residual, argnums=(0, 1), has_aux=True)
    (whole, _), (wanted, others) = derived(line, scale, X, Y, power=4)
    np.testing.assert_allclose(value, whole, rtol=1e-13)
    assert type(slopes["a"]) is Line
    np.testing.assert_allclose(slopes["a"].slope, wanted["a"].slope, rtol=1e-12)
    np.testing.assert_allclose([slopes["a"].offset, *scales], [wanted["a"].offset, *others], rtol=1e-12)
    assert [count for _, count in aux] == SIZES
    gradient, again = grad(residual, 0, (2, 3), has_aux=True)(line, scale, chunks(X), chunks(Y), power=4)
    assert np.array_equal(gradient["a"].slope, slopes["a"].slope)
    assert again == aux


def by_items(w, items):
    return np.sum((items["x"] @ w - items["y"]) ** 2)


def test_a_bag_of_records(client):
    items = [{"x": row, "y": float(y)} for row, y in zip(X, Y, strict=True)]
    bag = db.from_sequence(items, npartitions=5).filter(lambda item: item["y"] > 0.5)
    value, gradient = value_and_grad(by_items)(W, bag)
    wanted, slope = adcore.value_and_grad(by_items)(W, {"x": X[Y > 0.5], "y": Y[Y > 0.5]})
    np.testing.assert_allclose(value, wanted, rtol=1e-13)
    np.testing.assert_allclose(gradient, slope, rtol=1e-13)


def test_chunks_without_items_are_left_out(client):
    g = value_and_grad(mean_logistic, reduction="mean")
    wanted = g(W, chunks(X), chunks(Y))
    more = g(W, [X[:0], *chunks(X), X[:0]], [Y[:0], *chunks(Y), Y[:0]])
    np.testing.assert_allclose(more[1], wanted[1], rtol=1e-14)
    with pytest.raises(ValueError, match="all chunks of the data are empty"):
        g(W, [X[:0]], [Y[:0]])


def product(w, v, x, y):
    return hvp(lambda w: logistic(w, x, y), (w,), (v,))[1]


def test_totals_of_other_derivatives(client):
    x, y = as_array(client, X), as_array(client, Y)
    second = total(hessian(logistic), (1, 2))(W, x, y)
    np.testing.assert_allclose(second, hessian(logistic)(W, X, Y), rtol=1e-12)
    np.testing.assert_allclose(total(product, (2, 3))(W, W, x, y), second @ W, rtol=1e-12)
    np.testing.assert_allclose(total(logistic, (1, 2))(W, x, y), logistic(W, X, Y), rtol=1e-13)


def test_large_parameters_go_to_the_workers_themselves(client):
    size = sums.SMALL // 8 + 1
    value, gradient = value_and_grad(lambda w, x: np.sum(w) * np.sum(x))(np.ones(size), [np.ones(2), np.ones(3)])
    assert value == 5.0 * size
    assert np.array_equal(gradient, np.full(size, 5.0))


def test_a_fit_compiles_once_a_worker(client):
    factor = 0.01
    x, y = client.persist(as_array(client, X)), client.persist(as_array(client, Y))

    def loss(w, x, y):
        return logistic(w, x, y) + factor * np.sum(w * w) * x.shape[0]

    client.run(watch_compilations)
    found = scipy.optimize.minimize(value_and_grad(loss), W, (x, y), jac=True, method="L-BFGS-B")
    assert 5 <= found.nit <= 40
    counts = [names.count("loss") for names in client.run(compilations).values()]
    assert max(counts) == 1  # of chunks whose lengths differ, none of them short
    near = scipy.optimize.minimize(adcore.value_and_grad(loss), W, (X, Y), jac=True, method="L-BFGS-B")
    np.testing.assert_allclose(found.x, near.x, rtol=1e-5)


def test_progress_is_shown_where_it_is_asked_for(client, capsys):
    plain = value_and_grad(logistic)(W, chunks(X), chunks(Y))
    assert capsys.readouterr() == ("", "")
    shown = value_and_grad(logistic, progress=True)(W, chunks(X), chunks(Y))
    assert "100% Completed" in capsys.readouterr().out
    assert shown[0] == plain[0]


# A worker that is killed


def kill_when(folder, made: int, pid: int) -> threading.Thread:
    """Kill a process as soon as so many chunks have been made."""

    def wait() -> None:
        deadline = time.monotonic() + 30.0
        while len(os.listdir(folder)) < made and time.monotonic() < deadline:
            time.sleep(0.005)
        os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def energy(w, x):
    return np.sum(np.exp(np.sin(x @ w))) / 7.0


def test_a_worker_that_is_killed_changes_no_bit(client, tmp_path):
    count = 20

    def compute(name: str, killed: int | None):
        folder = tmp_path / name
        folder.mkdir()
        data = [dask.delayed(slow_chunk, pure=False)(k, str(folder)) for k in range(count)]
        killer = None if killed is None else kill_when(folder, count // 2, killed)
        value, gradient = value_and_grad(energy)(W, data)
        if killer is not None:
            killer.join()
        return value, gradient.tobytes(), len(os.listdir(folder))

    workers = client.run(os.getpid)
    value, gradient, made = compute("undisturbed", None)
    assert made == count
    assert os.getpid() not in workers.values()
    value_again, gradient_again, made_again = compute("killed", min(workers.values()))
    assert made_again > count  # what was lost was made again
    assert (value_again, gradient_again) == (value, gradient)
    client.wait_for_workers(2, timeout=30)
    assert min(workers.values()) not in client.run(os.getpid).values()


# Errors


def negative(w, x):
    if x[0] < 0.0:
        raise ValueError("a negative chunk")
    return np.sum(w * x)


def unsupported(w, x):
    return w * len(set(x))


BAD = {
    "of the user's own": (negative, [np.ones(2), -np.ones(2)], ValueError, "a negative chunk"),
    "of the language": (unsupported, [np.ones(2)], AdcoreError, r'test_cluster.py", line \d+, in unsupported'),
    "no chunks": (negative, np.ones(3), TypeError, "argument 1 of value_and_grad of negative is a ndarray, which is"),
    "none at all": (negative, [], ValueError, "argument 1 of value_and_grad of negative has no chunks"),
    "other axes": (negative, da.ones((4, 4), chunks=2), ValueError, r"along axis 1: .* x.rechunk\(\{1: -1\}\)"),
}


@pytest.mark.parametrize("title", BAD)
def test_errors(client, title):
    function, data, kind, message = BAD[title]
    with pytest.raises(kind, match=message):
        value_and_grad(function)(1.0, data)


def test_data_in_other_chunks(client):
    x, y = da.from_array(X, chunks=(30, 3)), da.from_array(Y, chunks=45)
    with pytest.raises(ValueError, match=r"argument 1 of .* has 3, argument 2 of .* has 2"):
        value_and_grad(logistic)(W, x, y)
    with pytest.raises(ValueError, match=r"have other lengths: \(30, 30, 30\) and \(20, 40, 30\)"):
        value_and_grad(logistic)(W, x, da.from_array(Y, chunks=((20, 40, 30),)))
    with pytest.raises(TypeError, match=r"argument 2 of .* is a Array, and not among data_argnums"):
        value_and_grad(logistic, data_argnums=1)(W, x, y)
    with pytest.raises(ValueError, match="argument 0 of logistic is in data_argnums and in argnums"):
        value_and_grad(logistic, data_argnums=(0, 1))(x, x, Y)


def test_a_function_that_cannot_be_pickled(client):
    lock = threading.Lock()
    with pytest.raises(PickleError, match=r"closes over lock, a _thread.lock"):
        value_and_grad(lambda w, x: np.sum(w * x) if lock else 0.0)(1.0, [np.ones(2)])


def test_another_version_on_a_worker(client, monkeypatch):
    monkeypatch.setattr(sums, "_seen", type(sums._seen)())
    monkeypatch.setattr(sums, "__version__", "9.9.9")
    with pytest.raises(AdcoreError, match=r"the worker tcp://.* has adcore \d+\.\d+\.\d+, and the client has adcore 9"):
        value_and_grad(logistic)(W, chunks(X), chunks(Y))


def test_a_worker_without_adcore():
    absent = "import sys\nsys.modules['adcore'] = None"
    refused = pytest.raises(AdcoreError, match=r"the worker tcp://.* cannot import adcore: import of adcore halted")
    with LocalCluster(**OPTIONS | {"n_workers": 1}, preload=absent) as cluster, Client(cluster) as client, refused:
        value_and_grad(logistic, client=client)(W, chunks(X), chunks(Y))
