"""An example of each construct of Python, in a function of a float `x`, a vector `v` and an integer `n`."""

from __future__ import annotations

__all__ = ["EXPRESSIONS_SHOWN", "REFUSED", "STATEMENTS_SHOWN"]

STATEMENTS_SHOWN: dict[str, str] = {
    "Assign": "a = b = x\nreturn a + b",
    "AnnAssign": "a: float = x\nreturn a",
    "AugAssign": "x += 1\nreturn x",
    "Delete": "a = x\ndel a\nreturn x",
    "If": "if x > 0: x = -x\nreturn x",
    "For": "for i in range(n): x = x * 2\nreturn x",
    "While": "while x < 9: x = x * 2\nreturn x",
    "Break": "for y in v:\n    if y > 9: break\n    x = x * y\nreturn x",
    "Continue": "for y in v:\n    if y > 9: continue\n    x = x * y\nreturn x",
    "Return": "return x",
    "Raise": "if x < 0: raise ValueError(f'negative: {x}')\nreturn x",
    "Assert": "assert x > 0, 'not positive'\nreturn x",
    "Expr": "v.fill(x)\nreturn v",
    "Pass": "pass\nreturn x",
    "FunctionDef": "def g(y): return y * x\nreturn g(x)",
    "Match": "match n:\n    case 0: return x\nreturn -x",
    "Try": "try: return x\nexcept ValueError: return 0.0",
    "TryStar": "try: x = -x\nexcept* ValueError: pass\nreturn x",
    "With": "with open('file') as file: return x",
    "Global": "global seen\nseen = x\nreturn x",
    "Nonlocal": "a = x\ndef g():\n    nonlocal a\n    a = x * 2\ng()\nreturn a",
    "Import": "import math\nreturn math.sin(x)",
    "ImportFrom": "from math import sin\nreturn sin(x)",
    "ClassDef": "class C: pass\nreturn x",
    "AsyncFunctionDef": "async def g(): pass\nreturn x",
}

EXPRESSIONS_SHOWN: dict[str, str] = {
    "Constant": "2.5",
    "Name": "x",
    "Tuple": "(x, v)",
    "List": "[x, v]",
    "Dict": "{'a': x}",
    "Set": "{x, n}",
    "BinOp": "x + 1",
    "UnaryOp": "-x",
    "Compare": "0 < x < 1",
    "BoolOp": "x > 0 and x < 1",
    "IfExp": "x if x > 0 else -x",
    "NamedExpr": "(y := x) + y",
    "Attribute": "v.shape",
    "Subscript": "v[0] + v[1:].sum() + v[v > x].sum() + v[[0, -1]].sum()",
    "Call": "max(x, 0.0)",
    "Lambda": "(lambda y: y * x)(x)",
    "ListComp": "[x * k for k in range(3)]",
    "GeneratorExp": "sum(x * k for k in range(3))",
    "DictComp": "{k: x for k in ('a', 'b')}",
    "SetComp": "{k for k in (1, 2)}",
    "JoinedStr": "f'{2}' == '2'",
    "Starred": "(*(x, n), x)",
    "Yield": "(yield x)",
    "YieldFrom": "(yield from v)",
    "Await": "(await x)",
}

REFUSED: dict[str, str] = {
    "the truth value of an array": "x if v > 0 else -x",
    "an index that is not an integer": "v[x]",
    "lists of run-time length in one another as a result": "[[x for j in range(n)] for k in range(n)]",
    "a dict with keys that are not constant": "{k: x for k in range(n)}",
    "half precision": "v.astype(np.float16)",
    "the order of complex numbers": "x * 1j < 2.0",
    "a function that is not known": "np.packbits(v)",
    "printing": "print(x)",
    "unrolling too far": "sum([x] * 1000000)",
    "vjp inside a function": "adcore.vjp(lambda y: y * y, x)",
}
