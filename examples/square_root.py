"""The derivative of a `while` loop: Newton's method for a square root, differentiated as it stands."""

from __future__ import annotations

import math

from adcore import grad


def square_root(a: float) -> float:
    """√a by Newton's method."""
    x = a
    while abs(x * x - a) > 1e-12 * a:
        x = 0.5 * (x + a / x)
    return x


def main() -> None:
    derivative = grad(square_root)
    print("       a   d√a/da by adcore   1/(2√a)")
    for a in (0.25, 2.0, 9.0, 1e6):
        print(f"{a:8g}   {derivative(a):<16.12g}   {0.5 / math.sqrt(a):.12g}")


if __name__ == "__main__":
    main()
