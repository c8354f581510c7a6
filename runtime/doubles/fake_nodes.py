# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""The other nodes, as unit tests have them."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID, uuid5

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from pydantic import JsonValue

RUN_ID = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")
PERMANENT = EnumCoreErrorCode.VALIDATION_ERROR


class FakeNodes:
    """Answers each step of one run, slowly or not at all where it is told so.

    Attributes:
        answers: What steps answer, by name.
        calls: What was called: the names of steps, in the order in which they were.
        undone: The steps whose compensation was called, in the order in which it was.
        given: The node, the operation and the input of calls, by the same names as `payloads`.
        payloads: What steps and compensations were given, by step and by `undo` and the step.
        failing: Codes of the errors that calls meet, one after the other, by the same names.
        details: What these errors say beside.
        delays: Seconds that answers take, by the same names.
        cancelled: The names whose calls were cancelled.
    """

    def __init__(
        self, steps: Iterable[str], answers: Mapping[str, Mapping[str, JsonValue]], run_id: UUID = RUN_ID
    ) -> None:
        names = list(steps)
        self._names = {uuid5(run_id, name): name for name in names}
        self._names |= {uuid5(run_id, f"{name} undone"): f"undo {name}" for name in names}
        self.answers = answers
        self.calls: list[str] = []
        self.undone: list[str] = []
        self.given: dict[str, tuple[str, str, Mapping[str, JsonValue]]] = {}
        self.payloads: dict[str, Mapping[str, JsonValue]] = {}
        self.failing: dict[str, list[EnumCoreErrorCode]] = {}
        self.details: dict[str, Any] = {}
        self.delays: dict[str, float] = {}
        self.cancelled: list[str] = []

    async def call(
        self, node: str, operation: str, payload: Mapping[str, JsonValue], call_id: UUID
    ) -> Mapping[str, JsonValue]:
        name = self._names[call_id]
        undoing = name.startswith("undo ")
        (self.undone if undoing else self.calls).append(name.removeprefix("undo "))
        self.payloads[name] = payload
        self.given[name] = (node, operation, payload)
        try:
            await asyncio.sleep(self.delays.get(name, 0))
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise
        if codes := self.failing.get(name):
            raise ModelOnexError(message=f"{name} is broken", error_code=codes.pop(0), **self.details)
        return self.answers.get(name, {})

    def misgiven(self, expected: Mapping[str, tuple[str, str, Mapping[str, JsonValue]]]) -> dict[str, object]:
        """Return the calls whose node, operation or input is another than expected."""
        return {name: given for name, given in self.given.items() if given != expected.get(name, given)}


def calls_of(steps: Iterable[Any], items: int, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the calls of steps by the names that they have in runs, with their steps.

    Args:
        steps: The steps of a workflow, or of a group.
        items: How many items there are, and how many intents.
        prefix: What stands before their names.
    """
    for step in steps:
        for item in [f"[{index}]" for index in range(items)] if step.each else [""]:
            for number in [f"#{number + 1}" for number in range(step.repeat.max_rounds)] if step.repeat else [""]:
                name = f"{prefix}{step.name}{item}{number}"
                if hasattr(step.does, "steps"):
                    yield from calls_of(step.does.steps, items, f"{name}.")
                elif hasattr(step.does, "targets"):
                    yield from ((f"{name}[{index}]", step) for index in range(items))
                else:
                    yield name, step
