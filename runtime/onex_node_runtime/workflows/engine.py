# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Runs the steps of workflows, side by side where nothing forbids it, and undoes them when one fails.

What a run has done is in its records, one for each call. A run that is gone on with takes the same way again, and each
call that has a record answers what it answered then.
"""

import asyncio
import re
import time
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid5

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from pydantic import BaseModel, JsonValue

from ..effects import EFFECTS
from ..json_values import json_values
from .announcer import Announce, Publish
from .calling import RefusedError, check, code_of, deadline, leaves_open, repeated, told
from .journal import Journal, Keep
from .known import Known
from .nodes import Nodes
from .run import Run, StepRecord
from .step import Call, Condition, Group, Publishing, Route, Step, Workflow

_CANCELLED = "It was cancelled."
_PART = re.compile(r"(?P<name>\w+)(?P<items>(\[\d+\])*)(?P<round>#\d+)?")
_USUAL_PRIORITY = 5


class StepFailedError(Exception):
    """A step failed, or did not start since the run ends; the run's records tell why."""


def _ignore(_run: Run) -> None:
    pass


class Engine:
    """Runs workflows."""

    def __init__(
        self,
        nodes: Nodes,
        announce: Announce,
        publish: Publish | None = None,
        ended: Callable[[Run], None] = _ignore,
    ) -> None:
        """Keep what runs have in common.

        Args:
            nodes: The other nodes.
            announce: Told of each step that ended, and of each that was undone.
            publish: Publishes events that carry intents.
            ended: Told of each run that ended.
        """
        self._ended = ended
        self._nodes = nodes
        self._announce = announce
        self._publish = publish

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
        journal = Journal(run, self._announce, keep)
        progress = Progress(self._nodes, self._publish, workflow, request, journal)
        try:
            try:
                if run.status == "running" and (run.under_way or not run.error):
                    await progress.forward()
            except asyncio.CancelledError:
                if keep is None:
                    journal.fail(None, "The run was cancelled.")
                    await asyncio.shield(asyncio.ensure_future(progress.finish()))
                raise
            if keep is None:
                await asyncio.shield(asyncio.ensure_future(progress.finish()))
            else:
                await progress.finish()
            self._ended(run)
        finally:
            if (effects := EFFECTS.get()) is not None:
                effects.lasting |= run.lasting or not run.finished
                effects.in_doubt |= bool(run.unknown_outcomes) or not run.finished


@dataclass(frozen=True, slots=True)
class Place[InputT: BaseModel]:
    """Where in the tree of steps one is.

    Attributes:
        known: What its functions may look at.
        prefix: What stands before the names of steps there.
        fatal: Whether a failure there ends the run.
    """

    known: Known[InputT]
    prefix: str = ""
    fatal: bool = True


@dataclass(frozen=True, slots=True)
class Progress[InputT: BaseModel]:
    """A run under way."""

    nodes: Nodes
    publish: Publish | None
    workflow: Workflow[InputT]
    request: InputT
    journal: Journal

    async def forward(self) -> None:
        """Run the steps that are left, until all are over or one ends the run."""
        journal = self.journal
        place = Place(Known(self.request, journal.run))
        working = asyncio.create_task(self._graph(self.workflow.steps, place))
        try:
            done, _ = await asyncio.wait({working}, timeout=self.workflow.timeout_seconds)
        except asyncio.CancelledError:
            # A run that is kept is gone on with, and makes the calls that were under way again.
            journal.abandoning = journal.keep is None
            await _stop([working])
            raise
        if done:
            with suppress(StepFailedError):
                working.result()
            return
        before = len(journal.run.steps)
        journal.abandoning = True
        await _stop([working])
        late = [record for record in journal.run.steps[before:] if record.error == _CANCELLED]
        limit = f"{self.workflow.operation} took longer than {self.workflow.timeout_seconds:g} s."
        journal.fail(late[0].name if late else None, limit)
        await journal.save()
        for record in late:
            await journal.announce(journal.run, record, 0.0)

    async def finish(self) -> None:
        """Undo what was done when the run failed and that is wanted; then say how the run ended."""
        run = self.journal.run
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
        await self.journal.save()

    async def _graph(self, steps: Iterable[Step[InputT]], place: Place[InputT]) -> dict[str, JsonValue]:
        answers: dict[str, JsonValue] = {}
        inside = _seeing(place, answers)
        left, over = list(steps), set[str]()
        running: dict[asyncio.Task[JsonValue], Step[InputT]] = {}
        failure: StepFailedError | None = None
        try:
            while True:
                for step in [step for step in left if over.issuperset(step.after)]:
                    if not self.journal.begins(place.prefix + step.name, failed=failure is not None):
                        continue
                    left.remove(step)
                    running[asyncio.create_task(self._step(step, inside), name=step.name)] = step
                if not running:
                    break
                # Steps under way when another fails are waited for: else nobody would know what they did.
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    step = running.pop(task)
                    over.add(step.name)
                    try:
                        answer = task.result()
                    except StepFailedError as error:
                        failure = failure or (None if step.on_failure == "continue" else error)
                    else:
                        answers |= {} if answer is None else {step.name: answer}
        finally:
            await _stop(running)
        if failure is not None or left:
            raise failure or StepFailedError
        return answers

    async def _step(self, step: Step[InputT], place: Place[InputT]) -> JsonValue:
        label = place.prefix + step.name
        if (record := self.journal.ended.get(label)) is not None and (record.composite or record.status == "skipped"):
            if record.status == "failed":
                raise StepFailedError
            return None if record.status == "skipped" else record.answer
        started = time.perf_counter()
        here = replace(
            place, known=replace(place.known, label=label), fatal=place.fatal and step.on_failure != "continue"
        )
        composite = step.each is not None or step.repeat is not None or not isinstance(step.does, Call)
        try:
            if step.when is not None and not _holds(step.when, here.known):
                await self.journal.note(StepRecord(label, "skipped"), 0.0)
                return None
            answer = await (self._rounds(step, here) if step.each is None else self._items(step, here))
        except StepFailedError:
            raise
        except RefusedError as error:
            record = StepRecord(label, "failed", error=str(error), composite=composite)
            raise await self._failed(record, started, here) from error
        if composite:
            record = StepRecord(label, "completed", answer, composite=True)
            await self.journal.note(record, time.perf_counter() - started)
        return answer

    async def _items(self, step: Step[InputT], here: Place[InputT]) -> JsonValue:
        each = step.each
        items = None if each is None else json_values(_worked_out(each.items, here.known))
        if each is None or not isinstance(items, list):
            raise RefusedError(f"What {step.name} runs for is no array.")
        answers: dict[int, JsonValue] = {}
        waiting = iter(enumerate(items))
        running: dict[asyncio.Task[JsonValue], int] = {}
        failure: StepFailedError | None = None
        started = 0
        try:
            while True:
                while len(running) < each.max_parallel and (following := next(waiting, None)) is not None:
                    index, item = following
                    if not self.journal.begins(f"{here.known.label}[{index}]", failed=failure is not None):
                        continue
                    started += 1
                    inside = _there(here, f"[{index}]", item=item)
                    running[asyncio.create_task(self._item(step, inside))] = index
                if not running:
                    break
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    index = running.pop(task)
                    try:
                        answers[index] = task.result()
                    except StepFailedError as error:
                        failure = failure or (None if step.on_failure == "continue" else error)
        finally:
            await _stop(running)
        if failure is not None or started < len(items):
            raise failure or StepFailedError
        return [answers[index] for index in sorted(answers)]

    async def _item(self, step: Step[InputT], here: Place[InputT]) -> JsonValue:
        started = time.perf_counter()
        try:
            return await self._rounds(step, here)
        except RefusedError as error:
            record = StepRecord(here.known.label, "failed", error=str(error), composite=True)
            raise await self._failed(record, started, here) from error

    async def _rounds(self, step: Step[InputT], here: Place[InputT]) -> JsonValue:
        repeat = step.repeat
        if repeat is None:
            return (await self._once(step, here))[0]
        previous: Mapping[str, JsonValue] = {}
        for number in range(1, repeat.max_rounds + 1):
            if not self.journal.begins(f"{here.known.label}#{number}"):
                raise StepFailedError
            inside = _there(here, f"#{number}", previous=previous)
            answer, answers = await self._once(step, inside)
            if _holds(repeat.until, replace(_seeing(inside, answers).known, result=answer)):
                _demand(step.require, replace(here.known, result=answer))
                return answer
            previous = answers
        raise RefusedError(f"After {repeat.max_rounds} rounds this did not hold: {repeat.until.text}")

    async def _once(self, step: Step[InputT], here: Place[InputT]) -> tuple[JsonValue, dict[str, JsonValue]]:
        """Do what a step does, and return its answer, and what is known by name from then on."""
        require = None if step.repeat else step.require
        match step.does:
            case Call() as call:
                answer = await self._leaf(step, call, here)
                return answer, {step.name: answer}
            case Group(steps, output):
                answers = await self._graph(steps, replace(here, prefix=f"{here.known.label}."))
                known = _seeing(here, answers).known
                answer = dict(answers) if output is None else json_values(_worked_out(output, known))
                _demand(require, replace(known, result=answer))
                return answer, answers
            case Route() as route:
                answer = await self._carried_out(step, route, here)
                _demand(require, replace(here.known, result=answer))
                return answer, {step.name: answer}

    async def _carried_out(self, step: Step[InputT], route: Route[InputT], here: Place[InputT]) -> JsonValue:
        intents = json_values(_worked_out(route.intents, here.known))
        if not isinstance(intents, list) or not all(isinstance(intent, dict) for intent in intents):
            raise RefusedError(f"What {step.name} carries out is no array of intents.")
        unknown = sorted({str(intent.get("target")) for intent in intents} - route.targets.keys())
        if unknown and not route.ignores_unknown:
            raise RefusedError(f"Nothing is said about intents for {', '.join(unknown)}.")
        known = [intent for intent in intents if intent.get("target") in route.targets]
        answers: list[JsonValue] = []
        for index, intent in enumerate(sorted(known, key=_urgency)):
            if not self.journal.begins(f"{here.known.label}[{index}]"):
                raise StepFailedError
            inside = _there(here, f"[{index}]", intent=intent)
            answers.append(await self._leaf(step, route.targets[intent["target"]], inside))
        return answers

    async def _leaf(self, step: Step[InputT], act: Call[InputT] | Publishing, here: Place[InputT]) -> JsonValue:
        label, journal = here.known.label, self.journal
        if (record := journal.ended.get(label)) is not None:
            if record.status == "failed":
                raise StepFailedError
            return record.answer
        started = time.perf_counter()
        answer: JsonValue = {}
        answered = False
        journal.begin(label)
        try:
            if isinstance(act, Publishing):
                answer = await self._published(step, act, here.known)
            else:
                answer = await self._call(step, act, here.known, label)
                if step.does is act:
                    check(self.workflow.output_model, step, act.node, answer)
                    answered = True
                    _demand(None if step.repeat else step.require, replace(here.known, result=answer))
        except asyncio.CancelledError:
            if journal.abandoning:
                cancelled = StepRecord(label, "failed", error=_CANCELLED, outcome_unknown=True, node=_node_of(step))
                cancelled.undo = _undoing(step, here.known)
                journal.write(cancelled)
            raise
        except Exception as error:
            record = StepRecord(label, "failed", answer if answered else {}, told(error), answered=answered)
            record.outcome_unknown = not answered and leaves_open(error)
            record.node, record.code = _node_of(step), code_of(error)
            record.undo = _undoing(step, here.known, answer if answered else None)
            raise await self._failed(record, started, here) from error
        record = StepRecord(label, "completed", answer, undo=_undoing(step, here.known, answer))
        await journal.note(record, time.perf_counter() - started)
        return answer

    async def _failed(self, record: StepRecord, started: float, here: Place[InputT]) -> StepFailedError:
        if here.fatal:
            self.journal.fail(record.name, record.error)
        await self.journal.note(record, time.perf_counter() - started)
        return StepFailedError()

    async def _call(
        self, step: Step[InputT], call: Call[InputT], known: Known[InputT], label: str
    ) -> dict[str, JsonValue]:
        payload: dict[str, JsonValue] = json_values(_worked_out(call.payload, known))
        return await self._asked(step, call, payload, label)

    async def _asked(
        self, step: Step[InputT], call: Call[InputT], payload: dict[str, JsonValue], label: str
    ) -> dict[str, JsonValue]:
        run = self.journal.run
        call_id = uuid5(run.run_id, label)

        async def attempt() -> dict[str, JsonValue]:
            async with deadline(step.timeout_seconds, call.node, run.correlation_id):
                return dict(await self.nodes.call(call.node, call.operation, payload, call_id))

        # What undoes a step bears being called twice.
        return await repeated(attempt, step.retry, idempotent=step.idempotent or call is step.compensate)

    async def _published(self, step: Step[InputT], act: Publishing, known: Known[InputT]) -> JsonValue:
        publish, run = self.publish, self.journal.run
        if publish is None:
            message = f"There is no event bus to publish {act.topic} on."
            raise ModelOnexError(message=message, error_code=EnumCoreErrorCode.NOT_FOUND)
        payload: dict[str, JsonValue] = json_values(known.intent)

        async def attempt() -> dict[str, JsonValue]:
            async with deadline(step.timeout_seconds, act.topic, run.correlation_id):
                await publish(act.topic, payload, run.correlation_id)
            return {}

        return await repeated(attempt, step.retry, idempotent=step.idempotent)

    def _undoes(self) -> bool:
        run = self.journal.run
        outermost = _PART.match(run.failed_step) if run.failed_step else None
        named = outermost["name"] if outermost else None
        ended_by = next((step for step in self.workflow.steps if step.name == named), None)
        return run.status == "undoing" or ended_by is None or ended_by.on_failure != "abort"

    async def _undo(self) -> None:
        for record in reversed(self.journal.run.steps):
            step = None if record.composite else _of(self.workflow.steps, record.name)
            if step is None or step.compensate is None or not _is_undone(step, record):
                continue
            started = time.perf_counter()
            try:
                payload = record.undo
                if payload is None:
                    known = Known(self.request, self.journal.run, ChainMap(dict(self.journal.run.answers)), record.name)
                    payload = json_values(_worked_out(step.compensate.payload, known))
                await self._asked(step, step.compensate, payload, f"{record.name} undone")
                record.status, record.outcome_unknown = "compensated", False
            except Exception as error:
                record.status, record.error = "compensation_failed", told(error)
            await self.journal.save()
            await self.journal.announce(self.journal.run, record, time.perf_counter() - started)


def _seeing[InputT: BaseModel](place: Place[InputT], answers: dict[str, JsonValue]) -> Place[InputT]:
    steps = place.known.steps.new_child(answers)
    return replace(place, known=replace(place.known, steps=steps))


def _there[InputT: BaseModel](place: Place[InputT], suffix: str, **seen: Any) -> Place[InputT]:
    return replace(place, known=replace(place.known, label=place.known.label + suffix, **seen))


def _worked_out[InputT: BaseModel, T](function: Callable[[Known[InputT]], T], known: Known[InputT]) -> T:
    try:
        return function(known)
    except Exception as error:
        raise RefusedError(f"It can't be worked out: {told(error)}") from error


def _holds[InputT: BaseModel](condition: Condition[InputT], known: Known[InputT]) -> bool:
    try:
        return condition.holds(known)
    except Exception as error:
        raise RefusedError(f"It can't be worked out: {condition.text}: {told(error)}") from error


def _demand[InputT: BaseModel](condition: Condition[InputT] | None, known: Known[InputT]) -> None:
    if condition is not None and not _holds(condition, known):
        raise RefusedError(f"This did not hold: {condition.text}")


def _undoing[InputT: BaseModel](
    step: Step[InputT], known: Known[InputT], answer: JsonValue = None
) -> dict[str, JsonValue] | None:
    """Return what the step's compensation is given, worked out while all that it looks at is known."""
    if step.compensate is None or not (answer is not None or step.undoes_unknown):
        return None
    steps = known.steps.new_child({} if answer is None else {step.name: answer})
    payload: dict[str, JsonValue] = json_values(step.compensate.payload(replace(known, steps=steps, result=answer)))
    return payload


def _urgency(intent: Mapping[str, JsonValue]) -> float:
    priority = intent.get("priority")
    return -float(priority if isinstance(priority, (int, float)) else _USUAL_PRIORITY)


def _of[InputT: BaseModel](steps: Iterable[Step[InputT]], label: str) -> Step[InputT] | None:
    """Return the step that a label names; None for a label of no step."""
    first, _, rest = label.partition(".")
    part = _PART.fullmatch(first)
    step = next((step for step in steps if part and step.name == part["name"]), None)
    if step is None or not rest:
        return step
    return _of(step.does.steps, rest) if isinstance(step.does, Group) else None


def _is_undone[InputT: BaseModel](step: Step[InputT], record: StepRecord) -> bool:
    took_effect = record.status == "completed" or (record.status == "failed" and record.answered)
    return took_effect or (record.outcome_unknown and step.undoes_unknown)


def _node_of[InputT: BaseModel](step: Step[InputT]) -> str:
    return step.does.node if isinstance(step.does, Call) else ""


async def _stop(running: Iterable[asyncio.Task[object]]) -> None:
    tasks = list(running)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
