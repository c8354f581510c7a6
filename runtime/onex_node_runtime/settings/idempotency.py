# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""How long answers are kept by the keys of their requests."""

from pydantic import Field

from .node import NodeSettings
from .types import Seconds


class IdempotencySettings(NodeSettings):
    """How long answers are kept by the keys of their requests."""

    idempotency_key_seconds: Seconds = Field(
        default=86_400.0, description="How long an answer is kept by the Idempotency-Key of its request."
    )
