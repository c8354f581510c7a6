# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Inputs as callers send them: judged strictly, and their mistakes told briefly."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, cast

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, to_json

MOST_PROBLEMS = 50
"""Problems that an answer lists: a request of many mistakes gets no answer of many times its size."""

MOST_EXAMINED = 1000
LONGEST_PATH = 200
LONGEST_MESSAGE = 500
DEEPEST = 64
WIDEST = 2**63
# Arithmetic with longer numbers takes more than a moment for a few bytes of input, such as 1e999900.
MOST_DIGITS = 1000
_HARMLESS = (bool, int, type(None))
_WITHIN_REACH = (str, bool, float, type(None))


def validated[ModelT: BaseModel](
    model: type[ModelT], payload: Mapping[str, object], *, tolerant: bool = False
) -> ModelT:
    """Return an input as its model; `"5"` and `true` are no integers.

    Args:
        model: The type of the input.
        payload: Values of JSON.
        tolerant: Whether the values are of somebody who may say more than the model has fields for.

    Returns:
        The input.

    Raises:
        ModelOnexError: VALIDATION_ERROR for values that no operation can take; its context lists the problems.
        ValidationError: The values are not those of the model.
    """
    found = list(islice(_unusable(payload), MOST_PROBLEMS))
    if found:
        raise ModelOnexError(
            message="The input holds values that can't be taken.",
            error_code=EnumCoreErrorCode.VALIDATION_ERROR,
            problems=found,
        )
    text, extra = to_json(payload, bytes_mode="base64"), "ignore" if tolerant else None
    try:
        made = model.model_validate_json(text, strict=True, extra=extra)  # type: ignore[arg-type]  # it is a literal
    except ValidationError as error:
        # Defaults may be written as JSON has them, and are no values of the caller's.
        given = error if error.error_count() > MOST_EXAMINED else _of_caller(error, payload)
        if given is not None:
            raise given from None
        made = model.model_validate_json(text, extra=extra)  # type: ignore[arg-type]  # it is a literal
    if beyond := list(islice(_beyond(made), MOST_PROBLEMS)):
        raise ModelOnexError(
            message="The input holds values that are beyond what can be reckoned with.",
            error_code=EnumCoreErrorCode.VALIDATION_ERROR,
            problems=beyond,
        )
    return made


def _of_caller(error: ValidationError, payload: Mapping[str, object]) -> ValidationError | None:
    """Return what is wrong of what the caller gave, or left out; None where only defaults are."""
    found = error.errors(include_url=False, include_context=False)
    given = [problem for problem in found if problem["type"] == "missing" or _is_given(payload, problem["loc"])]
    if len(given) == len(found):
        return error
    details = [
        InitErrorDetails(type=PydanticCustomError(problem["type"], problem["msg"]), loc=problem["loc"], input=None)
        for problem in given
    ]
    return ValidationError.from_exception_data(error.title, details) if details else None


def _is_given(payload: Any, path: Sequence[object]) -> bool:
    """Tell whether a value, or what is missing beside one, is the caller's."""
    for step in path[:-1]:
        # A path also names validators and members of unions, which are no part of the payload.
        with suppress(LookupError, TypeError):
            payload = payload[step]
    return not isinstance(payload, Mapping) or path[-1] in payload


def problems_of(error: ValidationError) -> list[dict[str, str]]:
    """Return what is wrong, as paths and messages without the values, which may be secret; at most so many.

    Args:
        error: What a model refused.
    """
    count = error.error_count()
    if count > MOST_EXAMINED:
        return [{"path": "", "message": f"{count} problems"}]
    found = error.errors(include_url=False, include_input=False, include_context=False)
    listed = [
        {"path": ".".join(map(str, problem["loc"]))[:LONGEST_PATH], "message": problem["msg"]}
        for problem in found[:MOST_PROBLEMS]
    ]
    if count > MOST_PROBLEMS:
        listed.append({"path": "", "message": f"and {count - MOST_PROBLEMS} more"})
    return listed


def shortened(message: str) -> str:
    """Return an error's message, the middle of a long one left out, which may be a caller's own text."""
    half = LONGEST_MESSAGE // 2
    return message if len(message) <= LONGEST_MESSAGE else f"{message[: half - 1]}…{message[-half:]}"


def _unusable(payload: Mapping[str, object]) -> Iterator[dict[str, str]]:
    """Yield what no type of a contract takes: text that is no Unicode or holds NUL, numbers that are none."""
    waiting: list[tuple[tuple[object, ...], object]] = [((), payload)]
    while waiting:
        path, value = waiting.pop()
        message = ""
        match value:
            case str():
                message = _text_problem(value)
            case float() if not math.isfinite(value):
                message = "is no finite number"
            # Python knows a dict at once, and other mappings many times later.
            case dict() | Mapping() | list() | tuple() if len(path) >= DEEPEST:
                message = f"is nested more than {DEEPEST} levels deep"
            case dict() | Mapping():
                for key, item in value.items():
                    problem = _text_problem(key)
                    if problem:
                        yield {"path": _shown(path), "message": f"has a key that {problem}"}
                    elif not _is_harmless(item):
                        waiting.append(((*path, key), item))
            case list() | tuple():
                waiting.extend(((*path, index), item) for index, item in enumerate(value) if not _is_harmless(item))
        if message:
            yield {"path": _shown(path), "message": message}


def _is_harmless(value: object) -> bool:
    return isinstance(value, _HARMLESS) or (isinstance(value, str) and not _text_problem(value))


def _beyond(made: BaseModel) -> Iterator[dict[str, str]]:
    waiting: list[tuple[tuple[object, ...], object]] = [((), made)]
    while waiting:
        path, value = waiting.pop()
        match value:
            case BaseModel():
                items: Iterable[tuple[object, object]] = value
            case dict():
                items = value.items()
            case _:
                items = enumerate(cast("Sequence[object]", value))
        for name, item in items:
            if isinstance(item, _WITHIN_REACH):
                continue
            if problem := _value_problem(item):
                yield {"path": _shown((*path, name)), "message": problem}
            elif isinstance(item, (BaseModel, dict, list, tuple)):
                waiting.append(((*path, name), item))


def _value_problem(value: object) -> str:
    if type(value) is int and not -WIDEST <= value < WIDEST:
        return "is a whole number beyond 64 bits"
    if isinstance(value, Decimal) and value.is_finite():
        digits = max(abs(value.adjusted()), len(value.as_tuple().digits))
        return f"is a number of more than {MOST_DIGITS} digits" if digits > MOST_DIGITS else ""
    if isinstance(value, datetime) and value.tzinfo is not None:
        try:
            value.astimezone(UTC)
        except OverflowError:
            return "is a moment that is beyond the years 1 to 9999 in UTC"
    return ""


def _shown(path: Sequence[object]) -> str:
    return ".".join(map(str, path))[:LONGEST_PATH]


def _text_problem(text: str) -> str:
    if "\x00" in text:
        return "holds the character NUL"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "holds half a character, a lone surrogate"
    return ""
