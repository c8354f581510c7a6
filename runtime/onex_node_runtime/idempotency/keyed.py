# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""The key that a caller gives a request: sent again with it, the request takes effect once."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

KEY_HEADER = "Idempotency-Key"
"""The HTTP header that carries the key of a request."""

REPLAYED_HEADER = "Idempotency-Replayed"
"""The HTTP header of an answer that was kept from an earlier request."""

LONGEST_KEY = 255
EXPECTED = (
    f"{KEY_HEADER} takes one text of 1 to {LONGEST_KEY} printable characters of ASCII, in quotation marks or not."
)
# A string of RFC 9651, or what most callers send: the text itself.
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"', re.ASCII)
_PLAIN = re.compile(r"[!#-+\--:<-~]+", re.ASCII)
_ESCAPED = re.compile(r'\\(["\\])')


@dataclass(slots=True)
class KeyedRequest:
    """A request with a key, and what becomes of it.

    Attributes:
        key: What the caller calls it.
        caller: Whose key it is; empty where nobody asks who callers are.
        replayed: Whether its answer was kept from an earlier request.
        announced: Whether its events were published by an earlier request.
        note_announced: Notes that they were published; None where no answer is kept.
    """

    key: str
    caller: str = ""
    replayed: bool = False
    announced: bool = False
    note_announced: Callable[[], Awaitable[None]] | None = None


type KeyedOrNone = KeyedRequest | None

KEYED: ContextVar[KeyedRequest | None] = ContextVar("keyed", default=None)
"""The request that is being worked on, where it has a key and its operation keeps answers."""


def key_in(values: Sequence[str]) -> str | None:
    """Return the key in the headers of a request; None where it has none.

    Args:
        values: The values of all headers of the name.

    Raises:
        ValueError: There are several, or it is no key.
    """
    if not values:
        return None
    text = values[0].strip()
    if quoted := _QUOTED.fullmatch(text):
        key = _ESCAPED.sub(r"\1", quoted[1])
    else:
        key = text if _PLAIN.fullmatch(text) else ""
    if len(values) > 1 or not 0 < len(key) <= LONGEST_KEY:
        raise ValueError(EXPECTED)
    return key
