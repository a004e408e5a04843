"""The program of a function of one element as that of a function of a batch: a loop over the elements.

    out = empty(n, ...)
    ...                     what depends on no element, once
    for k in range(n):
        out[k] = f(x[k])    whose own branches and loops each iteration runs by itself

Arrays are made for the results before the loop, so their lengths have to be known there.  Those that follow from shapes
and from what is the same for all elements are.  Others are taken from the first element, and each iteration checks that
it has the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .builder import Builder
from .errors import MissingRuleError
from .invariance import parted
from .lanes import MOST, Lanes, Plan, plan
from .passes.dce import eliminate_dead
from .program import Program, clone, clone_equation, substitute
from .types import I64, Atom, Lit, Type, Var, literal

__all__ = ["Along", "MappedLoop", "Output"]


@dataclass(frozen=True)
class Along:
    """An axis of a parameter over the batch, counted from the front, and its length where that is known."""

    axis: int
    length: int | None


@dataclass(frozen=True)
class Output:
    """A result over the batch: the element's result of this index, with the elements along an axis.

    Attributes:
        axis: counted from the front; None for a result that depends on no element, which is given as it is.
        name: what errors call it.
    """

    index: int
    axis: int | None
    name: str


class MappedLoop:
    """A program of one element mapped over axes of its parameters.

    Args:
        program: of one element.
        axes: for each parameter the axis that is mapped over; None for one that is the same for all elements.
    """

    def __init__(self, program: Program, axes: Sequence[Along | None]) -> None:
        self.element = clone(program)
        pairs = zip(self.element.params, axes, strict=True)
        self.mapped = {p: along.axis for p, along in pairs if along is not None}
        pairs = zip(self.element.params, axes, strict=True)
        self.batch = {p: _over_batch(p, along) for p, along in pairs if along is not None}
        self.parts = parted(self.element.equations, self.mapped)
        self.b = Builder()

    def varies(self, index: int) -> bool:
        """Whether a result depends on the element."""
        return self.parts.varies(self.element.results[index])

    def type(self, index: int) -> Type:
        """The type of an element's result."""
        return self.element.results[index].type

    def program(self, outputs: Sequence[Output], parallel: bool) -> Program:
        """The program over the batch, with these results.  It can be made once."""
        b = self.b
        length = self.common_length()
        env: dict[Var, Atom] = {}
        b.adopt([clone_equation(e, env) for e in self.parts.outside])
        looped = [out for out in outputs if self.varies(out.index)]
        lengths = self.lengths(looped, length, env)
        carried: tuple[Atom, ...] = tuple(self.made(out, length, lengths) for out in looped)
        arrays = iter(self.over_elements(looped, carried, length, lengths, env, parallel))
        results = tuple(next(arrays) if out in looped else self.repeated(out, length, env) for out in outputs)
        params = tuple(self.batch.get(p, p) for p in self.element.params)
        return eliminate_dead(Program(params, b.equations, results, f"vmap_{self.element.name}"))

    def common_length(self) -> Atom:
        """How many elements there are; checked to be as many in all arguments."""
        found = [(self.batch[p].type.shape[axis], axis, _literally(p.name)) for p, axis in self.mapped.items()]
        known = next((k for k, (length, _, _) in enumerate(found) if isinstance(length, Lit)), 0)
        length = found[known][0]
        for each in found:
            if each[0] is not length:
                (one, axis, name), (other, its_axis, its_name) = sorted((found[known], each), key=found.index)
                cause = "vmap got inconsistent sizes for array axes to be mapped: "
                message = f"axis {axis} of {name} has size {{}}, axis {its_axis} of {its_name} has size {{}}"
                self.b.check(self.b.eq(one, other), one, other, error="ValueError", message=cause + message)
        return length

    # Lengths of results

    def lengths(self, looped: Iterable[Output], length: Atom, env: dict[Var, Atom]) -> dict[Atom, Atom]:
        """What each length of the element's results is in front of the loop."""
        atoms = dict.fromkeys(a for out in looped for a in self.type(out.index).shape)
        late = [a for a in atoms if self.parts.varies(a)]
        known: dict[Atom, Atom] = {a: substitute(a, env) for a in atoms if a not in late}
        if late:
            known.update(zip(late, self.of_first(late, length, env), strict=True))
        return known

    def of_first(self, late: list[Atom], length: Atom, env: dict[Var, Atom]) -> tuple[Atom, ...]:
        """Lengths that depend on the element, as the first element has them; 0 where there is none."""
        b = self.b
        then, otherwise = b.region(), b.region()
        inside = self.run(then, literal(0), env)
        region = Program((), then.equations, tuple(substitute(a, inside) for a in late), "then")
        zeros = Program((), otherwise.equations, tuple(literal(0) for _ in late), "otherwise")
        return b.cond(b.gt(length, 0), eliminate_dead(region), zeros)

    def made(self, out: Output, length: Atom, lengths: dict[Atom, Atom]) -> Atom:
        """The array for a result."""
        type = self.type(out.index)
        assert out.axis is not None
        shape = [lengths[a] for a in type.shape]
        shape.insert(out.axis, length)
        return self.b.empty(*shape, dtype=type.dtype)

    # The loops

    def over_elements(
        self,
        looped: Sequence[Output],
        arrays: tuple[Atom, ...],
        length: Atom,
        lengths: dict[Atom, Atom],
        env: dict[Var, Atom],
        parallel: bool,
    ) -> tuple[Atom, ...]:
        """The arrays with the results of all elements."""

        def rest(arrays: tuple[Atom, ...], start: Atom) -> tuple[Atom, ...]:
            body = self.body(looped, arrays, start, env, lengths)
            return self.loop(self.b.sub(length, start), arrays, body, parallel)

        together = self.plan(looped, length)
        group = None if together is None else self.group(together.lanes, looped, arrays, env)
        if together is None or group is None:
            return rest(arrays, literal(0))
        b = self.b
        few = b.le(together.numbers(b, env), MOST)
        count = b.select(few, b.floordiv(length, together.lanes), 0)
        start = b.mul(count, together.lanes)
        if len(group.results) == len(arrays):
            return self.loop(count, rest(arrays, start), group, parallel)
        # Whoever fails first has to be first to raise, so that the groups come first.
        *arrays_of_groups, failures = self.loop(count, (*arrays, literal(0)), group, parallel)
        again = b.select(b.gt(failures, 0), start, 0)
        self.loop(again, (), self.body((), (), literal(0), env, {}), parallel)
        return rest(tuple(arrays_of_groups), start)

    def run(self, inner: Builder, counter: Atom, env: dict[Var, Atom]) -> dict[Var, Atom]:
        """Emit the element's program for the element of a number; gives the names of its values."""
        inside = dict(env)
        for param, axis in self.mapped.items():
            array = self.batch[param]
            codes = ":" * axis + "i" + ":" * (array.type.rank - axis - 1)
            inside[param] = inner.view(array, counter, codes=codes)
        inner.adopt([clone_equation(e, inside) for e in self.parts.inside])
        return inside

    def loop(self, count: Atom, inits: Sequence[Atom], body: Program, parallel: bool) -> tuple[Var, ...]:
        outs = self.b.loop(count, tuple(inits), body)
        if parallel:
            self.b.equations[-1].params["parallel"] = True
        return outs

    def body(
        self,
        looped: Sequence[Output],
        inits: Sequence[Atom],
        start: Atom,
        env: dict[Var, Atom],
        lengths: dict[Atom, Atom],
    ) -> Program:
        inner, counter = self.b.region(), Var(I64, "k")
        carried = tuple(Var(init.type, "out") for init in inits)
        place = inner.add(start, counter)
        inside = self.run(inner, place, env)
        results: list[Atom] = []
        for out, array in zip(looped, carried, strict=True):
            assert out.axis is not None
            value = self.fitted(inner, out, inside, lengths)
            codes = ":" * out.axis + "i" + ":" * (array.type.rank - out.axis - 1)
            results.append(_written(inner, array, value, place, codes=codes))
        return Program((counter, *carried), inner.equations, tuple(results), "body")

    # Groups

    def plan(self, looped: Sequence[Output], length: Atom) -> Plan | None:
        """How elements may be run together, where that may pay and there are enough."""
        if any(self.parts.varies(a) for out in looped for a in self.type(out.index).shape):
            return None
        found = plan(self.parts.inside, self.mapped)
        short = found is not None and isinstance(length, Lit) and length.value < found.lanes
        return None if short else found

    def group(
        self, lanes: int, looped: Sequence[Output], arrays: Sequence[Atom], env: dict[Var, Atom]
    ) -> Program | None:
        """The body of the loop over groups, if their elements go through the program together.

        If there is something that they check, it counts the groups in which a check fails.
        """
        inner, counter = self.b.region(), Var(I64, "c")
        carried = tuple(Var(array.type, "out") for array in arrays)
        begin = inner.mul(counter, lanes)
        region = (begin, literal(lanes), literal(1))
        seeds = {p: _group(inner, self.batch[p], axis, region) for p, axis in self.mapped.items()}
        inside = dict(env)
        try:
            batch = Lanes(inner, lanes, [clone_equation(e, inside) for e in self.parts.inside], seeds)
        except MissingRuleError:
            return None
        results: list[Atom] = []
        for out, array in zip(looped, carried, strict=True):
            assert out.axis is not None
            value = batch.value(substitute(self.element.results[out.index], inside))
            order = list(range(value.type.rank - 1))
            order.insert(out.axis, value.type.rank - 1)
            codes = ":" * out.axis + "s" + ":" * (array.type.rank - out.axis - 1)
            turned = inner.permute(value, order=tuple(order))
            results.append(_written(inner, array, turned, *region, codes=codes))
        if batch.fine is None:
            return Program((counter, *carried), inner.equations, tuple(results), "body")
        failed = Var(I64, "failed")
        fails = inner.cast(inner.lnot(inner.reduce_and(batch.fine, axes=(0,))), dtype=I64.dtype)
        results.append(inner.add(failed, fails))
        return Program((counter, *carried, failed), inner.equations, tuple(results), "body")

    def fitted(self, inner: Builder, out: Output, inside: dict[Var, Atom], lengths: dict[Atom, Atom]) -> Atom:
        """An element's result, checked to have the lengths of the array that it goes to."""
        value = substitute(self.element.results[out.index], inside)
        type = self.type(out.index)
        for axis, atom in enumerate(type.shape):
            if self.parts.varies(atom):
                here = substitute(atom, inside)
                where = f"vmap: {_literally(out.name)} has length {{}} along axis {axis}"
                message = f"{where} for one element and {{}} for another"
                equal = inner.eq(lengths[atom], here)
                inner.check(equal, lengths[atom], here, error="ValueError", message=message)
        wanted = tuple(lengths[a] for a in type.shape)
        return inner.conform(value, *wanted, checked=False) if value.type.shape != wanted else value

    def repeated(self, out: Output, length: Atom, env: dict[Var, Atom]) -> Atom:
        """A result that is the same for all elements."""
        value = substitute(self.element.results[out.index], env)
        return value if out.axis is None else self.b.expand(value, length, axes=(out.axis,))


def _literally(name: str) -> str:
    """A name in a message in which numbers are filled in."""
    return name.replace("{", "{{").replace("}", "}}")


def _written(b: Builder, array: Atom, value: Atom, *places: Atom, codes: str) -> Atom:
    """The array with elements that are written for the first time."""
    result = b.update(array, value, *places, codes=codes)
    equation = b.defining(result)
    if equation is not None and equation.primitive.name == "update":
        equation.first = True
    return result


def _group(b: Builder, array: Atom, axis: int, region: tuple[Atom, ...]) -> Atom:
    """The elements of a group, along the last axis."""
    codes = ":" * axis + "s" + ":" * (array.type.rank - axis - 1)
    order = [a for a in range(array.type.rank) if a != axis]
    return b.permute(b.view(array, *region, codes=codes), order=(*order, axis))


def _over_batch(param: Var, along: Along) -> Var:
    """A parameter with the axis that is mapped over."""
    shape = list(param.type.shape)
    shape.insert(along.axis, Var(I64, f"{param.name}_n") if along.length is None else literal(along.length))
    return Var(param.type.with_shape(*shape), param.name)
