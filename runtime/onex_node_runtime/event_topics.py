# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Topics, as a node's `contract.yaml` declares them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib.resources import files
from typing import Any

import yaml


class Topics:
    """The topics of a node, by the name of the event.

    Where several of them have the same event, its name alone does not tell them apart: all that follows `onex.` does.
    """

    def __init__(self, package: str) -> None:
        """Read nothing before the first topic is asked for.

        Args:
            package: The node's, which holds `contract.yaml`.
        """
        self._package = package

    def published(self, event: str) -> str:
        """Return the topic of an event that the node publishes.

        Args:
            event: The event's name, such as `order-placed`.

        Returns:
            Its full topic, such as `onex.evt.shop.order-placed.v1`.
        """
        return self._published[event]

    def consumed(self, event: str) -> str:
        """Return the topic of an event that the node consumes.

        Args:
            event: The event's name, such as `payment-received`.

        Returns:
            Its full topic, such as `onex.evt.shop.payment-received.v1`.
        """
        return self._consumed[event]

    @cached_property
    def _contract(self) -> Any:
        return yaml.safe_load(files(self._package).joinpath("contract.yaml").read_text(encoding="utf-8"))

    @cached_property
    def _published(self) -> Mapping[str, str]:
        return _by_name(self._contract["event_bus"]["publish_topics"])

    @cached_property
    def _consumed(self) -> Mapping[str, str]:
        return _by_name(entry["topic"] for entry in self._contract["consumed_events"])


def _by_name(topics: Iterable[str]) -> dict[str, str]:
    events = {topic: topic.split(".")[3] for topic in topics}
    counts = Counter(events.values())
    return {event if counts[event] == 1 else topic.removeprefix("onex."): topic for topic, event in events.items()}
