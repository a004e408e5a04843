"""Mutants of stated derivatives: marks, pullbacks, what is linear, lanes."""

from .mutant import Mutant

__all__ = ["RULES"]

RULES = (
    Mutant(
        name="what a rule reads keeps its tangent",
        module="adcore/marks.py",
        fragment='ONCE = Primitive("once", Kind.VIEW, _of_first, lambda x: x)',
        replacement='ONCE = Primitive("once", Kind.VIEW, _of_first, lambda x: x, maps=(lambda b, e: identity(),))',
        breaks="the derivative of the rule's own operations is added to the stated one",
    ),
    Mutant(
        name="marks inside of regions stay",
        module="adcore/marks.py",
        fragment="            _collect(region.equations, env)",
        replacement="            pass",
        breaks="what a mark has stood for is used and not defined",
    ),
    Mutant(
        name="a stated cotangent overwrites the sum",
        module="adcore/ruling.py",
        fragment="values[argument] = cotangent if before is None else b.plus(before, cotangent)",
        replacement="values[argument] = cotangent",
        breaks="an argument that is used twice gets the cotangent of one use",
    ),
    Mutant(
        name="a stated tangent overwrites the others",
        module="adcore/forward_rules.py",
        fragment="sums[k] = tangent if before is None else b.plus(before, tangent)",
        replacement="sums[k] = tangent",
        breaks="of rules by argument the last one counts",
    ),
    Mutant(
        name="activity of carries that rules reach is not a fixed point",
        module="adcore/activity.py",
        fragment="    while before != len(active):  # a carry that turns active in the body is active from the start",
        replacement="    if before != len(active):",
        breaks="a function whose argument turns active in the second iteration keeps its own derivative",
    ),
    Mutant(
        name="a function may close over active values",
        module="adcore/rules.py",
        fragment="for k, name in enumerate(rule.closed, rule.arguments):",
        replacement="for k, name in enumerate(rule.closed, rule.arguments + 1):",
        breaks="a derivative by a closed-over value is silently 0",
    ),
    Mutant(
        name="linear on some paths counts as constant",
        module="adcore/linearity.py",
        fragment="if Kind.LINEAR in kinds and Kind.CONSTANT in kinds:",
        replacement="if False:",
        breaks="a rule that is not linear is taken",
    ),
    Mutant(
        name="a linear map may depend on what varies",
        module="adcore/linearity.py",
        fragment="elif rule is None or self.depends(rule, equation, moving):",
        replacement="elif rule is None:",
        breaks="the square of a tangent is taken for linear",
    ),
    Mutant(
        name="results of a stated function are dropped",
        module="adcore/passes/dce.py",
        fragment='if equation.primitive.name == "custom":',
        replacement='if equation.primitive.name == "none":',
        breaks="the rule gives more values than there are names for",
    ),
    Mutant(
        name="a common argument gets the cotangent of one lane",
        module="adcore/batched_rules.py",
        fragment="b.total(value, axes=(value.type.rank - 1,))",
        replacement="b.reduce_max(value, axes=(value.type.rank - 1,))",
        breaks="an argument without the further axis gets less than the sum",
    ),
    Mutant(
        name="values from outside are exchanged",
        module="adcore/demands.py",
        fragment="lowered.captures = (*lowered.captures, *(capture for _, capture in wanted))",
        replacement="lowered.captures = (*lowered.captures, *(capture for _, capture in reversed(wanted)))",
        breaks="rules read other values than they name",
    ),
)
