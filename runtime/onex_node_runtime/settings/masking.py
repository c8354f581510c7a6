# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Values of named fields stay out of logs and errors."""

from typing import Any

from pydantic import Field

from ..security import cleaned, masked
from .node import NodeSettings


class MaskingSettings(NodeSettings):
    """Values of named fields stay out of logs and errors."""

    security_redact_fields: tuple[str, ...] = Field(
        default=(),
        description="Names whose values are masked in logs and errors; in the environment, a JSON list.",
    )

    @property
    def masked_fields(self) -> tuple[str, ...]:
        """Names of fields whose values are masked."""
        return self.security_redact_fields

    def redact(self, text: str) -> str:
        """Return the text with every secret of these settings masked, and what follows SECURITY_REDACT_FIELDS.

        Args:
            text: Any text that may leave the process, such as the message of a driver's error.
        """
        return masked(super().redact(text), self.security_redact_fields)

    def cleaned(self, value: Any) -> Any:
        """Return a copy of a value of JSON, its texts redacted, and the values of SECURITY_REDACT_FIELDS masked.

        Args:
            value: The value.
        """
        return cleaned(value, self.masked_fields, self.redact)
