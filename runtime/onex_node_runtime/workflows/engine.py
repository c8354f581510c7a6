# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Runs the steps of workflows, side by side where nothing forbids it, and undoes them when one fails."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any
from uuid import uuid5

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential

from ..effects import EFFECTS
from ..json_values import json_values
from .announcer import Announce
from .nodes import Nodes
from .run import Run, StepRecord, answered
from .step import Call, Step, Workflow

type Keep = Callable[[Run], Awaitable[None]]

# Another attempt would fail in the same way.
_PERMANENT = frozenset(
    {
        EnumCoreErrorCode.CONTRACT_VIOLATION,
        EnumCoreErrorCode.INVALID_INPUT,
        EnumCoreErrorCode.INVALID_OPERATION,
        EnumCoreErrorCode.INVALID_PARAMETER,
        EnumCoreErrorCode.NOT_FOUND,
        EnumCoreErrorCode.VALIDATION_ERROR,
    }
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a step's task ended, when by a clock of its own, and how long it took, both in seconds."""

    at: float
    seconds: float
    answer: dict[str, JsonValue]
    error: Exception | None = None


class Engine:
    """Runs workflows."""

    def __init__(self, nodes: Nodes, announce: Announce) -> None:
        """Keep what runs have in common.

        Args:
            nodes: The other nodes.
            announce: Told of each step that ended, and of each that was undone.
        """
        self._nodes = nodes
        self._announce = announce

    async def advance[InputT: BaseModel](
        self, workflow: Workflow[InputT], request: InputT, run: Run, keep: Keep | None = None
    ) -> None:
        """Take a run from where it is to its end.

        Args:
            workflow: The workflow.
            request: The operation's input.
            run: What is known of the run; it is brought up to date with each step.
            keep: Called with the run after each step; what it raises stops the run as it is. Without it, nothing is
                left of a run that is cancelled, so what it did is undone first.

        Raises:
            CancelledError: When it is cancelled, and the steps that are under way with it.
        """
        progress = Progress(self._nodes, self._announce, workflow, request, run, keep)
        try:
            try:
                if run.status == "running":
                    await progress.forward()
            except asyncio.CancelledError:
                if keep is None:
                    progress.fail(None, "The run was cancelled.")
                    await asyncio.shield(asyncio.ensure_future(progress.finish()))
                raise
            if keep is None:
                await asyncio.shield(asyncio.ensure_future(progress.finish()))
            else:
                await progress.finish()
        finally:
            if (effects := EFFECTS.get()) is not None:
                effects.lasting |= run.lasting or not run.finished
                effects.in_doubt |= bool(run.unknown_outcomes) or not run.finished


@dataclass(frozen=True, slots=True)
class Progress[InputT: BaseModel]:
    """A run under way."""

    nodes: Nodes
    announce: Announce
    workflow: Workflow[InputT]
    request: InputT
    run: Run
    keep: Keep | None

    async def forward(self) -> None:
        """Run the steps that are left, until all are over or one ends the run."""
        running: dict[asyncio.Task[Ended], Step[InputT]] = {}
        ended = {record.name for record in self.run.steps}
        left = [step for step in self.workflow.steps if step.name not in ended]
        try:
            async with asyncio.timeout(self.workflow.timeout_seconds):
                while True:
                    ready = [] if self.run.failed_step else [step for step in left if ended.issuperset(step.after)]
                    for step in ready:
                        left.remove(step)
                        running[asyncio.create_task(self._attempt(step), name=step.name)] = step
                    if not running:
                        return
                    # Steps under way when another fails are waited for: else nobody would know what they did.
                    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    ended |= await self._settle(running)
        except TimeoutError:
            await _stop(running)
            await self._settle(running)
            late = next((step.name for step in running.values()), None)
            self.fail(late, f"{self.workflow.operation} took longer than {self.workflow.timeout_seconds:g} s.")
            await self._give_up(running)
        except asyncio.CancelledError:
            await _stop(running)
            # A run that is kept is gone on with, and calls these steps again.
            if self.keep is None:
                await self._settle(running)
                await self._give_up(running)
            raise
        finally:
            await _stop(running)

    async def finish(self) -> None:
        """Undo what was done when the run failed and that is wanted; then say how the run ended."""
        run = self.run
        if not run.error:
            run.status = "completed"
        elif self._undoes():
            run.status = "undoing"
            await self._undo()
            undone = any(record.status == "compensated" for record in run.steps)
            left = run.failed_compensations or run.unknown_outcomes
            run.status = "compensated" if undone and not left else "failed"
        else:
            run.status = "failed"
        await self._keep()

    def fail(self, step: str | None, error: str) -> None:
        """Note what ended the run; the first failure counts."""
        if not self.run.error:
            self.run.failed_step, self.run.error = step, error

    async def _attempt(self, step: Step[InputT]) -> Ended:
        started = time.perf_counter()
        answer: dict[str, JsonValue] = {}
        failure: Exception | None = None
        try:
            answer = await self._call(step, step.call, step.name)
            _check(self.workflow, step, answer)
        except Exception as error:
            failure = error
        ended = time.perf_counter()
        return Ended(ended, ended - started, answer, failure)

    async def _call(self, step: Step[InputT], call: Call[InputT], label: str) -> dict[str, JsonValue]:
        given = call.payload(self.request, self.run.answers)
        payload: dict[str, JsonValue] = json_values(given)
        call_id = uuid5(self.run.run_id, label)

        async def attempt() -> dict[str, JsonValue]:
            try:
                async with asyncio.timeout(step.timeout_seconds):
                    return dict(await self.nodes.call(call.node, call.operation, payload, call_id))
            except TimeoutError as error:
                raise ModelOnexError(
                    message=f"{call.node} gave no answer within {step.timeout_seconds:g} s.",
                    error_code=EnumCoreErrorCode.TIMEOUT,
                    correlation_id=self.run.correlation_id,
                    outcome_unknown=True,
                ) from error

        # What undoes a step bears being called twice.
        idempotent = step.idempotent or call is step.compensate

        retry = step.retry
        attempts = AsyncRetrying(
            stop=stop_after_attempt(retry.max_attempts),
            wait=wait_exponential(
                multiplier=retry.initial_delay_seconds,
                exp_base=retry.backoff_multiplier,
                max=retry.max_delay_seconds,
            ),
            retry=retry_if_exception(lambda error: _is_retryable(error, idempotent=idempotent)),
            reraise=True,
        )
        return await attempts(attempt)

    async def _settle(self, running: dict[asyncio.Task[Ended], Step[InputT]]) -> set[str]:
        """Note the steps whose tasks are over, in the order in which they ended, and return their names."""
        over = [task for task in running if task.done() and not task.cancelled()]
        results = sorted(((running.pop(task), task.result()) for task in over), key=lambda pair: pair[1].at)
        for step, result in results:
            if result.error is None:
                record = StepRecord(step.name, "completed", result.answer)
            else:
                unknown = _leaves_open(result.error)
                record = StepRecord(
                    step.name,
                    "failed",
                    error=_told(result.error),
                    outcome_unknown=unknown,
                    node=step.call.node,
                    code=_code(result.error),
                )
                if step.on_failure != "continue":
                    self.fail(step.name, record.error)
            self.run.steps.append(record)
        await self._keep()
        for (_, result), record in zip(results, self.run.steps[len(self.run.steps) - len(results) :], strict=True):
            await self.announce(self.run, record, result.seconds)
        return {step.name for step, _ in results}

    async def _give_up(self, running: Mapping[asyncio.Task[Ended], Step[InputT]]) -> None:
        """Note the steps that were cancelled, of which nobody knows whether they took effect."""
        records = [
            StepRecord(step.name, "failed", error="It was cancelled.", outcome_unknown=True, node=step.call.node)
            for step in running.values()
        ]
        self.run.steps += records
        await self._keep()
        for record in records:
            await self.announce(self.run, record, 0.0)

    def _undoes(self) -> bool:
        ended_by = next((step for step in self.workflow.steps if step.name == self.run.failed_step), None)
        return self.run.status == "undoing" or ended_by is None or ended_by.on_failure != "abort"

    async def _undo(self) -> None:
        steps = {step.name: step for step in self.workflow.steps}
        for record in reversed(self.run.steps):
            step = steps.get(record.name)
            if step is None or step.compensate is None or not _is_undone(step, record):
                continue
            started = time.perf_counter()
            try:
                await self._call(step, step.compensate, f"{step.name} undone")
                record.status, record.outcome_unknown = "compensated", False
            except Exception as error:
                record.status, record.error = "compensation_failed", _told(error)
            await self._keep()
            await self.announce(self.run, record, time.perf_counter() - started)

    async def _keep(self) -> None:
        if self.keep is not None:
            await self.keep(self.run)


def _check[InputT: BaseModel](workflow: Workflow[InputT], step: Step[InputT], answer: dict[str, JsonValue]) -> None:
    for path in step.needed:
        value: JsonValue = answer
        for key in path:
            if not isinstance(value, dict) or key not in value:
                raise _unfit(step.call.node, f"The answer has no {'.'.join(path)}.")
            value = value[key]
    for name, path in step.fills:
        try:
            value = answered({step.name: answer}, step.name, *path)
            # Other nodes may say more than the contract asks for.
            _adapter(workflow.output_model, name).validate_python(value, extra="ignore")
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False, include_context=False)[0]["msg"]
            raise _unfit(step.call.node, f"{'.'.join(path)} does not fit {name}: {problem}") from error


@cache
def _adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    field = model.model_fields[name]
    annotated: Any = Annotated[field.annotation, field]
    return TypeAdapter(annotated)


def _unfit(node: str, message: str) -> ModelOnexError:
    # It answered, so it did something.
    return ModelOnexError(
        message=f"{node}: {message}", error_code=EnumCoreErrorCode.CONTRACT_VIOLATION, outcome_unknown=True
    )


def _is_undone[InputT: BaseModel](step: Step[InputT], record: StepRecord) -> bool:
    return record.status == "completed" or (record.outcome_unknown and step.undoes_unknown)


def _is_retryable(error: BaseException, *, idempotent: bool) -> bool:
    if isinstance(error, ModelOnexError) and error.error_code in _PERMANENT:
        return False
    safe = _details(error).get("safe_to_repeat")
    return idempotent or (safe if isinstance(safe, bool) else not _leaves_open(error))


def _leaves_open(error: BaseException) -> bool:
    """Tell whether a call that ended in an error may have taken effect, as far as the error says."""
    details = _details(error)
    return (
        not isinstance(error, ModelOnexError)
        or details.get("outcome_unknown") is True
        or details.get("safe_to_repeat") is False
    )


def _details(error: BaseException) -> Mapping[str, object]:
    details: Mapping[str, object] = {}
    if isinstance(error, ModelOnexError):
        details = error.context.get("additional_context", {})
    return details


def _told(error: Exception) -> str:
    return error.message if isinstance(error, ModelOnexError) else f"{type(error).__name__}: {error}"


def _code(error: Exception) -> str:
    return str(error.error_code) if isinstance(error, ModelOnexError) and error.error_code else ""


async def _stop[InputT: BaseModel](running: Mapping[asyncio.Task[Ended], Step[InputT]]) -> None:
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
