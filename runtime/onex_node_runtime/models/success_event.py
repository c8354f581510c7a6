# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What events that follow successes have in common."""

from typing import Self

from pydantic import BaseModel, ConfigDict


class ModelSuccessEvent[InputT: BaseModel, OutputT: BaseModel](BaseModel):
    """Published after an operation: what was asked for, and what came of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: InputT
    output: OutputT

    @classmethod
    def of(cls, request: InputT, output: OutputT) -> Self:
        """Return the event of one run.

        Args:
            request: The operation's input.
            output: Its output.
        """
        return cls(input=request, output=output)
