"""Names that follow from the names in a contract."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .places import Place

if TYPE_CHECKING:
    from .contract import Contract


def pascal(name: str) -> str:
    """Return PascalCase for a snake_case, kebab-case or dotted name."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^0-9A-Za-z]+", name))


def snake(name: str) -> str:
    """Return snake_case for a PascalCase, kebab-case or dotted name."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[^0-9A-Za-z]+", "_", words).strip("_").lower()


def kebab(name: str) -> str:
    """Return kebab-case for a snake_case, PascalCase or dotted name."""
    return snake(name).replace("_", "-")


def constant(text: str) -> str:
    """Return UPPER_CASE for any text, with a letter in front where the text starts with none."""
    word = re.sub(r"[^0-9A-Za-z]+", "_", snake(text)).strip("_").upper()
    return word if word[:1].isalpha() else f"VALUE_{word}".rstrip("_")


def node_name(contract: Contract) -> str:
    """Return ONEX's name of the node, which is also its directory's."""
    return f"node_{contract.name}_{contract.node_type}"


def place(contract: Contract) -> Place:
    """Return where the node's files are in its project."""
    return Place(node_name(contract) if contract.layout == "node" else "")


def producer(contract: Contract) -> str:
    """Return the part of topics that says whose they are."""
    return kebab(contract.package)


def event_topic(contract: Contract, event: str) -> str:
    """Return the full topic of an event."""
    return f"onex.evt.{producer(contract)}.{kebab(event)}.v1"


def command_topic(contract: Contract) -> str:
    """Return the topic on which the node takes requests."""
    return f"onex.cmd.{producer(contract)}.{kebab(contract.name)}-requested.v1"


def completed_topic(contract: Contract) -> str:
    """Return the topic on which ONEX's runtimes publish the node's answers."""
    return f"onex.evt.{producer(contract)}.{kebab(contract.name)}-completed.v1"
