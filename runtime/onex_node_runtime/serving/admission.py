# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What is asked of a request before the node sees it: where it comes from, its form, its size and its pace."""

import asyncio
import ipaddress
import math
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import urlsplit

from omnibase_core.enums import EnumCoreErrorCode
from starlette.requests import ClientDisconnect, Request

from ..json_values import parsed

_LOCAL_NAMES = frozenset({"localhost", "localhost."})
_JSON = frozenset({"", "application/json"})
_NO_HEADERS: Mapping[str, str] = {}
LONGEST_INTEGER = 400
_LONG_INTEGER = re.compile(b"[0-9]{" + str(LONGEST_INTEGER).encode() + b"}")


class RefusedError(Exception):
    """A request that the node does not get to see."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        code: EnumCoreErrorCode | None = None,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> None:
        """Keep what the caller is told.

        Args:
            status: Of the answer.
            detail: What is wrong, for people.
            code: ONEX's code of the error; None where ONEX has none.
            headers: Further headers of the answer.
        """
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.code = code
        self.headers = dict(headers)


def is_loopback(host: str) -> bool:
    """Tell whether an address or a name is the machine's own alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() in _LOCAL_NAMES


def check_origin(request: Request) -> None:
    """Refuse what a page in a browser on this machine sends to a service that only this machine reaches.

    Args:
        request: The request; its `Host` has to name this machine, and its `Origin`, if any, too.

    Raises:
        RefusedError: It names another.
    """
    if not is_loopback(_name_of(f"//{request.headers.get('host', '')}")):
        raise RefusedError(
            HTTPStatus.MISDIRECTED_REQUEST, "The service is bound to this machine, which Host does not name."
        )
    origin = request.headers.get("origin")
    if origin is not None and not is_loopback(_name_of(origin)):
        raise RefusedError(HTTPStatus.FORBIDDEN, "The service is bound to this machine, and Origin is another.")


def _name_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def check_media_type(request: Request) -> None:
    """Refuse a body that says that it is no JSON.

    Raises:
        RefusedError: 415.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _JSON and not (kind.startswith("application/") and kind.endswith("+json")):
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body has to be application/json.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body has to be sent without a content encoding.")


async def body_of(request: Request, limit: int, seconds: float) -> bytes:
    """Return the body of a request.

    Args:
        request: The request.
        limit: Bytes that it may have.
        seconds: How long it may take to arrive.

    Raises:
        RefusedError: 413 or 408.
        ClientDisconnect: The caller left.
    """
    if _announced(request) > limit:
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")
    chunks = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                chunks += chunk
                if len(chunks) > limit:
                    raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")
    except TimeoutError:
        raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, "The body took too long to arrive.") from None
    return bytes(chunks)


def _announced(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() and length.isascii() and len(length) < 20 else 0  # noqa: PLR2004


def payload_of(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body; an empty body is an empty object.

    Raises:
        RefusedError: 400 for what is none.
    """
    # A function for each integer takes time that most bodies need not take.
    integer = _integer if _LONG_INTEGER.search(body) else None
    try:
        payload = parsed(body or b"{}", parse_constant=_refuse_constant, parse_int=integer)
    except (ValueError, RecursionError):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "The body is not JSON.") from None
    if not isinstance(payload, dict):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "The body is not a JSON object.")
    return payload


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _integer(digits: str) -> int | float:
    # Python refuses thousands of digits, for the time that they take; as a number they are out of every range.
    return int(digits) if len(digits) <= LONGEST_INTEGER else math.inf


__all__ = [
    "ClientDisconnect",
    "RefusedError",
    "body_of",
    "check_media_type",
    "check_origin",
    "is_loopback",
    "payload_of",
]
