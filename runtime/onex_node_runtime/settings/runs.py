# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Runs of workflows that outlive their process."""

from pydantic import Field

from .types import Seconds
from .workflows import WorkflowSettings


class RunSettings(WorkflowSettings):
    """Runs of workflows that outlive their process."""

    run_lease_seconds: Seconds = Field(
        default=30.0, description="How long a run that was left unfinished waits for another process to go on with it."
    )
