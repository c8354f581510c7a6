"""What differs between two versions of a contract for those outside: callers of operations, and consumers of events."""

import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum, StrEnum
from itertools import chain
from typing import Any, Final

from ..text.problems import Path, Problem, place, show
from . import names
from .callers import ApiKeys, Bearer
from .contract import MISSING, Contract, Field, Operation

_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_OTHERS: Final = ("pattern", "format", "multipleOf", "uniqueItems")
# What a text may be told to be: each takes less than any text.
_TEXTS: Final = ("bytes", "date", "datetime", "duration", "enum", "time", "uuid")
_PARTS: Final = 3


class Effect(IntEnum):
    """How far a change reaches, as the part of a version that it asks for."""

    PATCH = 0
    MINOR = 1
    MAJOR = 2


class _Way(StrEnum):
    """Which way values go: into the node, or out of it."""

    IN = "input"
    OUT = "output"


class _Reach(StrEnum):
    """What a change does to the set of values that are possible."""

    LESS = "less"
    MORE = "more"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Change:
    """One change that others notice.

    Attributes:
        path: Where it is in the newer contract; what is gone is told of where it was.
        text: What it is.
        effect: MAJOR where something that worked no longer does, MINOR where something is added.
    """

    path: Path
    text: str
    effect: Effect

    @property
    def place(self) -> str:
        """The path as people write it."""
        return place(self.path)

    def __str__(self) -> str:
        """Return the change on one line."""
        return f"{self.place}: {'breaking: ' if self.effect is Effect.MAJOR else ''}{self.text}"


def changes(old: Contract, new: Contract) -> tuple[Change, ...]:
    """Return what differs for those outside, each change once, in the order of the contract.

    What follows from the implementation alone, such as another statement, is not seen.

    Args:
        old: The earlier version.
        new: The later one.
    """
    return tuple(dict.fromkeys(_Comparison(old, new).all()))


def effect_of(found: tuple[Change, ...]) -> Effect:
    """Return how far changes reach together."""
    return max((change.effect for change in found), default=Effect.PATCH)


def asked_version(old: str, effect: Effect) -> str:
    """Return the lowest version that a contract with such changes may have.

    Args:
        old: The version of the earlier contract, in three parts. Before 1.0.0, breaking changes ask for the next minor
            version.
        effect: How far the changes reach.
    """
    major, minor, _ = parts = _parts(old)
    if effect is Effect.MAJOR and major:
        return f"{major + 1}.0.0"
    if effect is Effect.PATCH:
        return ".".join(map(str, parts))
    return f"{major}.{minor + 1}.0"


def version_problem(old: Contract, new: Contract, found: tuple[Change, ...]) -> Problem | None:
    """Return what is wrong with the version of a contract; None where it tells enough of what changed.

    Args:
        old: The earlier version.
        new: The later one.
        found: What `changes` found.
    """
    asked = asked_version(old.version, effect_of(found))
    if is_enough(new.version, asked):
        return None
    return Problem(("version",), new.version, f"{asked} or later", "by what changed")


def is_enough(version: str, asked: str) -> bool:
    """Tell whether a version is at least the one that is asked for."""
    return _parts(version) >= _parts(asked)


def _parts(version: str) -> tuple[int, int, int]:
    numbers = [int(part) for part in version.split("-", maxsplit=1)[0].split("+", maxsplit=1)[0].split(".")[:_PARTS]]
    major, minor, patch = (*numbers, 0, 0, 0)[:_PARTS]
    return major, minor, patch


class _Comparison:
    """Two versions of a contract, and the models that were compared already."""

    def __init__(self, old: Contract, new: Contract) -> None:
        self._old = old
        self._new = new
        self._models = tuple({model.name: model for model in contract.models} for contract in (old, new))
        self._enums = tuple({enum.name: enum.values for enum in contract.enums} for contract in (old, new))
        self._open: set[tuple[str, str, _Way]] = set()

    def all(self) -> Iterator[Change]:
        for key, what in (("name", "name"), ("node_type", "type"), ("package", "package")):
            before, after = getattr(self._old, key), getattr(self._new, key)
            if before != after:
                text = f"the {what} was {show(before)} and is {show(after)}: classes and topics are others"
                yield Change((key,), text, Effect.MAJOR)
        before, after = ({op.name: op for op in contract.operations} for contract in (self._old, self._new))
        places = {op.name: index for index, op in enumerate(self._new.operations)}
        for name in before.keys() - after.keys():
            yield Change(("operations",), f"operation {name} is gone", Effect.MAJOR)
        for name, index in places.items():
            if name in before:
                yield from self._operation(("operations", index), before[name], after[name])
            else:
                yield Change(("operations", index), f"operation {name} is new", Effect.MINOR)
        yield from self._consumed()
        yield from self._callers()

    def _operation(self, path: Path, old: Operation, new: Operation) -> Iterator[Change]:
        yield from self._fields((*path, "input"), old.input, new.input, _Way.IN)
        yield from self._fields((*path, "output"), old.output, new.output, _Way.OUT)
        yield from _scopes((*path, "scopes"), old.scopes, new.scopes)
        if old.idempotent and not new.idempotent:
            yield Change((*path, "idempotent"), "running it twice is no longer safe", Effect.MAJOR)
        elif new.idempotent and not old.idempotent:
            yield Change((*path, "idempotent"), "running it twice is safe", Effect.MINOR)
        if old.idempotency_key and not new.idempotency_key:
            yield Change((*path, "idempotency_key"), "a request with a key can't be repeated any more", Effect.MAJOR)
        elif new.idempotency_key and not old.idempotency_key:
            yield Change((*path, "idempotency_key"), "a request with a key can be repeated", Effect.MINOR)
        if old.publishes and not new.publishes:
            yield Change((*path, "publishes"), f"event {show(old.publishes)} is no longer published", Effect.MAJOR)
        elif new.publishes and not old.publishes:
            yield Change((*path, "publishes"), f"event {show(new.publishes)} is published", Effect.MINOR)
        elif new.publishes and old.publishes:
            topics = [
                names.event_topic(contract, str(event))
                for contract, event in ((self._old, old.publishes), (self._new, new.publishes))
            ]
            if topics[0] != topics[1]:
                yield Change((*path, "publishes"), f"the topic was {topics[0]} and is {topics[1]}", Effect.MAJOR)
            # Events hold the input as well, and those who read them did not write it.
            yield from self._fields((*path, "input"), old.input, new.input, _Way.OUT)

    def _callers(self) -> Iterator[Change]:
        path: Path = ("service", "auth")
        before, after = self._old.service.auth, self._new.service.auth
        if before is None or after is None:
            if after is not None:
                yield Change(path, "callers have to say who they are", Effect.MAJOR)
            elif before is not None:
                yield Change(path, "callers need not say who they are", Effect.MINOR)
            return
        for key in ("api_keys", "bearer"):
            yield from _ways((*path, key), getattr(before, key), getattr(after, key))
        if before.metrics_scopes is None and after.metrics_scopes is not None:
            yield Change((*path, "metrics_scopes"), "who reads metrics has to be known", Effect.MAJOR)
        elif before.metrics_scopes is not None and after.metrics_scopes is None:
            yield Change((*path, "metrics_scopes"), "everybody may read metrics", Effect.MINOR)
        else:
            yield from _scopes((*path, "metrics_scopes"), before.metrics_scopes or (), after.metrics_scopes or ())

    def _consumed(self) -> Iterator[Change]:
        before, after = (
            {(event.event, event.operation) for event in contract.consumed_events}
            for contract in (self._old, self._new)
        )
        for event, operation in sorted(before - after):
            yield Change((), f"{operation} no longer handles event {show(event)}", Effect.MAJOR)
        for event, operation in sorted(after - before):
            yield Change((), f"{operation} handles event {show(event)}", Effect.MINOR)

    def _fields(self, path: Path, old: tuple[Field, ...], new: tuple[Field, ...], way: _Way) -> Iterator[Change]:
        before, after = ({field.name: field for field in fields} for fields in (old, new))
        for name in before:
            if name not in after:
                yield Change(path, f"field {name} is gone", Effect.MAJOR)
        for name, field in after.items():
            if name in before:
                yield from self._field((*path, name), before[name], field, way)
            elif way is _Way.IN and _is_needed(field):
                yield Change((*path, name), "it is new, and has to be given", Effect.MAJOR)
            else:
                yield Change((*path, name), "it is new", Effect.MINOR)

    def _field(self, path: Path, old: Field, new: Field, way: _Way) -> Iterator[Change]:
        if old.outside != new.outside:
            text = f"its name outside was {show(old.outside)} and is {show(new.outside)}"
            yield Change(path, text, Effect.MAJOR)
        if way is _Way.IN and _is_needed(new) and not _is_needed(old):
            yield Change(path, "it has to be given", Effect.MAJOR)
        elif way is _Way.IN and _is_needed(old) and not _is_needed(new):
            yield Change(path, "it may be left out", Effect.MINOR)
        elif way is _Way.IN and old.default != new.default:
            yield Change(path, "its default is another", Effect.MINOR)
        if old.required is not new.required:
            reach, text = (_Reach.LESS, "it can't be null") if new.required else (_Reach.MORE, "it may be null")
            # Whoever leaves a field out that may be null is told of that already.
            if way is _Way.OUT or (new.required and not _is_needed(new)):
                yield from _told(path, text, reach, way)
        yield from self._value(path, old, new, way)

    def _value(self, path: Path, old: Field, new: Field, way: _Way) -> Iterator[Change]:
        kinds = (old.kind, new.kind)
        if old.kind != new.kind:
            reach = _reach_of_kinds(*kinds)
            text = f"its type was {_word(old)} and is {_word(new)}"
            yield from _told(path, text, reach, way)
            return
        for text, reach in chain(self._values(old, new), _limits(old.constraints, new.constraints)):
            yield from _told(path, text, reach, way)
        if old.kind == "model":
            yield from self._model(path, str(old.reference), str(new.reference), way)
        if old.union and new.union:
            yield from self._union(path, old, new, way)
        if old.items and new.items:
            yield from self._value((*path, "items"), old.items, new.items, way)
            if old.items.required is not new.items.required:
                reach = _Reach.LESS if new.items.required else _Reach.MORE
                yield from _told((*path, "items"), "whether items may be null", reach, way)
        elif old.items or new.items:
            reach = _Reach.LESS if new.items else _Reach.MORE
            yield from _told(path, "what it holds is told" if new.items else "it may hold anything", reach, way)

    def _values(self, old: Field, new: Field) -> Iterator[tuple[str, _Reach]]:
        """Yield what differs in the values that a field may have, if these are listed."""
        before, after = (
            enums[str(field.reference)] if field.kind == "enum" else field.constraints.get("enum")
            for enums, field in zip(self._enums, (old, new), strict=True)
        )
        if before is None or after is None:
            if before is not after:
                yield (
                    ("any value may be there", _Reach.MORE) if after is None else ("its values are listed", _Reach.LESS)
                )
            return
        gone = [value for value in before if value not in after]
        added = [value for value in after if value not in before]
        if gone:
            yield f"without {', '.join(map(show, gone))}", _Reach.LESS
        if added:
            yield f"with {', '.join(map(show, added))}", _Reach.MORE

    def _model(self, path: Path, old: str, new: str, way: _Way) -> Iterator[Change]:
        pair = (old, new, way)
        # A model that holds itself differs from itself in nothing further.
        if pair in self._open:
            return
        self._open.add(pair)
        before, after = (models[name].fields for models, name in zip(self._models, (old, new), strict=True))
        yield from self._fields(path, before, after, way)
        self._open.remove(pair)

    def _union(self, path: Path, old: Field, new: Field, way: _Way) -> Iterator[Change]:
        if old.union is None or new.union is None:
            return
        if old.union.discriminator != new.union.discriminator:
            yield Change(path, "another field tells its models apart", Effect.MAJOR)
        for name in old.union.models:
            if name in new.union.models:
                yield from self._model((*path, name), name, name, way)
            else:
                yield from _told(path, f"without model {name}", _Reach.LESS, way)
        for name in new.union.models:
            if name not in old.union.models:
                yield from _told(path, f"with model {name}", _Reach.MORE, way)


def _scopes(path: Path, old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[Change]:
    for scope in new:
        if scope not in old:
            yield Change(path, f"callers need scope {show(scope)}", Effect.MAJOR)
    for scope in old:
        if scope not in new:
            yield Change(path, f"callers do not need scope {show(scope)}", Effect.MINOR)


def _ways(path: Path, old: ApiKeys | Bearer | None, new: ApiKeys | Bearer | None) -> Iterator[Change]:
    """Yield what differs in a way in which callers say who they are."""
    if old is None or new is None:
        if old is not new:
            text, effect = ("it is taken", Effect.MINOR) if new else ("it is no longer taken", Effect.MAJOR)
            yield Change(path, text, effect)
        return
    for key in ("header", "issuer", "scopes_claim"):
        was, is_now = getattr(old, key, None), getattr(new, key, None)
        if was != is_now:
            yield Change((*path, key), f"it was {show(was)} and is {show(is_now)}", Effect.MAJOR)
    for key in ("audience", "algorithms"):
        before, after = (tuple(getattr(way, key, ())) for way in (old, new))
        for value in before:
            if value not in after:
                yield Change((*path, key), f"{show(value)} is no longer taken", Effect.MAJOR)
        for value in after:
            if value not in before:
                yield Change((*path, key), f"{show(value)} is taken, too", Effect.MINOR)


def _is_needed(field: Field) -> bool:
    return field.required and field.default is MISSING


def _word(field: Field) -> str:
    return field.reference or field.kind


def _told(path: Path, text: str, reach: _Reach, way: _Way) -> Iterator[Change]:
    """Yield a change of values: callers suffer from less that is taken, and readers from more that may come."""
    suffers = reach is _Reach.OTHER or (reach is _Reach.LESS) is (way is _Way.IN)
    yield Change(path, text, Effect.MAJOR if suffers else Effect.MINOR)


def _reach_of_kinds(old: str, new: str) -> _Reach:
    if (old, new) == ("integer", "number") or (new == "string" and old in _TEXTS):
        return _Reach.MORE
    if (old, new) == ("number", "integer") or (old == "string" and new in _TEXTS):
        return _Reach.LESS
    return _Reach.OTHER


def _limits(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, _Reach]]:
    for keys, is_tighter in ((_LOWER, operator.lt), (_UPPER, operator.gt), (_OTHERS, None)):
        for key in keys:
            before, after = (None if limits.get(key) is False else limits.get(key) for limits in (old, new))
            if before == after:
                continue
            if before is None or after is None:
                reach = _Reach.LESS if before is None else _Reach.MORE
            elif is_tighter:
                reach = _Reach.LESS if is_tighter(before, after) else _Reach.MORE
            else:
                reach = _multiples(before, after) if key == "multipleOf" else _Reach.OTHER
            yield f"{key} was {_shown(before)} and is {_shown(after)}", reach


def _multiples(before: float, after: float) -> _Reach:
    old, new = (Decimal(str(value)) for value in (before, after))
    return _Reach.LESS if not new % old else _Reach.OTHER if old % new else _Reach.MORE


def _shown(value: Any) -> str:
    return "not there" if value is None else show(value)
