"""Judges a contract: says all that is wrong with it at once, or hands out the typed contract."""

import itertools
import json
import math
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

from jsonschema import ValidationError

from ..deciding.deployment import misfit, objection, reference
from ..home import SCHEMAS
from ..language import classify, mixins, names, samples, variants
from ..language.build import build
from ..language.contract import Contract
from ..reading import keys
from ..reading.source import MAX_BYTES, MAX_DEPTH, MAX_VALUES
from ..text import credentials
from ..text.exact import ExactValidator, joined
from ..text.problems import BIDIRECTIONAL, Path, Problem, did_you_mean, no_contract, render, show
from ..text.remembered import by_content
from ..text.yaml_words import misread
from ..viewing.build import view
from . import extracts
from .contract import check
from .fields import FieldRules
from .legacy import check_legacy
from .repair import repair

_MAX_BITS = 63
_MOST_PROBLEMS = 200
_MOST_ROUNDS = 8
# Floats hold whole numbers exactly up to here.
_LARGEST_WHOLE = 2**53
# Text that a name may have been meant by, and no path and no reference.
_WORDS = re.compile(r"[\w .-]+", re.ASCII)
_TYPES = {
    "string": "text",
    "object": "a mapping",
    "array": "a list",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


class ContractError(ValueError):
    """A contract has problems; the message lists them all."""

    def __init__(self, problems: list[Problem]) -> None:
        """Keep the problems.

        Args:
            problems: At least one.
        """
        super().__init__(render(problems))
        self.problems = problems


@by_content
def read(raw: object) -> Contract:
    """Return the typed contract.

    Args:
        raw: The contract as YAML's values.

    Returns:
        The contract, defaults filled in.

    Raises:
        ContractError: When it has problems.
    """
    problems = judge(raw)
    if problems or not isinstance(raw, Mapping):
        raise ContractError(problems)
    return build(keys.named(raw))


def judge(raw: object) -> list[Problem]:
    """Say all that is wrong with a contract.

    Args:
        raw: The contract as YAML's values; anything at all.

    Returns:
        The problems, in the order of the document; empty when there are none. Where there are very many, the first.
    """
    if not isinstance(raw, Mapping):
        return [no_contract(raw)]
    return _judged(keys.named(raw))


def _judged(raw: Mapping[str, Any]) -> list[Problem]:
    odd = list(itertools.islice(_structure(raw), _MOST_PROBLEMS))
    if len(odd) == _MOST_PROBLEMS or any(problem.expected.startswith("at most") for problem in odd):
        return odd
    whole, raw = raw, classify.completed(_without(raw, {problem.path for problem in odd}) if odd else raw)
    places = {problem.path for problem in odd}
    unmet = list(itertools.islice(_schema(raw), _MOST_PROBLEMS + len(odd)))
    texts = list(_texts(raw))
    met = (problem for problem in itertools.chain(texts, unmet) if problem.path not in places)
    found = [*odd, *itertools.islice(met, _MOST_PROBLEMS)]
    blocked = {problem.path for problem in found}
    raw = _plain(raw) if texts else raw
    rules = (
        _rules(raw, blocked),
        *(
            _beside(check_part(raw), blocked)
            for check_part in (check_legacy, mixins.check, classify.check, variants.check)
        ),
    )
    beyond = itertools.chain(*rules)
    if len(found) < _MOST_PROBLEMS:  # else it is not known which parts meet the schema
        found += itertools.islice(beyond, _MOST_PROBLEMS)
    found += _built(whole, raw, found)
    found = [problem.printable for problem in found]
    problems = sorted(dict.fromkeys(found), key=lambda problem: _position(whole, problem.path))
    if len(problems) < _MOST_PROBLEMS:
        return problems
    more = Problem((), f"{_MOST_PROBLEMS} problems or more", "those that are shown to be solved first")
    return [*problems[:_MOST_PROBLEMS], more]


def _built(whole: Mapping[str, Any], raw: Mapping[str, Any], found: Collection[Problem]) -> Iterator[Problem]:
    """Find what shows in the typed contract alone: in parts without problems, where there are some.

    Args:
        whole: The contract as it was written.
        raw: The same with what it leaves out, and nothing that no rule can be applied to.
        found: What is wrong with it otherwise.
    """
    # Mixins bring no settings, and are judged elsewhere.
    sound = _sound({key: value for key, value in raw.items() if key != "mixins"}) if found else raw
    if sound is None:
        return
    contract = build(sound if found else whole)
    yield from _environment(raw, contract)
    # An example that has problems is there all the same.
    yield from (problem for problem in samples.unknown(contract) if not _is_there(whole, problem.path))
    yield from extracts.disagreeing(contract, sound, FieldRules(sound, ()))


def _without(value: object, paths: Collection[Path], path: Path = ()) -> Any:
    """Return a document with null in some places, and without keys that are no text."""
    if isinstance(value, Mapping):
        texts = ((key, item) for key, item in value.items() if isinstance(key, str))
        return {key: _without(item, paths, (*path, key)) for key, item in texts}
    if isinstance(value, list):
        return [_without(item, paths, (*path, index)) for index, item in enumerate(value)]
    return None if path in paths else value


def _rules(raw: Mapping[str, Any], blocked: Collection[Path]) -> Iterator[Problem]:
    """Find what is wrong beyond the schema, in a contract that may not meet it."""
    if not blocked:
        yield from check(raw, ())
        return
    repaired = repair(raw, _validator())
    if repaired.contract is None:
        yield from _beside(check(raw, blocked), blocked)
        return
    for problem in check(repaired.contract, ()):
        written = repaired.as_written(problem)
        # Below a key whose name is no name, all else is judged.
        if written.path not in blocked and not repaired.follows(written):
            yield written


def _beside(problems: Iterator[Problem], blocked: Collection[Path]) -> Iterator[Problem]:
    return (problem for problem in problems if not _inside(problem.path, blocked))


def _sound(raw: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what is left of a contract without the parts that have problems; None where too little is."""
    for _ in range(_MOST_ROUNDS):
        repaired = repair(raw, _validator()).contract
        problems = list(check(repaired, ())) if repaired else []
        if repaired is None or not problems:
            return repaired
        raw = repaired
        for path in sorted({problem.path[:2] for problem in problems}, key=str, reverse=True):
            if not path or path[0] in {"name", "package"}:
                return None
            holder = raw if len(path) < len(("operations", 0)) else raw[str(path[0])]
            if isinstance(holder, dict):
                holder.pop(str(path[-1]), None)
            elif path[0] == "operations":
                below = {problem.path[2:4] for problem in problems if problem.path[:2] == path}
                holder[int(path[-1])] = _author_s(int(path[-1]), holder[int(path[-1])], below)
            else:
                del holder[int(path[-1])]
    return None


def _author_s(index: int, operation: Mapping[str, Any], wrong: Collection[Path]) -> dict[str, Any]:
    """Return an operation that its author writes, which refers to nothing: with what is sound of an operation's input.

    Args:
        index: Which operation it is.
        operation: The operation that has problems.
        wrong: Where they are in it: the first two keys.
    """
    name, inputs = f"unnamed_{index}", operation.get("input", {})
    fields = {key: spec for key, spec in inputs.items() if ("input", key) not in wrong}
    kept = {} if ("input",) in wrong or (operation["name"] == name and fields == inputs) else {"input": fields}
    return {"name": name, "handler": "custom", **kept}


def _environment(raw: Mapping[str, Any], contract: Contract) -> Iterator[Problem]:
    """Find values for settings that the node's settings refuse.

    Args:
        raw: The contract.
        contract: The same, or what is sound of it.
    """
    deployment = raw.get("deployment")
    if not isinstance(deployment, Mapping) or not (deployment.get("env") or deployment.get("environments")):
        return
    settings = {setting.variable: setting for setting in view(contract).setting_fields}
    places: list[tuple[Path, Mapping[str, str]]] = [(("deployment", "env"), contract.deployment.env)]
    places += [(("deployment", "environments", one.name, "env"), one.env) for one in contract.deployment.environments]
    for place, variables in places:
        for name, value in variables.items():
            setting = settings.get(name.upper())
            if setting and not reference(value) and (expected := misfit(setting, value)):
                # A wrong value may be a secret in the wrong place, so it is not shown.
                yield Problem((*place, name), f"a value that the setting {setting.name} refuses", expected)


def _is_there(value: Any, path: Path) -> bool:
    for part in path:
        if isinstance(value, Mapping) and part not in value:
            return False
        value = value[part]
    return True


def _inside(path: Path, blocked: Collection[Path]) -> bool:
    return any(path[:length] in blocked for length in range(2, len(path) + 1))


def _position(raw: object, path: Path) -> tuple[int, ...]:
    position: list[int] = []
    value = raw
    for part in path:
        if isinstance(value, Mapping):
            keys = list(value)
            position.append(keys.index(part) if part in keys else len(keys))
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            position.append(part)
            value = value[part]
        else:
            break
    return tuple(position)


def _structure(raw: Mapping[Any, Any]) -> Iterator[Problem]:
    """Find what no schema can be applied to: keys that are no text, nesting without end, documents without bounds."""
    waiting: list[tuple[Path, object]] = [((), raw)]
    values = characters = 0
    while waiting:
        path, value = waiting.pop()
        values += 1
        characters += sum(map(len, filter(_is_text, value))) if isinstance(value, Mapping) else 0
        characters += len(value) if isinstance(value, str) else 0
        if values > MAX_VALUES or characters > MAX_BYTES:
            expected = f"at most {MAX_VALUES} values, and {MAX_BYTES} characters of text"
            yield Problem((), "a document without bounds", expected)
            return
        if len(path) > MAX_DEPTH:
            yield Problem(path[:5], "endless nesting", f"at most {MAX_DEPTH} levels")
            return
        if isinstance(value, Mapping):
            for key, item in value.items():
                if isinstance(key, str):
                    waiting.append(((*path, key), item))
                else:
                    hint = "YAML reads no and off as false: quote it" if isinstance(key, bool) else ""
                    yield Problem(path, f"the key {show(key)}", "keys that are text", hint)
        elif isinstance(value, list):
            waiting += [((*path, index), item) for index, item in enumerate(value)]
        elif isinstance(value, int) and not -(2**_MAX_BITS) <= value < 2**_MAX_BITS:
            yield Problem(path, show(value), "a number that fits in 64 bits")
        elif not isinstance(value, (str, int, float, date, type(None))):
            # Tags of YAML: bytes, sets, pairs in order.
            yield Problem(path, f"a value of the kind {type(value).__name__}", "text, a number, a list or a mapping")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _texts(raw: Mapping[str, Any]) -> Iterator[Problem]:
    waiting: list[tuple[Path, object]] = [((), raw)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, Mapping):
            for key, item in value.items():
                waiting.append(((*path, key), item))
                if any(map(_is_unwanted, key)):
                    yield Problem((*path, key), f"the key {show(key)}", _PLAIN_TEXT)
        elif isinstance(value, list):
            waiting += [((*path, index), item) for index, item in enumerate(value)]
        elif isinstance(value, str) and any(map(_is_unwanted, value)):
            yield Problem(path, show(value), _PLAIN_TEXT)
        elif isinstance(value, str) and (found := next((what for _, what in credentials.found_in(value)), "")):
            is_variable = path[:1] == ("deployment",) and path[-2:-1] == ("env",)
            if not (is_variable and objection(str(path[-1]), value)):  # which its own rule says
                # What may be a secret is not shown.
                yield Problem(path, f"a text: {found}", "no credentials", "${secret.NAME} stands for one")
        elif isinstance(value, float) and not math.isfinite(value):
            yield Problem(path, show(value), "a finite number")


def _plain(value: object) -> Any:
    """Return a document with blanks for characters that no text may have, and without numbers that are none."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return "".join(" " if _is_unwanted(char) else char for char in value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


_PLAIN_TEXT = "text without control characters and lone surrogates"


def _is_unwanted(char: str) -> bool:
    return (unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\t") or char in BIDIRECTIONAL


@cache
def _validator() -> Any:
    schemas = {file.name: json.loads(file.read_text(encoding="utf-8")) for file in sorted(SCHEMAS.glob("*.json"))}
    for schema in schemas.values():
        # It would have the parts judged by JSON Schema's own validator.
        del schema["$schema"]
    # For editors; the rules know the contract's own types as well, and name the nearest one.
    del schemas["field.schema.json"]["$defs"]["typeName"]["anyOf"]
    return ExactValidator(joined(schemas, "contract.schema.json"))


def _schema(raw: Mapping[str, Any]) -> Iterator[Problem]:
    for error in _validator().iter_errors(raw):
        yield from _translate(error)


def _translate(error: ValidationError) -> Iterator[Problem]:
    if error.validator in {"if", "$ref"} and error.context:
        for inner in error.context:
            yield from _translate(inner)
        return
    path: Path = tuple(error.absolute_path)
    value: Any = error.instance
    limit: Any = error.validator_value
    schema: Any = error.schema
    if "propertyNames" in error.absolute_schema_path:
        path = (*path, value)
    found = show(value)
    match error.validator:
        case "required":
            missing = next(name for name in limit if name not in value and f"'{name}'" in error.message)
            yield Problem((*path, missing), "nothing", f"a value: {missing} is required")
        case "additionalProperties":
            yield from _unknown_keys(path, value, schema)
        case "type":
            yield Problem(path, found, _expected_type(limit), _type_hint(path, value, limit))
        case "enum":
            yield _not_listed(path, value, [item for item in limit if isinstance(item, str)])
        case "const":
            yield Problem(path, found, show(limit))
        case "pattern":
            yield Problem(path, found, _expected_pattern(path, schema), _suggested(value, schema["pattern"]))
        case "uniqueItems":
            repeated = next((item for index, item in enumerate(value) if item in value[:index]), value)
            yield Problem(path, f"{show(repeated)} twice", "each item once")
        case _:
            yield Problem(path, found, _LIMITS[str(error.validator)].format(limit))


_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "text of at least {} characters",
    "maxLength": "text of at most {} characters",
    "minItems": "a list of at least {}",
    "maxItems": "a list of at most {}",
    "minProperties": "a mapping with at least {} key",
    "maxProperties": "a mapping with at most {} keys",
    "multipleOf": "a multiple of {}",
}


def _expected_type(limit: str | list[str]) -> str:
    return " or ".join(_TYPES[name] for name in ([limit] if isinstance(limit, str) else limit))


def _type_hint(path: Path, value: object, limit: str | list[str]) -> str:
    if path and path[-1] == "version" and isinstance(value, (int, float)):
        return 'YAML read a number: quote it, as in version: "1.0.0"'
    if path and path[-1] == "dependencies" and isinstance(value, list):
        return 'write each with its version range, as in postgres: ">=14"'
    wanted = [limit] if isinstance(limit, str) else limit
    if isinstance(value, float) and "integer" in wanted and value.is_integer() and abs(value) < _LARGEST_WHOLE:
        return f"write {value:.0f}"
    return misread(value, wanted)


def _unknown_keys(path: Path, value: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Problem]:
    known = schema.get("properties", {})
    for key in value:
        if key in known:
            continue
        expected = f"one of {', '.join(sorted(known))}" if known else "no keys"
        yield Problem((*path, key), f"the unknown key {show(key)}", expected, did_you_mean(key, known))


def _not_listed(path: Path, value: object, known: list[str]) -> Problem:
    return Problem(path, show(value), f"one of {', '.join(known)}", did_you_mean(value, known))


def _suggested(value: str, pattern: str) -> str:
    """Return a hint with the name that a text would be in the form that is asked for, if that is one."""
    forms = (names.snake(value), names.kebab(value), names.pascal(names.snake(value)))
    fitting = [form for form in forms if form != value and re.search(pattern, form)]
    return f"did you mean {fitting[0]!r}?" if fitting and _WORDS.fullmatch(value) else ""


def _expected_pattern(path: Path, schema: Mapping[str, Any]) -> str:
    if path and path[-1] == "version":
        return "a semantic version such as 1.0.0"
    title = schema.get("title")
    if not title:
        return f"text that matches {schema['pattern']}"
    if title[1:2].islower():
        title = f"{title[0].lower()}{title[1:]}"
    return f"{'an' if title[0] in 'aeio' else 'a'} {title}"
