# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What an event tells of a failure."""

from pydantic import BaseModel, ConfigDict


class ModelFailure(BaseModel):
    """What went wrong, in words without secrets.

    Attributes:
        code: ONEX's error code.
        message: What happened.
        outcome_unknown: Whether the operation may have taken effect all the same.
        safe_to_repeat: Whether asking again does nothing twice that must be done once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    message: str
    outcome_unknown: bool
    safe_to_repeat: bool
