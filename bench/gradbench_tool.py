"""adcore as a tool of GradBench: answers the benchmark's messages, a line of JSON each, from stdin to stdout.

gradbench run --eval 'gradbench eval gmm' --tool 'python -m bench.gradbench_tool'
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterable
from importlib import import_module
from time import perf_counter_ns
from typing import IO, TYPE_CHECKING, Any

from bench.timing import one_processor

if TYPE_CHECKING:
    from bench.gradbench.evaluation import Evaluation

__all__ = ["answer", "main", "serve"]


def answer(message: dict[str, Any]) -> dict[str, Any]:
    """The response to a message, which echoes its number; what fails says why, and the tool goes on."""
    response: dict[str, Any] = {"id": message["id"]}
    try:
        match message["kind"]:
            case "start":
                response["tool"] = "adcore"
            case "define":
                _evaluations(message["module"])
                response["success"] = True
            case "evaluate":
                functions = _evaluations(message["module"])
                if message["function"] not in functions:
                    raise LookupError(f"{message['module']} has no function {message['function']!r}")
                response |= _evaluated(functions[message["function"]], message["input"])
    except Exception:  # whatever the function raises is the benchmark's to record
        response |= {"success": False, "error": traceback.format_exc()}
    return response


def _evaluations(module: str) -> dict[str, Evaluation]:
    problems = import_module("bench.gradbench").PROBLEMS
    if module not in problems:
        raise LookupError(f"no module {module!r}; there are {', '.join(problems)}")
    return import_module(f"bench.gradbench.{module}").EVALUATIONS


def _evaluated(function: Evaluation, given: Any) -> dict[str, Any]:
    """Runs until there are `min_runs` of them and they took `min_seconds`; where the input has neither, one run."""
    limits = given if isinstance(given, dict) else {}
    runs, nanoseconds = max(1, limits.get("min_runs", 1)), limits.get("min_seconds", 0) * 1e9
    arguments = function.arguments(given)
    timings: list[int] = []
    elapsed = 0
    while len(timings) < runs or elapsed < nanoseconds:
        start = perf_counter_ns()
        result = function.call(*arguments)
        timings.append(perf_counter_ns() - start)
        elapsed += timings[-1]
    times = [{"name": "evaluate", "nanoseconds": t} for t in timings]
    return {"success": True, "output": function.output(result), "timings": times}


def serve(lines: Iterable[str], out: IO[str]) -> None:
    """Answer every message up to the end of the input, or to the message that ends it."""
    for line in lines:
        message = json.loads(line)
        if message["kind"] == "end":
            return
        print(json.dumps(answer(message)), file=out, flush=True)


def main() -> None:
    """Serve on one processor, which is chosen before anything is imported that has threads."""
    one_processor()
    serve(sys.stdin, sys.stdout)


if __name__ == "__main__":
    main()
