"""Values that an expression of Python has for sure, found without running it."""

import ast
from typing import Any, Final

from .python import Module, Sources, dotted


class _Unknown:
    def __repr__(self) -> str:
        return "unknown"


UNKNOWN: Final = _Unknown()
"""What stands for a value that can't be told without running something."""
_DEEPEST = 30
_AS_TEXT = frozenset({"Decimal", "UUID", "Path", "PurePath", "SecretStr", "HttpUrl", "AnyUrl", "str"})
_CONTAINERS: dict[str, Any] = {"list": list, "tuple": list, "set": list, "frozenset": list, "dict": dict}


class Literals:
    """Tells the values of constants, members of enums, and of containers of them.

    Args:
        sources: Where names are looked up.
    """

    def __init__(self, sources: Sources) -> None:
        """Look names up there."""
        self.sources = sources

    def value(self, module: Module, expression: ast.expr, depth: int = 0) -> Any:
        """Return the value as JSON has it, or UNKNOWN.

        Args:
            module: Where the expression stands.
            expression: The expression.
            depth: How far the search has come.

        Returns:
            A text, number, boolean, None, list or dictionary; UNKNOWN where it can't be told.
        """
        if depth > _DEEPEST:
            return UNKNOWN
        match expression:
            case ast.Constant(value=bool() | int() | float() | str() | None as value):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self.value(module, operand, depth + 1)
                return -value if isinstance(value, (int, float)) and not isinstance(value, bool) else UNKNOWN
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                values = [self.value(module, item, depth + 1) for item in items]
                return UNKNOWN if UNKNOWN in values else values
            case ast.Dict():
                return self._mapping(module, expression, depth)
            case ast.BinOp(left=left, op=op, right=right):
                return self._arithmetic(self.value(module, left, depth + 1), op, self.value(module, right, depth + 1))
            case ast.JoinedStr():
                return UNKNOWN
            case ast.Call():
                return self._call(module, expression, depth)
            case ast.Name() | ast.Attribute():
                return self._named(module, dotted(expression), depth)
            case _:
                return UNKNOWN

    def members(self, module: Module, node: ast.ClassDef) -> dict[str, Any]:
        """Return the values of an enum's members by their names."""
        found: dict[str, Any] = {}
        number = 0
        plain = {dotted(base).rpartition(".")[2] for base in node.bases}
        for statement in node.body:
            if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
                continue
            name = statement.targets[0].id
            if name.startswith("_"):
                continue
            number += 1
            value = statement.value
            if isinstance(value, ast.Call) and dotted(value.func).rpartition(".")[2] == "auto":
                found[name] = name.lower() if "StrEnum" in plain else number
            elif isinstance(value, ast.Tuple) and value.elts and "str" in plain:
                found[name] = self.value(module, value.elts[0])
            else:
                made = self.value(module, value)
                # A class such as `EnumKind(str, Enum)` makes texts of its values.
                found[name] = str(made) if "str" in plain and isinstance(made, (int, float)) else made
        return found

    def _mapping(self, module: Module, expression: ast.Dict, depth: int) -> Any:
        result: dict[str, Any] = {}
        for key, item in zip(expression.keys, expression.values, strict=True):
            name = self.value(module, key, depth + 1) if key is not None else UNKNOWN
            value = self.value(module, item, depth + 1)
            if value is UNKNOWN or not isinstance(name, (str, int)):
                return UNKNOWN
            result[str(name)] = value
        return result

    @staticmethod
    def _arithmetic(left: Any, op: ast.operator, right: Any) -> Any:
        if isinstance(op, ast.Add) and isinstance(left, str) and isinstance(right, str):
            return left + right
        if not all(isinstance(side, (int, float)) and not isinstance(side, bool) for side in (left, right)):
            return UNKNOWN
        match op:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.Div() if right:
                return left / right
            case _:
                return UNKNOWN

    def _call(self, module: Module, expression: ast.Call, depth: int) -> Any:
        name = dotted(expression.func).rpartition(".")[2]
        if name in _CONTAINERS and not expression.args and not expression.keywords:
            return _CONTAINERS[name]()
        if name in {"frozenset", "set", "tuple", "list"} and len(expression.args) == 1:
            return self.value(module, expression.args[0], depth + 1)
        if name in _AS_TEXT and len(expression.args) == 1:
            value = self.value(module, expression.args[0], depth + 1)
            return str(value) if isinstance(value, (str, int, float)) else UNKNOWN
        found = self.sources.lookup(module, dotted(expression.func)) if dotted(expression.func) else None
        if found and isinstance(found.node, ast.ClassDef) and not expression.args:
            # A model with values by keyword is written down as the mapping of them.
            values = {word.arg: self.value(module, word.value, depth + 1) for word in expression.keywords if word.arg}
            return UNKNOWN if UNKNOWN in values.values() else values
        return UNKNOWN

    def _named(self, module: Module, name: str, depth: int) -> Any:
        if not name:
            return UNKNOWN
        found = self.sources.lookup(module, name)
        if found and isinstance(found.node, ast.expr):
            return self.value(found.module, found.node, depth + 1)
        owner, _, member = name.rpartition(".")
        if member == "value":
            owner, _, member = owner.rpartition(".")
        holder = self.sources.lookup(module, owner) if owner else None
        if holder and isinstance(holder.node, ast.ClassDef):
            return self.members(holder.module, holder.node).get(member, UNKNOWN)
        return UNKNOWN
