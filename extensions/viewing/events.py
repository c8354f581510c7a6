"""What templates are handed about the events of a node."""

from ..language import names
from . import topics
from .by_kind import NodeOperations
from .fields import Symbol


class NodeEvents(NodeOperations):
    """What a node publishes and consumes, and over which bus."""

    __slots__ = ()

    @property
    def peers(self) -> tuple[topics.PeerView, ...]:
        """The nodes that workflows call."""
        return topics.peers(self.contract)

    @property
    def sends_events(self) -> bool:
        """Whether the node uses an event bus."""
        return bool(self.publishing or self.workflows)

    @property
    def step_event(self) -> Symbol:
        """The event that tells of a workflow's step."""
        return self.own(f"models.model_{self.name}_step_event", names.model_class(f"{self.stem}StepEvent"))

    @property
    def step_topic(self) -> str:
        """The topic of that event."""
        return topics.step_topic(self.contract)

    @property
    def step_topic_key(self) -> str:
        """The name under which code looks that topic up."""
        return topics.key(self.step_topic, topics.published(self.contract))

    @property
    def to_kafka(self) -> bool:
        """Whether events go to Kafka where no other bus is given; workflows ask other nodes over ONEX's own bus."""
        return self.kafka is not None and not self.workflows

    @property
    def uses_bus(self) -> bool:
        """Whether events may go to the container's bus; under service mode, that of Kafka stays Kafka."""
        return self.sends_events and not (self.to_kafka and self.base.service_mode)

    @property
    def stays_inside(self) -> bool:
        """Whether events may end in the process: the node publishes, and has no bus outside of it."""
        return bool(self.publishing) and self.uses_bus and not self.to_kafka

    @property
    def namespace(self) -> str:
        """Whose events these are: the part of topics that names the package."""
        return names.producer(self.contract)

    @property
    def asks_for_bus(self) -> bool:
        """Whether the handler has to be given a bus, or None in its place."""
        return self.sends_events and not self.to_kafka

    @property
    def own_bus(self) -> bool:
        """Whether the service brings a bus in memory."""
        return self.base.service_mode or self.asks_for_bus

    @property
    def published_topics(self) -> tuple[str, ...]:
        """The topics of events and messages that the node publishes, each once."""
        return topics.own(self.contract)

    @property
    def tells(self) -> bool:
        """Whether topics are looked up that the node publishes to."""
        return bool(self.published_topics or self.workflows)

    @property
    def consumed_topics(self) -> tuple[str, ...]:
        """The topics of events that the node consumes."""
        return tuple(event.topic for event in self.kafka.consumed) if self.kafka else ()

    @property
    def consuming(self) -> bool:
        """Whether the node consumes events."""
        return bool(self.consumed_topics)

    @property
    def topics(self) -> bool:
        """Whether the node's own topics are looked up."""
        return self.tells or self.consuming

    @property
    def draining(self) -> bool:
        """Whether work comes to the service otherwise than by requests, which has to end in order."""
        return bool(self.consuming or self.scheduled or self.base.service_mode)

    @property
    def intake(self) -> bool:
        """Whether anything but requests brings work: events, schedules, invocations, or being found in Consul."""
        return self.draining or self.consul is not None
