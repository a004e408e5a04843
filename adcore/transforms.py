"""Transforms of lowered functions: from the user's function and argument structures to the derivative's Program.

Each transform lowers the function that it wraps, which may be another transform, so that they nest in any order.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .again import wrapped
from .boundary import Sweep
from .builder import Builder
from .cache import is_ours, unrepeatable
from .derive import push, sweep
from .errors import AliasError, DtypeError, refuse
from .outcomes import tangents
from .passes.dce import eliminate_dead
from .passes.elements import hoist_elements
from .passes.inline import inline_whole
from .plugins import Leaf, Lowered, Spec, Stateful, Static, Write, frontend
from .policies import LoopPolicy, current, note_policy
from .program import Program
from .signatures import Place, arranged, definition, name_of, places_of, signature_of
from .statics import NOTHING, Statics, bound_by
from .trees import leaves, map_leaves, map_nodes, matched, structure
from .types import Atom, DType, Type, Var

__all__ = [
    "Checkpoint",
    "Directional",
    "Gradient",
    "Identity",
    "Pushforward",
    "Transform",
    "cotangents",
    "differentiable",
    "lower",
    "numbered",
    "pairs_of",
    "parameter",
    "primary",
    "pruned",
    "replaced",
    "unchanging",
    "without_writes",
]


def lower(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Lowered:
    """The Program of a function, or of a transformed function, for these argument structures."""
    own = getattr(function, "__adcore_lower__", None)
    if own is None:
        return frontend().lower(function, arguments)
    if not is_ours(type(function)):
        unrepeatable(f"a {type(function).__qualname__}, which makes its program by itself")
    return own(arguments)


@dataclass(frozen=True)
class Transform:
    """Makes the Program of a derived function; a subclass says which."""

    function: Callable[..., Any]
    declared: Statics = field(default=NOTHING, kw_only=True)

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        raise NotImplementedError

    def constants(self) -> Statics:
        """The arguments that are constants: those declared here, and those of the function."""
        return self.declared | constants_of(self.function)

    def signature(self) -> inspect.Signature:
        """What calls of the derived function are bound to."""
        return signature_of(self.function)

    def check_call(self, count: int, names: Iterable[str]) -> None:
        """Refuse a call with so many arguments by position, and others by these names.

        Raises:
            ValueError: the function that is wrapped, which gets the same arguments, takes others.
        """
        inner = getattr(self.function, "transform", None)
        if isinstance(inner, Transform) and type(self).signature is Transform.signature:
            inner.check_call(count, names)


def constants_of(function: Any) -> Statics:
    """The arguments of a function that are constants wherever it is called."""
    transform = getattr(function, "transform", None)
    return transform.constants() if isinstance(transform, Transform) else bound_by(function)


class Identity(Transform):
    """The function itself, compiled."""

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        lowered = decided(lower(self.function, arguments))
        hoist_elements(lowered.program)
        return lowered


def decided(lowered: Lowered, seen: Sequence[int] | None = None) -> Lowered:
    """The same, where it is known what the function leaves in its arguments (those that the caller sees).

    Raises:
        AliasError: a write goes into what may or may not be an argument.
        UnsupportedFunctionError: a list, dict or object of the caller gets what cannot be given back.
    """
    for change in lowered.changes:
        if change.problem is not None:
            raise change.problem
    for write in lowered.writes:
        if write.doubtful and (seen is None or write.state or write.param in seen):
            name = lowered.program.params[write.param].name
            refuse(
                AliasError,
                f"this writes into what may or may not be the caller's {name!r}",
                write.source,
                f"a copy at the beginning: `{name} = {name}.copy()`",
            )
    return lowered


@dataclass(frozen=True)
class Checkpoint(Transform):
    """The function itself as one region that the reverse sweep runs again, its loops under a policy."""

    policy: LoopPolicy

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        lowered = decided(lower(self.function, arguments))
        lowered.program = wrapped(note_policy(lowered.program, self.policy))
        return lowered


def differentiable(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Lowered:
    """The Program of a function whose derivative is wanted, its loops under the policy in force."""
    lowered = unchanging(lower(function, arguments))
    policy = current()
    if policy is not None:
        note_policy(lowered.program, policy)
    return lowered


def numbered(arguments: tuple[Any, ...], only_real: bool = False) -> list[Any]:
    """Each argument's structure with the index of its program parameter at every Spec leaf, or at every real one."""
    count = iter(range(10**9))

    def number(leaf: Any) -> int | None:
        k = next(count) if isinstance(leaf, Spec) else None
        return None if only_real and k is not None and not leaf.dtype.differentiable else k

    return [map_leaves(number, a) for a in arguments]


def cotangents(leaf: Callable[[Any], Any], structure: Any) -> Any:
    """The structure of an argument's cotangent: None for what has a state, and `leaf` of each other leaf."""
    return map_nodes(lambda x: Static(None) if isinstance(x, Stateful) else leaf(x), structure, Stateful)


def present(structure: Any) -> list[int]:
    return [k for k in leaves(structure) if k is not None]


@dataclass(frozen=True)
class Derivative(Transform):
    """A derivative with respect to some of a function's arguments.

    Attributes:
        argnums: positions of the arguments; an int gives one derivative, a tuple a tuple of them.
        has_aux: whether the function returns (value, aux), of which only the value is differentiated.
        holomorphic: whether the value is complex, and the function a holomorphic one of complex arguments.
    """

    argnums: int | tuple[int, ...] = 0
    has_aux: bool = False
    holomorphic: bool = False

    @property
    def title(self) -> str:
        """The name of the transform."""
        raise NotImplementedError

    def targets(self, arguments: tuple[Any, ...]) -> list[Place]:
        """The arguments to differentiate."""
        places, _ = places_of(self.function, arguments)
        return [places[k] for k in self.counted("argnums", self.argnums, len(places))]

    def counted(self, title: str, argnums: int | tuple[int, ...], count: int) -> list[int]:
        """Positions, counted from the end where they are negative."""
        given = as_tuple(argnums)
        wrong = [k for k in given if not -count <= k < count]
        if wrong:
            raise self.wrong(f"{title} {wrong[0]} of {name_of(self.function)}, which has {count} arguments")
        return [k % count for k in given]

    def required(self, arguments: tuple[Any, ...]) -> list[Place]:
        """The arguments to differentiate; each must have a real number."""
        targets = self.targets(arguments)
        constants = self.constants()
        for place in targets:
            argument = place.of(arguments)
            if isinstance(argument, Static) and constants.have(place):
                where = f"argument {place.position} of {name_of(self.function)}"
                raise self.wrong(
                    f"{where} is static, a constant, which has no derivative", "argnums of another argument"
                )
            self.require_real(argument, place)
        return targets

    def require_real(self, argument: Any, place: Place) -> None:
        """Refuse an argument without a real number; beside one, other things in a structure have no derivative."""
        where = f"argument {place.position} of {name_of(self.function)}"
        found = leaves(argument)
        real = [leaf for leaf in found if isinstance(leaf, Spec) and leaf.dtype.kind == "f"]
        if self.holomorphic and real:
            what = f"{where} is {real[0].dtype.value}"
            raise self.wrong(f"{what}; with holomorphic=True the arguments are complex", "complex(x), or x + 0j")
        if any(isinstance(leaf, Spec) and leaf.dtype.differentiable for leaf in found):
            return
        if isinstance(argument, Stateful):
            raise self.wrong(f"{where} is a random generator, which has no derivative", "argnums of another argument")
        for leaf in found:
            if not isinstance(leaf, Spec):
                raise self.wrong(f"{where} is {leaf.value!r}, not a number or array", "a float or a float64 array")
            if not leaf.dtype.differentiable:
                kind = "a boolean" if leaf.dtype is DType.BOOL else "an integer"
                what = f"an array of dtype {leaf.dtype.value}" if leaf.shape else kind
                write = "x.astype(float)" if leaf.shape else "2.0 instead of 2"
                raise self.wrong(f"{where} is {what}; a derivative is with respect to real numbers", write)

    def wrong(self, cause: str, write: str = "") -> DtypeError:
        """An error about the function as a whole."""
        return DtypeError(f"{self.title}: {cause}", definition(self.function), write)

    def parted(self, result: Any) -> tuple[Any, Any]:
        """What is differentiated of a result, and aux."""
        if not self.has_aux:
            return result, None
        if not isinstance(result, tuple) or len(result) != 2:
            raise self.wrong(f"with has_aux {name_of(self.function)} must return a pair (value, aux)")
        return result


@dataclass(frozen=True)
class Gradient(Derivative):
    """The gradient of a scalar function (reverse mode).

    Attributes:
        argnames: names of further arguments, whose gradients follow.
        with_value: whether the value is returned too.
        donate_argnums: arguments that may be written into, as a call of the function itself would.
        conj: whether complex gradients are conjugated, so that they point to where the value grows.
    """

    argnames: str | tuple[str, ...] | None = None
    with_value: bool = False
    donate_argnums: int | tuple[int, ...] = ()
    conj: bool = False

    @property
    def title(self) -> str:
        return "value_and_grad" if self.with_value else "grad"

    def targets(self, arguments: tuple[Any, ...]) -> list[Place]:
        _, names = places_of(self.function, arguments)
        argnames = (self.argnames,) if isinstance(self.argnames, str) else self.argnames or ()
        unknown = [n for n in argnames if n not in names]
        if unknown:
            raise self.wrong(f"{name_of(self.function)} has no argument {unknown[0]!r}; it has {', '.join(names)}")
        return [*super().targets(arguments), *(names[n] for n in argnames)]

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        targets = self.required(arguments)
        lowered = differentiable(self.function, arguments)
        structures, wanted = numbered(arguments), numbered(arguments, only_real=True)
        value, aux = self.value_of(lowered)
        program = self.sweep(lowered, arguments).joined()
        if self.conj:
            program = conjugated(program, len(lowered.program.results))
        places = iter(range(len(lowered.program.results), len(program.results)))
        gradients = tuple(
            cotangents(lambda k: Static(None) if k is None else Leaf(next(places)), place.of(wanted))
            for place in targets
        )
        single = isinstance(self.argnums, int) and self.argnames is None
        gradient = gradients[0] if single else gradients
        result: Any = gradient
        if self.with_value:
            result = ((value, aux), gradient) if self.has_aux else (value, gradient)
        elif self.has_aux:
            result = (gradient, aux)
        every, _ = places_of(self.function, arguments)
        given = self.counted("donate_argnums", self.donate_argnums, len(every))
        donated = [k for n in given for k in present(every[n].of(structures))]
        decided(lowered, donated)
        return pruned(replaced(lowered, program, result, donated))

    def sweep(self, lowered: Lowered, arguments: tuple[Any, ...]) -> Sweep:
        """The primal and the reverse part of a lowered function's gradient."""
        wanted = numbered(arguments, only_real=True)
        wrt = [k for place in self.targets(arguments) for k in present(place.of(wanted))]
        seeds: list[Atom | None] = [None] * len(lowered.program.results)
        index = self.value_of(lowered)[0].index
        seeds[index] = lowered.program.results[index].type.dtype.constant(1)
        return sweep(inline_whole(lowered.program), wrt, seeds, whole=True)

    def value_of(self, lowered: Lowered) -> tuple[Leaf, Any]:
        """The scalar to differentiate, and aux."""
        wanted = f"the function must return one real number; {name_of(self.function)} returns"
        result, aux = self.parted(lowered.result)
        if not isinstance(result, Leaf):
            raise self.wrong(f"{wanted} {described(result)}", "return value, or has_aux=True with return value, aux")
        type = lowered.program.results[result.index].type
        if type.shape:
            raise self.wrong(f"{wanted} an array of rank {type.rank}", "np.sum of it, or vjp(f, *arguments)")
        if not type.dtype.differentiable:
            raise self.wrong(f"{wanted} {type.dtype}")
        if self.holomorphic is not type.dtype.complex:
            if self.holomorphic:
                raise self.wrong(f"with holomorphic=True {name_of(self.function)} returns a complex number")
            write = "its abs or real part, or holomorphic=True if the function is"
            raise self.wrong(f"{wanted} a complex number", write)
        return result, aux


def conjugated(program: Program, first: int) -> Program:
    """The program with the complex ones among its results from `first` on conjugated."""
    b = Builder()
    b.adopt(program.equations)
    results = [b.conj(r) if k >= first and r.type.dtype.complex else r for k, r in enumerate(program.results)]
    return Program(program.params, b.equations, tuple(results), program.name)


def described(result: Any) -> str:
    if isinstance(result, Static):
        return repr(result.value)
    return f"a {type(result).__name__}"


def replaced(lowered: Lowered, program: Program, result: Any, donated: Sequence[int] = ()) -> Lowered:
    """Another program and result for the same arguments, into which it does not write but where they are donated."""
    seen = {*donated, *(w.param for w in lowered.writes if w.state)}
    writes = tuple(w if w.param in seen else Write(w.param, unseen=w.unseen) for w in lowered.writes)
    return Lowered(program, result, lowered.captures, lowered.guards, writes, lowered.changes)


def unchanging(lowered: Lowered) -> Lowered:
    """The function without what it leaves in the lists, dicts and objects of its caller."""
    if not lowered.changes:
        return lowered
    lowered.changes = tuple(replace(c, contents=None, problem=None) for c in lowered.changes)
    lowered.made = ()
    return pruned(lowered)


def without_writes(lowered: Lowered) -> Lowered:
    """The function without what it leaves in its arguments."""
    return pruned(replaced(lowered, lowered.program, lowered.result))


def pruned(lowered: Lowered) -> Lowered:
    """Only the program results that the result structure has, and those that are written into arguments after them."""
    used = [leaf.index for leaf in leaves(lowered.result) if isinstance(leaf, Leaf)]
    order = list(dict.fromkeys([*used, *(w.result for w in lowered.writes if w.result is not None)]))
    program = lowered.program
    program = Program(program.params, program.equations, tuple(program.results[k] for k in order), program.name)
    result = map_leaves(lambda leaf: Leaf(order.index(leaf.index)) if isinstance(leaf, Leaf) else leaf, lowered.result)
    writes = tuple(replace(w, result=None if w.result is None else order.index(w.result)) for w in lowered.writes)
    rest = (lowered.captures, lowered.guards, writes, lowered.changes)
    return Lowered(eliminate_dead(program), result, *rest)


def as_tuple(argnums: int | tuple[int, ...]) -> tuple[int, ...]:
    return (argnums,) if isinstance(argnums, int) else argnums


Pair = tuple[Spec | None, Spec | None, int]  # a number or array, its direction, and the place of that in directions


def pairs_of(where: str, primal: Any, tangent: Any, places: Any, noun: str) -> list[Pair]:
    """For each leaf of a primal its number or array, the direction's, and the place of that in all directions.

    `where` and `noun` are what errors call the direction.
    """
    # What has a state has no tangent: one None in its place.
    nodes: list[Any] = []
    tree = structure(map_nodes(nodes.append, primal, Stateful))
    try:
        theirs, found = matched(tree, tangent), matched(tree, places)
    except ValueError:
        raise TypeError(f"{where} has another structure than the primal") from None
    pairs: list[Pair] = []
    for p, t, place in zip(nodes, theirs, found, strict=True):
        if isinstance(p, Stateful):
            if not isinstance(t, Static) or t.value is not None:
                raise TypeError(f"{where}: the {noun} of a random generator is None")
            pairs += [(leaf, None, place) for leaf in leaves(p) if isinstance(leaf, Spec)]
            continue
        if isinstance(p, Spec) and p.dtype.differentiable:
            if not isinstance(t, Spec) or len(t.shape) != len(p.shape):
                raise TypeError(f"{where} has another shape than the primal")
            if not t.dtype.differentiable:
                said = f"{where} is {t.dtype.value}, the primal is {p.dtype.value}"
                raise DtypeError(said, write=f"a float {noun}")
            if t.dtype is not p.dtype:
                write = f"a {noun} of that dtype, e.g. dx.astype({p.dtype.value!r})"
                raise DtypeError(f"{where} is {t.dtype.value}, the primal is {p.dtype.value}", write=write)
        pairs.append((p if isinstance(p, Spec) else None, t if isinstance(t, Spec) else None, place))
    return pairs


@dataclass(frozen=True)
class Directional(Transform):
    """A derivative along a direction, a function of (primals, the direction).

    Attributes:
        title: the name of the transform.
        direction: what the direction is called.
    """

    title: str
    direction: str

    def constants(self) -> Statics:
        return NOTHING

    def signature(self) -> inspect.Signature:
        names = ("primals", self.direction)
        return inspect.Signature([inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names])

    def paired(self, arguments: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The primals and the direction, each a tuple with a part for each of the function's arguments."""
        primals, given = arguments
        if not isinstance(primals, tuple | list) or not isinstance(given, tuple | list):
            usage = f"{self.title}(f, (x,), (v,))"
            raise TypeError(f"{self.title} takes a tuple of primals and a tuple of {self.direction}: {usage}")
        if len(primals) != len(given):
            raise TypeError(f"{self.title}: {len(primals)} primals and {len(given)} {self.direction}")
        return tuple(primals), tuple(given)

    def all_pairs(self, primals: tuple[Any, ...], given: tuple[Any, ...]) -> list[Pair]:
        """Those of all arguments."""
        places = numbered(given)
        what = self.direction.removesuffix("s")
        where = [f"{self.title}: {what} {k} of {name_of(self.function)}" for k in range(len(primals))]
        each = zip(where, primals, given, places, strict=True)
        return [pair for one in each for pair in pairs_of(*one, noun=what)]

    def directed(self, lowered: Lowered, program: Program, pairs: list[Pair]) -> Program:
        """The derivative's program with the direction behind the primals, and what is captured behind both.

        Args:
            lowered: the function, whose writes are told of the further parameters.
            program: its derivative, with the parameters of the directions last.
            pairs: those of all primals.
        """
        count, captured = sum(p is not None for p, _, _ in pairs), len(lowered.captures)
        seeds = iter(program.params[count + captured :])
        params_at: dict[int, Var] = {}
        for p, t, place in pairs:
            if isinstance(p, Spec) and p.dtype.differentiable:
                params_at[place] = next(seeds)
            elif t is not None:
                params_at[place] = parameter(t, "unused")
        further = tuple(params_at[k] for k in sorted(params_at))
        unseen = frozenset(range(count, count + len(further)))
        lowered.writes = tuple(
            replace(w, param=w.param if w.param < count else w.param + len(further), unseen=w.unseen | unseen)
            for w in lowered.writes
        )
        params = (*program.params[:count], *further, *program.params[count : count + captured])
        return Program(params, program.equations, program.results, program.name)


@dataclass(frozen=True)
class Pushforward(Directional):
    """Value and directional derivative (forward mode), a function of (primals, tangents).

    Attributes:
        has_aux: whether the function returns (value, aux), of which only the value is differentiated; aux comes last.
    """

    title: str = "jvp"
    direction: str = "tangents"
    has_aux: bool = False

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        primals, given = self.paired(arguments)
        lowered = unchanging(lower(self.function, arranged(self.function, primals)))
        pairs = self.all_pairs(primals, given)
        specs = [p for p, _, _ in pairs if p is not None]
        moving = [k for k, p in enumerate(specs) if p.dtype.differentiable]
        program = self.directed(lowered, push(lowered.program, moving), pairs)
        places = iter(range(len(lowered.program.results), len(program.results)))
        place = {k: Leaf(next(places)) for k, r in enumerate(lowered.program.results) if r.type.dtype.differentiable}
        value, *aux = primary(self.title, lowered.result) if self.has_aux else (lowered.result,)
        return pruned(replaced(lowered, program, (value, tangents(value, place), *aux)))


def primary(title: str, result: Any) -> tuple[Any, Any]:
    """What is differentiated of a result with aux, and aux."""
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(f"{title}(has_aux=True): the function must return a pair (value, aux)")
    return result


def parameter(spec: Spec, name: str) -> Var:
    """A program parameter for a spec, its lengths its own."""
    return Var(Type(spec.dtype, spec.lengths(name)), name)
