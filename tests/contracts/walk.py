"""Walks a contract together with the schema: which part of the language each of its values belongs to."""

from collections.abc import Iterator, Mapping
from typing import Any

from extensions.text.problems import Path
from tests.contracts.fields import SCHEMA, resolved

Part = tuple[Path, Any, Mapping[str, Any]]


def parts(value: object, schema: Mapping[str, Any] = SCHEMA, path: Path = ()) -> Iterator[Part]:
    """Find the values of a contract that the schema has a part for.

    Args:
        value: A contract, or a part of one.
        schema: What the schema says about it.
        path: Where it is.

    Yields:
        Paths, values, and their schemas without references.
    """
    schema = _chosen(value, resolved(schema))
    yield path, value, schema
    if isinstance(value, Mapping):
        known = schema.get("properties", {})
        others = schema.get("additionalProperties")
        for key, item in value.items():
            part = known.get(key, others)
            if isinstance(part, Mapping):
                yield from parts(item, part, (*path, key))
    elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        for index, item in enumerate(value):
            yield from parts(item, schema["items"], (*path, index))


def _chosen(value: object, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "if" not in schema:
        return schema
    kinds: dict[str, type[object]] = {"object": dict, "array": list, "string": str}
    meets = isinstance(value, kinds[schema["if"]["type"]])
    return {**schema, **resolved(schema["then"] if meets else schema.get("else", {}))}


def put(contract: Any, path: Path, value: object) -> Any:  # noqa: ANN401 - inner calls are for parts of any kind
    """Return a contract with another value somewhere; it shares all else with the first one.

    Args:
        contract: A contract.
        path: Where the value goes; not the root.
        value: The value.
    """
    key, *rest = path
    inner = put(contract[key], tuple(rest), value) if rest else value
    if isinstance(contract, list):
        return [*contract[: int(key)], inner, *contract[int(key) + 1 :]]
    return {**contract, key: inner}


def rename(contract: dict[str, Any], path: Path, key: str) -> dict[str, Any]:
    """Return a contract with another key in the place of the last one of a path, in the same order.

    Args:
        contract: A contract.
        path: Where the key is that goes.
        key: The other key.
    """
    *above, old = path
    holder: Any = contract
    for step in above:
        holder = holder[step]
    renamed = {key if name == old else name: value for name, value in holder.items()}
    changed: dict[str, Any] = put(contract, tuple(above), renamed) if above else renamed
    return changed


def leave_out(contract: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a contract without a key.

    Args:
        contract: A contract.
        path: Where the key is.
    """
    *above, old = path
    holder: Any = contract
    for step in above:
        holder = holder[step]
    left = {name: value for name, value in holder.items() if name != old}
    changed: dict[str, Any] = put(contract, tuple(above), left) if above else left
    return changed
