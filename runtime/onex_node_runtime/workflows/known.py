# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What the functions of a workflow may look at: its input, what steps answered, the item, the round before."""

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from pydantic import BaseModel, JsonValue

from .run import Run

# Of the loop of a condition, which runs where everything else does: about a tenth of a second.
MOST_STEPS = 500_000
# A text is searched, copied and compared so many characters at a time.
_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class Known[InputT: BaseModel]:
    """What is known where a function is asked.

    Attributes:
        request: The operation's input.
        run: The run.
        steps: What steps answered, by name; the answer of a step that was skipped or gone on without is not there.
        label: The step, with the items and rounds around it.
        item: The item, inside of steps that run for each.
        previous: What steps answered in the round before, by name; nothing in the first.
        result: What the step itself answered, for conditions on it.
        intent: The intent that is carried out.
    """

    request: InputT
    run: Run
    steps: ChainMap[str, JsonValue] = field(default_factory=lambda: ChainMap[str, JsonValue]({}))
    label: str = ""
    item: JsonValue = None
    previous: Mapping[str, JsonValue] = field(default_factory=dict)
    result: JsonValue = None
    intent: JsonValue = None

    @property
    def now(self) -> datetime:
        """When the run began, however often it was gone on with."""
        return self.run.started_at

    @property
    def correlation_id(self) -> UUID:
        """Identity of the request."""
        return self.run.correlation_id

    def uuid(self, place: str) -> UUID:
        """Return an identifier of its own for a place in the contract; a run that is gone on with gets the same."""
        return uuid5(self.run.run_id, f"{self.label} {place}")


def value_at(value: object, *path: str | int) -> Any:
    """Return a value inside of another.

    Args:
        value: The outer value: one that came as JSON, or a model.
        path: Keys and indices, from there inwards.

    Returns:
        The value; None where there is none, as in the answer of a step that was skipped.
    """
    for key in path:
        if isinstance(key, int):
            value = value[key] if isinstance(value, list) and key < len(value) else None
        else:
            owner = vars(value) if isinstance(value, BaseModel) else value
            value = owner.get(key) if isinstance(owner, Mapping) else None
    return value


def bounded[T](items: Iterable[T], *others: object) -> Iterable[T]:
    """Return what a loop of a condition goes over, where it is not too long for what it looks at with each item.

    Args:
        items: What it goes over.
        others: Values from outside of the loop.

    Raises:
        ValueError: The loop would take too long.
    """
    rounds = len(items) if isinstance(items, Sized) else 0
    if rounds * sum(map(_weight, others)) > MOST_STEPS:
        message = "too many items for what is looked at with each of them"
        raise ValueError(message)
    return items


def factor_of(value: Any) -> Any:
    """Return a value that is multiplied or divided.

    Raises:
        TypeError: It is a text or an array, which would be repeated or filled in.
    """
    if isinstance(value, (str, bytes, list, tuple)):
        message = f"arithmetic with {type(value).__name__}"
        raise TypeError(message)
    return value


def _weight(value: object) -> int:
    """Return how much there is of a value, in items and stretches of text."""
    weight, waiting = 0, [value]
    while waiting:
        weight += 1
        match waiting.pop():
            case str() | bytes() as text:
                weight += len(text) // _CHARACTERS
            case BaseModel() as model:
                waiting.extend(vars(model).values())
            case Mapping() as members:
                waiting.extend(members.values())
            case list() | tuple() as items:
                waiting.extend(items)
    return weight
