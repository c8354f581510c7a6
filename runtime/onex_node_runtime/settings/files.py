# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Limits of files."""

from pydantic import Field

from .node import NodeSettings
from .types import Count


class FileSettings(NodeSettings):
    """Limits of files."""

    files_max_bytes: Count = Field(default=10_485_760, description="Largest file.")
