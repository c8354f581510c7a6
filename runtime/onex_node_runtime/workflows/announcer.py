# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Tells of steps that ended: in logs, metrics and events."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from omnibase_core.enums import EnumCoreErrorCode, EnumLogLevel
from omnibase_core.errors import ModelOnexError
from omnibase_core.logging import emit_log_event_sync
from omnibase_core.models.events.model_event_envelope import ModelEventEnvelope
from pydantic import BaseModel, JsonValue

from ..refusals import REFUSALS
from ..surroundings import Surroundings
from .run import Run, StepRecord

type Publish = Callable[[str, JsonValue, UUID], Awaitable[None]]
type Announce = Callable[[Run, StepRecord, float], Awaitable[None]]

_REFUSALS = frozenset(map(str, REFUSALS))


class Announcer:
    """Counts, logs and publishes each step that ended."""

    def __init__(self, surroundings: Surroundings, topic: str, event: type[BaseModel]) -> None:
        """Keep where steps are told of.

        Args:
            surroundings: What operations share.
            topic: Where events of steps go.
            event: The model of these events.
        """
        self._surroundings = surroundings
        self._topic = topic
        self._event = event

    async def tell(self, run: Run, record: StepRecord, seconds: float) -> None:
        """Tell of a step.

        Args:
            run: The run.
            record: How the step ended.
            seconds: How long it took.
        """
        surroundings = self._surroundings
        error = surroundings.redact(record.error)
        tags = {"operation": run.operation, "step": record.name}
        surroundings.metrics.increment_counter(f"step_{record.status}", tags=tags)
        surroundings.metrics.record_histogram("step_duration_seconds", seconds, tags=tags)
        line: dict[str, object] = {
            "node": self._surroundings.node,
            "node_id": str(surroundings.node_id),
            "operation": run.operation,
            "step": record.name,
            "run_id": str(run.run_id),
            "correlation_id": str(run.correlation_id),
            "duration_ms": round(seconds * 1000, 3),
        }
        level = EnumLogLevel.ERROR if record.error else EnumLogLevel.INFO
        if record.status == "failed" and record.code in _REFUSALS:
            level = EnumLogLevel.WARNING
        if record.code:
            line["error_code"] = record.code
        if record.outcome_unknown:
            line["outcome_unknown"] = True
        emit_log_event_sync(level, f"step_{record.status}", line | ({"error": error} if error else {}))
        await self._publish(
            self._event(
                run_id=run.run_id,
                operation=run.operation,
                step=record.name,
                status=record.status,
                error=error,
                outcome_unknown=record.outcome_unknown,
                duration_ms=seconds * 1000,
            ),
            run.correlation_id,
        )

    def ended(self, run: Run) -> None:
        """Count a run that ended.

        Args:
            run: The run.
        """
        tags = {"operation": run.operation, "status": run.status}
        self._surroundings.metrics.increment_counter("workflow_run", tags=tags)

    async def publish(self, topic: str, payload: JsonValue, correlation_id: UUID) -> None:
        """Publish an event.

        Args:
            topic: Full name of the topic.
            payload: What it tells.
            correlation_id: Identity of the request.

        Raises:
            ModelOnexError: NOT_FOUND without an event bus; else what the bus raises.
        """
        bus = self._surroundings.event_bus
        if bus is None:
            message = f"There is no event bus to publish {topic} on."
            raise ModelOnexError(message=message, error_code=EnumCoreErrorCode.NOT_FOUND)
        envelope = ModelEventEnvelope[Any](
            payload=payload, correlation_id=correlation_id, source_tool=self._surroundings.node, event_type=topic
        )
        await bus.publish_envelope(envelope, topic)

    async def _publish(self, event: BaseModel, correlation_id: UUID) -> None:
        bus = self._surroundings.event_bus
        if bus is None:
            return
        try:
            envelope = ModelEventEnvelope[Any](
                payload=event,
                correlation_id=correlation_id,
                source_tool=self._surroundings.node,
                event_type=self._topic,
            )
            await bus.publish_envelope(envelope, self._topic)
        except Exception as error:
            # The step took effect already: an event bus that is away must not turn it into a failure.
            self._surroundings.metrics.increment_counter("event_publish_failure", tags={"topic": self._topic})
            emit_log_event_sync(
                EnumLogLevel.WARNING,
                "event_not_published",
                {
                    "node": self._surroundings.node,
                    "topic": self._topic,
                    "correlation_id": str(correlation_id),
                    "error": self._surroundings.redact(f"{type(error).__name__}: {error}"),
                },
            )
