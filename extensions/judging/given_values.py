"""Values that a contract gives to fields fit the keys, paths and headers that are made of these."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from ..language import patterns, references, samples, sql
from ..language.contract import spell_out
from ..text.problems import Path, Problem, show
from ..text.specs import Specs, list_of, mapping_of

type Parts = Sequence[str | references.Reference]

# What is made of fields, by implementation.
_MADE: Mapping[str, tuple[str, ...]] = {
    "http": ("path", "headers"),
    "redis": ("key", "ttl_seconds"),
    "filesystem": ("path", "to"),
}
_COUNTING = ("LIMIT", "OFFSET", "FIRST", "NEXT")
_LONGEST_NAME = 255
_ASCII = "printable ASCII without blanks around it, which is all that headers of HTTP carry"


def problems(
    path: Path, spec: Specs, operation: Specs, contract: Specs, models: Mapping[str, Specs]
) -> Iterator[Problem]:
    """Find defaults, enum values, lengths and examples of fields that a place does not take which is made of them.

    Args:
        path: Where the implementation is.
        spec: The implementation.
        operation: Its operation.
        contract: The whole contract, which names the values of enums.
        models: The fields of the contract's models.

    Yields:
        One problem for each value.
    """
    kind = str(path[-1])
    for key in _MADE.get(kind, ()):
        for place, text in references.texts((*path, key), spec.get(key)):
            parts = references.parts(text)
            for number, part in enumerate(parts):
                if key == "path" and isinstance(part, str) and "?" in part:
                    break
                if not isinstance(part, references.Reference) or part.source != "input":
                    continue
                where, field = _field(part.name, operation, models)
                last = kind == "http" and key == "path" and number == len(parts) - 1
                if last and not part.spans and references.may_end_empty(parts, field.get("default")):
                    continue
                for own, value in _given(path[:-1], part.name, (where, field), operation, contract):
                    expected = _WRONG[kind, key](value, _made(parts, number, value))
                    if part.spans and "" in value.split("/"):
                        expected = "a value that {} can be made of: no segment of it is empty"
                    if expected:
                        used = ".".join(map(str, place[2:]))
                        found = f"{show(value)} as what fits it" if own[-1] in {"pattern", "format"} else show(value)
                        yield Problem(own, found, expected.format(used))


def counts(
    path: Path, statement: Specs, operation: Specs, contract: Specs, models: Mapping[str, Specs]
) -> Iterator[Problem]:
    """Find defaults, enum values and examples of fields that say how many rows there are, and are less than none.

    Args:
        path: Where the operation is.
        statement: A statement with its parameters.
        operation: The operation.
        contract: The whole contract, which names the values of enums.
        models: The fields of the contract's models.

    Yields:
        One problem for each value.
    """
    parameters = list_of(statement.get("parameters"))
    tokens = [token for tokens in sql.split(statement["query"]) for token in tokens]
    for (_, word), (kind, number) in pairwise(tokens):
        if kind != "placeholder" or word.upper() not in _COUNTING or not 1 <= int(number[1:]) <= len(parameters):
            continue
        text = parameters[int(number[1:]) - 1]
        name = ".".join(references.member_of(text, "input") or ()) or str(text)
        for own, value in _given(path, name, _field(name, operation, models), operation, contract):
            if value.startswith("-"):
                yield Problem(own, show(value), f"a value that {word.upper()} can be: at least 0")


def _made(parts: Parts, number: int, value: str) -> str:
    """Return what is made of a value, other fields holding a letter."""
    around = ("x" if isinstance(part, references.Reference) else part for part in parts)
    return "".join(value if index == number else text for index, text in enumerate(around))


def _path_of_api(value: str, made: str) -> str:
    wrong = not value or {".", ".."} & set(made.split("/"))
    return "a value that {} can be made of, neither empty nor . or .." if wrong else ""


def _path_of_file(value: str, made: str) -> str:
    if any(len(name.encode()) > _LONGEST_NAME for name in made.split("/")):
        return f"a value that {{}} can be made of: names of files have at most {_LONGEST_NAME} bytes"
    if value and "" in made.split("/"):
        return "a value that {} can be made of: no name in it is empty"
    return _path_of_api(value, made)


def _key(value: str, _made: str) -> str:
    return "" if value else "a value that {} can be made of, neither empty nor . or .."


def _seconds(value: str, _made: str) -> str:
    wrong = re.fullmatch(r"0|-\d+", value)
    return "a value that {} can be: at least 1, since a key that is to be gone at once is deleted" if wrong else ""


def _header(_value: str, made: str) -> str:
    return "" if made.isascii() and made.isprintable() and made == made.strip() else _ASCII


_WRONG: Mapping[tuple[str, str], Callable[[str, str], str]] = {
    ("http", "path"): _path_of_api,
    ("http", "headers"): _header,
    ("redis", "key"): _key,
    ("redis", "ttl_seconds"): _seconds,
    ("filesystem", "path"): _path_of_file,
    ("filesystem", "to"): _path_of_file,
}


def _field(name: str, operation: Specs, models: Mapping[str, Specs]) -> tuple[Path, Specs]:
    """Return where a field is, below the operation or in a model, and its spec; an empty one where there is none."""
    first, *rest = name.split(".")
    fields = mapping_of(operation.get("input"))
    where: Path = ("input", first)
    spec: Specs = spell_out(fields[first]) if first in fields else {}
    for word in rest:
        model = str(spec.get("type"))
        fields = models.get(model, {})
        where, spec = ("models", model, "fields", word), spell_out(fields[word]) if word in fields else {}
    return where, spec


def _given(
    path: Path, name: str, field: tuple[Path, Specs], operation: Specs, contract: Specs
) -> Iterator[tuple[Path, str]]:
    """Find the values that the contract gives to a field: where they are, and what they are as text."""
    where, spec = field
    own = (*path, *where) if where[0] == "input" else where
    for key in ("default", "const"):
        if key in spec:
            yield (*own, key), _text(spec[key])
    if isinstance(spec.get("maximum"), int) and spec["maximum"] <= 0:
        yield (*own, "maximum"), _text(spec["maximum"])
    if spec.get("maxLength") == 0:
        yield (*own, "maxLength"), ""
    for index, value in enumerate(list_of(spec.get("enum"))):
        yield (*own, "enum", index), _text(value)
    kind = spec.get("type")
    for index, value in enumerate(
        list_of(mapping_of(contract.get("enums")).get(kind) if isinstance(kind, str) else None)
    ):
        yield ("enums", str(kind), index), _text(value)
    is_given = bool({"default", "const", "enum"} & spec.keys())
    for index, example in enumerate(list_of(operation.get("examples"))):
        given: object = mapping_of(example).get("input")
        for word in name.split("."):
            given = mapping_of(given).get(word)
        if given is not None:
            is_given = True
            yield (*path, "examples", index, "input", *name.split(".")), _text(given)
    pattern = spec.get("pattern")
    by_pattern = isinstance(pattern, str) and patterns.objection(pattern) is None
    by_format = pattern is None and spec.get("format") in samples.FORMATTED
    if not is_given and (by_pattern or by_format):
        # The node's tests take what fits best.
        sample = samples.text(str(own[-1]), spec)
        if sample is not None:
            yield (*own, "pattern" if by_pattern else "format"), sample


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value)
