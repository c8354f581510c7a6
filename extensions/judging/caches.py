"""Rules for results that are kept for a while: which may be, under which keys, and when they are forgotten."""

from collections.abc import Iterator, Mapping

from ..language import caches, classify, references, sql
from ..language.contract import spell_out
from ..text.problems import Path, Problem, did_you_mean, show
from ..text.specs import Specs, list_of, mapping_of
from . import integrations as effects

# What only reads, by the key that says what is done.
_READING: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "http": ("method", ("GET", "HEAD")),
    "redis": (
        "command",
        (
            *("get", "exists", "ttl", "hget", "hgetall", "lrange", "llen", "smembers", "sismember"),
            *("lindex", "scard", "zrange", "zrank", "zscore", "zcard", "zcount"),
        ),
    ),
    "filesystem": ("action", ("read", "list", "exists")),
}
_KEYS_ONLY = ("delete", "exists", "expire", "ttl")


def check(rules: effects.Rules) -> Iterator[Problem]:
    """Find what is wrong with the caches of a contract beyond their schema.

    Args:
        rules: The rules for the whole contract.

    Yields:
        The problems.
    """
    by_name = {str(spec.get("name")): spec for spec in rules.operations}
    for index, operation in enumerate(rules.operations):
        path: Path = ("operations", index)
        if isinstance(operation.get("cache"), Mapping):
            yield from _cache(rules, path, operation)
        for number, item in enumerate(list_of(operation.get("invalidates"))):
            if rules.clean((*path, "invalidates", number)):
                yield from _invalidation(rules, (*path, "invalidates", number), item, operation, by_name)
    yield from _apart(rules)


def _cache(rules: effects.Rules, path: Path, operation: Specs) -> Iterator[Problem]:
    spec = operation["cache"]
    place = (*path, "cache")
    if (kind := classify.node_type(rules.raw)) != "effect":
        hint = "subcontracts.caching keeps what compute nodes work out" if kind == "compute" else ""
        yield Problem(place, f"a cache in a node of type {kind}", "an effect node", hint)
        return
    yield from _place(place, spec)
    if "redis" in spec and mapping_of(rules.raw.get("integrations")).get("redis") is False:
        yield Problem((*place, "redis"), "a use of redis", "memory, since integrations.redis is false")
    if not _only_reads(operation):
        yield Problem(place, "a cache of what changes something, or may", "an operation that only reads")
    where, key = caches.key_of(spec)
    inputs, outputs = mapping_of(operation.get("input")), mapping_of(operation.get("output"))
    if not rules.clean((*place, where)) or not rules.clean((*path, "input")) or not key:
        return
    wrong = list(effects.key(rules, (*place, where), key, inputs))
    yield from wrong
    named = {part.name for part in references.parts(key) if isinstance(part, references.Reference)}
    if named and not wrong:
        for name in inputs:
            if name not in named:
                expected = "a reference to each input field: two inputs would share a result"
                yield Problem((*place, where), f"a key without {name}", expected, "or no reference, for a hash of all")
    if where == "redis":
        for name, field in outputs.items():
            if isinstance(field, (str, Mapping)) and spell_out(field).get("secret") is True:
                yield Problem(place, f"the output {name}, which is secret, in Redis", "memory, or no cache")


def _place(place: Path, spec: Specs) -> Iterator[Problem]:
    if "redis" not in spec and "memory" not in spec:
        yield Problem((*place, "redis"), "nothing", "a key: redis or memory is required")
    if "redis" in spec and "memory" in spec:
        yield Problem(place, "redis and memory", "one of them")
    if "max_entries" in spec and "memory" not in spec:
        yield Problem((*place, "max_entries"), show(spec["max_entries"]), "none: what is kept in Redis has no bound")


def _only_reads(operation: Specs) -> bool:
    database = operation.get("database")
    if isinstance(database, Mapping):
        specs = list_of(database.get("statements")) or [database]
        queries = [mapping_of(spec).get("query") for spec in specs]
        return all(not isinstance(query, str) or sql.reads_only(query) for query in queries)
    for kind, (key, reading) in _READING.items():
        if kind in operation:
            return mapping_of(operation[kind]).get(key) in reading
    return operation.get("handler") == "custom"


def _invalidation(
    rules: effects.Rules, path: Path, item: object, operation: Specs, by_name: Mapping[str, Specs]
) -> Iterator[Problem]:
    name, given = caches.named(item)
    place = (*path, "operation") if isinstance(item, Mapping) else path
    cached = [other for other, spec in by_name.items() if isinstance(spec.get("cache"), Mapping)]
    if name not in cached:
        expected = f"an operation with a cache, which are: {', '.join(cached) or 'none'}"
        yield Problem(place, show(name), expected, did_you_mean(name, cached))
        return
    _, key = caches.key_of(by_name[name]["cache"])
    found = [part.name.partition(".")[0] for part in references.parts(key) if isinstance(part, references.Reference)]
    if not found and by_name[name].get("input"):
        yield Problem(place, f"{name}, whose key is a hash", "an operation whose key refers to its input fields")
    inputs = mapping_of(operation.get("input"))
    wrong = False
    for field, text in given.items():
        if field not in found:
            wrong = True
            yield Problem(
                (*path, "input", field), show(field), f"a field in the key of {name}", did_you_mean(field, found)
            )
        elif references.member_of(text, "input") is None:
            wrong = True
            yield Problem((*path, "input", field), show(text), "one reference such as ${input.field}")
    for field in dict.fromkeys(found):
        if field not in given and field not in inputs:
            wrong = True
            hint = f"input: {{{field}: ${{input.…}}}}"
            yield Problem(path, f"nothing for {field}", f"the field in the key of {name}", hint)
    if not wrong and found and rules.clean(("operations", path[1], "input")):
        yield from effects.key(rules, path, caches.moved(key, given), inputs)


def _apart(rules: effects.Rules) -> Iterator[Problem]:
    """Find keys of one cache that may be those of another, or of a command of Redis."""
    known: list[tuple[str, str, str]] = []
    for operation in rules.operations:
        command = mapping_of(operation.get("redis"))
        if isinstance(command.get("key"), str) and command.get("command") not in _KEYS_ONLY:
            known.append(("redis", _head(command["key"]), f"the command of {operation.get('name')}"))
    for index, operation in enumerate(rules.operations):
        where, key = caches.key_of(mapping_of(operation.get("cache")))
        if not key:
            continue
        head = _head(key)
        for other, start, whose in known:
            if other == where and (head.startswith(start) or start.startswith(head)):
                path: Path = ("operations", index, "cache", where)
                yield Problem(path, f"keys that may be those of {whose}", "keys that begin in another way")
        known.append((where, head, f"the cache of {operation.get('name')}"))


def _head(key: str) -> str:
    first = next(iter(references.parts(key)), "")
    return first if isinstance(first, str) else ""
