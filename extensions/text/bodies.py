"""What the headers of an HTTP request say about its body."""

from collections.abc import Mapping
from email.message import Message
from typing import Any

_FORM = "application/x-www-form-urlencoded"


def content_type(*headers: Mapping[str, Any]) -> str | None:
    """Return the content type that headers state.

    Args:
        headers: Headers by name, in any case; later ones replace earlier ones.

    Returns:
        The type in lower case, without parameters. JSON's where none is stated; None where it is known only when the
        node runs.
    """
    found: object = "application/json"
    for given in headers:
        for name, value in given.items():
            if name.lower() == "content-type":
                found = value
    if not isinstance(found, str) or "${" in found:
        return None
    message = Message()
    message["Content-Type"] = found
    return message.get_content_type()


def is_json(stated: str | None) -> bool:
    """Tell whether bodies of this content type are JSON; a type that is not known counts as JSON."""
    return stated is None or stated.endswith(("/json", "+json"))


def is_form(stated: str | None) -> bool:
    """Tell whether bodies of this content type are the fields of a form."""
    return stated == _FORM
