# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What workflows are made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from .known import Known


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential delays between attempts, with a cap; the first attempt counts."""

    max_attempts: int = 1
    initial_delay_seconds: float = 0.1
    max_delay_seconds: float = 10.0
    backoff_multiplier: float = 2.0


@dataclass(frozen=True, slots=True)
class Condition[InputT: BaseModel]:
    """A condition.

    Attributes:
        text: As the contract has it.
        holds: Tells whether it holds.
    """

    text: str
    holds: Callable[[Known[InputT]], bool]


@dataclass(frozen=True, slots=True)
class Call[InputT: BaseModel]:
    """A call of another node.

    Attributes:
        node: ONEX's name of the node.
        operation: Its operation.
        payload: Makes the operation's input.
    """

    node: str
    operation: str
    payload: Callable[[Known[InputT]], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Publishing:
    """An event that carries an intent.

    Attributes:
        topic: Full name of the topic.
    """

    topic: str


@dataclass(frozen=True, slots=True)
class Group[InputT: BaseModel]:
    """Steps that are one step for those around them.

    Attributes:
        steps: Its steps; none comes before one that it waits for.
        output: Makes what the group answers; None answers what each of its steps answered, by name.
    """

    steps: tuple["Step[InputT]", ...]
    output: Callable[[Known[InputT]], Mapping[str, object]] | None = None


@dataclass(frozen=True, slots=True)
class Route[InputT: BaseModel]:
    """Carries out the intents of a reducer, one after the other, the highest priority first.

    Attributes:
        intents: Gives them.
        targets: What each target stands for.
        ignores_unknown: Whether intents for other targets are passed over; else the step fails before the first.
    """

    intents: Callable[[Known[InputT]], object]
    targets: Mapping[str, Call[InputT] | Publishing]
    ignores_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Each[InputT: BaseModel]:
    """The items that a step runs for.

    Attributes:
        items: Gives them.
        max_parallel: How many are under way at once.
    """

    items: Callable[[Known[InputT]], object]
    max_parallel: int = 10


@dataclass(frozen=True, slots=True)
class Repeat[InputT: BaseModel]:
    """Rounds of a step, until a condition holds.

    Attributes:
        until: The condition, which sees what this round answered.
        max_rounds: How many there are at most; when none of them holds, the step fails.
    """

    until: Condition[InputT]
    max_rounds: int


@dataclass(frozen=True, slots=True)
class Step[InputT: BaseModel]:
    """A step.

    Attributes:
        name: Its name, which no other step of the workflow has.
        does: What it does.
        after: The steps beside it that have to be over before.
        when: Skips it where that does not hold.
        each: The items that it runs for, if it does; its answer is the array of theirs, in the order of the items.
        repeat: The rounds that it takes, if it takes any.
        require: Has to hold for what it answers; else it failed.
        timeout_seconds: Deadline of one attempt.
        retry: How often it is tried.
        on_failure: Whether the workflow goes on without it, or without the item, or ends, and whether what was done is
            undone then. Around a step that failed, the outermost one that does not go on counts.
        compensate: What undoes it, if anything does.
        undoes_unknown: Whether that also runs when nobody knows if the step took effect.
        idempotent: Whether making the call twice does no harm.
        needed: Paths in its answer that later steps refer to.
        fills: Paths in its answer by the output field that takes the value.
    """

    name: str
    does: Call[InputT] | Group[InputT] | Route[InputT]
    after: tuple[str, ...] = ()
    when: Condition[InputT] | None = None
    each: Each[InputT] | None = None
    repeat: Repeat[InputT] | None = None
    require: Condition[InputT] | None = None
    timeout_seconds: float = 30.0
    retry: Retry = Retry()
    on_failure: Literal["abort", "continue", "compensate"] = "abort"
    compensate: Call[InputT] | None = None
    undoes_unknown: bool = False
    idempotent: bool = False
    needed: tuple[tuple[str | int, ...], ...] = ()
    fills: tuple[tuple[str, tuple[str | int, ...]], ...] = ()


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
