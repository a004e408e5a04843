"""One loop nest for a group of elementwise equations, reductions and writes over one index space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcore.primitives import Kind
from adcore.program import Equation
from adcore.types import Atom, DType, Var

from .code import LLVM_TYPE, Code
from .scalar import lower_scalar
from .schedule import Group
from .values import Array, Counting, Root, Strided, load, store
from .writes import prepare, put

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["lower_group"]


def lower_group(block: Block, group: Group) -> None:
    _Nest(block, group).emit()


class _Nest:
    def __init__(self, block: Block, group: Group) -> None:
        self.block = block
        self.code = block.code
        self.group = group
        self.lengths = block.lengths(group.members[0].operands[0].type) if is_fold(group.members[0]) else (
            block.lengths(group.members[0].outs[0].type)
        )
        self.sources: dict[Var, str | Array] = {}
        self.kept: dict[Var, Strided] = {}
        self.slots: dict[Var, str] = {}
        self.regions: dict[Var, Strided] = {}
        self.pending: dict[Var, Equation] = {}
        self.reused: dict[Root, Var] = {}  # memory that a result takes over, and the operand that was in it

    def emit(self) -> None:
        group, block, code = self.group, self.block, self.code
        for var in group.uses():
            if var not in self.sources:
                self.sources[var] = block.lookup(var)
        for var, write in group.writes.items():
            self.prepare_write(var, write)
        for member in group.members:
            if is_fold(member):
                self.prepare_fold(member)
            elif member.outs[0] in group.kept:
                self.keep(member.outs[0])
        if self.is_flat():
            n = code.product(list(self.lengths))
            if n == "1":
                self.element(["0"], flat=True)
            else:
                with code.counting(n) as i:
                    self.element([i], flat=True)
        else:
            code.nest(list(self.lengths), lambda ix: self.element(ix, flat=False))
        for var, memory in self.kept.items():
            block.bind(var, memory)
        for var, slot in self.slots.items():
            block.bind(var, code.op(f"load {LLVM_TYPE[var.type.dtype]}, ptr {slot}"))
        for var, write in self.pending.items():
            self.store_afterwards(var, write)

    # Before the loops

    def keep(self, var: Var) -> None:
        """Memory for a result: that of an operand that nothing else reads, or new."""
        for source, array in self.sources.items():
            if isinstance(array, Strided) and array.dtype is var.type.dtype and self.may_reuse(array):
                self.reused[array.root] = source
                self.kept[var] = array
                return
        self.kept[var] = self.block.lowering.new(self.block, var.type.dtype, self.lengths)

    def may_reuse(self, array: Strided) -> bool:
        """Whether each element may be overwritten once the group has read it: it is read at its own index only."""
        targets = [self.block.array(w.operands[0]) for w in self.group.writes.values()]
        written = {t.root for t in targets if isinstance(t, Strided)}
        sharing = [s for s in self.sources.values() if isinstance(s, Strided) and s.root is array.root]
        free = array.root not in self.reused and array.root not in written and self.block.is_last_use(array.root)
        return free and all(s.whole for s in sharing)

    def prepare_write(self, var: Var, write: Equation) -> None:
        """Write straight into the target, unless the group reads other elements of the same memory."""
        target = self.block.array(write.operands[0])
        region = (write.params["codes"], write.operands[2:])
        root = target.root if isinstance(target, Strided) else None
        if any(isinstance(s, Strided) and s.root is root and s.region != region for s in self.sources.values()):
            self.keep(var)
            self.pending[var] = write
            return
        self.regions[var] = prepare(self.block, write)

    def store_afterwards(self, var: Var, write: Equation) -> None:
        computed = self.kept[var]
        region = prepare(self.block, write)
        code = self.code
        code.nest(
            list(region.lengths), lambda ix: put(self.block, write, region, ix, load(code, computed, ix))
        )
        if computed.root.owner is self.block:
            self.block.lowering.free(computed.root)
            self.block.take(computed.root)
            del self.block.values[var]

    def prepare_fold(self, member: Equation) -> None:
        out = member.outs[0]
        start = START[member.primitive.name, out.type.dtype]
        if not out.type.shape:
            self.slots[out] = self.code.slot(LLVM_TYPE[out.type.dtype], start)
            return
        lengths = self.block.lengths(out.type)
        memory = self.block.lowering.new(self.block, out.type.dtype, lengths, zeroed=start in ("0.0", "0", "false"))
        if start not in ("0.0", "0", "false"):
            self.code.nest(list(lengths), lambda ix: store(self.code, memory, ix, start))
        self.kept[out] = memory

    def is_flat(self) -> bool:
        """Whether one loop over all elements will do: everything is whole, and folds are to scalars."""
        arrays = [a for a in self.sources.values() if not isinstance(a, str)]
        if any(isinstance(a, Counting) for a in arrays):
            return len(self.lengths) == 1
        plain = all(a.whole for a in arrays if isinstance(a, Strided))
        folds = all(not m.outs[0].type.shape for m in self.group.members if is_fold(m))
        return plain and folds and all(r.whole for r in self.regions.values())

    # One element

    def element(self, indices: list[str], flat: bool) -> None:
        code = self.code
        here: dict[Var, str] = {}

        def value(atom: Atom) -> str:
            if not isinstance(atom, Var):
                return self.block.scalar(atom)
            if atom not in here:
                source = self.sources[atom]
                here[atom] = source if isinstance(source, str) else element_of(code, source, indices, flat)
            return here[atom]

        for source in self.reused.values():  # read before a result is written there
            value(source)
        for member in self.group.members:
            if is_fold(member):
                self.fold(member, value(member.operands[0]), indices)
                continue
            out = member.outs[0]
            dtypes = tuple(a.type.dtype for a in member.operands)
            operands = tuple(value(a) for a in member.operands)
            here[out] = lower_scalar(code, member.primitive.name, dtypes, operands, member.params)
            if out in self.kept:
                put_element(code, self.kept[out], indices, flat, here[out])
            if out in self.regions:
                put(self.block, self.group.writes[out], self.regions[out], indices, here[out])

    def fold(self, member: Equation, value: str, indices: list[str]) -> None:
        code, out = self.code, member.outs[0]
        name, dtype = member.primitive.name, out.type.dtype
        if not out.type.shape:
            slot = self.slots[out]
            before = code.op(f"load {LLVM_TYPE[dtype]}, ptr {slot}")
            code.do(f"store {LLVM_TYPE[dtype]} {combine(code, name, dtype, before, value)}, ptr {slot}")
            return
        memory = self.kept[out]
        where = [i for axis, i in enumerate(indices) if axis not in member.params["axes"]]
        store(code, memory, where, combine(code, name, dtype, load(code, memory, where), value))


def is_fold(equation: Equation) -> bool:
    return equation.primitive.kind is Kind.REDUCTION


def element_of(code: Code, array: Array, indices: list[str], flat: bool) -> str:
    return load(code, flattened(array) if flat and isinstance(array, Strided) else array, indices)


def put_element(code: Code, array: Strided, indices: list[str], flat: bool, value: str) -> None:
    store(code, flattened(array) if flat else array, indices, value)


def flattened(array: Strided) -> Strided:
    """A whole array as one axis."""
    return Strided(array.dtype, array.pointer, ("",), ("1",), array.root, whole=True)


_INFINITY, _MINUS_INFINITY = "0x7FF0000000000000", "0xFFF0000000000000"
START: dict[tuple[str, DType], str] = {
    ("total", DType.F64): "0.0",
    ("total", DType.I64): "0",
    ("reduce_max", DType.F64): _MINUS_INFINITY,
    ("reduce_max", DType.I64): str(-(2**63)),
    ("reduce_min", DType.F64): _INFINITY,
    ("reduce_min", DType.I64): str(2**63 - 1),
    ("reduce_and", DType.BOOL): "true",
    ("reduce_or", DType.BOOL): "false",
}


def combine(code: Code, name: str, dtype: DType, before: str, value: str) -> str:
    """One step of a reduction.  Sums may be reassociated, as NumPy's pairwise sums are."""
    if name == "total":
        return code.op(f"fadd reassoc double {before}, {value}" if dtype is DType.F64 else f"add i64 {before}, {value}")
    if dtype is DType.F64:  # propagates nan, as NumPy does, and is vectorized
        return code.intrinsic({"reduce_max": "maximum", "reduce_min": "minimum"}[name], "double", before, value)
    primitive = {"reduce_max": "maximum", "reduce_min": "minimum", "reduce_and": "and", "reduce_or": "or"}[name]
    return lower_scalar(code, primitive, (dtype, dtype), (before, value), {})


