# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What answers of nodes have in common."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class ModelOperationResponse[OperationT: StrEnum](BaseModel):
    """The result of one operation that succeeded; failures are raised as `ModelOnexError`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    operation: OperationT
    result: Annotated[dict[str, JsonValue], Field(description="The operation's output, as JSON.")]
    correlation_id: UUID | None = None
