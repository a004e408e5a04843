"""Loops of independent iterations as kernels, an iteration a thread; and the rest of a program, which one thread runs.

What the iterations of a loop add up (role `Sum`), each leaves by itself, in a row of its own: the rows are added in a
fixed order afterwards (`adcore_llvm.cuda.folds`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adcore.independence import Role, Same, Step, Sum
from adcore.program import Equation, Program, free_variables
from adcore.types import I64, Atom, Type, Var

from ..code import MEMORY_TYPE
from ..control import CopiedError, Loop, whole
from ..parallel import stepped
from ..values import Strided, load, store, store_at, zero
from .kernel import Argument, Body, Kernel
from .lowering import refuse
from .module import Module

__all__ = ["loop_kernel", "rows_of", "serial_kernel"]


def rows_of(out: Var, trips: Atom) -> Var:
    """The array of what each iteration adds to a sum."""
    return Var(Type(out.type.dtype, (trips, *out.type.shape)), f"{out.name}_rows")


def loop_kernel(
    name: str,
    loop: Equation,
    roles: Sequence[Role],
    before: list[Equation],
    arguments: Sequence[Argument],
    targets: dict[int, Var],
    module: Module,
) -> Kernel | None:
    """The kernel of a loop; None where an iteration would copy an array that it should write in place.

    `before` are equations without memory of their own, as views; `targets` are the arrays that it writes: of a carry
    of role `Apart` its result, of a sum its rows.
    """
    refuse(loop.params["body"].equations)
    mark = module.mark
    body = Body(name, arguments, module)
    wanted = {v for v in loop.operands if isinstance(v, Var)} | set(free_variables(loop.params["body"]))
    body.define(before, [out for e in before for out in e.outs if out in wanted])
    try:
        _Emitted(body, loop, roles, targets).emit()
    except CopiedError:
        module.cut(mark)
        return None
    return body.finish()


class _InPlace(Loop):
    """A loop whose arrays stay where they are, small ones as well, since other threads write them too."""

    def places(self, params: Sequence[Var], inits: Sequence[Atom]) -> list[Strided | None]:
        return [None for _ in params]


class _Emitted:
    def __init__(self, body: Body, loop: Equation, roles: Sequence[Role], targets: dict[int, Var]) -> None:
        self.body = body
        self.block = body.block
        self.loop = loop
        self.region: Program = loop.params["body"]
        self.roles = roles
        self.targets = targets
        self.params = self.region.params[1:]
        self.inits = loop.operands[1:]

    def emit(self) -> None:
        carried = [k for k, role in enumerate(self.roles) if not isinstance(role, Same)]
        for k, role in enumerate(self.roles):
            if isinstance(role, Same):
                init = self.inits[k]
                value = self.block.array(init) if init.type.shape else self.block.scalar(init)
                self.block.bind(self.params[k], value)  # type: ignore[arg-type]
        inits = [self.begin(k) for k in carried]
        outs = tuple(Var(self.params[k].type, self.params[k].name) for k in carried)
        params = (self.region.params[0], *(self.params[k] for k in carried))
        inside = Program(
            params, self.region.equations, tuple(self.region.results[k] for k in carried), self.region.name
        )
        end = self.register("following", self.body.following)
        one = _InPlace(self.block, replace(self.loop, operands=(end, *inits), params={"body": inside}, outs=outs))
        one.first = self.body.number
        one.emit()
        for k, out in zip(carried, outs, strict=True):
            self.leave(k, out)

    def register(self, name: str, register: str) -> Var:
        var = Var(I64, name)
        self.block.bind(var, register)
        return var

    def begin(self, k: int) -> Atom:
        role, param = self.roles[k], self.params[k]
        if isinstance(role, Step):
            by = [self.block.scalar(atom) for atom in role.by]
            start = stepped(self.block.code, self.block.scalar(self.inits[k]), self.body.number, by)
            return self.register(param.name, start)
        if isinstance(role, Sum) and not param.type.shape:
            return param.type.dtype.zero
        begin = Var(param.type, param.name)
        memory = self.row(k) if isinstance(role, Sum) else self.body.target(self.targets[k])
        lengths = self.block.lengths(param.type)
        self.block.bind(begin, whole(self.block, param.type.dtype, memory.pointer, lengths, self.block, param))
        return begin

    def row(self, k: int) -> Strided:
        """The row of this iteration, filled with zeros."""
        code, rows = self.block.code, self.body.target(self.targets[k])
        size = code.product(list(rows.lengths[1:]))
        place = code.mul(self.body.number, size)
        pointer = code.op(f"getelementptr {MEMORY_TYPE[rows.dtype]}, ptr {rows.pointer}, i64 {place}")
        row = Strided(rows.dtype, pointer, (size,), ("1",), rows.root)
        with code.counting(size) as i:
            at = code.op(f"getelementptr {MEMORY_TYPE[rows.dtype]}, ptr {pointer}, i64 {i}")
            store_at(code, rows.dtype, zero(rows.dtype), at)
        return row

    def leave(self, k: int, out: Var) -> None:
        """Leave what the iteration gives where it belongs."""
        role = self.roles[k]
        if not out.type.shape:
            if isinstance(role, Sum):
                code = self.block.code
                rows = self.body.target(self.targets[k])
                at = code.op(f"getelementptr {MEMORY_TYPE[rows.dtype]}, ptr {rows.pointer}, i64 {self.body.number}")
                store_at(code, rows.dtype, self.block.scalar(out), at)
            return
        array = self.block.array(out)
        assert isinstance(array, Strided), "what a loop carries is in memory"
        if array.root.lent is not self.params[k]:
            raise CopiedError
        self.block.take(array.root)


def serial_kernel(
    name: str,
    equations: list[Equation],
    arguments: Sequence[Argument],
    results: Sequence[Var],
    module: Module,
) -> Kernel:
    """A kernel that one thread runs, for a part of a program that is no loop of independent iterations."""
    refuse(equations)
    body = Body(name, arguments, module)
    body.define(equations, results)
    code = body.code
    for result in results:
        if not result.type.shape:
            store_at(code, result.type.dtype, body.block.scalar(result), body.cell(result))
            continue
        target, source = body.target(result), body.block.array(result)
        code.nest(list(target.lengths), lambda ix, s=source, t=target: store(code, t, ix, load(code, s, ix)))
    return body.finish()
