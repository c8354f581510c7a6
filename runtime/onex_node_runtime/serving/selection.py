# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Which events an operation takes, and what of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from omnibase_core.errors import ModelOnexError
from pydantic import BaseModel, ValidationError

from ..payloads import validated


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an event, by the names on the way to it."""

    path: tuple[str, ...]

    def put(self, event: Mapping[str, Any], into: dict[str, Any], name: str) -> None:
        """Put its value into a mapping under a name; does nothing where the event has none."""
        value: Any = event
        for step in self.path:
            if not isinstance(value, Mapping) or step not in value:
                return
            value = value[step]
        into[name] = value


@dataclass(frozen=True, slots=True)
class Selection[InputT: BaseModel]:
    """What an operation takes of an event.

    Attributes:
        model: The operation's input.
        members: Input fields that other members of the event fill than those of their names, or fixed values.
        condition: Tells of the input whether the operation takes the event; None for every one.
    """

    model: type[InputT]
    members: Mapping[str, object] = field(default_factory=dict)
    condition: Callable[[InputT], bool] | None = None

    def payload(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the operation's input, as JSON has it."""
        found = dict(event)
        for name, member in self.members.items():
            found.pop(name, None)
            if isinstance(member, Member):
                member.put(event, found, name)
            else:
                found[name] = member
        return found

    def takes(self, event: Mapping[str, Any]) -> bool:
        """Tell whether the operation takes an event; one that is no input is taken, so that it is refused by name."""
        if self.condition is None:
            return True
        try:
            made = validated(self.model, self.payload(event), tolerant=True)
        except (ValidationError, ModelOnexError):
            return True
        return self.condition(made)
