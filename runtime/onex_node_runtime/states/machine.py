# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""State machines: where a trigger leads from each state, under which condition, and what is to be done then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Asked:
    """What others are to do when a transition is taken.

    Attributes:
        target: Who is to do it.
        action: What is to be done.
        priority: 0 to 9; the highest is the most urgent.
        event: The event that is to be published; None for none.
    """

    target: str
    action: str
    priority: int
    event: str | None = None


@dataclass(frozen=True, slots=True)
class Transition[InputT: BaseModel]:
    """One way from a state to another.

    Attributes:
        source: The state before.
        trigger: What happened.
        target: The state after.
        when: Tells from the operation's input whether it is taken; None for always.
        asked: What others are to do then.
    """

    source: str
    trigger: str
    target: str
    when: Callable[[InputT], object] | None = None
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine[InputT: BaseModel]:
    """A state machine.

    Attributes:
        states: All states.
        initial: The state of an entity that nothing has happened to.
        transitions: The first one that fits is taken.
        rejects: Whether a trigger that no transition is taken for is an error; else it changes nothing.
    """

    states: frozenset[str]
    initial: str
    transitions: tuple[Transition[InputT], ...]
    rejects: bool

    def taken(self, state: str, trigger: str, request: InputT) -> Transition[InputT] | None:
        """Return the transition that a trigger takes from a state, or None where it takes none."""
        for item in self.transitions:
            if item.source == state and item.trigger == trigger and (item.when is None or item.when(request)):
                return item
        return None
