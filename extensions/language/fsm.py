"""Finite state machines of the contract language: their typed form."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ..text.specs import Specs
from . import names
from .aggregation import USUAL_PRIORITY
from .syntax import source

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
class Asked:
    """What others are to do when a transition is taken. `event` is empty for none."""

    target: str
    action: str
    event: str
    priority: int


@dataclass(frozen=True, slots=True)
class Transition:
    """One way from a state to another.

    Attributes:
        trigger: What happened.
        source: The state before.
        target: The state after.
        when: The condition on `input` under which it is taken; empty for always.
        intents: What others are to do then.
    """

    trigger: str
    source: str
    target: str
    when: str = ""
    intents: tuple[Asked, ...] = ()


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
    def intents(self) -> tuple[Asked, ...]:
        """What others are to do after any of the transitions."""
        return tuple(intent for transition in self.transitions for intent in transition.intents)

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
        terminal=_terminal(spec),
        states=dict(states) if isinstance(states := spec["states"], Mapping) else dict.fromkeys(states, ""),
        transitions=tuple(
            Transition(item["trigger"], source, item["to"], condition_of(item), _intents(item))
            for item in spec["transitions"]
            for source in sources_of(item["from"])
        ),
        on_undefined=spec.get("on_undefined", "reject"),
    )


def _terminal(spec: Specs) -> tuple[str, ...]:
    left = {source for item in spec["transitions"] for source in sources_of(item["from"])}
    said: Iterable[str] | None = spec.get("terminal_states")
    return tuple(said) if said is not None else tuple(state for state in spec["states"] if state not in left)


def condition_of(item: Specs) -> str:
    """Return the condition of a transition as text; empty for none."""
    return source(item["when"]) if "when" in item else ""


def _intents(item: Specs) -> tuple[Asked, ...]:
    return tuple(
        Asked(intent["target"], intent["action"], intent.get("event", ""), intent.get("priority", USUAL_PRIORITY))
        for intent in item.get("intents", ())
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


def build_figure_store(raw: Specs) -> StateStore | None:
    """Return where a contract without problems keeps the figures of its aggregations; None for nowhere."""
    subcontracts = raw.get("subcontracts", {})
    spec = subcontracts.get("state_management")
    if spec is None or not any("aggregate" in operation for operation in raw["operations"]):
        return None
    place = spec.get("table") or spec.get("key_prefix")
    if "fsm" in subcontracts:
        return StateStore(spec["backend"], figures_beside(place or default_place(raw["name"])))
    return StateStore(spec["backend"], place or default_windows(raw["name"]))


def figures_beside(place: str) -> str:
    """Return where figures are kept in a node that keeps the states of a state machine somewhere, too."""
    return f"{place}_figures"


def default_windows(name: str) -> str:
    """Return what the table or the prefix of keys of figures is called when the contract says nothing."""
    return f"{name}_windows"


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
