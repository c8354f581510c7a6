# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Spans of calls to other nodes, which only a node with tracing makes."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass


def _no_span(_node: str, _operation: str) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True)
class NodeSpans:
    """How calls to other nodes are traced; by default they are not.

    Attributes:
        call: Makes a span of a call, by node and operation, for as long as the context lasts.
        outgoing: Gives the headers that hand the trace on to the node.
    """

    call: Callable[[str, str], AbstractContextManager[None]] = _no_span
    outgoing: Callable[[], Mapping[str, str]] = dict


UNTRACED = NodeSpans()
