# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Values as parts of texts."""

import json
from urllib.parse import quote, quote_plus

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

from .json_values import json_values


def text(value: object) -> str:
    """Return a value as text: strings as they are, nothing as the empty text, anything else as in JSON."""
    plain = json_values(value)
    if plain is None:
        return ""
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def form(value: object) -> str:
    """Return a value as text in a form, encoded so that it starts no other field."""
    return quote_plus(text(value))


def segment(value: object, *, may_be_empty: bool = False) -> str:
    """Return a value as one segment of a URL's path, percent-encoded.

    Args:
        value: Any value of an input.
        may_be_empty: Whether the path may end with the `/` before the segment.

    Returns:
        The segment, in which nothing acts as a separator.

    Raises:
        ModelOnexError: VALIDATION_ERROR when there is no value, or one that would lead to another path.
    """
    found = text(value)
    if found in {".", ".."} or not (found or may_be_empty):
        raise ModelOnexError(
            message="A value that a path is made of is missing, or would lead to another path.",
            error_code=EnumCoreErrorCode.VALIDATION_ERROR,
        )
    return quote(found, safe="")


def segments(value: object) -> str:
    """Return a value as segments of a URL's path, with `/` between them; each is one as `segment` makes it."""
    return "/".join(segment(part) for part in text(value).split("/"))
