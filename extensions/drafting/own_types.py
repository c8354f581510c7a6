"""Questions about fields, and about the enums and models that they are made of: each is asked for where it is named."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import yaml

from ..reading.schema import parts
from ..text.problems import Path
from .fields import type_by_name
from .interview import Interview, Question

TYPES: Final = parts()["field.schema.json"]["$defs"]["typeName"]["anyOf"][0]["enum"]
"""The types of fields that every contract has."""
_TEXTS: Final = frozenset({"string", "uuid", "datetime", "date", "time", "duration", "decimal", "bytes"})
_YES_NO: Final = {"yes": "", "no": ""}
_OWN: Final = {"enum": "one of a few values", "model": "fields of its own"}


def ask_fields(interview: Interview, key: str, place: Path, verb: str, *, least: int = 0) -> dict[str, Any]:
    """Ask for fields one by one.

    Args:
        interview: Asks.
        key: What the keys of these questions begin with.
        place: Where the fields go in the contract.
        verb: Who has the fields, and that it does, such as "Sale has".
        least: How many there have to be.

    Returns:
        The fields by name.
    """
    number = 0
    while True:
        fields: dict[str, Any] = at(interview, place)
        more = " further" if number else ""
        text = f"A{more} field that {verb}?" + (f" (Enter for no{more} one)" if number >= least else "")
        read = lambda name, fields=fields: new(name, fields)  # noqa: E731 - the fields of this round
        named = Question(
            f"{key}.{number}.name",
            text,
            place,
            optional=number >= least,
            read=read,
            below=lambda name: (*place, name),
        )
        name = interview.ask(named)
        if name is None:
            return fields
        _field(interview, f"{key}.{number}", (*place, name), is_input=place[-1] == "input")
        number += 1


def ask_model(interview: Interview, key: str, text: str) -> str:
    """Ask for a model by its name, and for its fields where there is none of that name; return its name."""

    def read(name: str) -> str:
        if not name[:1].isupper() or name in interview.contract.get("enums", {}):
            raise ValueError(f"found {name!r}, expected the PascalCase name of a model")
        return _own(interview, name)

    name = str(interview.ask(Question(f"{key}.model", text, ("models",), read=read, put=False)))
    if name not in interview.contract.get("models", {}):
        ask_fields(interview, f"{key}.fields", ("models", name, "fields"), f"{name} has", least=1)
    return name


def _field(interview: Interview, key: str, place: Path, *, is_input: bool) -> None:
    ask, name = interview.ask, place[-1]
    spec = at(interview, place)
    guessed = type_by_name(str(name))["type"]
    text = f"Of which type is {name}? Or a name such as OrderLine for an enum or model of your own."
    chosen = spec["type"] = _type(interview, f"{key}.type", (text, place), TYPES, guessed)
    if chosen == "array":
        plain = [kind for kind in TYPES if kind != "array"]
        text = f"What does {name} hold?"
        spec["items"] = _type(interview, f"{key}.items", (text, (*place, "items")), plain, "string")
    always = f"Must {name} be given?" if is_input else f"Is {name} always there?"
    yes = ask(Question(f"{key}.required", always, (*place, "required"), _YES_NO, "yes", put=False)) == "yes"
    if yes:
        return
    if is_input:
        text = f"What is {name} when it is left out? (Enter for nothing)"
        is_text = chosen in interview.contract.get("enums", {})
        read = value_of("string" if is_text else chosen)
        if ask(Question(f"{key}.default", text, (*place, "default"), optional=True, read=read)) is not None:
            return
    spec["required"] = False


def _type(interview: Interview, key: str, asked: tuple[str, Path], kinds: list[str], default: str) -> str:
    """Ask for a type, and for what it is made of where it is new; return its name."""
    text, place = asked
    known = {name: "" for part in ("enums", "models") for name in interview.contract.get(part, {})}
    read: Callable[[str], str] = lambda name: name if name in kinds else _own(interview, name)  # noqa: E731 - short
    choices = dict.fromkeys(kinds, "") | known
    question = Question(
        key, text, place, choices, default, read=read, put=False, others=lambda name: name[:1].isupper()
    )
    chosen = str(interview.ask(question))
    if chosen in choices:
        return chosen
    own = Question(f"{key}.own", f"What is {chosen}?", ("models", chosen), _OWN, "enum", put=False)
    if interview.ask(own) == "model":
        ask_fields(interview, f"{key}.fields", ("models", chosen, "fields"), f"{chosen} has", least=1)
    else:
        text = f"Which values does {chosen} have? Commas between."
        interview.ask(Question(f"{key}.values", text, ("enums", chosen), read=listed))
    return chosen


def _own(interview: Interview, name: str) -> str:
    """Return the name of an enum or model; a new one has to be a name that can be one."""
    known = any(name in interview.contract.get(part, {}) for part in ("enums", "models"))
    if not known and not interview.fits(("enums", name), ["a"]):
        raise ValueError(f"found {name!r}, expected a PascalCase name that is free")
    return name


def value_of(kind: str) -> Callable[[str], Any]:
    """Return what makes a value of a type of a text."""

    def read(text: str) -> Any:
        if kind in _TEXTS:
            return text
        try:
            return yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError):
            raise ValueError(f"found {text!r}, expected a value of type {kind}") from None

    return read


def listed(text: str) -> list[str]:
    """Return the words between commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def new(name: str, taken: Mapping[str, Any] | set[str]) -> str:
    """Return a name that is not taken yet.

    Raises:
        ValueError: It is.
    """
    if name in taken:
        raise ValueError(f"there is {name} already")
    return name


def at(interview: Interview, place: Path) -> Any:
    """Return what is at a place of the contract, which is made where there is nothing."""
    found: Any = interview.contract
    for step in place:
        found = found[step] if isinstance(step, int) else found.setdefault(step, {})
    return found
