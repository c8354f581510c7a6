# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Spans of what an adapter asks of others, which only a node with tracing makes."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager


def _no_span(_name: object) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Spans:
    """How calls are traced; by default they are not.

    Attributes:
        call: Makes a span of a call for as long as the context lasts; it is named after the integration and the method.
        outgoing: Gives the headers that hand the trace on to whom the node calls.
        incoming: Goes on with the trace that headers name, for as long as the context lasts.
    """

    call: Callable[[str], AbstractContextManager[None]] = _no_span
    outgoing: Callable[[], Mapping[str, str]] = dict
    incoming: Callable[[Mapping[str, str]], AbstractContextManager[None]] = _no_span


UNTRACED = Spans()
