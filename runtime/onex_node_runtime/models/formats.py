# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What texts are, times of a day, and arrays whose items all differ; no message holds the value."""

import re
from collections.abc import Callable
from datetime import time
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AnyUrl, Field, TypeAdapter, validate_email
from pydantic_core import to_json

_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_LONGEST_HOSTNAME = 253
_URL = TypeAdapter(AnyUrl)


def _email(text: str) -> bool:
    # Of `Ann <ann@example.org>`, only what is between the brackets is one.
    return "<" not in text and bool(validate_email(text))


def _uri(text: str) -> bool:
    return text.isascii() and " " not in text and bool(_URL.validate_python(text))


def _hostname(text: str) -> bool:
    return len(text) <= _LONGEST_HOSTNAME and all(_LABEL.fullmatch(label) for label in text.split("."))


def _is(name: str, test: Callable[[str], object]) -> AfterValidator:
    def judge(text: str) -> str:
        try:
            sound = bool(test(text))
        except (ValueError, AddressValueError):
            sound = False
        if not sound:
            message = f"is no {name}"
            raise ValueError(message)
        return text

    return AfterValidator(judge)


def _unique[ItemT](items: list[ItemT]) -> list[ItemT]:
    seen: set[bytes] = set()
    for item in items:
        # Keys are in order, so that two objects with the same members are equal.
        text = to_json(_ordered(item))
        if text in seen:
            message = "holds two items that are equal"
            raise ValueError(message)
        seen.add(text)
    return items


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    return [_ordered(item) for item in value] if isinstance(value, list) else value


def _without_offset(moment: time) -> time:
    if moment.tzinfo is not None:
        message = "is a time with an offset"
        raise ValueError(message)
    return moment


ItemT = TypeVar("ItemT")

Email = Annotated[str, _is("address for mail", _email), Field(json_schema_extra={"format": "email"})]
Uri = Annotated[str, _is("URI", _uri), Field(json_schema_extra={"format": "uri"})]
Hostname = Annotated[str, _is("name of a host", _hostname), Field(json_schema_extra={"format": "hostname"})]
Ipv4 = Annotated[str, _is("IPv4 address", IPv4Address), Field(json_schema_extra={"format": "ipv4"})]
Ipv6 = Annotated[str, _is("IPv6 address", IPv6Address), Field(json_schema_extra={"format": "ipv6"})]
LocalTime = Annotated[time, AfterValidator(_without_offset)]
Unique = Annotated[list[ItemT], AfterValidator(_unique), Field(json_schema_extra={"uniqueItems": True})]
