"""Rules for commands of Redis."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from ..language import filling, references
from ..language.contract import spell_out
from ..text.problems import Path, Problem, did_you_mean, show
from .targets import targets

type Specs = Mapping[str, Any]
type Find = Callable[[str], str | None]

_NEEDS_VALUE = ("set", "hset", "lpush", "rpush", "sadd", "srem", "sismember")
_NEEDS_FIELD = ("hget", "hdel")
_TAKES_AMOUNT = ("incr", "decr")
_TAKES_TTL = ("set", "expire", "incr", "decr", "hset", "lpush", "rpush", "sadd")
# What a reply can fill: the kinds of the field that takes the value, and whether it counts something.
_REDIS_INTO: dict[str, tuple[str, ...] | None] = {
    "get": None,
    "hget": None,
    "lpop": None,
    "rpop": None,
    "hgetall": ("object",),
    "lrange": ("array",),
    "smembers": ("array",),
    "incr": ("integer", "number"),
    "decr": ("integer", "number"),
    "ttl": ("integer", "number"),
}
_REDIS_KEYS = ("get", "hget", "hgetall", "lpop", "rpop")
_REDIS_COUNT = ("delete", "exists", "hdel", "sadd", "srem", "llen", "lpush", "rpush", "lrange", "smembers")


class Rules(Protocol):
    """The part of the rules for whole contracts that is needed here."""

    def clean(self, path: Path) -> bool:
        """Tell whether nothing at or below the path is wrong already."""


def command(rules: Rules, path: Path, spec: Specs, operation: Specs, find: Find) -> Iterator[Problem]:
    """Find what is wrong with a command of Redis beyond its schema.

    Args:
        rules: The rules for the whole contract.
        path: Where it is.
        spec: It, without what has problems already.
        operation: The operation.
        find: Tells what is wrong with the name of an input field.

    Yields:
        The problems.
    """
    command = spec.get("command")
    inputs, outputs = _mapping(operation.get("input")), _mapping(operation.get("output"))
    if not isinstance(command, str):
        return
    plain_hash = command == "hset" and "field" not in spec
    needs = {
        "value": command in _NEEDS_VALUE,
        "field": command in _NEEDS_FIELD,
        "ttl_seconds": command == "expire",
    }
    takes = {
        "value": command in _NEEDS_VALUE,
        "field": command in (*_NEEDS_FIELD, "hset"),
        "amount": command in _TAKES_AMOUNT,
        "ttl_seconds": command in _TAKES_TTL,
    }
    for name, needed in needs.items():
        if needed and name not in spec:
            yield Problem((*path, name), "nothing", f"a value: {command} needs {name}")
    for name, taken in takes.items():
        if name in spec and not taken:
            yield Problem((*path, name), f"{name} for {command}", f"no {name}, which {command} does not take")
    if plain_hash and "value" in spec and not (isinstance(spec["value"], Mapping) and spec["value"]):
        yield Problem((*path, "value"), show(spec["value"]), "a mapping of fields, or field beside value")
    for name in ("amount", "ttl_seconds"):
        if isinstance(spec.get(name), str):
            yield from _number((*path, name), spec[name], inputs, find)
    returns = _mapping(spec.get("returns"))
    wanted = _wanted(command)
    yield from targets((*path, "returns"), returns, outputs, wanted)
    into = returns.get("into")
    filled = set(into) if isinstance(into, list) else {into}
    if isinstance(into, list):
        if command not in _REDIS_KEYS:
            yield Problem((*path, "returns", "into"), "a list of fields", "one field, or none")
        for index, name in enumerate(into):
            if name not in outputs:
                place = (*path, "returns", "into", index)
                yield Problem(place, show(name), "an output field", did_you_mean(name, outputs))
    filled |= {returns.get("found"), returns.get("count")}
    filler = filling.filler(filled, "redis.returns", silent="returns" not in spec)
    yield from filling.unfilled(path[:-1], operation, filler, rules.clean)


def _wanted(command: str) -> dict[str, tuple[str, tuple[str, ...] | None] | None]:
    into = _REDIS_INTO.get(command, ())
    kinds = ", ".join(into or ())
    return {
        "into": None if into == () else (f"an output field of type {kinds}" if into else "an output field", into),
        "found": ("a boolean output field", ("boolean",)),
        "count": ("an integer output field", ("integer",)) if command in _REDIS_COUNT else None,
    }


def _number(path: Path, text: str, inputs: Specs, find: Find) -> Iterator[Problem]:
    found = references.parts(text)
    reference = found[0] if len(found) == 1 else None
    if not isinstance(reference, references.Reference) or reference.source != "input":
        yield Problem(path, show(text), "a whole number, or one reference to an input field")
    elif not find(reference.name) and "." not in reference.name:
        spec = inputs[reference.name]
        if spell_out(spec).get("type") != "integer" or not _is_needed(spec):
            yield Problem(path, show(text), "a reference to an integer that is required or has a default")


def _is_needed(spec: object) -> bool:
    return isinstance(spec, str) or (isinstance(spec, Mapping) and spec.get("required", True) is not False)


def _mapping(value: object) -> Specs:
    return value if isinstance(value, Mapping) else {}
