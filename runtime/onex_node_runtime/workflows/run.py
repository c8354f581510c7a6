# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What is known of one run of a workflow: enough to go on where a process that stopped left off."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from pydantic import JsonValue, TypeAdapter

from ..refusals import REFUSALS

type StepStatus = Literal["completed", "failed", "skipped", "compensated", "compensation_failed"]


@dataclass(slots=True)
class StepRecord:
    """How a step ended.

    Attributes:
        name: The step; inside of others with their names before it, with the index of the item in brackets and the
            number of the round after `#`, as in `bodies[2]#1.write`.
        status: `failed` is one that the workflow goes on without, or that ended it; `skipped` one whose `when` did not
            hold.
        answer: What it answered; empty for a step that failed without an answer.
        error: What went wrong, possibly with its compensation; empty for nothing.
        outcome_unknown: Whether nobody knows if a step that failed took effect.
        node: The node that a step that failed called.
        code: The code of what went wrong there; empty where it gave none.
        answered: Whether a step that failed took effect: the other node answered, and the answer was refused.
        composite: Whether it is made of other steps, which have records of their own.
        undo: What its compensation is given; None where nothing undoes it.
    """

    name: str
    status: StepStatus
    answer: JsonValue = field(default_factory=dict)
    error: str = ""
    outcome_unknown: bool = False
    node: str = ""
    code: str = ""
    answered: bool = False
    composite: bool = False
    undo: dict[str, JsonValue] | None = None

    @property
    def lasting(self) -> bool:
        """Whether something that it did is still there, or may be."""
        there = self.status in {"completed", "compensation_failed"} or (self.status == "failed" and self.answered)
        return (there and not self.composite) or self.outcome_unknown


@dataclass(slots=True)
class Run:
    """One run.

    Attributes:
        run_id: The same for the same request.
        operation: The operation whose workflow it is.
        correlation_id: Identity of the request.
        payload: The operation's input, as JSON.
        status: What it is at, or how it ended.
        steps: The steps that ended, in the order in which they did.
        failed_step: The step that ended it; for a run that took too long, the first of those it waited for.
        error: What ended it; empty for nothing.
        started_at: When it began.
        under_way: The calls that were made and are not over.
    """

    run_id: UUID
    operation: str
    correlation_id: UUID
    payload: dict[str, JsonValue]
    status: Literal["running", "undoing", "completed", "failed", "compensated"] = "running"
    steps: list[StepRecord] = field(default_factory=list)
    failed_step: str | None = None
    error: str = ""
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    under_way: list[str] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.status not in {"running", "undoing"}

    @property
    def answers(self) -> Mapping[str, JsonValue]:
        """The answers of the workflow's own steps that took effect, by step."""
        return {
            record.name: record.answer
            for record in self.steps
            if record.status not in {"failed", "skipped"} and record.name.isidentifier()
        }

    @property
    def failed_compensations(self) -> list[str]:
        """The steps whose effect is still there though it was to be undone."""
        return [record.name for record in self.steps if record.status == "compensation_failed"]

    @property
    def unknown_outcomes(self) -> list[str]:
        """The steps of which nobody knows whether they took effect, and that were not undone."""
        return [record.name for record in self.steps if record.outcome_unknown]

    @property
    def lasting(self) -> bool:
        """Whether something that a step did is still there, or may be."""
        return any(record.lasting for record in self.steps)

    def dump(self) -> str:
        """Return the run as JSON."""
        return _RUN.dump_json(self).decode()


_RUN = TypeAdapter(Run)


def load(text: str) -> Run:
    """Return the run that `dump` made text of."""
    return _RUN.validate_json(text)


def failure(run: Run) -> ModelOnexError:
    """Return the error of a run that failed: what a step's node refused is refused to the caller, if nothing is left.

    Args:
        run: A run that did not complete.

    Returns:
        The error, which names the step and its node where there is one.
    """
    ended_by = next((record for record in run.steps if record.name == run.failed_step and record.node), None)
    refusal = next((code for code in REFUSALS if ended_by and str(code) == ended_by.code), None)
    place: dict[str, Any] = {"step": ended_by.name, "node": ended_by.node} if ended_by else {}
    return ModelOnexError(
        message=f"The step {run.failed_step} of {run.operation} failed: {run.error}",
        error_code=EnumCoreErrorCode.OPERATION_FAILED if refusal is None or run.lasting else refusal,
        correlation_id=run.correlation_id,
        **place,
        run_status=run.status,
        failed_step=run.failed_step,
        failed_compensations=run.failed_compensations,
        unknown_outcomes=run.unknown_outcomes,
    )
