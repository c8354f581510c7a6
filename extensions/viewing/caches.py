"""What templates are handed about results that are kept for a while."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..language import caches, samples
from ..language.contract import Contract, Operation
from ..language.references import Resolver
from ..text import encode

_FUNCTIONS = ("key_of", "hashed")


@dataclass(frozen=True, slots=True)
class CacheView:
    """How the results of an operation are kept.

    Attributes:
        place: `redis` or `memory`.
        function: The function that makes their keys.
        key: Code of the key of `request`.
        ttl_seconds: How old they may be.
        max_entries: How many are kept in memory at most.
        result: An output, as JSON values; None where none can be worked out.
    """

    place: str
    function: str
    key: str
    ttl_seconds: float
    max_entries: int
    result: dict[str, object] | None

    @property
    def uses_request(self) -> bool:
        """Whether it depends on the input."""
        return "request" in self.key


@dataclass(frozen=True, slots=True)
class ChangeView:
    """What an operation changes of what is kept in one place.

    Attributes:
        place: `redis` or `memory`.
        function: The function that makes the keys.
        keys: Code of the keys.
        operations: The operations whose results they are of.
    """

    place: str
    function: str
    keys: tuple[str, ...]
    operations: tuple[str, ...]

    @property
    def uses_request(self) -> bool:
        """Whether it depends on the input."""
        return any("request" in key for key in self.keys)


def cache_view(contract: Contract, operation: Operation) -> CacheView | None:
    """Return how the results of an operation are kept; None for not at all."""
    cache = operation.cache
    if cache is None:
        return None
    key = _key(contract, operation, cache.key)
    if operation.input and not caches.by_input(cache.key):
        key = f"hashed({key}, request)"
    return CacheView(
        place=cache.place,
        function=f"key_of_{operation.name}",
        key=key,
        ttl_seconds=cache.ttl_seconds,
        max_entries=cache.max_entries,
        result=samples.output(contract, operation),
    )


def changes(contract: Contract, operation: Operation) -> tuple[ChangeView, ...]:
    """Return what an operation changes of what is kept, by place."""
    places: Mapping[str, str] = {each.name: each.cache.place for each in contract.operations if each.cache}
    found: list[ChangeView] = []
    for place in dict.fromkeys(places[item.operation] for item in operation.invalidates):
        items = [item for item in operation.invalidates if places[item.operation] == place]
        found.append(
            ChangeView(
                place=place,
                function=f"changed_by_{operation.name}_in_{place}",
                keys=tuple(_key(contract, operation, item.key) for item in items),
                operations=tuple(dict.fromkeys(item.operation for item in items)),
            )
        )
    return tuple(found)


def functions(codes: Sequence[str]) -> tuple[str, ...]:
    """Return the functions of the runtime that code of keys calls."""
    return tuple(name for name in _FUNCTIONS if any(f"{name}(" in code for code in codes))


def _key(contract: Contract, operation: Operation, text: str) -> str:
    if not caches.by_input(text):
        return encode.py(caches.plain(text))
    return Resolver(operation.input, contract.models, lambda _: "").key(text, "key_of", 8)
