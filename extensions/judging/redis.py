"""Rules for commands of Redis."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from ..language import filling, references
from ..language.contract import spell_out
from ..text.problems import Path, Problem, did_you_mean, show
from ..text.specs import Specs, mapping_of
from .targets import targets

type Find = Callable[[str], str | None]

_OF_VALUES = ("zincrby", "zrem", "zscore", "zrank", "lrem")
NEEDS: Mapping[str, tuple[str, ...]] = {
    "value": ("set", "hset", "lpush", "rpush", "sadd", "srem", "sismember", "zadd", *_OF_VALUES),
    "field": ("hget", "hdel"),
    "ttl_seconds": ("expire",),
    "score": ("zadd",),
    "index": ("lindex",),
    "start": ("ltrim",),
    "stop": ("ltrim",),
}
_TAKES: Mapping[str, tuple[str, ...]] = {
    "value": NEEDS["value"],
    "field": (*NEEDS["field"], "hset"),
    "amount": ("incr", "decr", "zincrby"),
    "ttl_seconds": ("set", "expire", "incr", "decr", "hset", "lpush", "rpush", "sadd", "zadd", "zincrby"),
    "if_absent": ("set", "hset", "zadd"),
    "score": ("zadd",),
    "start": ("lrange", "ltrim", "zrange"),
    "stop": ("lrange", "ltrim", "zrange"),
    "index": ("lindex",),
    "min": ("zrange", "zcount", "zremrangebyscore"),
    "max": ("zrange", "zcount", "zremrangebyscore"),
    "limit": ("zrange",),
    "reverse": ("zrange", "zrank"),
}
# Whole numbers, and others beside them.
_WHOLE = ("ttl_seconds", "start", "stop", "index", "limit")
_NUMBERS = ("score", "min", "max")
# What a reply can fill: the kinds of the field that takes the value, and whether it counts something.
_INTO: Mapping[str, tuple[str, ...] | None] = {
    **dict.fromkeys(("get", "hget", "lpop", "rpop", "lindex", "zpopmin", "zpopmax")),
    "hgetall": ("object",),
    **dict.fromkeys(("lrange", "smembers", "zrange"), ("array",)),
    **dict.fromkeys(("incr", "decr", "ttl", "zrank"), ("integer", "number")),
    **dict.fromkeys(("zscore", "zincrby"), ("number", "integer")),
}
_KEYS = ("get", "hget", "hgetall", "lpop", "rpop", "lindex", "zpopmin", "zpopmax")
_COUNT = (
    *("delete", "exists", "hdel", "sadd", "srem", "llen", "lpush", "rpush", "lrange", "smembers", "lrem", "scard"),
    *("zadd", "zrem", "zcard", "zcount", "zrange", "zremrangebyscore"),
)
_SCORES: Mapping[str, tuple[str, ...]] = {
    "zrange": ("array",),
    "zpopmin": ("number", "integer"),
    "zpopmax": ("number", "integer"),
}


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
    inputs, outputs = mapping_of(operation.get("input")), mapping_of(operation.get("output"))
    if not isinstance(command, str):
        return
    plain_hash = command == "hset" and "field" not in spec
    yield from _keys(path, command, spec)
    if plain_hash and "value" in spec and not (isinstance(spec["value"], Mapping) and spec["value"]):
        yield Problem((*path, "value"), show(spec["value"]), "a mapping of fields, or field beside value")
    yield from _amounts(path, command, spec, inputs, find)
    yield from _together(path, command, spec)
    returns = mapping_of(spec.get("returns"))
    wanted = _wanted(command)
    yield from targets((*path, "returns"), returns, outputs, wanted)
    into = returns.get("into")
    filled = set(into) if isinstance(into, list) else {into}
    if isinstance(into, list):
        if command not in _KEYS:
            yield Problem((*path, "returns", "into"), "a list of fields", "one field, or none")
        for index, name in enumerate(into):
            if name not in outputs:
                place = (*path, "returns", "into", index)
                yield Problem(place, show(name), "an output field", did_you_mean(name, outputs))
    filled |= {returns.get("found"), returns.get("count"), returns.get("score")}
    filler = filling.filler(filled, "redis.returns", silent="returns" not in spec)
    yield from filling.unfilled(path[:-1], operation, filler, rules.clean)


def _keys(path: Path, command: str, spec: Specs) -> Iterator[Problem]:
    for name, commands in NEEDS.items():
        if command in commands and name not in spec:
            yield Problem((*path, name), "nothing", f"a value: {command} needs {name}")
    for name, commands in _TAKES.items():
        if name in spec and command not in commands:
            yield Problem((*path, name), f"{name} for {command}", f"no {name}, which {command} does not take")


def _amounts(path: Path, command: str, spec: Specs, inputs: Specs, find: Find) -> Iterator[Problem]:
    whole = (*_WHOLE, *(() if command == "zincrby" else ("amount",)))
    for name in (*_WHOLE, "amount", *_NUMBERS):
        if isinstance(spec.get(name), str):
            yield from _number((*path, name), spec[name], inputs, find, whole=name in whole)
        elif isinstance(spec.get(name), float) and name in whole:
            yield Problem((*path, name), show(spec[name]), "a whole number")


def _together(path: Path, command: str, spec: Specs) -> Iterator[Problem]:
    """Find keys that exclude each other, or need each other."""
    by_score = [name for name in ("min", "max") if name in spec]
    by_rank = [name for name in ("start", "stop") if name in spec]
    if command == "zrange" and by_score and by_rank:
        yield Problem((*path, by_rank[0]), f"{by_rank[0]} beside {by_score[0]}", "a range of ranks, or one of scores")
    if command == "zrange" and "limit" in spec and not by_score:
        yield Problem((*path, "limit"), "limit without min and max", "stop, which ends a range of ranks")
    if command == "zremrangebyscore" and not by_score:
        yield Problem((*path, "min"), "nothing", "min or max, or else it is delete that is meant")
    if spec.get("if_absent") is not True:
        return
    if "found" not in mapping_of(spec.get("returns")):
        yield Problem((*path, "returns", "found"), "nothing", "an output field that tells whether it was absent")
    if command == "hset" and "field" not in spec:
        yield Problem((*path, "if_absent"), "if_absent for several fields", "one field, or no if_absent")
    if command in {"hset", "zadd"} and "ttl_seconds" in spec:
        hint = "it would change when the key goes away, though nothing else changed"
        yield Problem((*path, "ttl_seconds"), f"ttl_seconds beside if_absent for {command}", "one of them", hint)


def _wanted(command: str) -> dict[str, tuple[str, tuple[str, ...] | None] | None]:
    into = _INTO.get(command, ())
    kinds = ", ".join(into or ())
    return {
        "into": None if into == () else (f"an output field of type {kinds}" if into else "an output field", into),
        "found": ("a boolean output field", ("boolean",)),
        "count": ("an integer output field", ("integer",)) if command in _COUNT else None,
        "score": (f"an output field of type {_SCORES[command][0]}", _SCORES[command]) if command in _SCORES else None,
    }


def _number(path: Path, text: str, inputs: Specs, find: Find, *, whole: bool) -> Iterator[Problem]:
    found = references.parts(text)
    reference = found[0] if len(found) == 1 else None
    kind, kinds = ("an integer", ("integer",)) if whole else ("a number", ("integer", "number"))
    if not isinstance(reference, references.Reference) or reference.source != "input":
        yield Problem(path, show(text), f"{'a whole' if whole else 'a'} number, or one reference to an input field")
    elif not find(reference.name) and "." not in reference.name:
        spec = inputs[reference.name]
        if spell_out(spec).get("type") not in kinds or not _is_needed(spec):
            yield Problem(path, show(text), f"a reference to {kind} that is required or has a default")


def _is_needed(spec: object) -> bool:
    return isinstance(spec, str) or (isinstance(spec, Mapping) and spec.get("required", True) is not False)
