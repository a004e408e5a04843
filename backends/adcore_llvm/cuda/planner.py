"""How each part of a program is planned: what is known of its values, and the step that makes the next ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from adcore.errors import UnsupportedFunctionError
from adcore.passes.schedule import Group, schedule
from adcore.primitives import TABLE, Kind
from adcore.program import Equation, uses
from adcore.types import Atom, Lit, Type, Var, literal

from ..fused import is_fold
from ..writes import is_indexed
from .algebra import Operations, offered
from .branching import branched, planned_uses, repeated
from .calls import Call
from .elements import copy_kernel, fold_kernel, group_kernel, parted, partials_of
from .independent import independent
from .kernel import Argument, Layout
from .launches import Copy, Elements, Fold, Product, Serial, Write
from .loops import serial_kernel
from .lowering import ON_HOST, refuse
from .products import SHARES, is_atomic, product_kernel, write_kernel
from .steps import Check, Compute, Permute, ReadBack, Reshape, Step

if TYPE_CHECKING:
    from .plan import Plan

__all__ = ["LateLengthError", "Planner"]


class LateLengthError(UnsupportedFunctionError):
    """A length is not known where room is made for the array."""


class Planner:
    """Plans the steps of a program, and knows how there is each value so far."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.layout: dict[Var, Layout] = {}  # of what there is: on the host a number, else on the device
        self.symbolic: dict[Var, Equation] = {}  # what kernels compute again
        self.count = 0
        self.own: set[Var] = set()  # arrays whose memory nothing else lies in
        self.uses = planned_uses(self.plan.program.equations, self.plan.program.results)
        self.region_layouts: tuple[Layout, ...] = ()  # of the results of the region that was planned last
        self.permuted: set[Var] = set()  # arrays in others' memory with axes in another order
        self.perhaps_shared: set[Var] = set()  # arrays that may lie in memory that others lie in too

    def enter_parameters(self) -> None:
        for param, layout in zip(self.plan.program.params, self.plan.layouts, strict=True):
            self.layout[param] = layout
            for atom in param.type.shape:
                if isinstance(atom, Var):
                    self.layout[atom] = Layout.NUMBER

    def step(self, step: Group | Equation) -> None:
        if isinstance(step, Group):
            self.group(step)
        else:
            self.equation(step)

    def add(self, step: Step) -> None:
        self.plan.steps.append(step)

    def name(self, kind: str) -> str:
        self.count += 1
        return f"adcore_{kind}_{self.count}"

    # What kernels need

    def is_host(self, atom: Atom) -> bool:
        return isinstance(atom, Lit) or self.layout.get(atom) is Layout.NUMBER

    def needed(self, wanted: Iterable[Var], inside: Iterable[Var] = ()) -> tuple[list[Equation], list[Argument]]:
        """The equations that a kernel computes again for some values, in order, and what these begin with."""
        equations: dict[int, Equation] = {}
        arguments: dict[Var, Argument] = {}
        own = set(inside)

        def visit(var: Var) -> None:
            if var in self.layout:
                arguments.setdefault(var, Argument(var, self.layout[var]))
                return
            if var in own or ((equation := self.symbolic[var]) and id(equation) in equations):
                return
            for used in uses(equation):
                visit(used)
            equations[id(equation)] = equation

        for var in wanted:
            visit(var)
        return list(equations.values()), list(arguments.values())

    def require_host(self, atoms: Iterable[Atom], equation: Equation | None = None) -> None:
        """Have the host know these numbers."""
        late = [a for a in dict.fromkeys(atoms) if isinstance(a, Var) and not self.is_host(a)]
        for var in late:
            if var not in self.layout and var not in self.symbolic:
                raise LateLengthError(
                    "an array whose length is computed together with it, on a CUDA device",
                    equation and equation.source,
                    "an array of a known length",
                )
        self.require_cells(late)
        for var in late:
            self.add(ReadBack(var))
            self.layout[var] = Layout.NUMBER

    def require_cells(self, numbers: Iterable[Var]) -> None:
        """Have numbers that kernels compute again lie in memory."""
        symbolic = [v for v in dict.fromkeys(numbers) if v in self.symbolic]
        if symbolic:
            before, arguments = self.needed(symbolic)
            self.add_serial(before, arguments, symbolic)

    def require_lengths(self, *types: Type) -> None:
        self.require_host(a for type in types for a in type.shape)

    # Equations

    def equation(self, equation: Equation) -> None:
        kind, operands = equation.primitive.kind, equation.operands
        if kind is Kind.ELEMENTWISE:
            if all(map(self.is_host, operands)):
                self.add(Compute(equation))
                self.layout[equation.outs[0]] = Layout.NUMBER
            else:
                self.symbolic[equation.outs[0]] = equation
        elif kind is Kind.VIEW:
            self.view(equation)
        elif kind is Kind.CHECK and all(map(self.is_host, operands)):
            self.add(Check(equation))
        elif (library := self.plan.options.library) is not None and offered(equation):
            self.call(equation, library)
        elif kind is Kind.CONTRACTION:
            self.product(equation)
        elif kind is Kind.WRITE and equation.primitive.name != "grow":
            self.write(equation)
        elif kind is Kind.CONTROL and self.control(equation):
            return
        else:
            self.serial(equation)

    def view(self, equation: Equation) -> None:
        name, out = equation.primitive.name, equation.outs[0]
        if name == "conform":
            self.require_host((*equation.operands[0].type.shape, *equation.operands[1:]), equation)
            if equation.params["checked"]:
                self.add(Check(equation))
                equation = replace(equation, params={**equation.params, "checked": False})
        elif name == "reshape" and out.type.shape and isinstance(equation.operands[0], Var) and self.moves(equation):
            self.require_lengths(out.type)
            source = equation.operands[0]
            if self.layout.get(source) is not Layout.WHOLE:
                source = self.copied(source)
            self.add(Reshape(source, out))
            self.layout[out] = Layout.WHOLE
            return
        elif name == "expand" and self.is_host(equation.operands[0]) and not out.type.shape:
            self.add(Compute(equation))
            self.layout[out] = Layout.NUMBER
            return
        self.symbolic[out] = equation

    def moves(self, equation: Equation) -> bool:
        """Whether a reshape does more than to add and to take away axes of length 1."""
        (source, out) = equation.operands[0].type, equation.outs[0].type
        kept, given = ([n for n in type.shape if n != literal(1)] for type in (source, out))
        return bool(source.shape) and kept != given

    def copied(self, source: Var) -> Var:
        """A copy of an array, in C order."""
        target = Var(source.type, source.name)
        self.require_lengths(source.type)
        before, arguments = self.needed([source])
        kernel = copy_kernel(self.name("copy"), before, source, target, arguments, self.plan.module)
        self.add(Copy(kernel, target))
        self.layout[target] = Layout.WHOLE
        self.own.add(target)
        return target

    def layout_of(self, atom: Atom) -> Layout:
        """How there is a value, which lies in memory or which the host knows."""
        return Layout.NUMBER if isinstance(atom, Lit) else self.layout[atom]

    def settled(self, atom: Atom) -> Atom:
        """A value that lies in memory, in C order, or that the host knows."""
        if self.is_host(atom) or not isinstance(atom, Var):
            return atom
        if not atom.type.shape:
            self.require_cells([atom])
            return atom
        return atom if self.layout.get(atom) is Layout.WHOLE else self.copied(atom)

    def enter(self, outs: Iterable[Var], layouts: Iterable[Layout]) -> None:
        """Enter what control flow gives."""
        for out, layout in zip(outs, layouts, strict=True):
            self.layout[out] = layout
            if out.type.shape:
                self.perhaps_shared.add(out)

    def control(self, equation: Equation) -> bool:
        """Whether control flow is planned otherwise than for one thread."""
        name = equation.primitive.name
        if name == "cond":
            return branched(self, equation)
        if name in ("loop", "while"):
            return independent(self, equation) or repeated(self, equation)
        body = equation.params["body"]
        for step in schedule(body.equations, body.results):
            self.step(step)
        for out, result in zip(equation.outs, body.results, strict=True):
            self.alias(out, result)
        return True

    # Kernels

    def group(self, group: Group) -> None:
        for part in parted(Group(group.space, group.members, group.results, group.copies, kept=self.kept(group))):
            self.part(part)
        for write in group.writes.values():
            self.write(write)

    def kept(self, group: Group) -> list[Var]:
        """What of a group is needed after it; what its writes store is kept too."""
        return [*group.kept, *(v for v in group.writes if v not in group.kept)]

    def part(self, group: Group) -> None:
        folds = [m for m in group.members if is_fold(m)]
        space = folds[0].operands[0].type if folds else group.members[0].outs[0].type
        self.require_lengths(space, *(v.type for v in group.kept), *(m.outs[0].type for m in folds))
        before, arguments = self.needed(group.uses(), group.results)
        partials = {m.outs[0]: partials_of(m.outs[0]) for m in folds}
        name = self.name("fold" if folds else "elements")
        kernel = group_kernel(name, group, before, arguments, partials, self.plan.module)
        self.add(Elements(kernel, space, folds[0].params["axes"] if folds else (), partials))
        for var in group.kept:
            self.layout[var] = Layout.WHOLE
            self.own.add(var)
        for member in folds:
            out = member.outs[0]
            primitive, dtype = member.primitive.name, out.type.dtype
            again = fold_kernel(self.name("rows"), primitive, dtype, self.plan.module)
            self.add(Fold(again, partials[out], out))
            self.layout[out] = Layout.WHOLE if out.type.shape else Layout.CELL

    def call(self, equation: Equation, library: Operations) -> None:
        """Have a library compute an equation."""
        self.require_lengths(*(a.type for a in (*equation.operands, *equation.outs)))
        given = self.turned if equation.primitive.kind is Kind.CONTRACTION else self.settled
        self.add(Call(replace(equation, operands=tuple(map(given, equation.operands))), library))
        for out in equation.outs:
            self.layout[out] = Layout.WHOLE if out.type.shape else Layout.CELL
            self.own.add(out)

    def turned(self, atom: Atom) -> Atom:
        """A factor of a product: what is an array with its axes in another order is not copied."""
        equation = self.symbolic.get(atom) if isinstance(atom, Var) else None
        if equation is None or equation.primitive.name not in ("permute", "conform"):
            return atom if atom in self.permuted else self.settled(atom)
        source, (out,) = self.turned(equation.operands[0]), equation.outs
        assert isinstance(source, Var)
        self.add(Permute(source, out, equation.params.get("order", tuple(range(out.type.rank)))))
        del self.symbolic[out]
        self.layout[out] = Layout.STRIDED
        self.permuted.add(out)
        return out

    def product(self, product: Equation) -> None:
        out, inner = product.outs[0], product.operands[0].type.shape[-1]
        self.require_lengths(out.type, *(a.type for a in product.operands))
        before, arguments = self.needed(uses(product))
        partial, module = partials_of(out), self.plan.module
        kernel = product_kernel(self.name("product"), product, before, arguments, partial, module)
        self.add(Product(kernel, out, inner))
        self.add(Fold(fold_kernel(self.name("rows"), "total", out.type.dtype, module), partial, out))
        self.layout[out] = Layout.WHOLE

    def write(self, write: Equation) -> None:
        target, value, out = write.operands[0], write.operands[1], write.outs[0]
        assert isinstance(target, Var)
        self.require_lengths(out.type, target.type, value.type)
        start = None
        if not self.is_undefined(target):
            start = target if self.layout.get(target) is Layout.WHOLE else self.copied(target)
        before, arguments = self.needed(v for v in uses(write) if v is not target)
        atomic = self.plan.options.atomics and is_atomic(write)
        kernel = write_kernel(self.name("write"), write, before, arguments, self.plan.module, atomic)
        alone = start is not target or self.uses[target] == 1
        in_place = start is not None and start in self.own and alone and not kernel.allocates
        shared = is_indexed(write) and not atomic
        self.add(Write(kernel, start, out, None if shared else value.type, SHARES, in_place))
        self.layout[out] = Layout.WHOLE
        self.own.add(out)

    def alias(self, out: Var, value: Atom) -> None:
        """Have a variable mean what an atom means."""
        if out.type.shape:
            assert isinstance(value, Var)
            permuted = Equation(TABLE["permute"], (value,), {"order": tuple(range(out.type.rank))}, (out,), None)
            self.symbolic[out] = permuted
            return
        select = Equation(TABLE["select"], (literal(True), value, value), {}, (out,), None)
        self.equation(select)

    def is_undefined(self, atom: Atom) -> bool:
        equation = self.symbolic.get(atom) if isinstance(atom, Var) else None
        return equation is not None and equation.primitive.name == "empty"

    def serial(self, equation: Equation) -> None:
        """Have one thread run an equation."""
        if equation.primitive.kind in ON_HOST:
            refuse([equation])
        self.require_host((a for out in equation.outs for a in out.type.shape if a not in equation.outs), equation)
        if any(a in equation.outs for out in equation.outs for a in out.type.shape):
            self.require_host((a for out in equation.outs for a in out.type.shape), equation)
        before, arguments = self.needed(uses(equation))
        self.add_serial([*before, equation], arguments, equation.outs)

    def add_serial(self, equations: list[Equation], arguments: list[Argument], outs: Sequence[Var]) -> None:
        kernel = serial_kernel(self.name("serial"), equations, arguments, outs, self.plan.module)
        self.add(Serial(kernel))
        for out in outs:
            self.layout[out] = Layout.WHOLE if out.type.shape else Layout.CELL
            self.symbolic.pop(out, None)
