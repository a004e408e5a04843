"""NumPy's random generators that come from outside: their state is an array in their own memory, read and advanced.

What stands for a generator in compiled functions, `library.random_draws.Generator`, is loaded when one is met.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from adcore.arguments import abstract
from adcore.errors import UnsupportedFunctionError
from adcore.once import once
from adcore.plugins import Capture, Guard, Held, Part, Spec, Static
from adcore.trees import Node, nodes_of
from adcore.types import DType

from .library.refused import MADE_OUTSIDE
from .outside import make_param
from .values import Array, Fields, Record

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = [
    "Foreign",
    "constant_generator",
    "lent_state",
    "outside_generator",
    "refuse_bits",
    "take_apart_generators",
    "words_of",
]


KEPT = 16  # generators whose memory has been found, and which stay alive therefore


@dataclass(frozen=True)
class Foreign:
    """What stands in arguments for a generator whose bits are not PCG64's."""

    bits: str


def words_of(bits: str, generator: Any) -> Held:
    """The state of a generator with these bits, as an array in its memory.

    Raises:
        ValueError: it is something else.
    """
    if type(generator) is not np.random.Generator or type(generator.bit_generator).__name__ != bits:
        raise ValueError(f"a random generator over {bits} is expected, not a {type(generator).__name__}")
    return _memory(generator.bit_generator)


@lru_cache(KEPT)
def _memory(bits: Any) -> Held:
    """A pointer to the numbers, the left-over half of a word, then, perhaps after a gap, the state and the increment.

    The pointer is left out.
    """
    address = bits.ctypes.state_address
    words = (ctypes.c_uint64.from_address(address).value - address) // 8 + 3
    if not 5 <= words <= 9:
        _unknown_layout()
    found = np.frombuffer((ctypes.c_uint64 * words).from_address(address + 8), DType.U64.numpy).view(Held)
    found.owner = bits
    return found


def _unknown_layout() -> NoReturn:
    raise UnsupportedFunctionError("this build of NumPy has the state of its generators in an order that is not known")


@once
def _classes() -> dict[str, type]:
    """What stands for a generator, by the name of its bits."""
    from .library.random_draws import Generator, GeneratorDXSM

    _check_layout()
    return {"PCG64": Generator, "PCG64DXSM": GeneratorDXSM}


def _check_layout() -> None:
    """Compare a state with what NumPy says of it."""
    bits = np.random.PCG64(1)
    np.random.Generator(bits).integers(9, dtype=np.int32)
    words, told = [int(w) for w in _memory(bits)], bits.state
    halves = [told["state"][name] >> shift & (2**64 - 1) for name in ("state", "inc") for shift in (0, 64)]
    if words[0] != told["has_uint32"] | told["uinteger"] << 32 or words[-4:] != halves:
        _unknown_layout()


# In arguments


def _taken(x: Any) -> tuple[Any, ...]:
    bits = type(x.bit_generator).__name__
    return (words_of(bits, x), bits) if bits in _classes() else (None, bits)


def _built(children: Any) -> Any:
    words, bits = children
    kind = _classes().get(bits.value)
    return Static(Foreign(bits.value)) if kind is None else kind(words)


def _node_of(kind: type) -> Node | None:
    return (_taken, _built) if kind is np.random.Generator else None


def take_apart_generators() -> None:
    """Have generators in arguments be taken apart."""
    nodes_of("numpy", _node_of)


# From outside


@dataclass(frozen=True, slots=True)
class Same(Guard):
    """A name that leads to the generator that another name leads to as well."""

    other: Capture

    def holds(self) -> bool:
        try:
            return Capture(self.name, self.owner, self.other.spec).read() is Capture.read(self.other)
        except (KeyError, ValueError):
            return False


def outside_generator(low: Lowering, name: Any, owner: Any, found: Any) -> Record | None:
    """What stands for a generator from outside; None of anything else."""
    if not isinstance(found, np.random.Generator):
        return None
    bits = type(found.bit_generator).__name__
    if bits not in _classes():
        refuse_bits(low, bits)
    if id(found) in low.generators:
        record, part = low.generators[id(found)]
        same = Same(name, owner, found, part)
        if same not in low.guards:
            low.guards.append(same)
        return record
    compute = partial(words_of, bits)
    spec = abstract(compute(found))
    assert isinstance(spec, Spec)
    part = Part(name, owner, spec, compute)
    low.captures.append(part)
    words = lent_state(low, spec, str(name))
    with low.inside(low.memory.root):
        record = Record(low.memory.identity(Fields({"words": words}), str(name)), _classes()[bits])
    low.generators[id(found)] = record, part
    return record


def lent_state(low: Lowering, spec: Spec, name: str) -> Array:
    """A captured state, which what is drawn advances."""
    array = make_param(low, spec, name)
    assert isinstance(array, Array)
    low.lent[len(low.params) - 1] = array.buffer
    low.states.add(len(low.params) - 1)
    return array


def constant_generator(low: Lowering, found: Any) -> Record | None:
    """What stands for a generator that something constant holds, a default or a tuple; None of anything else."""
    if isinstance(found, Foreign):
        refuse_bits(low, found.bits)
    if isinstance(found, np.random.RandomState | np.random.BitGenerator):
        low.refuse(UnsupportedFunctionError, f"drawing from a {type(found).__name__}", MADE_OUTSIDE)
    if not isinstance(found, np.random.Generator):
        return None
    return outside_generator(low, "rng", {"rng": found}, found)


def refuse_bits(low: Lowering, bits: str) -> NoReturn:
    low.refuse(UnsupportedFunctionError, f"drawing from a Generator over {bits}", f"one over PCG64: {MADE_OUTSIDE}")
