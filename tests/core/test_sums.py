"""Which values a loop does nothing with but add to them: on small programs in the text form."""

from __future__ import annotations

import pytest

from adcore.merging import are_sums
from adcore.text import from_text

LOOP = """
program f(n: i64, x: f64[n], s: f64) -> (f64) {{
  (out: f64, other: f64) = loop(n, s, 0.0) {{
    body(k: i64, sum: f64, o: f64) {{
{body}
    }}
  }}
  return out
}}
"""

SUMS = {
    "added to": """
      a: f64 = view(x, k; codes="i")
      b: f64 = add(sum, a)
      yield b, o""",
    "kept and read": """
      a: f64 = sin(sum)
      b: f64 = add(o, a)
      yield sum, b""",
    "added to in a loop": """
      (b: f64) = loop(n, sum) {
        body(j: i64, t: f64) {
          a: f64 = view(x, j; codes="i")
          c: f64 = add(t, a)
          yield c
        }
      }
      yield b, o""",
    "handed through a loop": """
      a: f64 = view(x, k; codes="i")
      (b: f64, c: f64) = loop(n, sum, o) {
        body(j: i64, t: f64, u: f64) {
          d: f64 = add(u, a)
          yield t, d
        }
      }
      e: f64 = add(b, a)
      yield e, c""",
    "added to in a branch": """
      a: f64 = view(x, k; codes="i")
      p: bool = gt(a, 0.0)
      (b: f64) = cond(p) {
        then() {
          c: f64 = add(sum, a)
          yield c
        }
        otherwise() {
          yield sum
        }
      }
      yield b, o""",
}

OTHERS = {
    "read, then added to": """
      a: f64 = sin(sum)
      b: f64 = add(sum, a)
      yield b, o""",
    "read in a loop that hands it through": """
      a: f64 = view(x, k; codes="i")
      (b: f64, c: f64) = loop(n, sum, o) {
        body(j: i64, t: f64, u: f64) {
          d: f64 = mul(t, a)
          e: f64 = add(u, d)
          yield t, e
        }
      }
      g: f64 = add(b, a)
      yield g, c""",
    "read in a loop that hands it through a branch": """
      a: f64 = view(x, k; codes="i")
      p: bool = gt(a, 0.0)
      (b: f64, c: f64) = loop(n, sum, o) {
        body(j: i64, t: f64, u: f64) {
          d: f64 = mul(t, a)
          e: f64 = add(u, d)
          (h: f64) = cond(p) {
            then() {
              yield t
            }
            otherwise() {
              yield t
            }
          }
          yield h, e
        }
      }
      g: f64 = add(b, a)
      yield g, c""",
    "read in a branch that hands it through another one": """
      a: f64 = view(x, k; codes="i")
      p: bool = gt(a, 0.0)
      (b: f64, c: f64) = cond(p) {
        then() {
          d: f64 = mul(sum, a)
          e: f64 = add(o, d)
          (h: f64) = cond(p) {
            then() {
              yield sum
            }
            otherwise() {
              yield sum
            }
          }
          yield h, e
        }
        otherwise() {
          yield sum, o
        }
      }
      g: f64 = add(b, a)
      yield g, c""",
    "handed through a loop twice": """
      a: f64 = view(x, k; codes="i")
      (b: f64, c: f64) = loop(n, sum, o) {
        body(j: i64, t: f64, u: f64) {
          yield t, t
        }
      }
      g: f64 = add(b, a)
      yield g, c""",
}


@pytest.mark.parametrize(
    ("body", "expected"),
    [*((b, True) for b in SUMS.values()), *((b, False) for b in OTHERS.values())],
    ids=[*SUMS, *OTHERS],
)
def test_sums(body, expected):
    program = from_text(LOOP.format(body=body.lstrip("\n")))
    inside = program.equations[0].params["body"]
    assert are_sums(inside.equations, [(inside.params[1], inside.results[0])]) is expected
