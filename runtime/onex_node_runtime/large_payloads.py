# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Large inputs: judged in a thread, one after another, so that the loop goes on and their mistakes take no memory."""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, Literal

from pydantic import BaseModel
from pydantic_core import CoreConfig, SchemaValidator, to_json

from .payloads import validated

# Beyond so many values, or characters of text, judging takes longer than the loop should wait.
MOST_VALUES = 1000
MOST_CHARACTERS = 65_536
_PAUSE_SECONDS = 0.01
_THREAD = ThreadPoolExecutor(1, thread_name_prefix="payloads")


async def judged[ModelT: BaseModel](
    model: type[ModelT], payload: Mapping[str, object], *, tolerant: bool = False
) -> ModelT:
    """Return an input as its model, as `validated` does; of an array in a large one, only the first wrong item is told.

    Args:
        model: The type of the input.
        payload: Values of JSON.
        tolerant: Whether the values are of somebody who may say more than the model has fields for.

    Returns:
        The input.

    Raises:
        ModelOnexError: As `validated`.
        ValidationError: As `validated`.
    """
    if is_small(payload):
        return validated(model, payload, tolerant=tolerant)
    return await one_after_another(partial(_validated, model, payload, tolerant=tolerant))


async def one_after_another[ResultT](call: Callable[[], ResultT]) -> ResultT:
    """Return what a call returns that takes long for its input is large; the loop goes on meanwhile.

    Args:
        call: The call, which runs in a thread, after those that were made before.
    """
    return await asyncio.get_running_loop().run_in_executor(_THREAD, _after_the_loop, call)


def _after_the_loop[ResultT](call: Callable[[], ResultT]) -> ResultT:
    # Such calls are C, which keeps the interpreter to itself: between two of them the loop gets through what waits.
    time.sleep(_PAUSE_SECONDS)
    return call()


def is_small(payload: object) -> bool:
    """Tell whether a value of JSON holds few values and little text."""
    values, characters = 0, 0
    waiting = [payload]
    while waiting:
        value = waiting.pop()
        match value:
            case str():
                characters += len(value)
            # Python knows a dict at once, and other mappings many times later.
            case dict() | Mapping():
                values += len(value)
                if values <= MOST_VALUES:
                    characters += sum(map(len, value))
                    waiting.extend(value.values())
            case list() | tuple():
                values += len(value)
                if values <= MOST_VALUES:
                    waiting.extend(value)
        if values > MOST_VALUES or characters > MOST_CHARACTERS:
            return False
    return True


def _validated[ModelT: BaseModel](model: type[ModelT], payload: Mapping[str, object], *, tolerant: bool) -> ModelT:
    # A hundred thousand wrong items would be a problem for each of their fields, and gigabytes.
    _sieve(model, tolerant=tolerant).validate_json(to_json(payload, bytes_mode="base64"), strict=True)
    return validated(model, payload, tolerant=tolerant)


@cache
def _sieve(model: type[BaseModel], *, tolerant: bool) -> SchemaValidator:
    """Return a validator that stops at the first wrong item of an array, and makes nothing."""
    behaviour: Literal["ignore", "forbid"] = "ignore" if tolerant else "forbid"
    config = CoreConfig(title=model.__name__, extra_fields_behavior=behaviour)
    return SchemaValidator(_sieving(model.__pydantic_core_schema__), config)


def _sieving(schema: Any) -> Any:
    match schema:
        # Of a model pydantic would take the validator that it has already.
        case {"type": "model", "schema": fields, **others}:
            return _sieving(fields) | ({"ref": others["ref"]} if "ref" in others else {})
        case {"type": "list", **others}:
            return {name: _sieving(value) for name, value in others.items()} | {"type": "list", "fail_fast": True}
        # Defaults are no values of a caller's.
        case {"type": "default", "schema": inner, **_others}:
            return {"type": "default", "schema": _sieving(inner), "default": None}
        case dict():
            return {name: _sieving(value) for name, value in schema.items()}
        case list() | tuple():
            return type(schema)(map(_sieving, schema))
        case _:
            return schema
