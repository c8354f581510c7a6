"""Patterns of fields, as pydantic reads them in the generated models: in time that grows with the text alone."""

import re
from functools import lru_cache
from typing import Final

from pydantic_core import SchemaError, SchemaValidator, core_schema

_BEYOND_PYDANTIC: Final = re.compile(r"\(\?[=!<]|\(\?P=|\\[1-9]")


def objection(pattern: str) -> tuple[str, str] | None:
    """Say why a pattern can't be a field's.

    Args:
        pattern: Any text.

    Returns:
        What is expected in its place, and a hint; None when it can be one.
    """
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return "a regular expression", str(error)
    if _BEYOND_PYDANTIC.search(pattern):
        return "a regular expression without look-around and back-references", ""
    try:
        _validator(pattern)
    except SchemaError as error:
        reason = str(error).strip().splitlines()[-1].strip().removeprefix("error: ").removeprefix("SchemaError: ")
        hint = "maxLength in the place of a large number of repetitions" if "size limit" in reason else reason
        return "a regular expression that pydantic takes", hint
    return None


def matches(pattern: str, text: str) -> bool:
    """Tell whether a field with a pattern takes a text.

    Args:
        pattern: The pattern.
        text: Any text.

    Returns:
        Whether it does; True for a pattern that means nothing, of which there is a problem already.
    """
    try:
        return _validator(pattern).isinstance_python(text)
    except SchemaError:
        return True


@lru_cache(maxsize=256)
def _validator(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern))
