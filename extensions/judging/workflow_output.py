"""Values that fill the output fields of a workflow have their types, at any depth."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..language import filling, references
from ..language.contract import spell_out
from ..language.references import GIVEN, Reference
from ..text.problems import Path, Problem, did_you_mean, show
from ..text.specs import Specs
from . import absent

# Text that references stand in is none of these; what is written as text may be.
_NO_TEXT = frozenset({"integer", "number", "boolean", "array", "object"})
# Types that take values of others.
_TAKING = {"number": ("integer",), "decimal": ("integer", "number")}


class Rules(Protocol):
    """The part of the rules for whole contracts that is needed here."""

    models: dict[str, Specs]
    unions: dict[str, Specs]

    def value(self, path: Path, value: object, spec: object) -> Iterator[Problem]:
        """Find what keeps a value from being one of a field."""


@dataclass(frozen=True, slots=True)
class Output:
    """Tells whether values with references fit fields.

    Attributes:
        rules: The rules for the whole contract.
        inputs: The operation's input fields, in their long form.
        answered: Returns what is known of the type of what a step answered, as a field; empty where nothing is.
    """

    rules: Rules
    inputs: Specs
    answered: Callable[[Reference], Specs]

    def problems(self, path: Path, value: object, spec: object) -> Iterator[Problem]:
        """Find what keeps a value from filling a field.

        Args:
            path: Where the value is.
            value: The value, whose references lead somewhere.
            spec: The field.

        Yields:
            The problems.
        """
        if not isinstance(spec, (str, Mapping)):
            return
        long = spell_out(spec)
        kind = str(long.get("type"))
        if not any(references.references(value)):
            yield from self.rules.value(path, references.resolved(value), long)
        elif isinstance(value, str):
            yield from self._text(path, value, long, kind)
        elif isinstance(value, Mapping) and kind in self.rules.models:
            yield from self._fields(path, value, self.rules.models[kind])
        elif isinstance(value, Mapping) and kind == "object":
            for key, item in value.items() if "values" in long else ():
                yield from self.problems((*path, key), item, long["values"])
        elif isinstance(value, (list, tuple)) and kind == "array":
            for index, item in enumerate(value) if "items" in long else ():
                yield from self.problems((*path, index), item, long["items"])
        elif isinstance(value, (list, tuple)) or kind not in self.rules.unions:
            yield Problem(path, show(value), f"a value of type {kind}")

    def _text(self, path: Path, text: str, wanted: Specs, kind: str) -> Iterator[Problem]:
        pieces = references.parts(text)
        if len(pieces) > 1:
            if kind in _NO_TEXT or kind in self.rules.models or kind in self.rules.unions:
                yield Problem(path, f"{show(text)}, which is text", f"a value of type {kind}")
        elif isinstance(reference := pieces[0], Reference):
            given = self._type_of(reference)
            if given and not self._takes(wanted, given):
                yield Problem(
                    path, f"{show(text)}, which is of type {_shown(given)}", f"a value of type {_shown(wanted)}"
                )
            elif reference.source == "input" and given.get("type") == kind and not filling.keeps(given, wanted):
                hint = "give the input field the same limits"
                yield Problem(
                    path, f"{show(text)}, which may have other values", "a value within the output's limits", hint
                )
            elif wanted.get("required", True) and absent.may_be_null(text, self.inputs, self.rules.models):
                hint = "required: false lets the output be null"
                yield Problem(path, f"{show(text)}, which may be null", "a value", hint)

    def _fields(self, path: Path, value: Specs, fields: Specs) -> Iterator[Problem]:
        for key, item in value.items():
            if key in fields:
                yield from self.problems((*path, key), item, fields[key])
            else:
                found = f"the unknown field {show(key)}"
                yield Problem((*path, key), found, f"one of {', '.join(fields)}", did_you_mean(key, fields))
        for name, spec in fields.items():
            long = spell_out(spec)
            if name not in value and long.get("required", True) and "default" not in long:
                yield Problem((*path, name), "nothing", f"a value: {name} is required")

    def _type_of(self, reference: Reference) -> Specs:
        if reference.source == "input":
            return references.spec_at(reference.name, self.inputs, self.rules.models)
        if reference.source in GIVEN:
            return {"type": GIVEN[reference.source][0]}
        return self.answered(reference)

    def _takes(self, wanted: Specs, given: Specs) -> bool:
        """Tell whether a field takes values of another; of what is not said of items, anything may be true."""
        kind, own = str(wanted.get("type")), str(given.get("type"))
        if own != kind and own not in _TAKING.get(kind, ()) and own not in self._members(kind):
            return False
        held, others = (spec.get("items") or spec.get("values") for spec in (wanted, given))
        return not held or not others or self._takes(spell_out(held), spell_out(others))

    def _members(self, kind: str) -> list[str]:
        members = self.rules.unions.get(kind, {}).get("one_of")
        return list(members.values() if isinstance(members, Mapping) else members or [])


def _shown(spec: Specs) -> str:
    held = spec.get("items") or spec.get("values")
    kind = str(spec.get("type"))
    return f"{kind} of {_shown(spell_out(held))}" if held else kind
