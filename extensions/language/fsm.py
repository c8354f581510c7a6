"""Finite state machines of the contract language: their typed form."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from . import names

type Specs = Mapping[str, Any]

PATH: Final = ("subcontracts", "fsm")
STORE_PATH: Final = ("subcontracts", "state_management")
EVENT_ID: Final = "event_id"
STATES: Final = ("previous_state", "state")
ENTITY_TYPES: Final = ("uuid", "string", "integer")
IMPLEMENTATIONS: Final = (
    "database",
    "http",
    "kafka",
    "redis",
    "filesystem",
    "compute",
    "aggregate",
    "workflow",
    "handler",
)


@dataclass(frozen=True, slots=True)
class Transition:
    """One way from a state to another."""

    trigger: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Fsm:
    """A finite state machine.

    Attributes:
        entity: The input field that tells whose state it is.
        trigger: The input field that tells what happened.
        initial: The state of an entity that nothing has happened to.
        terminal: States that nothing leads out of.
        states: What each state means, possibly empty, by name.
        transitions: Each from one state, in the order of the contract.
        on_undefined: What a trigger without a transition leads to: an error, or nothing.
    """

    entity: str
    trigger: str
    initial: str
    terminal: tuple[str, ...]
    states: Mapping[str, str]
    transitions: tuple[Transition, ...]
    on_undefined: Literal["reject", "ignore"]

    @property
    def triggers(self) -> tuple[str, ...]:
        """The triggers, each once."""
        return tuple(dict.fromkeys(transition.trigger for transition in self.transitions))


@dataclass(frozen=True, slots=True)
class StateStore:
    """Where state is kept: the backend, and the table or the prefix of keys in it."""

    backend: Literal["memory", "postgres", "redis"]
    place: str


def is_moved(operation: Specs) -> bool:
    """Tell whether an operation leaves it to the state machine what happens in it."""
    return not any(key in operation for key in IMPLEMENTATIONS)


def build_fsm(spec: Specs | None) -> Fsm | None:
    """Return the typed state machine of a contract without problems, if it has one."""
    if spec is None:
        return None
    return Fsm(
        entity=spec["entity"],
        trigger=spec["trigger"],
        initial=spec["initial_state"],
        terminal=tuple(spec.get("terminal_states", ())),
        states=dict(states) if isinstance(states := spec["states"], Mapping) else dict.fromkeys(states, ""),
        transitions=tuple(
            Transition(item["trigger"], source, item["to"])
            for item in spec["transitions"]
            for source in sources_of(item["from"])
        ),
        on_undefined=spec.get("on_undefined", "reject"),
    )


def build_store(subcontracts: Specs, name: str) -> StateStore | None:
    """Return where a contract without problems keeps the state of its state machine.

    Args:
        subcontracts: The contract's subcontracts.
        name: The node's name, from which the default place follows.

    Returns:
        The store; None when there is no state machine.
    """
    if "fsm" not in subcontracts:
        return None
    spec = subcontracts.get("state_management", {})
    place = spec.get("table") or spec.get("key_prefix") or default_place(name)
    return StateStore(spec.get("backend", "memory"), place)


def default_place(name: str) -> str:
    """Return what the table or the prefix of keys is called when the contract says nothing."""
    return f"{name}s" if name.endswith("_state") else f"{name}_states"


def state_enum_name(node: str) -> str:
    """Return the name of the enum that holds a node's states."""
    stem = names.pascal(node)
    return stem if stem.endswith("State") else f"{stem}State"


def migration_id(store: StateStore) -> str:
    """Return the id of the migration that makes the store's tables."""
    return f"0000_{store.place}"


def sources_of(source: str | Sequence[str]) -> tuple[str, ...]:
    """Return the states that a transition names as its source."""
    return (source,) if isinstance(source, str) else tuple(source)


def reached(starts: Iterable[str], steps: Mapping[str, Iterable[str]]) -> set[str]:
    """Return the states that are reached from some, these included."""
    found = set(starts)
    waiting = list(found)
    while waiting:
        new = set(steps[waiting.pop()]) - found
        found |= new
        waiting += new
    return found
