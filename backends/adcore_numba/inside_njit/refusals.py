"""What is called from Python alone, so that a call inside `@njit` says so."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from numba.core import types
from numba.core.datamodel import models
from numba.core.imputils import lower_constant
from numba.core.typing.templates import infer_global
from numba.extending import register_model, typeof_impl

import adcore
from adcore.errors import UnsupportedFunctionError
from adcore.linear_maps import Pullback, Pushforward
from adcore.sparse.compressed import SparseJacobian
from adcore.verdicts.ask import Verifier
from adcore.verdicts.handling import OutsideOnly

from .failures import refused
from .solvers import SOLVERS
from .transforms import AT_A_POINT, MAKING, SPLITTING

__all__ = ["OutsideType"]

_OUTSIDE = "the call outside, and its result as a global or an argument"
_CALLED = (*MAKING, *AT_A_POINT, *SPLITTING, *SOLVERS)


class OutsideType(types.Callable, types.Dummy):
    """Numba's type of what is not called inside `@njit`; `write` says what is."""

    def __init__(self, title: str, write: str) -> None:
        self.title = title
        self.write = write
        super().__init__(f"adcore.outside({title})")

    def get_call_type(self, context: Any, args: Any, kws: Any) -> Any:
        """
        Raises:
            TypingError: always.
        """
        raise refused(UnsupportedFunctionError(f"{self.title} inside @njit", write=self.write))

    def get_call_signatures(self) -> tuple[tuple[Any, ...], bool]:
        return (), True

    def get_impl_key(self, sig: Any) -> Any:
        raise NotImplementedError(self.title)


def _typeof(value: Any, context: Any) -> OutsideType:
    return OutsideType(repr(value), _OUTSIDE)


def _typeof_map(value: Pullback | Pushforward, context: Any) -> OutsideType:
    return OutsideType(f"a {value.name} made by a call from Python,", f"adcore.{value.made_by} inside")


for _kind in (OutsideOnly, Verifier, SparseJacobian):
    typeof_impl.register(_kind, _typeof)

for _kind in (Pullback, Pushforward):
    typeof_impl.register(_kind, _typeof_map)

for _name in adcore.__all__:
    _function = getattr(adcore, _name)
    if isinstance(_function, FunctionType) and _function not in _CALLED:
        infer_global(_function, OutsideType(f"adcore.{_name}", _OUTSIDE))

register_model(OutsideType)(models.OpaqueModel)


@lower_constant(OutsideType)
def _constant(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.get_dummy_value()
