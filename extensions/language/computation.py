"""The variables of a computation: their types, and their names in generated code."""

import ast
from dataclasses import replace
from typing import Final

from ..text.problems import Path
from .expressions import Checked
from .kinds import Kind
from .loops import local_name
from .names import pascal

REQUEST: Final = "request"
RESULT: Final = "result"
CACHING: Final[Path] = ("subcontracts", "caching")


def result_type(operation: str) -> str:
    """Return the name of the model of what an implementation fills, before expressions follow it."""
    return f"{pascal(operation)}Result"


class Locals:
    """The outputs that were worked out so far: their types, and their names in generated code."""

    def __init__(self) -> None:
        """Begin without any."""
        self.known: dict[str, tuple[Kind, str]] = {}

    def add(self, name: str, kind: Kind) -> str:
        """Note an output, and return the name of its variable."""
        code = local_name(name, {code for _, code in self.known.values()})
        self.known[name] = (kind, code)
        return code


def local_kind(checked: Checked, declared: Kind) -> Kind:
    """Return the type of the local variable that holds an output: mypy's, or the declared one where it is annotated."""
    if is_annotated(checked, declared):
        nullable = checked.kind.nullable and checked.kind.name != "null"
        # What the field promises holds once the output is made, and not for what is worked out on the way.
        items = declared.items
        if items is not None and checked.kind.items is not None:
            items = replace(items, bits=checked.kind.items.bits, size=checked.kind.items.size)
        return replace(declared, nullable=nullable, items=items, bits=checked.kind.bits, size=checked.kind.size)
    return replace(checked.kind, values=None)


def is_annotated(checked: Checked, declared: Kind) -> bool:
    """Tell whether the variable that holds an output has to have its type written down."""
    built = declared.name == "array" and not isinstance(checked.tree, (ast.Name, ast.Attribute))
    return built or declared.values is not None or checked.kind.name == "null"
