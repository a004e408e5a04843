"""Programs as functions of the C calling convention, without anything of Python.

    i64 kernel(i64 *err, i64 *out, …)    gives 0, or the number of the failure

A number is passed by value, an array as the pointer to its elements in C order and its lengths.  `out` has a word for
each number among the results, and for each array its pointer and its lengths; `err` has 8 words, which the failure
reports.  What `out` points to is the caller's to release.
"""

from __future__ import annotations

from adcore.errors import UnsupportedFunctionError
from adcore.passes.inline import inline_customs
from adcore.plugins import Kernel
from adcore.primitives import Kind
from adcore.program import Program, regions
from adcore.types import Lit

from . import memory, symbols
from .boxing import slots_of
from .code import LLVM_TYPE, Code, constant
from .lower import Lowering, lower_program
from .targets import in_any_thread
from .values import Root, Strided, row_major

__all__ = ["assembly_of", "emit_function", "emit_kernel", "refuse_python", "standalone"]


def emit_kernel(program: Program, name: str) -> Kernel:
    """A program as a function that any number of threads can call at once, none of which need hold Python's lock.

    Its memory is malloc's: `<name>_release` gives back an array among the results.

    Raises:
        UnsupportedFunctionError: the program calls Python.
    """
    program = inline_customs(program)
    refuse_python(program)
    code = Code()
    lowering = Lowering(code)
    lowering.is_part = True  # whoever calls it may be one of several threads
    with in_any_thread():
        function = emit_function(program, lowering, "", name)
        text = standalone(code.declarations, function, release(name))
    return Kernel(name, text, tuple(lowering.failures), symbols.needs_of(code.declarations))


def release(name: str) -> str:
    """A function that gives back what functions of a module have allocated."""
    return f"define void @{name}_release(ptr %block) {{\n  call void @adcore_release(ptr %block)\n  ret void\n}}"


def refuse_python(region: Program) -> None:
    for equation in region.equations:
        if equation.primitive.kind is Kind.HOST:
            raise UnsupportedFunctionError(
                "a call of Python has no place in code without it", equation.source, write="functions that are compiled"
            )
        for _, inner in regions(equation):
            refuse_python(inner)


def standalone(declarations: dict[str, str], *functions: str) -> str:
    """A module that allocates by itself."""
    own = memory.unshared()
    return assembly_of({k: v for k, v in declarations.items() if f"@{k}(" not in own}, own, *functions)


def assembly_of(declarations: dict[str, str], *functions: str) -> str:
    """A module of functions and what they declare."""
    vectors = [name for name in declarations if name.startswith("_ZGV")]
    used = ""
    if vectors:
        list_ = ", ".join(f"ptr @{v}" for v in vectors)
        used = f'@llvm.compiler.used = appending global [{len(vectors)} x ptr] [{list_}], section "llvm.metadata"'
    return "\n".join([used, *declarations.values(), *functions, '!0 = !{!"branch_weights", i32 1048575, i32 1}'])


def emit_function(program: Program, lowering: Lowering, linkage: str, name: str) -> str:
    """A program as a function, of memory for what a failure reports, memory for the results, and the parameters.

    It gives 0, or the number of the failure.  An array is its pointer and its lengths.
    """
    code = lowering.code
    code.entry.append("entry:")
    signature = ["ptr noalias %err", "ptr noalias %out"]
    arguments: list[str | Strided] = []
    for k, param in enumerate(program.params):
        if not param.type.shape:
            signature.append(f"{LLVM_TYPE[param.type.dtype]} %a{k}")
            arguments.append(f"%a{k}")
            continue
        signature.append(f"ptr noalias readonly %a{k}")
        lengths = [f"%a{k}_{axis}" for axis in range(param.type.rank)]
        signature.extend(f"i64 {n}" for n in lengths)
        known = tuple(constant(a) if isinstance(a, Lit) else n for a, n in zip(param.type.shape, lengths, strict=True))
        arguments.append(Strided(param.type.dtype, f"%a{k}", known, row_major(code, known), Root(f"%a{k}"), whole=True))
    results = lower_program(program, lowering, arguments)
    slot = 0
    for value, result in zip(results, program.results, strict=True):
        registers = [(LLVM_TYPE[result.type.dtype], value)] if isinstance(value, str) else [("ptr", value.pointer)]
        if isinstance(value, Strided):
            registers += [("i64", n) for n in value.lengths]
        for k, (type, register) in enumerate(registers):
            place = code.op(f"getelementptr i64, ptr %out, i64 {slot + k}")
            code.do(f"store {type} {register}, ptr {place}")
        slot += slots_of(result.type)
    code.do("ret i64 0")
    head = f"define {linkage} i64 @{name}({', '.join(signature)}) nounwind {{"
    return "\n".join([head, *code.entry, *code.lines, *lowering.tails, *lowering.failing(), "}"])
