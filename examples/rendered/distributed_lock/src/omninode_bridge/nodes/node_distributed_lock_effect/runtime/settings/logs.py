# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""The form of log lines."""

from pydantic import Field

from .node import NodeSettings
from .types import LogFormat, LogLevel


class LogSettings(NodeSettings):
    """The form of log lines."""

    log_level: LogLevel = Field(default="INFO", description="Lowest level that is logged.")
    log_format: LogFormat = Field(default="json", description="Form of log lines: for machines, or for people.")
    log_correlation_ids: bool = Field(
        default=True, description="Whether log lines carry the correlation id of the request."
    )
