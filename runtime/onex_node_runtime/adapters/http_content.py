# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What requests of HTTP carry, and what their answers do."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from typing import TYPE_CHECKING, Any, Literal

import httpx
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

from ..json_values import json_values, parsed
from ..texts import text

if TYPE_CHECKING:
    from pydantic import JsonValue

type SentAs = Literal["json", "form", "parts", "plain"]


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file in a request of several parts.

    Attributes:
        content: Bytes as they are, text in UTF-8, anything else as JSON; a part without content is left out.
        filename: What the file is called.
        content_type: Its media type; told from the file's name when empty.
    """

    content: object
    filename: object = ""
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A successful answer.

    Attributes:
        status: Its status.
        found: Whether it is another answer than that there is nothing, where such an answer is a success.
        url: What was asked.
        links: Other documents by their relation, as the header `Link` has them; absolute URLs.
        encoding: The encoding of text.
        headers: Its headers by their names in lower case.
        content: Its body; empty where the request does not ask for it.
    """

    status: int
    found: bool
    url: str
    links: Mapping[str, str]
    encoding: str
    headers: Mapping[str, str]
    content: bytes

    @classmethod
    def of(cls, response: httpx.Response, content: bytes, *, found: bool) -> HttpAnswer:
        """Return the answer that a response is.

        Args:
            response: The response.
            content: Its body, decoded.
            found: Whether there is what was asked for.
        """
        links: dict[str, str] = {}
        for relation, link in response.links.items():
            # A URL that is none leads nowhere.
            with suppress(httpx.InvalidURL):
                links |= dict.fromkeys((relation or "").split(), str(response.url.join(link["url"])))
        headers = {name.lower(): value for name, value in response.headers.items()}
        encoding = response.encoding or "utf-8"
        return cls(response.status_code, found, str(response.url), links, encoding, headers, content)

    def json(self) -> JsonValue:
        """Return the JSON of its body; None where it has no body.

        Raises:
            ModelOnexError: CONTRACT_VIOLATION where it is not JSON.
        """
        if not self.content:
            return None
        try:
            value: JsonValue = self._parsed()
        # JSON that is nested too deeply is a RecursionError.
        except (ValueError, RecursionError) as error:
            raise _unexpected("The answer is not JSON.") from error
        return value

    def _parsed(self) -> Any:
        try:
            return parsed(self.content)
        except UnicodeDecodeError:
            # JSON is UTF-8, whatever a header says; some servers send what they say all the same.
            return parsed(self.content.decode(self.encoding))

    def text(self) -> str:
        """Return its body as text, in which what the encoding does not know is replaced."""
        return self.content.decode(self.encoding, errors="replace")

    def base64(self) -> str:
        """Return its body in base64, as fields of bytes take it."""
        return base64.b64encode(self.content).decode()

    def header(self, name: str) -> str:
        """Return a header.

        Raises:
            ModelOnexError: CONTRACT_VIOLATION where it has none.
        """
        value = self.header_or_none(name)
        if value is None:
            raise _unexpected(f"The answer has no header {name}.")
        return value

    def header_or_none(self, name: str) -> str | None:
        """Return a header, or None where it has none, or where there is nothing."""
        return self.headers.get(name.lower()) if self.found else None


def content_of(body: object, sent_as: SentAs, content_type: str) -> dict[str, Any]:
    """Return what httpx takes for a body.

    Args:
        body: JSON, or text or bytes where the headers say so; the fields of a form or values and files by name, of
            which a list is one several times; or text or bytes. None is no body.
        sent_as: Which of these it is.
        content_type: What the headers say; empty where they say nothing.

    Raises:
        ModelOnexError: VALIDATION_ERROR for a value that is no such body.
    """
    if body is None:
        return {}
    if sent_as == "form" and isinstance(body, Mapping):
        return {"data": {name: parameter(value) for name, value in body.items()}}
    if sent_as == "parts" and isinstance(body, Mapping):
        return {"files": _parts(body)}
    if sent_as == "plain":
        usual = "text/plain; charset=utf-8" if isinstance(body, str) else "application/octet-stream"
        stated = {} if content_type else {"headers": {"Content-Type": usual}}
        return {"content": _bytes(body, _message(content_type or usual)), **stated}
    message = _message(content_type or "application/json")
    if message.get_content_subtype() == "json" or message.get_content_subtype().endswith("+json"):
        return {"json": json_values(body)}
    return {"content": _bytes(body, message)}


def parameter(value: object) -> Any:
    """Return a value as httpx takes parameters: lists as they are, mappings as JSON."""
    plain = json_values(value)
    if isinstance(plain, Iterable) and not isinstance(plain, (str, Mapping)):
        return list(plain)
    return json.dumps(plain) if isinstance(plain, Mapping) else plain


def _parts(body: Mapping[str, object]) -> list[tuple[str, tuple[Any, ...]]]:
    found: list[tuple[str, tuple[Any, ...]]] = []
    for name, value in body.items():
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, FilePart):
                found.append((name, (None, _part(item))))
            elif item.content is not None:
                file: tuple[Any, ...] = (text(item.filename) or name, _part(item.content))
                found.append((name, (*file, item.content_type) if item.content_type else file))
    return found


def _part(value: object) -> bytes:
    return value if isinstance(value, bytes) else text(value).encode()


def _bytes(body: object, stated: Message) -> bytes:
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode(stated.get_content_charset("utf-8"))
    raise ModelOnexError(
        message=f"A body of type {stated.get_content_type()} is text or bytes.",
        error_code=EnumCoreErrorCode.VALIDATION_ERROR,
        integration="http",
    )


def _message(content_type: str) -> Message:
    stated = Message()
    stated["Content-Type"] = content_type
    return stated


def _unexpected(message: str) -> ModelOnexError:
    return ModelOnexError(message=message, error_code=EnumCoreErrorCode.CONTRACT_VIOLATION, integration="http")
