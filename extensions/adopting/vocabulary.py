"""Models, enums and notes that accumulate while something is taken in, under names that the language allows."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import Any

from ..language import names
from ..text.problems import BIDIRECTIONAL

LONGEST_NAME = 48
_LONGEST_TEXT = 4_000
# What pydantic's models have under these names.
_TAKEN_FIELDS = frozenset(
    {"construct", "copy", "dict", "from_orm", "json", "parse_file", "parse_obj", "parse_raw", "schema", "schema_json"}
    | {"update_forward_refs", "validate"}
)
_EMPTY = re.compile(
    r"(Run|Handle|Execute|Process|The model|The operation|Values of) \w+"
    r"(: a pure function of (its input|the events))?\."
    r"|Run the workflow to its end\."
)
_ALIAS = re.compile(r"[A-Za-z_@$][A-Za-z0-9_@$.:-]{0,99}")


@dataclass(slots=True)
class Vocabulary:
    """What operations share.

    Attributes:
        models: Models of the contract by name.
        enums: Enums of the contract by name.
        reserved: Files that models and enums may not lead to, since something else does.
        notes: What was changed or lost on the way: the place, and what a person should know.
    """

    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    enums: dict[str, dict[str, Any]] = field(default_factory=dict)
    reserved: set[str] = field(default_factory=set)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def note(self, place: str, text: str) -> None:
        """Tell a person of something, once."""
        if (place, text) not in self.notes:
            self.notes.append((place, text))

    def type_name(self, wanted: str) -> str:
        """Return a name for a model or enum, and take it.

        Names that are taken, or lead to the class or file of another one, get the first free number from 2 on.

        Args:
            wanted: What it is called where it comes from.

        Returns:
            The name in PascalCase.
        """
        plain = names.pascal(re.sub(r"[^0-9A-Za-z]+", "_", wanted).strip("_"))
        plain = plain if plain[:1].isalpha() else f"Type{plain}"
        plain = plain[:1].upper() + plain[1:]
        name, number = plain[: LONGEST_NAME - 8], 1
        while self._files(name) & self.reserved:
            number += 1
            name = f"{plain[: LONGEST_NAME - 8]}{number}"
        self.reserved |= self._files(name)
        return name

    @staticmethod
    def _files(name: str) -> set[str]:
        made = names.snake(name)
        return {
            word.lower()
            for kind in ("model", "enum")
            for word in (f"{kind}_{made}", names.class_name(f"{kind.title()}{name}"))
        }

    def reserve(self, files: Iterable[str]) -> None:
        """Keep models and enums from leading to these files, such as `model_move_input`, or to their classes."""
        for file in files:
            self.reserved |= {file, names.class_name(names.pascal(file)).lower()}


def word(text: str, otherwise: str) -> str:
    """Return a snake_case name for any text.

    Args:
        text: A name of any form.
        otherwise: What to take where nothing is left of it.

    Returns:
        A name that is no keyword of Python, of 40 characters at most.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    plain = re.sub(r"_+", "_", names.snake(plain)).strip("_") or otherwise
    plain = plain if plain[0].isalpha() else f"{otherwise}_{plain}"
    plain = plain[: LONGEST_NAME - 8].rstrip("_")
    return f"{plain}_" + "value" if iskeyword(plain) else plain


def unique(name: str, taken: Iterable[str]) -> str:
    """Return the name, or with the first number from 2 on with which it is not taken."""
    known = set(taken)
    made, number = name, 1
    while made in known:
        number += 1
        made = f"{name}_{number}"
    return made


def field_name(name: str, taken: Iterable[str]) -> tuple[str, str | None]:
    """Return the name that a field gets in the contract, and its alias.

    Args:
        name: What the outside world calls it.
        taken: Names that the other fields have.

    Returns:
        The name, and the outside name where that is another one and an alias may be it.
    """
    made = word(name, "field")
    if made in _TAKEN_FIELDS or made.startswith("model_"):
        made = f"{made}_value" if not made.startswith("model_") else f"the_{made}"
    made = unique(made, taken)
    return made, name if made != name and _ALIAS.fullmatch(name) else None


def text(value: object, longest: int = _LONGEST_TEXT) -> str:
    """Return a text without what contracts may not hold: control characters, and those that make it look different."""
    plain = "".join(
        char
        for char in str(value)
        if char in "\n\t" or (unicodedata.category(char) not in {"Cc", "Cs", "Cn", "Co"} and char not in BIDIRECTIONAL)
    )
    plain = "\n".join(line.rstrip() for line in plain.expandtabs(4).strip().splitlines())
    return plain if len(plain) <= longest else f"{plain[: longest - 1].rstrip()}…"


def said(description: str) -> str:
    """Return a description; an empty text for one that says no more than the name of what it describes."""
    plain = text(description)
    return "" if _EMPTY.fullmatch(plain.partition("\n")[0]) else plain


def short(field_spec: dict[str, Any]) -> Any:
    """Return a field in the shortest form that says the same."""
    return field_spec["type"] if set(field_spec) == {"type"} else field_spec
