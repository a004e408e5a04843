# ruff: noqa: B007, B905
"""Rows of `functions` that make, share and change lists, dicts and objects."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from functions import RNG, at


@dataclass
class Body:
    x: float
    v: float
    m: float = 1.0

    def energy(self):
        return 0.5 * self.m * self.v**2

    @property
    def momentum(self):
        return self.m * self.v

    def kick(self, a):
        self.v += a


class Point(NamedTuple):
    x: float
    y: float = 2.0

    def norm(self):
        return math.sqrt(self.x**2 + self.y**2)

    @property
    def sum(self):
        return self.x + self.y

    def __add__(self, o):
        return Point(self.x + o.x, self.y + o.y)


@dataclass(frozen=True)
class Factors:
    a: float
    b: float

    def __mul__(self, k):
        return Factors(self.a * k, self.b * k)


@at(0.7)
def object_changed(x):
    b = Body(x, 2 * x)
    b.x += 3.0
    b.kick(x)
    return b.energy() * b.momentum + b.x


@at(0.7)
def object_in_a_loop(x):
    b = Body(x, 1.0)
    for i in range(5):
        b.x = b.x + 0.1 * b.v
        b.v -= 0.1 * b.x
    return b.x * b.v


@at(0.7)
def object_in_a_branch(x):
    b = Body(x, 1.0)
    if x > 0:
        b.v = x * x
    else:
        b.x = 1.0
    return b.x * b.v


@at(0.7)
def list_appended_to(x):
    out = []
    y = x
    for i in range(10):
        y = math.sin(y)
        out.append(y)
    return np.sum(np.array(out) ** 2) + out[3] * out[-1] + len(out)


@at(0.7)
def list_appended_to_in_a_branch(x):
    out = []
    for i in range(10):
        y = math.sin(x * i)
        if y > 0:
            out.append(y)
    return np.sum(np.array(out)) + sum(out)


@at(0.7)
def list_appended_to_in_a_while(x):
    out = [x]
    while out[-1] < 100.0:
        out.append(out[-1] * 1.5)
    return sum(out)


@at(0.7)
def one_list_by_three_names(x):
    a = [x, 1.0]
    b = a
    d = {"k": a}
    for i in range(3):
        b[0] = b[0] * 2
        d["k"][1] += x
    return a[0] * a[1]


@at(0.7)
def named_tuple_state(x):
    s = Point(x)
    for i in range(3):
        s = Point(s.x * s.y, y=s.y + 0.1) + Point(1.0)
    return s.norm() * s.sum + s[0]


@at(0.7)
def bodies_in_loops_over_a_list(x):
    bs = [Body(x, 1.0), Body(2.0, x), Body(1.0, 1.0, m=x)]
    for t in range(4):
        for b in bs:
            for c in bs:
                if b is not c:
                    b.kick(0.01 * c.m * (c.x - b.x))
        for b in bs:
            b.x += 0.1 * b.v
    return sum(b.energy() for b in bs) + sum([b.x for b in bs])


@at(0.7)
def bodies_by_index(x):
    bs = [Body(x, 1.0), Body(2.0, x), Body(1.0, 1.0, m=x)]
    for t in range(4):
        for i in range(len(bs)):
            for j in range(len(bs)):
                if i != j:
                    bs[i].v += 0.01 * bs[j].m * (bs[j].x - bs[i].x)
        for i in range(len(bs)):
            bs[i].x += 0.1 * bs[i].v
    return sum(b.energy() for b in bs)


@at(0.7)
def list_read_at_a_counter(x):
    c = [1.0, 2.0, 3.0]
    s = 0.0
    for i in range(3):
        s += c[i] * x**i
    return s


@at(0.7)
def list_written_at_a_counter(x):
    c = [x, 2.0, 3.0]
    for i in range(1, 3):
        c[i] = c[i - 1] * x
    return c[0] + c[1] * c[2]


@at(0.7)
def comprehensions_of_run_time_length(x):
    n = 8
    v = np.array([math.sin(x * i) for i in range(n)])
    w = [a * b for a, b in zip(v, v)]
    return np.sum(v) + sum(w) + sum(a for a in v if a > 0) + max(a * a for a in v)


@at(0.7)
def list_of_tuples(x):
    out = []
    for i in range(6):
        out.append((x * i, [x, 1.0 * i]))
    s = 0.0
    for a, (b, c) in out:
        s += a * b + c
    return s + out[2][0]


@at(0.7)
def list_of_arrays(x):
    out = [np.array([x, 1.0])]
    for i in range(6):
        y = out[-1]
        out.append(y * 0.9 + np.array([0.0, x]))
    s = np.stack(out)
    return np.sum(s * s) + np.vstack(out)[2, 1]


@at(0.7)
def frozen_dataclass(x):
    f = Factors(x, 1.0) * 2.0
    g = replace(f, a=3.0 * x)
    return f.a * g.a + g.b


def step(st):
    st["t"] = st["t"] + 1.0
    st["hist"].append(st["t"] * st["x"])
    st["x"] *= 1.1


@at(0.7)
def dict_of_state(x):
    st = {"t": 0.0, "x": x, "hist": []}
    for i in range(5):
        step(st)
    return st["x"] + sum(st["hist"])


@at(0.7)
def closure_that_changes(x):
    log = []
    count = 0

    def f(y):
        nonlocal count
        count += 1
        log.append(y)
        return y * y

    z = x
    for i in range(4):
        z = f(z) * 0.5
    return z + sum(log) * count


@at(0.7)
def match_statement(x):
    s = 0.0
    for kind in ("a", "b", "c"):
        match kind:
            case "a":
                s += x
            case "b" | "c":
                s += x * x
    match Body(x, 2.0):
        case Body(x=p, v=q) if p > 0:
            s += p * q
        case _:
            s -= 1.0
    match int(x):
        case 0:
            s *= 2
        case 1:
            s *= 3
        case n:
            s *= n
    match [x, 1.0, 2.0]:
        case [a, *r]:
            s += a * r[1]
    return s


@at(0.7)
def walrus_in_a_while(x):
    s = 0.0
    while (y := s * s) < x:
        s += 0.3
    return s + y * x


@at(0.7)
def list_of_lists(x):
    rows = []
    for i in range(3):
        row = []
        for j in range(4):
            row.append(x * i + j * x * x)
        rows.append(row)
    m = np.array(rows)
    return np.sum(m * m)


@at(0.7, 5)
def nested_comprehension(x, n):
    m = np.array([[x * i + j * x * x for j in range(n)] for i in range(n)])
    return np.sum(m * m)


@at(0.7)
def list_as_a_stack(x):
    st = [x, 2 * x]
    for i in range(5):
        a = st.pop()
        st.append(a * 1.1)
        if i > 2:
            st.append(x)
    return sum(st)


@at(0.7)
def objects_swapped(x):
    a, b = Body(x, 1.0), Body(1.0, x)
    for i in range(3):
        a, b = b, a
    return a.x + 2 * b.x


@at(0.7)
def state_made_anew(x):
    s = Body(x, 1.0)

    def nxt(s):
        return Body(s.x + 0.1 * s.v, s.v - 0.1 * s.x, s.m)

    for i in range(5):
        s = nxt(s)
    return s.energy()


@at(0.7)
def arrays_in_an_object(x):
    b = Body(np.array([x, 1.0]), np.zeros(2))
    ref = b.x
    for i in range(3):
        b.v += 0.1 * b.x
        b.x += b.v
        b.x[0] = b.x[0] * 1.1
    return np.sum(ref * b.v)


# As textbooks have them


@dataclass
class Planet:
    position: np.ndarray
    velocity: np.ndarray
    mass: float
    trail: list = field(default_factory=list)


def acceleration(planet, others):
    total = np.zeros(2)
    for other in others:
        if other is not planet:
            between = other.position - planet.position
            total += other.mass * between / (np.sum(between**2) + 0.01) ** 1.5
    return total


@at(0.9, 6)
def planets_in_a_list(v, n):
    sun = Planet(np.zeros(2), np.zeros(2), 1.0)
    planets = [sun, Planet(np.array([1.0, 0.0]), np.array([0.0, v]), 0.1)]
    planets.append(Planet(mass=0.05, position=np.array([0.0, 1.7]), velocity=np.array([-0.7, 0.1])))
    for _ in range(n):
        for planet in planets:
            planet.velocity += 0.05 * acceleration(planet, planets)
        for planet in planets:
            planet.position += 0.05 * planet.velocity
            planet.trail.append(planet.position[0])
    return sum(0.5 * p.mass * np.sum(p.velocity**2) for p in planets) + sum(sun.trail) + sum(planets[1].trail)


class Filter(NamedTuple):
    mean: np.ndarray
    covariance: np.ndarray

    def predicted(self, f, q):
        return self._replace(mean=f @ self.mean, covariance=f @ self.covariance @ f.T + q * np.eye(2))

    def updated(self, z, r):
        h = np.array([1.0, 0.0])
        innovation, s = z - h @ self.mean, h @ self.covariance @ h + r
        gain = self.covariance @ h / s
        mean = self.mean + gain * innovation
        covariance = self.covariance - np.reshape(gain, (2, 1)) * np.reshape(h @ self.covariance, (1, 2))
        return Filter(mean, covariance), 0.5 * (math.log(s) + innovation * innovation / s)


@at(0.3, 0.8, RNG.normal(size=6))
def kalman_filter(q, r, observations):
    state, loss = Filter(np.zeros(2), np.eye(2)), 0.0
    f = np.array([[1.0, 0.1], [0.0, 1.0]])
    for z in observations:
        state, more = state.predicted(f, q).updated(z, r)
        loss += more
    return loss


WEIGHTS = {"in": RNG.normal(size=(3, 2)), "state": 0.3 * RNG.normal(size=(3, 3)), "bias": RNG.normal(size=3)}


@at(WEIGHTS, RNG.normal(size=(5, 2)))
def recurrent_network(parameters, inputs):
    states = [np.zeros(3)]
    for x in inputs:
        h = np.tanh(parameters["in"] @ x + parameters["state"] @ states[-1] + parameters["bias"])
        states.append(h)
    return np.sum(np.stack(states) ** 2)


def runge_kutta_step(f, t, y, h):
    k = []
    for shift, weight in ((0.0, None), (0.5, 0), (0.5, 1), (1.0, 2)):
        k.append(f(t + shift * h, y if weight is None else y + shift * h * k[weight]))
    return y + h * (k[0] + 2.0 * k[1] + 2.0 * k[2] + k[3]) / 6.0


@at(1.2, 20)
def runge_kutta_that_appends(a, n):
    times, states = [0.0], [np.array([1.0, 0.5])]
    while len(states) < n:
        t, y = times[-1], states[-1]
        states.append(runge_kutta_step(lambda t, y: np.array([y[1], -a * y[0] + 0.1 * math.sin(t)]), t, y, 0.1))
        times.append(t + 0.1)
    path = np.array(states)
    return np.sum(path[:, 0] ** 2) + np.array(times)[-1] * path[-1, 1]


@at(RNG.normal(size=12), 0.7)
def particle_filter(noise, spread):
    particles = [(spread * e, 1.0 / 4) for e in noise[:4]]
    evidence = 0.0
    for step in range(2):
        moved = []
        for k, (x, w) in enumerate(particles):
            x = 0.9 * x + spread * noise[4 + 4 * step + k]
            moved.append((x, w * math.exp(-0.5 * (x - 0.3) ** 2)))
        total = sum(w for _, w in moved)
        evidence += math.log(total)
        particles = [(x, w / total) for x, w in moved]
    return evidence + sum(w * x for x, w in particles)


class Account:
    rate = 0.05

    def __init__(self, start):
        self.balance = start
        self.history = []

    def grow(self, years=1):
        for _ in range(years):
            self.balance *= 1.0 + self.rate
            self.history.append(self.balance)
        return self


class Saver(Account):
    def __init__(self, start, monthly):
        super().__init__(start)
        self.monthly = monthly

    def grow(self, years=1):
        self.balance += 12.0 * self.monthly
        return super().grow(years)

    def __len__(self):
        return len(self.history)


@at(3.0, 0.2, 4)
def plain_classes(start, monthly, n):
    one, two = Account(start), Saver(start, monthly)
    for _ in range(n):
        one.grow(2)
        two.grow()
    return one.balance * two.balance + sum(one.history) + len(two)


@at((Body(0.4, 1.1), [Body(2.0, 0.5)]))
def objects_as_arguments(bodies):
    one, (two,) = bodies
    one = replace(one, x=one.x * two.v)
    return one.energy() * one.x + two.momentum * two.x
