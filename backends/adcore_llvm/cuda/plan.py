"""What a host does to run a program on a device: launches of kernels, and numbers that the host computes itself.

Numbers that follow from numbers of the caller's and from lengths are the host's.  Others are the device's: a number
that kernels need is computed again in each, from what lies in memory, as views are, and so costs no launch.
Elementwise groups and reductions are kernels, and loops of independent iterations; the rest is for one thread of the
device.

No step writes into what an earlier one has made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from adcore.errors import UnsupportedFunctionError
from adcore.independence import Apart, Same, Sum, roles
from adcore.independence import Step as Stepped
from adcore.passes.inline import inline_customs
from adcore.passes.schedule import Group, schedule
from adcore.primitives import Kind
from adcore.program import Equation, Program, free_variables, uses
from adcore.types import Atom, Lit, Type, Var, literal

from ..fused import is_fold
from ..writes import is_indexed
from .algebra import Operations, offered
from .branching import branched, planned_uses, repeated
from .calls import Call
from .elements import copy_kernel, fold_kernel, group_kernel, parted, partials_of
from .kernel import Argument, Layout
from .loops import loop_kernel, rows_of, serial_kernel
from .lowering import ON_HOST, needs_host, refuse
from .module import Module
from .products import SHARES, is_atomic, product_kernel, write_kernel
from .steps import Check, Compute, Copy, Elements, Fold, Loop, Product, ReadBack, Reshape, Serial, Step, Write

__all__ = ["Options", "Plan", "Planner", "planned"]


@dataclass(frozen=True)
class Options:
    """How programs are planned.

    Attributes:
        library: what computes products of matrices, and takes matrices apart; None where there is none.
        atomics: whether numbers that go to one place are added in no particular order.
    """

    library: Operations | None = None
    atomics: bool = False


class Plan:
    """The steps of a program.

    Attributes:
        results: what the program gives, each a number of the host's, a number of the device's or an array.
        module: its kernels.
    """

    def __init__(self, program: Program, layouts: Sequence[Layout], options: Options) -> None:
        self.program = inline_customs(program)
        refuse(self.program.equations, called=offered if options.library else None)
        self.layouts = tuple(layouts)
        self.options = options
        self.steps: list[Step] = []
        self.module = Module()
        self.last_use: dict[Var, int] = {}
        self.results: list[Atom] = []


def planned(program: Program, layouts: Sequence[Layout], options: Options) -> Plan:
    """How a program is run for arguments in these layouts.

    Where an array has a length that is computed together with it, so that the host cannot make room for it, one thread
    runs all that the host does not.

    Raises:
        UnsupportedFunctionError: a device cannot do something in it, and the host does not help it out.
    """
    plan = Plan(program, layouts, options)
    try:
        Planner(plan).run()
    except _LateLengthError:
        plan = Plan(program, layouts, options)
        Planner(plan).run_by_one()
    return plan


class _LateLengthError(UnsupportedFunctionError):
    """A length is not known where room is made for the array."""


class Planner:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.layout: dict[Var, Layout] = {}  # of what there is: on the host a number, else on the device
        self.symbolic: dict[Var, Equation] = {}  # what kernels compute again
        self.count = 0
        self.own: set[Var] = set()  # arrays whose memory nothing else lies in
        self.uses = planned_uses(self.plan.program.equations, self.plan.program.results)
        self.region_layouts: tuple[Layout, ...] = ()  # of the results of the region that was planned last
        self.perhaps_shared: set[Var] = set()  # arrays that may lie in memory that others lie in too

    def run(self) -> None:
        program = self.plan.program
        self.enter_parameters()
        for step in schedule(program.equations, program.results):
            self.step(step)
        self.finish()
        self.note_uses()

    def enter_parameters(self) -> None:
        for param, layout in zip(self.plan.program.params, self.plan.layouts, strict=True):
            self.layout[param] = layout
            for atom in param.type.shape:
                if isinstance(atom, Var):
                    self.layout[atom] = Layout.NUMBER

    def run_by_one(self) -> None:
        """Have one thread run all that the host does not."""
        program, rest = self.plan.program, []
        self.enter_parameters()
        for equation in program.equations:
            kind = equation.primitive.kind
            if kind in (Kind.ELEMENTWISE, Kind.CHECK) and all(map(self.is_host, equation.operands)):
                self.equation(equation)
            else:
                rest.append(equation)
        inside = {out for equation in rest for out in equation.outs}
        wanted = [r for r in dict.fromkeys(program.results) if isinstance(r, Var) and r in inside]
        self.require_lengths(*(r.type for r in wanted))
        _, arguments = self.needed((v for equation in rest for v in uses(equation)), inside)
        self.add_serial(rest, arguments, wanted)
        self.finish()
        self.note_uses()

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
                raise _LateLengthError(
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
            return self.loop(equation) or repeated(self, equation)
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
        self.add(Call(replace(equation, operands=tuple(map(self.settled, equation.operands))), library))
        for out in equation.outs:
            self.layout[out] = Layout.WHOLE if out.type.shape else Layout.CELL
            self.own.add(out)

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

    def loop(self, loop: Equation) -> bool:
        """Whether the loop is one of independent iterations, which a kernel runs."""
        found = None if needs_host(loop.params["body"]) else roles(loop)
        if found is None or not all(isinstance(role, Apart | Same | Stepped | Sum) for role in found):
            return False
        carried = [k for k, role in enumerate(found) if isinstance(role, Apart | Sum)]
        if not carried:
            return False
        trips, inits, body = loop.operands[0], loop.operands[1:], loop.params["body"]
        params = body.params[1:]
        self.require_host([trips])
        self.require_lengths(*(params[k].type for k in carried), *(inits[k].type for k in carried))
        targets = {
            k: rows_of(loop.outs[k], trips) if isinstance(found[k], Sum) else Var(inits[k].type, loop.outs[k].name)
            for k in carried
        }
        wanted = [v for v in free_variables(body) if v not in loop.outs]
        wanted += [v for k, v in enumerate(inits) if isinstance(v, Var) and not isinstance(found[k], Apart | Sum)]
        wanted += [a for role in found if isinstance(role, Stepped) for a in role.by if isinstance(a, Var)]
        wanted += [a for k in carried for a in params[k].type.shape if isinstance(a, Var)]
        before, arguments = self.needed(wanted)
        kernel = loop_kernel(self.name("loop"), loop, found, before, arguments, targets, self.plan.module)
        if kernel is None:
            return False
        starts = {}
        for k in carried:
            init = inits[k]
            if isinstance(found[k], Apart) and not self.is_undefined(init):
                assert isinstance(init, Var)
                starts[targets[k]] = init if self.layout.get(init) is Layout.WHOLE else self.copied(init)
        self.add(Loop(kernel, trips, starts))
        self.carry(loop, found, targets)
        return True

    def carry(self, loop: Equation, found: Sequence[object], targets: dict[int, Var]) -> None:
        """Enter what a loop gives."""
        for k, (out, role) in enumerate(zip(loop.outs, found, strict=True)):
            init = loop.operands[1 + k]
            if isinstance(role, Apart):
                self.add(Reshape(targets[k], out))
                self.layout[out] = Layout.WHOLE
            elif isinstance(role, Sum):
                kernel = fold_kernel(self.name("rows"), "total", out.type.dtype, self.plan.module)
                total = Var(out.type, out.name)
                self.add(Fold(kernel, targets[k], total))
                self.layout[total] = Layout.WHOLE if out.type.shape else Layout.CELL
                self.sum(total, init, out)
            else:
                self.after(loop, k, role, init, out)

    def sum(self, total: Var, init: Atom, out: Var) -> None:
        """What a loop begins with, and what it adds."""
        from adcore.primitives import TABLE

        name = "add" if out.type.dtype.integer else "plus"
        equation = Equation(TABLE[name], (init, total), {}, (out,), None)
        if out.type.shape:
            self.group(Group(out.type.shape, [equation], {out}, kept=[out]))
        else:
            self.symbolic[out] = equation

    def after(self, loop: Equation, k: int, role: object, init: Atom, out: Var) -> None:
        """What a carry is after the loop that is the same in all iterations, or a number that grows by a step."""
        from adcore.builder import Builder

        b = Builder()
        if isinstance(role, Stepped):
            step: Atom = literal(0)
            for by in role.by:
                step = b.add_wraps(step, by)
            value = b.add_wraps(init, b.mul_wraps(loop.operands[0], step))
        else:
            value = init
        for equation in b.equations:
            self.equation(equation)
        self.alias(out, value)

    def alias(self, out: Var, value: Atom) -> None:
        """Have a variable mean what an atom means."""
        from adcore.primitives import TABLE

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

    # The end

    def finish(self) -> None:
        """Have what the program gives lie in memory of its own."""
        results = self.plan.program.results
        self.require_cells(r for r in results if isinstance(r, Var) and not r.type.shape)
        taken = set(self.plan.program.params)
        for result in results:
            if not result.type.shape or not isinstance(result, Var):
                self.plan.results.append(result)
                continue
            found = result
            if self.layout.get(result) is not Layout.WHOLE or self.memory_of(result) in {*taken, *self.perhaps_shared}:
                found = self.copied(result)
            taken.add(self.memory_of(found))
            self.plan.results.append(found)

    def memory_of(self, var: Var) -> Var:
        """The array that was made in the memory where an array lies."""
        for step in self.plan.steps:
            if isinstance(step, Reshape) and step.target is var:
                return self.memory_of(step.source)
        return var

    def note_uses(self) -> None:
        """Note after which step each value is not needed any more."""
        for position, step in enumerate(self.plan.steps):
            for var in step.reads():
                self.plan.last_use[var] = position
        for result in self.plan.results:
            if isinstance(result, Var):
                self.plan.last_use[result] = len(self.plan.steps)
