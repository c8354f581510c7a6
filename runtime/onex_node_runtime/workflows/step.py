# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What workflows are made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from .run import Answer


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential delays between attempts, with a cap; the first attempt counts."""

    max_attempts: int = 1
    initial_delay_seconds: float = 0.1
    max_delay_seconds: float = 10.0
    backoff_multiplier: float = 2.0


@dataclass(frozen=True, slots=True)
class Call[InputT: BaseModel]:
    """A call of another node.

    Attributes:
        node: ONEX's name of the node.
        operation: Its operation.
        payload: Makes the operation's input from the workflow's input and the answers of earlier steps.
    """

    node: str
    operation: str
    payload: Callable[[InputT, Mapping[str, Answer]], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Step[InputT: BaseModel]:
    """A step.

    Attributes:
        name: Its name.
        call: What it does.
        after: The steps that have to be over before.
        timeout_seconds: Deadline of one attempt.
        retry: How often it is tried.
        on_failure: Whether the workflow goes on without it, or ends, and whether what was done is undone then.
        compensate: What undoes it, if anything does.
        undoes_unknown: Whether that also runs when nobody knows if the step took effect.
        idempotent: Whether making the call twice does no harm.
        needed: Paths in its answer that later steps refer to.
        fills: Paths in its answer by the output field that takes the value.
    """

    name: str
    call: Call[InputT]
    after: tuple[str, ...] = ()
    timeout_seconds: float = 30.0
    retry: Retry = Retry()
    on_failure: Literal["abort", "continue", "compensate"] = "abort"
    compensate: Call[InputT] | None = None
    undoes_unknown: bool = False
    idempotent: bool = False
    needed: tuple[tuple[str, ...], ...] = ()
    fills: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Workflow[InputT: BaseModel]:
    """A workflow.

    Attributes:
        operation: The operation that it implements.
        input_model: The type of the operation's input.
        output_model: The type of the operation's output.
        steps: Its steps; none comes before one that it waits for.
        timeout_seconds: Deadline of all steps together, without what undoes them.
    """

    operation: str
    input_model: type[InputT]
    output_model: type[BaseModel]
    steps: tuple[Step[InputT], ...]
    timeout_seconds: float | None = None
