# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What is asked of a node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from enum import StrEnum
    from uuid import UUID

    from pydantic import JsonValue


class NodeRequest(Protocol):
    """A request to a node."""

    @property
    def operation(self) -> StrEnum:
        """The operation's name."""

    @property
    def payload(self) -> dict[str, JsonValue]:
        """The operation's input."""

    @property
    def correlation_id(self) -> UUID | None:
        """Identity of the request, where the caller gives one."""

    @classmethod
    def model_validate(cls, obj: Any) -> Self:
        """Make a request of plain values; raises pydantic's `ValidationError` for what is none."""
