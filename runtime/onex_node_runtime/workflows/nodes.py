# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""How steps reach other nodes."""

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from pydantic import JsonValue


class Nodes(Protocol):
    """The other nodes."""

    async def call(
        self, node: str, operation: str, payload: Mapping[str, JsonValue], call_id: UUID
    ) -> Mapping[str, JsonValue]:
        """Run an operation of another node.

        Args:
            node: ONEX's name of the node.
            operation: Its operation.
            payload: The operation's input, as JSON.
            call_id: Identity of the call, the same at each attempt: a node that knows it may answer without doing
                again what it did.

        Returns:
            The operation's output, as JSON.

        Raises:
            ModelOnexError: Whatever goes wrong.
        """
