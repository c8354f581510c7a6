# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Control characters stay out of logs and errors."""

from typing import Any

from pydantic import Field

from ..security import cleaned, escaped
from .node import NodeSettings


class EscapingSettings(NodeSettings):
    """Control characters stay out of logs and errors."""

    security_sanitize_logs: bool = Field(default=True, description="Keep control characters out of logs and errors.")

    def redact(self, text: str) -> str:
        """Return the text on one line, with every secret of these settings masked.

        Args:
            text: Any text that may leave the process, such as the message of a driver's error.
        """
        text = super().redact(text)
        return escaped(text) if self.security_sanitize_logs else text

    def cleaned(self, value: Any) -> Any:
        """Return a copy of a value of JSON, its texts redacted.

        Args:
            value: The value.
        """
        return cleaned(value, self.masked_fields, self.redact)
