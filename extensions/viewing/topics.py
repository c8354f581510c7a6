"""The topics of a node, and the names under which its code looks them up."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..language import names
from ..language.contract import Contract


@dataclass(frozen=True, slots=True)
class PeerView:
    """A node that workflows call: ONEX's name of it, and its package and name as topics have them."""

    node: str
    package: str
    name: str

    @property
    def command_topic(self) -> str:
        """Where it takes requests."""
        return f"onex.cmd.{self.package}.{self.name}-requested.v1"

    @property
    def completed_topic(self) -> str:
        """Where it answers."""
        return f"onex.evt.{self.package}.{self.name}-completed.v1"


def peers(contract: Contract) -> tuple[PeerView, ...]:
    """Return the nodes that the contract's workflows call, by name, each once."""
    found: dict[str, PeerView] = {}
    for operation in contract.operations:
        for call in operation.workflow.calls if operation.workflow else ():
            name = call.node.removeprefix("node_").rpartition("_")[0]
            found[call.node] = PeerView(call.node, names.kebab(call.package or contract.package), names.kebab(name))
    return tuple(found[name] for name in sorted(found))


def of_message(contract: Contract, topic: str) -> str:
    """Return the full topic that a contract means: it may give one, or the name of an event."""
    return topic if topic.startswith("onex.") else names.event_topic(contract, topic)


def step_topic(contract: Contract) -> str:
    """Return the topic of what happens to the steps of workflows."""
    return names.event_topic(contract, f"{contract.name}_step")


def own(contract: Contract) -> tuple[str, ...]:
    """Return the topics of events and messages that operations publish, each once."""
    events = (names.event_topic(contract, item.event) for op in contract.operations for item in op.publishes)
    messages = (of_message(contract, op.kafka.topic) for op in contract.operations if op.kafka)
    intents = (
        names.event_topic(contract, event) for op in contract.operations if op.workflow for event in op.workflow.events
    )
    return tuple(dict.fromkeys((*events, *messages, *intents)))


def published(contract: Contract) -> tuple[str, ...]:
    """Return all topics that the node publishes to, in the order of ONEX's contract, each once."""
    found = [names.completed_topic(contract), *own(contract)]
    if called := peers(contract):
        found += [step_topic(contract), *(peer.command_topic for peer in called)]
    return tuple(dict.fromkeys(found))


def consumed(contract: Contract) -> tuple[str, ...]:
    """Return the topics of events that the node consumes, each once."""
    return tuple(dict.fromkeys(of_message(contract, event.event) for event in contract.consumed_events))


def event_of(topic: str) -> str:
    """Return the event's name in a topic."""
    return topic.split(".")[3]


def key(topic: str, among: Sequence[str]) -> str:
    """Return the name under which code looks a topic up.

    Args:
        topic: The topic.
        among: All topics that it is looked up in, itself too.

    Returns:
        The event's name where no other topic has it, else all of the topic that follows `onex.`.
    """
    event = event_of(topic)
    return event if [event_of(other) for other in among].count(event) == 1 else topic.removeprefix("onex.")
