"""The plans that a function has been given on a device."""

from __future__ import annotations

from typing import Any


def plans_of(function: Any) -> list[Any]:
    made = [found for each in function.dispatcher.known.values() for found in each]
    return [plan for found in made for plan in found.program.plans.values()]


def kernels_of(function: Any) -> list[Any]:
    return [kernel for plan in plans_of(function) for kernel in plan.module.kernels]
