# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Lists that an API gives page by page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

from .answers import every, first, first_or_none

if TYPE_CHECKING:
    from pydantic import JsonValue

    from .adapters.adapter_http import AdapterHttp, HttpCall
    from .adapters.http_content import HttpAnswer
    from .adapters.retry_policy import RetryPolicy
    from .answers import Path

    type Onward = HttpCall | None


@dataclass(frozen=True, slots=True)
class Paged:
    """The items of all pages, and whether there may be more than were asked for."""

    items: list[JsonValue]
    more: bool


class Paging(Protocol):
    """How one page leads to the next."""

    def begin(self, call: HttpCall) -> HttpCall:
        """Return the request for the first page."""

    def go_on(self, call: HttpCall, answer: HttpAnswer, count: int) -> Onward:
        """Return the request for the next page; None after the last one.

        Args:
            call: The request for this page.
            answer: The answer to it.
            count: How many items this page has.
        """


@dataclass(frozen=True, slots=True)
class LinkedPages:
    """Each page names the next one in its header `Link`, as RFC 8288 has it."""

    relation: str

    def begin(self, call: HttpCall) -> HttpCall:
        """Return the request for the first page."""
        return call

    def go_on(self, call: HttpCall, answer: HttpAnswer, count: int) -> Onward:  # noqa: ARG002 - of the protocol
        """Return the request for the next page; None after the last one."""
        url = answer.links.get(self.relation)
        return None if url is None else replace(call, path=url, query={})


@dataclass(frozen=True, slots=True)
class CursorPages:
    """Each page has a value that asks for the next one."""

    cursor: Path
    parameter: str

    def begin(self, call: HttpCall) -> HttpCall:
        """Return the request for the first page."""
        return call

    def go_on(self, call: HttpCall, answer: HttpAnswer, count: int) -> Onward:  # noqa: ARG002 - of the protocol
        """Return the request for the next page; None after the last one."""
        value = first_or_none(self.cursor, answer.json())
        return None if value in (None, "", False) else replace(call, query={**call.query, self.parameter: value})


@dataclass(frozen=True, slots=True)
class NumberedPages:
    """Pages have numbers, and the first one without items is after the last."""

    parameter: str
    first: int = 1

    def begin(self, call: HttpCall) -> HttpCall:
        """Return the request for the first page."""
        return replace(call, query={**call.query, self.parameter: self.first})

    def go_on(self, call: HttpCall, answer: HttpAnswer, count: int) -> Onward:  # noqa: ARG002 - of the protocol
        """Return the request for the next page; None after the last one."""
        number = call.query[self.parameter]
        if not count or not isinstance(number, int):
            return None
        return replace(call, query={**call.query, self.parameter: number + 1})


async def every_item(
    http: AdapterHttp,
    call: HttpCall,
    paging: Paging,
    *,
    items: Path,
    at_most: int,
    many: bool = False,
    retry: RetryPolicy | None = None,
) -> Paged:
    """Return the items of all pages.

    Args:
        http: The API.
        call: The request for the first page.
        paging: How one page leads to the next.
        items: Where a page has its items.
        at_most: How many items are taken, and how many pages are asked for, at most.
        many: Whether the path leads to each item, and not to the array of them.
        retry: The operation's own retry policy, instead of the node's.

    Raises:
        ModelOnexError: CONTRACT_VIOLATION when a page has no items where they should be, or leads to a page that was
            there before; and what a single request raises.
    """
    found: list[JsonValue] = []
    seen: set[str] = set()
    page: Onward = paging.begin(call)
    while page is not None:
        place = f"{page.path} {page.query}"
        if place in seen:
            raise _unexpected("The pages of the answer have no end.")
        seen.add(place)
        answer = await http.ask(page, retry)
        taken = _items(answer, items, many=many)
        found += taken
        page = paging.go_on(page, answer, len(taken))
        if len(found) >= at_most or len(seen) >= at_most:
            return Paged(found[:at_most], more=page is not None or len(found) > at_most)
    return Paged(found, more=False)


def _items(answer: HttpAnswer, path: Path, *, many: bool) -> list[JsonValue]:
    if many:
        return every(path, answer.json())
    value = first(path, answer.json())
    if not isinstance(value, list):
        raise _unexpected(f"The answer has no array at {path}.")
    return value


def _unexpected(message: str) -> ModelOnexError:
    return ModelOnexError(message=message, error_code=EnumCoreErrorCode.CONTRACT_VIOLATION, integration="http")
