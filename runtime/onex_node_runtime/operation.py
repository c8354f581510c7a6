# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What every operation has in common: validation, deadline, errors, metrics, logs and events."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from omnibase_core.enums import EnumCoreErrorCode, EnumLogLevel
from omnibase_core.enums.enum_execution_shape import EnumMessageCategory
from omnibase_core.errors import ModelOnexError
from omnibase_core.logging import emit_log_event_sync
from omnibase_core.models.core.model_envelope_metadata import ModelEnvelopeMetadata
from omnibase_core.models.events.model_event_envelope import ModelEventEnvelope
from pydantic import BaseModel, SerializeAsAny, ValidationError

from .correlation import CORRELATION_ID, FOREIGN
from .effects import EFFECTS, Effects
from .failure import ModelFailure
from .idempotency.keyed import KEYED
from .large_payloads import judged
from .logs import is_written
from .payloads import problems_of, shortened
from .refusals import REFUSALS
from .surroundings import Surroundings

# Long enough for a second attempt after one that hung for 30 s.
DEFAULT_TIMEOUT_SECONDS = 60.0
# The events of an operation that used up its deadline have so long, all of them together.
PUBLISH_SECONDS = 0.5

type Asked[InputT] = InputT | None
"""The input of a request; None where there is none."""


@dataclass(frozen=True, slots=True)
class Event[InputT: BaseModel, OutputT: BaseModel]:
    """An event that follows a successful operation.

    Attributes:
        topic: Full name of the topic.
        build: Makes the payload from the operation's input and output.
        occurred: Tells from the output whether the operation took effect; None announces every success.
    """

    topic: str
    build: Callable[[InputT, OutputT], BaseModel]
    occurred: Callable[[OutputT], bool] | None = None


@dataclass(frozen=True, slots=True)
class FailureEvent[InputT: BaseModel]:
    """An event that follows an operation that failed, though its input was valid.

    Attributes:
        topic: Full name of the topic.
        build: Makes the payload from the operation's input and what went wrong.
        undone: Tells from the output whether the operation was undone, which is answered, and yet is a failure.
    """

    topic: str
    build: Callable[[InputT, ModelFailure], BaseModel]
    undone: Callable[[Any], bool] | None = None


def _undone(name: str) -> ModelFailure:
    return ModelFailure(
        code=str(EnumCoreErrorCode.RESOURCE_NOT_FOUND),
        message=f"{name} was undone: what it requires was not there.",
        outcome_unknown=False,
        safe_to_repeat=True,
    )


@dataclass(frozen=True, slots=True)
class Operation[InputT: BaseModel, OutputT: BaseModel]:
    """One operation of the node, ready to run.

    Attributes:
        name: The operation's name in the contract.
        input_model: The type of its input.
        handle: Its handler.
        timeout_seconds: Deadline of one run in seconds, retries included.
        idempotent: Whether running it twice does no harm.
        events: The events that it publishes.
    """

    name: str
    input_model: type[InputT]
    handle: Callable[[InputT], Awaitable[OutputT]]
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    idempotent: bool = False
    events: tuple[Event[InputT, OutputT] | FailureEvent[InputT], ...] = ()

    async def invoke(self, payload: Mapping[str, object], correlation_id: UUID, surroundings: Surroundings) -> OutputT:
        """Validate the payload, run the handler within the deadline, then count, log and publish.

        Args:
            payload: The input as plain values.
            correlation_id: Identity of the request, for logs, events and errors.
            surroundings: What operations share.

        Returns:
            The handler's output.

        Raises:
            ModelOnexError: Whatever goes wrong, with its code, the correlation id and the cause; `safe_to_repeat` and
                `outcome_unknown` in its context tell what a repetition would do.
        """
        started = time.perf_counter()
        CORRELATION_ID.set(correlation_id)
        outer = EFFECTS.get()
        ends_at = asyncio.get_running_loop().time() + self.timeout_seconds
        effects = Effects(repeatable=self.idempotent, ends_at=ends_at)
        EFFECTS.set(effects)
        request: Asked[InputT] = None
        try:
            surroundings.check(payload)
            async with asyncio.timeout(self.timeout_seconds):
                request = await judged(self.input_model, payload, tolerant=FOREIGN.get())
                # What the operation itself calls is asked by this node.
                FOREIGN.set(False)
                output = await self.handle(request)
        except Exception as error:
            failure = self._failure(error, correlation_id, surroundings, effects)
            self._record(surroundings, correlation_id, started, failure)
            try:
                await self._tell_of(failure, request, correlation_id, surroundings, started)
                raise failure from error
            finally:
                # Its traceback holds this frame, and with it a payload that may be large.
                del failure
        finally:
            if outer is not None:
                EFFECTS.set(outer)
        self._record(surroundings, correlation_id, started, None)
        for field in surroundings.measured.counted:
            count = getattr(output, field, None)
            if isinstance(count, int) and count > 0:
                surroundings.metrics.increment_counter(f"operation_{field}", count, tags={"operation": self.name})
        await self._announce(request, output, correlation_id, surroundings, started)
        return output

    async def _announce(
        self, request: InputT, output: OutputT, correlation_id: UUID, surroundings: Surroundings, started: float
    ) -> None:
        keyed = KEYED.get()
        if keyed is not None and keyed.announced:
            return
        published = []
        ends_at = self._publishing_ends_at(started)
        for event in self.events:
            if isinstance(event, FailureEvent):
                if event.undone is None or not event.undone(output):
                    continue
                build = partial(event.build, request, _undone(self.name))
            elif event.occurred is None or event.occurred(output):
                build = partial(event.build, request, output)
            else:
                continue
            published.append(await self._publish(event.topic, build, correlation_id, surroundings, ends_at))
        if keyed is not None and keyed.note_announced is not None and published and all(published):
            with suppress(TimeoutError):
                async with asyncio.timeout(PUBLISH_SECONDS):
                    await keyed.note_announced()

    async def _tell_of(
        self,
        failure: ModelOnexError,
        request: Asked[InputT],
        correlation_id: UUID,
        surroundings: Surroundings,
        started: float,
    ) -> None:
        if request is None:
            return
        details = failure.context.get("additional_context", {})
        told = ModelFailure(
            code=str(failure.error_code),
            message=failure.message,
            outcome_unknown=bool(details.get("outcome_unknown")),
            safe_to_repeat=bool(details.get("safe_to_repeat")),
        )
        ends_at = self._publishing_ends_at(started)
        for event in self.events:
            if isinstance(event, FailureEvent):
                build = partial(event.build, request, told)
                await self._publish(event.topic, build, correlation_id, surroundings, ends_at)

    def _failure(
        self, error: Exception, correlation_id: UUID, surroundings: Surroundings, effects: Effects
    ) -> ModelOnexError:
        details: dict[str, Any] = {}
        match error:
            case ModelOnexError():
                message, code = error.message, error.error_code
                details |= error.context.get("additional_context", {})
            case ValidationError():
                details["problems"] = problems_of(error)
                if error.title == self.input_model.__name__:
                    message, code = f"The input of {self.name} is not valid.", EnumCoreErrorCode.VALIDATION_ERROR
                else:
                    found = "; ".join(f"{problem['path']}: {problem['message']}" for problem in details["problems"])
                    message = f"The result of {self.name} is not valid: {found}"
                    code = EnumCoreErrorCode.CONTRACT_VIOLATION
            case TimeoutError():
                message = f"{self.name} took longer than {self.timeout_seconds:g} s."
                code = EnumCoreErrorCode.TIMEOUT
            case _:
                message, code = f"{self.name} failed: {type(error).__name__}: {error}", EnumCoreErrorCode.INTERNAL_ERROR
        unknown = effects.in_doubt or details.get("outcome_unknown") is True
        safe = effects.safe_to_repeat and details.get("safe_to_repeat") is not False
        details |= {"outcome_unknown": unknown, "safe_to_repeat": safe or self.idempotent}
        return ModelOnexError(
            message=shortened(surroundings.redact(message)),
            error_code=code,
            correlation_id=correlation_id,
            **{**surroundings.cleaned(details), "operation": self.name},
        )

    def _record(
        self, surroundings: Surroundings, correlation_id: UUID, started: float, failure: ModelOnexError | None
    ) -> None:
        seconds = time.perf_counter() - started
        measured = surroundings.measured
        tags = {"operation": self.name}
        refused = failure is not None and failure.error_code in REFUSALS
        outcome = "success" if failure is None else "refused" if refused else "failure"
        if measured.success if failure is None else measured.failure:
            code = {} if failure is None else {"code": str(failure.error_code)}
            surroundings.metrics.increment_counter(f"operation_{outcome}", tags={**tags, **code})
        if measured.latency:
            surroundings.metrics.record_histogram("operation_duration_seconds", seconds, tags=tags)
        level = EnumLogLevel.INFO if failure is None else EnumLogLevel.WARNING if refused else EnumLogLevel.ERROR
        if not is_written(level):
            return
        line: dict[str, object] = {
            "node": surroundings.node,
            "node_id": str(surroundings.node_id),
            "operation": self.name,
            "correlation_id": str(correlation_id),
            "duration_ms": round(seconds * 1000, 3),
        }
        if failure is not None:
            line |= {"error_code": str(failure.error_code), "error": failure.message}
            # What a server or a driver says about it is for the log, and not for callers.
            if reason := failure.context.get("additional_context", {}).get("reason"):
                line["reason"] = reason
        emit_log_event_sync(level, f"operation_{outcome}", line)

    def _publishing_ends_at(self, started: float) -> float:
        return max(started + self.timeout_seconds, time.perf_counter() + PUBLISH_SECONDS)

    async def _publish(
        self,
        topic: str,
        build: Callable[[], BaseModel],
        correlation_id: UUID,
        surroundings: Surroundings,
        ends_at: float,
    ) -> bool:
        if surroundings.event_bus is None:
            return False
        seconds = max(ends_at - time.perf_counter(), PUBLISH_SECONDS / len(self.events))
        tags = {"message_category": EnumMessageCategory.EVENT.value, "namespace": surroundings.namespace}
        try:
            envelope = ModelEventEnvelope[SerializeAsAny[BaseModel]](
                payload=build(),
                correlation_id=correlation_id,
                source_tool=surroundings.node,
                event_type=topic,
                metadata=ModelEnvelopeMetadata(headers=dict(surroundings.spans.outgoing()), tags=tags),
            )
            async with asyncio.timeout(seconds):
                await surroundings.event_bus.publish_envelope(envelope, topic)
        except Exception as error:
            # What happened has happened: an event bus that is away must not turn it into something else.
            surroundings.metrics.increment_counter("event_publish_failure", tags={"topic": topic})
            emit_log_event_sync(
                EnumLogLevel.WARNING,
                "event_not_published",
                {
                    "node": surroundings.node,
                    "topic": topic,
                    "correlation_id": str(correlation_id),
                    "error": surroundings.redact(f"{type(error).__name__}: {error}"),
                },
            )
            return False
        return True
