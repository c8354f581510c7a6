# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Another node, as the event bus knows it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """Another node.

    Attributes:
        package: Its package as topics have it.
        name: Its name as topics have it.
    """

    package: str
    name: str

    @property
    def command_topic(self) -> str:
        """Where it takes requests."""
        return f"onex.cmd.{self.package}.{self.name}-requested.v1"

    @property
    def completed_topic(self) -> str:
        """Where ONEX's runtimes publish its answers."""
        return f"onex.evt.{self.package}.{self.name}-completed.v1"
