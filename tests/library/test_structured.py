"""Structured arrays and records: values and writes are NumPy's, gradients those of separate arrays."""

import copy
import math
from dataclasses import dataclass

import numpy as np
import pytest

from adcore import checkpoint, grad, jit, jvp, value_and_grad, vjp
from adcore.errors import AdcoreError, AliasError

PARTICLE = np.dtype([("pos", float, 3), ("mass", float), ("id", np.int64)])
PAIR = np.dtype([("a", float), ("b", float)])
NESTED = np.dtype([("inner", PAIR), ("pairs", PAIR, 2), ("scale", np.float32), ("on", bool)])


def particles(shape=5, dtype=PARTICLE):
    rng = np.random.default_rng(1)
    made = np.zeros(shape, dtype)
    made["pos"] = rng.normal(size=made["pos"].shape)
    made["mass"] = rng.uniform(1.0, 2.0, made["mass"].shape)
    made["id"] = np.arange(made["id"].size).reshape(made["id"].shape)
    return made


def recarray():
    return particles().view(np.recarray)


def nested():
    made = np.zeros(4, NESTED)
    made["inner"]["a"], made["inner"]["b"] = np.arange(4.0) + 1.0, 0.5
    made["pairs"]["a"], made["pairs"]["b"] = np.arange(8.0).reshape(4, 2), 2.0
    made["scale"], made["on"] = 3.0, [True, False, True, True]
    return made


# Functions that read


def fields(p):
    return p["mass"].sum() * p["pos"][1, 2] + np.sum(p["mass"] * 2.0 + p["id"])


def records(p):
    total = 0.0
    for i in range(len(p)):
        row = p[i]
        total += row["mass"] * np.sum(row["pos"] ** 2) + p["mass"][i] * p[i]["pos"][0] * row["id"]
    return total


def iterated(p):
    total = 0.0
    for k, row in enumerate(p):
        total += k * row["mass"] * row["pos"][1]
    for one, other in zip(p, reversed(p), strict=True):
        total = total * 0.5 + one["mass"] * other["pos"][2]
    for row in p[::-1]:
        total = math.sin(total) + row["mass"]
    return total


def parts(p):
    chosen = p[p["mass"] > 1.3]
    return p[1:4]["mass"].sum() + chosen["mass"].sum() * p[[0, 3, 0]]["pos"].sum() + p[-1]["mass"] * p[...]["pos"][0, 0]


def attributes(p):
    total = 0.0
    for name in p.dtype.names:
        total += p[name].sum()
    return total * p.shape[0] + p.size + p.ndim + len(p) + len(p[0]) + np.size(p) + p.dtype.itemsize


def several(p):
    chosen = p[["mass", "pos"]]
    mass, pos = chosen[1]
    return chosen["mass"].sum() * chosen[0]["pos"][1] + mass * pos[0] + p[0][1] + p[0][["mass", "id"]]["mass"]


def listed_records(p):
    rows, pair = [p[0], p[2]], (p[1], p[3])
    known = len(rows) + 2 * len(pair) + 4 * isinstance(rows, list) + 8 * isinstance(pair, tuple)
    again = copy.copy(rows)
    return known * rows[1]["mass"] + pair[0]["pos"][1] * again[0]["mass"] + len(again)


def sorted_by_mass(p):
    total = 0.0
    for k, row in enumerate(p[np.argsort(p["mass"])]):
        total += k * row["mass"]
    return total


def of_branches(p):
    row = p[1] if p["mass"][0] > 1.2 else p[2]
    best = p[0]
    for each in p:
        if each["mass"] > best["mass"]:
            best = each
    return row["mass"] * best["pos"][0] * best["mass"]


def in_comprehensions(p):
    heavy = [row for row in p if row["mass"] > 1.5]
    return sum([row["mass"] * row["pos"][0] for row in heavy]) + max(row["mass"] for row in p)


def classes(p):
    known = (
        isinstance(p, np.ndarray)
        + 2 * isinstance(p[0], np.void)
        + 4 * isinstance(p, tuple)
        + 8 * (type(p) is np.ndarray)
    )
    return p["mass"][0] * known


# Functions that make structured arrays


def made_by_zeros(p):
    made = np.zeros(3, dtype=[("x", float, 2), ("n", np.int32)])
    for k in range(3):
        made[k] = ((p["mass"][k], 2.0 * k), k)
    made[0]["x"][1] += p[1]["pos"][2]
    return made["x"].sum() * made[2]["n"]


def made_by_others(p):
    ones, full = np.ones(2, dtype=PAIR), np.full(2, p["mass"][0], dtype=PAIR)
    listed = np.array([(p["mass"][1], 1), (2.0, p["mass"][2])], dtype=PAIR)
    grown = np.array([(p["mass"][k], k) for k in range(len(p))], dtype=PAIR)
    rows, pair = np.array([p[2], p[0]]), np.array((p[1], p[3]))
    like = np.zeros_like(p)
    like["mass"] = p["mass"] ** 2
    empty = np.empty(2, {"names": ["u", "v"], "formats": [float, int]})
    empty["u"], empty["v"] = p["mass"][:2], 7
    total = ones["a"].sum() + full["b"].sum() * 3.0 + listed["a"][0] * listed[1]["b"] + grown["a"].sum() * grown["b"][2]
    total += rows["mass"][0] * rows[1]["pos"][0] + pair["pos"][1, 2]
    return total + like["mass"].sum() + empty["u"].sum() * empty[1]["v"] + np.ones_like(p)[0]["mass"]


def joined(p):
    both = np.concatenate((p, p[:2]))
    both[["mass", "id"]] = p[1][["mass", "id"]]
    return both["mass"].sum() + both["pos"].sum() * both["id"][0]


def copies(p):
    one, other, third, row = p.copy(), copy.deepcopy(p), np.array(p), p[1].copy()
    one["mass"] *= 2.0
    other[0]["mass"] = 3.0
    third[1:]["pos"] = 4.0
    row["mass"] = 8.0
    return p["mass"].sum() + one["mass"].sum() + other["mass"].sum() + third["pos"].sum() + row["mass"] * row["pos"][0]


# Functions that write into what the caller has


def writes_records(p):
    p[1]["mass"] = p[0]["mass"] ** 2
    p["pos"][2] += 1.0
    for row in p:
        row["mass"] *= 2.0
        row["pos"][0] = row["mass"]
    p[0:2]["id"] += 5
    p[3]["pos"] += p[4]["pos"]
    return p["mass"].sum() * p["pos"].sum()


def writes_whole_records(p):
    p[0] = p[1]
    p[1:3] = p[2:4]
    p[3] = (np.ones(3), p["mass"][0], 7)
    p[p["mass"] > 1.7] = p[4]
    p[-1]["pos"] += p[0]["pos"]
    p[:2] = [((1, 2, 3), p["mass"][4], 5), ((6, 7, 8), 9.0, 10)]
    return p["mass"].sum() + p["pos"].sum()


def writes_where(p):
    p["mass"][p["mass"] > 1.3] *= 0.5
    p[["id", "mass"]] = p[["id", "mass"]][::-1]
    p[2][...]["mass"] += 1.0
    return p["mass"][0] * p["mass"][1] * p["mass"][2]


def views(p):
    masses, positions, row, tail = p["mass"], p["pos"][1:], p[2], p[3:]
    masses[0] = 3.0
    positions[0, 0] = masses[1]
    row["mass"] = 5.0
    tail[0]["mass"] *= 2.0
    copied = p[[0, 1]]
    copied["mass"] = 100.0
    return p["mass"].sum() * p["pos"].sum()


def in_a_loop(p):
    row, steps = p[0], 0
    while row["mass"] < 5.0 and steps < 100:
        row["mass"] *= 1.5
        steps += 1
    return p["mass"][0] * p["mass"][1]


def written_lists(p):
    p[:2] = [p[1], p[0]]
    p[2:4] = [(p[3]["pos"], p[3]["mass"], 0), (p[2]["pos"], p[2]["mass"], 1)]
    p[["id", "mass"]] = p[["id", "mass"]][::-1]
    return (p["mass"] * np.arange(5.0)).sum() * p["pos"][3, 1]


def swapped(p):
    p[0], p[1] = p[1].copy(), p[0].copy()
    return p["mass"][0] * p["pos"][1, 0]


READ = [
    fields,
    records,
    iterated,
    parts,
    attributes,
    several,
    listed_records,
    sorted_by_mass,
    of_branches,
    in_comprehensions,
    classes,
]
MADE = [made_by_zeros, made_by_others, joined, copies]
WRITES = [writes_records, writes_whole_records, writes_where, views, in_a_loop, written_lists, swapped]


def same(one, other):
    """Whether structured arrays or records have the same fields."""
    return (
        one.dtype == other.dtype
        and type(one) is type(other)
        and all(
            same(one[n], other[n]) if one.dtype[n].base.names else np.allclose(one[n], other[n])
            for n in one.dtype.names
        )
    )


def numeric(f, make, name, place):
    """A central difference by an element of a field."""
    step, found = 1e-6, []
    for sign in (1, -1):
        p = make()
        p[name][place] += sign * step
        found.append(f(p))
    return (found[0] - found[1]) / (2 * step)


@pytest.mark.parametrize("f", [*READ, *MADE, *WRITES])
def test_values_writes_and_gradients(f):
    ours, theirs = particles(), particles()
    assert jit(f)(ours) == pytest.approx(f(theirs))
    assert same(ours, theirs)
    p = particles()
    value, gradient = value_and_grad(f)(p)
    assert value == pytest.approx(f(particles()))
    assert same(p, particles())
    assert type(gradient) is np.ndarray
    assert gradient.dtype == PARTICLE
    assert not gradient["id"].any()
    for name, places in (("mass", [(k,) for k in range(5)]), ("pos", [(0, 0), (1, 2), (2, 0), (4, 1)])):
        for place in places:
            assert gradient[name][place] == pytest.approx(numeric(f, particles, name, place), abs=1e-5), (name, place)


def of_attributes(r):
    total = r.mass.sum()
    for row in r:
        total += row.mass * row.pos[1]
    r.mass[0] = total
    r[1].mass = r.mass[2] * 2.0
    r.pos += 1.0
    return r.mass.sum() * r.pos[0, 0] + r[2:].mass[0] + r["mass"][3]


def test_attributes_of_recarrays():
    ours, theirs = recarray(), recarray()
    assert jit(of_attributes)(ours) == pytest.approx(of_attributes(theirs))
    assert same(ours, theirs)
    gradient = grad(of_attributes)(recarray())
    assert type(gradient) is np.recarray
    assert gradient.mass[3] == pytest.approx(numeric(of_attributes, recarray, "mass", 3))
    assert type(gradient[0]) is np.record


def of_nested(p):
    total = 0.0
    for row in p:
        total += row["inner"]["a"] * row["inner"]["b"] * row["scale"]
        for pair in row["pairs"]:
            total += pair["a"] * pair["b"]
        if row["on"]:
            total *= 1.5
    p["inner"]["a"][0] = 9.0
    p[1]["inner"] = (p[0]["inner"]["a"], 2.0)
    p["pairs"][2, 1]["a"] += 1.0
    return total + p["inner"]["a"].sum() + p["pairs"]["a"].sum()


def test_nested_dtypes():
    ours, theirs = nested(), nested()
    assert jit(of_nested)(ours) == pytest.approx(of_nested(theirs))
    assert same(ours, theirs)
    gradient = grad(of_nested)(nested())
    assert gradient.dtype == NESTED
    for name in ("inner", "pairs"):
        for k in range(3):
            place = (k,) if name == "inner" else (k, 1)
            step, found = 1e-6, []
            for sign in (1, -1):
                p = nested()
                p[name]["a"][place] += sign * step
                found.append(of_nested(p))
            assert gradient[name]["a"][place] == pytest.approx((found[0] - found[1]) / (2 * step), rel=1e-6, abs=1e-6)


LAYOUTS = {
    "strided": lambda: particles(10)[::2],
    "reversed": lambda: particles()[::-1],
    "a part of the fields": lambda: particles()[["mass", "pos", "id"]],
    "aligned": lambda: particles(5, np.dtype([("id", "i1"), ("mass", float), ("pos", float, 3)], align=True)),
    "big-endian": lambda: particles(5, np.dtype([("id", ">i4"), ("mass", ">f8"), ("pos", ">f8", 3)])),
    "float32": lambda: particles(5, np.dtype([("id", "u2"), ("mass", "f4"), ("pos", "f4", 3)])),
    "with text": lambda: particles(5, np.dtype([("name", "U8"), ("id", int), ("mass", float), ("pos", float, 3)])),
    "with dates": lambda: particles(5, np.dtype([("id", int), ("mass", float), ("pos", float, 3), ("t", "M8[s]")])),
    "with padding": lambda: particles(
        5,
        np.dtype(
            {
                "names": ["id", "mass", "pos"],
                "formats": [int, float, (float, 3)],
                "offsets": [8, 24, 40],
                "itemsize": 80,
            }
        ),
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout):
    def f(p):
        total = 0.0
        for row in p:
            total += row["mass"] * row["pos"][1] + row["id"]
        p[1:]["mass"] *= 2.0
        return total + p["mass"].sum()

    make = LAYOUTS[layout]
    ours, theirs = make(), make()
    assert jit(f)(ours) == pytest.approx(f(theirs), rel=1e-6)
    assert all(np.allclose(ours[n], theirs[n]) for n in ("mass", "pos", "id"))
    gradient = grad(f)(make())
    assert gradient.dtype == make().dtype
    assert np.allclose(gradient["mass"], make()["pos"][:, 1] + [1.0, 2.0, 2.0, 2.0, 2.0])
    assert np.allclose(gradient["pos"][:, 1], make()["mass"])


def test_records_and_rank_0():
    def f(row):
        row["mass"] = row["mass"] * 2.0
        row["pos"][1] = 9.0
        return row["mass"] * row["pos"][0] + row["id"]

    p, expected = particles(), particles()
    assert jit(f)(p[2]) == f(expected[2])
    assert same(p, expected)
    gradient = grad(f)(particles()[2])
    assert type(gradient) is np.void
    assert gradient["mass"] == 2.0 * particles()[2]["pos"][0]
    gradient = grad(f)(particles(()))
    assert type(gradient) is np.ndarray
    assert gradient.shape == ()
    assert gradient["pos"][0] == 2.0 * particles(())["mass"]
    whole, attribute = jit(lambda r: (r, r.mass))(particles(()).view(np.recarray))
    assert type(whole) is np.recarray
    assert whole.shape == ()
    assert attribute == particles(())["mass"]


def test_more_axes():
    def f(p):
        p[0, 1]["mass"] += p[1]["mass"][0]
        total = p[:, 1]["pos"].sum() + p[..., 0]["mass"].sum() * p[1, 2]["pos"][0] + p[:, np.newaxis].shape[1]
        for row in p:
            total += row[1]["mass"] * row["mass"][2]
        return total

    ours, theirs = particles((2, 3)), particles((2, 3))
    assert jit(f)(ours) == pytest.approx(f(theirs))
    assert same(ours, theirs)
    gradient = grad(f)(particles((2, 3)))
    for place in ((0, 1), (1, 0), (1, 2)):
        assert gradient["mass"][place] == pytest.approx(numeric(f, lambda: particles((2, 3)), "mass", place))


def test_an_index_array_that_is_a_field_which_is_written():
    table = np.dtype([("next", int), ("on", bool), ("x", float)])

    def f(p):
        p[p["next"]] = p[::-1]
        p[p["on"]] = (3, False, p["x"][0])
        return (p["x"] * np.arange(4.0)).sum()

    def make():
        return np.array([(2, True, 1.0), (0, False, 2.0), (3, True, 3.0), (1, False, 4.0)], table)

    ours, theirs = make(), make()
    assert jit(f)(ours) == f(theirs)
    assert same(ours, theirs)
    for k in range(4):
        assert grad(f)(make())["x"][k] == pytest.approx(numeric(f, make, "x", k))


def test_arrays_in_files(tmp_path):
    table = np.memmap(tmp_path / "table", PARTICLE, "w+", shape=3)
    table["mass"] = 2.0

    def f(p):
        p["mass"] *= 3.0
        return np.sum(p["mass"] ** 2)

    assert grad(f)(table)["mass"].tolist() == [36.0, 36.0, 36.0]
    assert jit(f)(table) == 108.0
    assert table["mass"].tolist() == [6.0, 6.0, 6.0]


SWAPS = np.dtype([("a", float, 2), ("b", float, 2), ("c", [("x", float), ("y", float)])])


def tuple_into_record(p):
    p[0] = (p[0]["b"], p[0]["a"], (5.0, 6.0))


def tuple_into_slice(p):
    p[1:] = (p[1]["b"], p[1]["a"], (5.0, 6.0))


def record_into_record(p):
    p[["a", "b"]][0] = p[0][["b", "a"]]
    p[1]["c"] = p[1]["c"][["y", "x"]]


def array_into_array(p):
    p[["a", "b"]] = p[["b", "a"]]
    p["c"] = p["c"][["y", "x"]]


def list_into_slice(p):
    p[:2] = [p[1], p[0]]


def shifted(p):
    p[1:] = p[:-1]


@pytest.mark.parametrize(
    "f", [tuple_into_record, tuple_into_slice, record_into_record, array_into_array, list_into_slice, shifted]
)
def test_values_that_share_memory_with_what_is_written(f):
    def make():
        made = np.zeros(3, SWAPS)
        for k, name in enumerate("ab"):
            made[name] = np.arange(6.0).reshape(3, 2) + 10 * k
        made["c"]["x"], made["c"]["y"] = [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]
        return made

    ours, theirs = make(), make()
    jit(f)(ours)
    f(theirs)
    assert same(ours, theirs)


@dataclass
class System:
    table: np.ndarray
    gravity: float


def test_in_containers():
    f = lambda s: s.table["mass"].sum() * s.gravity  # noqa: E731
    gradient = grad(f)(System(particles(), 2.0))
    assert np.all(gradient.table["mass"] == 2.0)
    gradient = grad(lambda d: d["p"]["mass"][0] * d["x"])({"p": particles(), "x": 3.0, "n": np.zeros(2, [("n", int)])})
    assert gradient["p"]["mass"][0] == 3.0
    assert gradient["n"] is None


def test_results():
    def f(p):
        return {"one": p[1], "part": (p[1:3], p[["mass"]]), "all": p, "masses": p["mass"]}

    for make in (particles, recarray):
        ours, theirs = jit(f)(make()), f(make())
        assert same(ours["one"], theirs["one"])
        assert same(ours["part"][0], theirs["part"][0])
        assert same(ours["part"][1], theirs["part"][1])
        assert same(ours["all"], theirs["all"])
    made = jit(lambda n: np.zeros((n, 2), [("x", ">f8"), ("n", int)]))(3)
    assert made.shape == (3, 2)
    assert made.dtype == np.dtype([("x", ">f8"), ("n", int)])


def test_forward_mode_and_pullbacks():
    tangent = particles()
    value, derivative = jvp(writes_records, (particles(),), (tangent,))
    gradient = grad(writes_records)(particles())
    assert value == pytest.approx(writes_records(particles()))
    assert derivative == pytest.approx(sum(np.sum(gradient[n] * tangent[n]) for n in ("mass", "pos")))
    row, moved = jvp(lambda p: p[1], (particles(),), (tangent,))
    assert same(row, particles()[1])
    assert (moved["mass"], moved["id"]) == (tangent[1]["mass"], 0)
    part, pullback = vjp(lambda p: p[1:3], particles())
    (cotangent,) = pullback(part)
    assert np.allclose(cotangent["mass"], [0.0, *part["mass"], 0.0, 0.0])
    with pytest.raises(TypeError, match="structure"):
        pullback(part["mass"])


def test_nested_transforms():
    second = grad(lambda p: grad(lambda q: (q["mass"] ** 3).sum())(p)["mass"].sum())(particles())
    assert np.allclose(second["mass"], 6.0 * particles()["mass"])
    inner = jit(lambda row: row["mass"] * 2.0)
    assert grad(lambda p: inner(p[1]))(particles())["mass"].tolist() == [0.0, 2.0, 0.0, 0.0, 0.0]
    assert same(grad(checkpoint(iterated))(particles()), grad(iterated)(particles()))

    def of_closure(p):
        return grad(lambda x: x * x * p[0]["mass"])(3.0)

    assert grad(of_closure)(particles())["mass"][0] == 6.0


def test_a_compiled_function_writes_into_a_record_of_its_caller():
    @jit
    def double(row):
        row["mass"] *= 2.0

    def f(p):
        double(p[1])
        return p["mass"][1]

    p = particles()
    assert jit(f)(p) == 2.0 * particles()["mass"][1] == p["mass"][1]
    assert grad(f)(particles())["mass"][1] == 2.0


TABLE = particles()
ROW = particles()[3]


def test_arrays_from_outside(monkeypatch):
    cell = recarray()
    f = jit(lambda x: x * TABLE["mass"].sum() + TABLE[1]["pos"][0] + ROW["mass"] + cell.mass[0])
    expected = lambda: 2.0 * TABLE["mass"].sum() + TABLE[1]["pos"][0] + ROW["mass"] + cell.mass[0]  # noqa: E731
    assert f(2.0) == pytest.approx(expected())
    TABLE["mass"][1] += 1.0
    assert f(2.0) == pytest.approx(expected())
    monkeypatch.setitem(globals(), "TABLE", particles(3, np.dtype([("mass", "f4"), ("pos", float, 2), ("id", int)])))
    assert f(2.0) == pytest.approx(expected())
    assert grad(lambda x: x * ROW["mass"])(2.0) == ROW["mass"]


def test_dtypes_compile_separately():
    f = jit(lambda p: p["mass"].sum())
    for make in (particles, recarray, lambda: particles(3), LAYOUTS["float32"], LAYOUTS["float32"]):
        assert f(make()) == pytest.approx(make()["mass"].sum())
    assert len(f.dispatcher.known) == 3


# What is refused


def name_of(p):
    return p["name"]


def written_tuple(p):
    p[0] = (1.0, 2.0)


def written_array(p):
    p[:] = p["mass"]


def global_written(p):
    TABLE[0]["mass"] = p["mass"][0]


def listed(p):
    rows = [p[i] for i in range(len(p))]
    rows[0]["mass"] = 5.0
    return p["mass"].sum()


def left(p):
    return p.sort()


def added_to_records(p):
    p[:2] += 1


REFUSED = {
    "text is read": (name_of, LAYOUTS["with text"], "field 'name' has dtype <U8", 'p["name"]'),
    "text is returned": (lambda p: p[1:], LAYOUTS["with text"], "field 'name' has dtype <U8", "p[1:]"),
    "unknown field": (lambda p: p["speed"], particles, "no field of name speed", 'p["speed"]'),
    "unknown fields": (lambda p: p[["mass", "speed"]], particles, "no field of name speed", 'p[["mass", "speed"]]'),
    "too many indices": (lambda p: p[0, 1], particles, "too many indices for array", "p[0, 1]"),
    "position": (lambda p: p[0][7], particles, r"invalid index \(7\)", "p[0][7]"),
    "attribute": (lambda p: p.mass, particles, "no supported attribute 'mass'", "p.mass"),
    "method": (left, particles, "no supported attribute 'sort'", "p.sort"),
    "arithmetic": (lambda p: p + 1, particles, "structured array", "p + 1"),
    "reduction": (lambda p: np.sum(p), particles, "structured array", "np.sum(p)"),
    "comparison": (lambda p: p == p, particles, "comparing a structured array", "p == p"),
    "truth": (lambda p: 1.0 if p else 2.0, particles, "truth value of a structured array", "if p"),
    "short tuple": (written_tuple, particles, "a tuple of 2 is written into 3 fields", "p[0] = (1.0, 2.0)"),
    "array into fields": (written_array, particles, "written into 3 fields", 'p[:] = p["mass"]'),
    "global written": (global_written, particles, "defined outside the function", "TABLE[0]"),
    "all fields at once": (added_to_records, particles, r"\+= on a structured array", "p[:2] += 1"),
    "items of an array": (lambda p: sorted(p), particles, "number of items of a structured array", "sorted(p)"),
    "length of rank 0": (lambda p: len(p), lambda: particles(()), "unsized object", "len(p)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    f, make, message, line = REFUSED[case]
    with pytest.raises(AdcoreError, match=message) as caught:
        jit(f)(make())
    assert caught.value.source is not None
    assert caught.value.source.file == __file__
    assert line in str(caught.value)


def test_records_in_lists_of_run_time_length_are_not_written():
    with pytest.raises(AliasError, match="may or may not share memory with \"p\\['id'\\]\""):
        jit(listed)(particles())


LEFT_OUT = {
    "overlap": (
        np.dtype({"names": ["x", "y"], "formats": [float, float], "offsets": [0, 4]}),
        "'x' and 'y' in the same",
    ),
    "objects": (np.dtype([("x", float), ("y", object)]), "holds Python objects"),
    "nothing but text": (np.dtype([("x", "U3")]), "no field that is a number"),
}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_dtypes_left_out(case):
    dtype, message = LEFT_OUT[case]
    with pytest.raises(AdcoreError, match=rf"argument 0 of .*structured dtype.*{message}"):
        jit(lambda p: p["x"])(np.zeros(2, dtype))


def test_masked_arrays_are_left_out():
    with pytest.raises(AdcoreError, match="a MaskedArray, which computes otherwise"):
        jit(lambda p: p["mass"])(np.ma.array(particles()))


def test_integers_alone_have_no_gradient():
    with pytest.raises(AdcoreError, match="a derivative is with respect to real numbers"):
        grad(lambda p: 1.0)(np.zeros(2, [("n", int)]))


@pytest.mark.parametrize(("index", "size"), [(5, 5), (-6, 5), (0, 0)])
def test_bounds(index, size):
    f = jit(lambda p, k: p[k]["mass"])
    with pytest.raises(IndexError, match=f"index {index} is out of bounds for axis 0 with size {size}"):
        f(particles(size), index)


def test_shared_memory():
    def f(p, masses):
        p["mass"] = 0.0
        return masses.sum()

    p = particles()
    with pytest.raises(AliasError, match="shares memory"):
        jit(f)(p, p["mass"])
    assert same(p, particles())
    assert jit(f)(p, p["pos"]) == pytest.approx(p["pos"].sum())
    assert not p["mass"].any()
    locked = particles()
    locked.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        jit(f)(locked, np.ones(2))
    donated = particles()
    grad(lambda q: f(q, q["pos"]), donate_argnums=0)(donated)
    assert not donated["mass"].any()
