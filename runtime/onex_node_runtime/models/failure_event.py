# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What events that follow failures have in common."""

from typing import Self

from pydantic import BaseModel, ConfigDict

from ..failure import ModelFailure


class ModelFailureEvent[InputT: BaseModel](BaseModel):
    """Published when an operation failed: what was asked for, and what went wrong."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: InputT
    error: ModelFailure

    @classmethod
    def of(cls, request: InputT, error: ModelFailure) -> Self:
        """Return the event of one run.

        Args:
            request: The operation's input.
            error: What went wrong.
        """
        return cls(input=request, error=error)
