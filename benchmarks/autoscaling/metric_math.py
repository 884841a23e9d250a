"""As much of CloudWatch's metric math as the alarms use.

Amazon CloudWatch User Guide, "Using math expressions with CloudWatch metrics": arithmetic, comparisons (which are 1
or 0), AND and OR, IF and FILL. An operand that is missing makes the result missing, but for FILL.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

_BINARY: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip


def evaluate(expression: str, values: Mapping[str, float | None]) -> float | None:
    """An expression's value at one time; None where it is missing.

    Raises:
        ValueError: it has something that is not known here.
    """
    return _value(_parsed(expression), values)


@cache
def _parsed(expression: str) -> ast.expr:
    spelled = re.sub(r"\bAND\b|&&", "and", re.sub(r"\bOR\b|\|\|", "or", expression))
    return ast.parse(spelled, mode="eval").body


def _value(node: ast.expr, values: Mapping[str, float | None]) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return values[name]
        case (
            ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right])
        ) if type(op) in _BINARY:
            operands = _value(left, values), _value(right, values)
            if None in operands or (isinstance(op, ast.Div) and operands[1] == 0):
                return None
            return float(_BINARY[type(op)](*operands))
        case ast.BoolOp(op=op, values=parts):
            found = [_value(part, values) for part in parts]
            chosen = all if isinstance(op, ast.And) else any
            return None if None in found else float(chosen(found))
        case ast.Call(func=ast.Name(id="IF"), args=[condition, yes, no]):
            holds = _value(condition, values)
            return None if holds is None else _value(yes if holds else no, values)
        case ast.Call(func=ast.Name(id="FILL"), args=[series, fill]):
            found_value = _value(series, values)
            return _value(fill, values) if found_value is None else found_value
    raise ValueError(f"not known here: {ast.unparse(node)}")
