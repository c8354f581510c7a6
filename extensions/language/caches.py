"""Results that are kept for a while, and forgotten when an operation changes them: how the contract says it."""

from collections.abc import Mapping

from ..text.specs import Specs
from .integrations import Cache, Invalidation, Place
from .references import Reference, literal_of, parts

_PLACES: tuple[Place, ...] = ("redis", "memory")


def by_input(key: str) -> bool:
    """Tell whether a key is made of input fields."""
    return any(isinstance(part, Reference) for part in parts(key))


def plain(key: str) -> str:
    """Return a key without references as it is meant."""
    return literal_of(key)


def build_cache(spec: Specs | None) -> Cache | None:
    """Return how results are kept; None for not at all."""
    if spec is None:
        return None
    place = next(place for place in _PLACES if place in spec)
    return Cache(place, spec[place], spec["ttl_seconds"], spec.get("max_entries", 1000))


def key_of(spec: Specs) -> tuple[Place, str]:
    """Return where a cache of a contract is, and its key; empty where it has none."""
    place: Place = next((place for place in _PLACES if isinstance(spec.get(place), str)), "redis")
    return place, str(spec.get(place, ""))


def named(item: object) -> tuple[str, Specs]:
    """Return the operation whose results are forgotten, and what its input fields are said to be."""
    if isinstance(item, Mapping):
        given = item.get("input")
        return str(item.get("operation", "")), given if isinstance(given, Mapping) else {}
    return str(item), {}


def moved(key: str, given: Specs) -> str:
    """Return a key with references to the input of another operation.

    Args:
        key: The key of a cache.
        given: References by the names of the fields that the key refers to; those of the same name where there is none.
    """
    found = ""
    for part in parts(key):
        if isinstance(part, Reference):
            first, dot, rest = part.name.partition(".")
            whole = str(given.get(first, f"${{input.{first}}}"))
            found += f"{whole.removesuffix('}')}{dot}{rest}}}"
        else:
            found += part.replace("${", "$${")
    return found


def build_invalidations(spec: object, operations: Specs) -> tuple[Invalidation, ...]:
    """Return what an operation changes.

    Args:
        spec: What the contract says.
        operations: The operations of the contract by name.
    """
    found = []
    for item in spec if isinstance(spec, list) else ():
        name, given = named(item)
        _, key = key_of(operations[name]["cache"])
        found.append(Invalidation(name, moved(key, given)))
    return tuple(found)
