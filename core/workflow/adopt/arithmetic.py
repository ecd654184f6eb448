"""Compute an expression of numbers as people type them into a node; nothing else is run."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Number: TypeAlias = int | float | bool

_MAX = 1e15  # larger numbers are no size, time or choice
_MAX_POWER = 16
_BINARY: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda one, other: one / other,
    ast.FloorDiv: lambda one, other: one // other,
    ast.Mod: operator.mod,
}
_COMPARED: dict[type[ast.AST], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_UNARY: dict[type[ast.AST], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}
_CALLED: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "bool": bool,
    "ceil": math.ceil,
    "float": float,
    "floor": math.floor,
    "int": int,
    "max": max,
    "min": min,
    "round": round,
    "sqrt": math.sqrt,
}


def compute(expression: str, names: Mapping[str, Number]) -> Number | None:
    """Return what ``expression`` gives for ``names``; None where it cannot be computed."""
    try:
        value = _value(ast.parse(expression.strip(), mode="eval").body, names)
    except (SyntaxError, ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
        return None
    return value if abs(value) < _MAX else None


def _value(part: ast.AST, names: Mapping[str, Number]) -> Number:
    """Compute one part.

    Raises:
        ValueError: something that is no arithmetic.
    """
    if isinstance(part, ast.Constant) and isinstance(part.value, int | float):
        return part.value
    if isinstance(part, ast.Name):
        return names[part.id]
    inner = [_value(one, names) for one in _parts(part)]
    return _of(part, inner)


def _parts(part: ast.AST) -> list[ast.expr]:
    """Return what is computed first; a choice computes both of its ways.

    Raises:
        ValueError: something that is no arithmetic.
    """
    match part:
        case ast.BinOp(left=left, right=right):
            return [left, right]
        case ast.UnaryOp(operand=operand):
            return [operand]
        case ast.BoolOp(values=values):
            return values
        case ast.Compare(left=left, comparators=[right]):
            return [left, right]
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return [test, body, orelse]
        case ast.Call(args=args, keywords=[]):
            return args
        case _:
            raise ValueError(type(part).__name__)


def _of(part: ast.AST, inner: list[Number]) -> Number:
    match part:
        case ast.BinOp(op=ast.Pow()):
            return _power(*inner)
        case ast.BinOp(op=op):
            return _BINARY[type(op)](*inner)
        case ast.UnaryOp(op=op):
            return _UNARY[type(op)](*inner)
        case ast.BoolOp(op=op):
            return all(inner) if isinstance(op, ast.And) else any(inner)
        case ast.Compare(ops=[op]):
            return _COMPARED[type(op)](*inner)
        case ast.IfExp():
            return inner[1] if inner[0] else inner[2]
        case _:
            return _CALLED[_name(part)](*inner)


def _name(part: ast.AST) -> str:
    called = part.func if isinstance(part, ast.Call) else None
    return called.id if isinstance(called, ast.Name) else ""


def _power(base: Number, power: Number) -> Number:
    """Return a power.

    Raises:
        ValueError: it is one that nobody needs and a machine computes long.
    """
    if abs(power) > _MAX_POWER or abs(base) > _MAX or (base < 0 and power != int(power)):
        raise ValueError("power")
    return base**power
