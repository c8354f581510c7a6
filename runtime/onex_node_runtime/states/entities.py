# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Moves entities from state to state, however many writers try at once."""

import asyncio
import random
from typing import Any
from uuid import uuid4

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from pydantic import BaseModel

from ..correlation import CORRELATION_ID
from ..models.secrets import public
from .machine import Machine
from .move import Entity, Move, StateStore

_FIRST_PAUSE_SECONDS = 0.001
_LONGEST_PAUSE_SECONDS = 0.1


class Entities[InputT: BaseModel]:
    """The entities whose states the node keeps."""

    def __init__(self, machine: Machine[InputT], store: StateStore) -> None:
        """Keep both.

        Args:
            machine: Says where events lead.
            store: Where states are kept.
        """
        self._machine = machine
        self._store = store

    async def apply(self, entity: Entity, trigger: str, event_id: str, request: InputT) -> Move:
        """Let an event act on an entity, once.

        A writer that was overtaken judges its event again by the state that it finds then, until the operation's
        deadline.

        Args:
            entity: The entity.
            trigger: What happened.
            event_id: The event's identity; an event that was seen before gets the answer of the first time.
            request: The operation's input, which conditions look at.

        Returns:
            What the event did.

        Raises:
            ModelOnexError: INVALID_OPERATION when no transition is taken, where that is an error; VALIDATION_ERROR when
                an event of this id had another trigger; CONTRACT_VIOLATION when a state is kept that the machine does
                not know (any more); else what the store raises.
        """
        pause = _FIRST_PAUSE_SECONDS
        while True:
            known = await self._store.load(entity, event_id)
            if known.seen is not None:
                return self._same(known.seen, trigger)
            state = self._known(known.state or self._machine.initial)
            transition = self._machine.taken(state, trigger, request)
            if transition is None and self._machine.rejects:
                raise ModelOnexError(
                    message=f"No transition is defined for {trigger!r} in the state {state}.",
                    error_code=EnumCoreErrorCode.INVALID_OPERATION,
                    state=state,
                    trigger=trigger,
                )
            # An event without effect is kept as well, so that it has none either when it is delivered again later.
            move = Move(trigger, state, state if transition is None else str(transition.target))
            if await self._store.save(entity, known.version, event_id, move):
                return move
            await asyncio.sleep(pause * random.random())  # noqa: S311 - spreads writers out, no secret
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def asked(self, move: Move, request: InputT) -> list[dict[str, Any]]:
        """Return what others are to do after a move, the same for an event that is delivered again.

        Args:
            move: What the event did.
            request: The operation's input.

        Returns:
            For each its `target`, `action`, `priority`, perhaps `event`, and as `payload` the input, without what is
            secret, with `previous_state` and `state`.
        """
        transition = self._machine.taken(move.previous_state, move.trigger, request)
        if transition is None or transition.target != move.state:
            return []
        payload = {**public(request), "previous_state": move.previous_state, "state": move.state}
        return [
            {"target": item.target, "action": item.action, "priority": item.priority}
            | ({"event": item.event} if item.event else {})
            | {"payload": payload}
            for item in transition.asked
        ]

    def _same(self, seen: Move, trigger: str) -> Move:
        if seen.trigger != trigger:
            raise ModelOnexError(
                message=f"The event was {seen.trigger!r} when it was seen first, and is {trigger!r} now.",
                error_code=EnumCoreErrorCode.VALIDATION_ERROR,
            )
        self._known(seen.previous_state)
        self._known(seen.state)
        return seen

    def _known(self, state: str) -> str:
        if state not in self._machine.states:
            raise ModelOnexError(
                message=f"The state {state!r} is kept, and the contract does not know it.",
                error_code=EnumCoreErrorCode.CONTRACT_VIOLATION,
            )
        return str(state)


def delivery_id(trigger: str) -> str:
    """Return what identifies an event that brings no id: the request's correlation id together with the trigger."""
    return f"{CORRELATION_ID.get() or uuid4()}:{trigger}"
