# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What a node answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pydantic import JsonValue


class NodeResponse(Protocol):
    """The answer of a node to a request."""

    @property
    def result(self) -> dict[str, JsonValue]:
        """The output of the operation."""
