# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""When a message that fails becomes a dead letter."""

from pydantic import Field

from .kafka import KafkaSettings
from .types import CountOrNone, SecondsOrNone


class DeadLetterSettings(KafkaSettings):
    """When a message that fails becomes a dead letter."""

    dead_letter_max_retries: CountOrNone = Field(default=3, description="Attempts after the first one.")
    dead_letter_retry_delay_seconds: SecondsOrNone = Field(default=1.0, description="Pause between attempts.")
