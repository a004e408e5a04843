"""Second derivatives along a direction: products of the Hessian with a vector, in both orders of the modes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .derive import sweep
from .dispatch import transformed
from .plugins import Leaf, Lowered, Spec, Static
from .signatures import arranged
from .transforms import Directional, Gradient, Pushforward, cotangents, differentiable, numbered, pruned, replaced
from .trees import leaves

__all__ = ["HessianProduct", "ProductWithHessian"]


@dataclass(frozen=True)
class _Product(Directional):
    """A gradient and the product of the Hessian with a vector, by the arguments that have real numbers."""

    def gradient(self, primals: tuple[Any, ...]) -> Any:
        """The gradient: of a single argument itself, of several ones a tuple by those that have real numbers."""
        real = [k for k, primal in enumerate(primals) if is_real(primal)]
        return transformed(Gradient(self.function, 0 if len(primals) == 1 else tuple(real)))

    def among(self, primals: tuple[Any, ...], lowered: Lowered) -> Lowered:
        """The results with a place for every argument, None where it has no real number."""
        if len(primals) > 1:
            lowered.result = tuple(_among(primals, part) for part in lowered.result)
        return lowered


def _among(primals: tuple[Any, ...], part: tuple[Any, ...]) -> tuple[Any, ...]:
    found = iter(part)
    return tuple(next(found) if is_real(primal) else Static(None) for primal in primals)


def is_real(argument: Any) -> bool:
    return any(isinstance(leaf, Spec) and leaf.dtype.differentiable for leaf in leaves(argument))


@dataclass(frozen=True)
class HessianProduct(_Product):
    """Forward over reverse: a function of (primals, tangents)."""

    title: str = "hvp"
    direction: str = "tangents"

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        primals, _ = self.paired(arguments)
        pushforward = Pushforward(self.gradient(primals), title=self.title)
        return self.among(primals, pushforward.lower(arguments))


@dataclass(frozen=True)
class ProductWithHessian(_Product):
    """Reverse over reverse: a function of (primals, cotangents)."""

    title: str = "vhp"
    direction: str = "cotangents"

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        primals, given = self.paired(arguments)
        gradient = self.gradient(primals)
        lowered = differentiable(gradient, arranged(gradient, primals))
        pairs = self.all_pairs(primals, given)
        specs = [p for p, _, _ in pairs if p is not None]
        moving = [k for k, p in enumerate(specs) if p.dtype.differentiable]
        outs = [leaf.index for leaf in leaves(lowered.result) if isinstance(leaf, Leaf)]
        swept = sweep(lowered.program, moving, differentiated=outs, whole=True)
        program = self.directed(lowered, swept.joined(), pairs)
        count = len(lowered.program.results)
        place = {k: Leaf(count + position) for position, k in enumerate(moving)}
        product = [cotangents(lambda k: place.get(k, Static(None)), s) for s in numbered(primals)]
        single, real = len(primals) == 1, [p for p, primal in zip(product, primals, strict=True) if is_real(primal)]
        result = (lowered.result, product[0] if single else tuple(real))
        return self.among(primals, pruned(replaced(lowered, program, result)))
