# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What requests to nodes have in common."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class ModelOperationRequest[OperationT: StrEnum](BaseModel):
    """One operation to run, as it arrives over the bus or from `onex node`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    operation: OperationT
    payload: Annotated[dict[str, JsonValue], Field(description="The operation's input, as JSON.")] = {}
    correlation_id: UUID | None = None
