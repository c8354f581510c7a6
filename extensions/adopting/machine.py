"""State machines of ONEX contracts, and JSON Schemas in them, in the words of the language."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .adopted import Adopted
from .vocabulary import Vocabulary, field_name, short, text, unique, word

_STATE = re.compile(r"[A-Za-z][A-Za-z0-9]*([._-][A-Za-z0-9]+)*")
_KEYS = ("state_machine", "fsm", "state_transitions")
FORMATS = {
    "uuid": "uuid",
    "date-time": "datetime",
    "date": "date",
    "time": "time",
    "duration": "duration",
    "binary": "bytes",
}
TEXT_FORMATS = ("email", "uri", "hostname", "ipv4", "ipv6")
_BASE = ("string", "integer", "number", "boolean", "object", "array")
WORDS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern"),
    *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "default", "enum", "const"),
)


_TRIGGER = "trigger"
# What tells of a move, beside the entity.
_MOVED = frozenset({"previous_state", "state", "changed"})


@dataclass(frozen=True, slots=True)
class Machine:
    """A state machine.

    Attributes:
        operation: The operation that moves an entity.
        subcontracts: The machine itself, and where its state is kept.
    """

    operation: dict[str, Any]
    subcontracts: dict[str, Any]


def adopt(
    raw: Mapping[str, Any], kind: str, operations: Sequence[dict[str, Any]], adopted: Adopted, used: set[str]
) -> Machine | None:
    """Return the state machine of a reducer where it says all that decides a move.

    Args:
        raw: The node's contract.
        kind: The node's type.
        operations: The node's operations; where one of them moves entities, it is the machine's.
        adopted: Takes what a person should know.
        used: Keys of the contract that have a place; those that find one here are added.

    Returns:
        The machine; None where there is none, or where its moves depend on more than state and trigger.
    """
    key, spec = next(((key, raw[key]) for key in _KEYS if isinstance(raw.get(key), Mapping)), ("", None))
    if spec is None or kind != "reducer":
        return None
    states = _states(spec)
    moves = spec.get("transitions")
    moves = [move for move in moves if isinstance(move, Mapping)] if isinstance(moves, list) else []
    initial = spec.get("initial_state")
    if any(move.get("conditions") or move.get("guard") or move.get("guards") for move in moves):
        adopted.notes.append((key, "its transitions have conditions, so that it stays with the handlers"))
        return None
    if not states or not moves or initial not in states or not all(map(_STATE.fullmatch, states)):
        adopted.notes.append((key, "no state machine that can be told for sure; it stays with the handlers"))
        return None
    terminal = [state for state in spec.get("terminal_states") or [] if state in states]
    transitions: list[dict[str, Any]] = []
    left = {
        str(state.get("state_name", state.get("name"))): {
            word_: state[word_] for word_ in ("entry_actions", "exit_actions", "required_data") if state.get(word_)
        }
        for state in spec.get("states", [])
        if isinstance(state, Mapping)
    }
    for move in moves:
        trigger = str(move.get("trigger", move.get("event", "")))
        origin, target = move.get("from_state", move.get("from")), move.get("to_state", move.get("to"))
        origins = (
            [state for state in states if state not in terminal]
            if origin in {"*", "any"}
            else [origin]
            if isinstance(origin, str)
            else origin
        )
        if not _STATE.fullmatch(trigger) or target not in states or not isinstance(origins, list):
            adopted.notes.append((key, "a transition that can't be told for sure; the machine stays with the handlers"))
            return None
        _add(transitions, trigger, list(map(str, origins)), str(target))
        if move.get("actions"):
            left[f"{origin} {trigger}"] = {"actions": move["actions"]}
    left = {name: rest for name, rest in left.items() if rest}
    if left:
        adopted.notes.append((key, "its actions are the handlers' to do; they are kept as comments"))
        adopted.keep("", f"{key}: actions", left)
    used.add(key)
    machine: dict[str, Any] = {"initial_state": initial}
    machine |= {"terminal_states": terminal} if terminal else {}
    machine |= {"states": states, "transitions": transitions}
    for operation in operations:
        if entity := _entity(operation):
            moving = {key: value for key, value in operation.items() if key != "handler"}
            return Machine(moving, {"fsm": {"entity": entity, "trigger": _TRIGGER} | machine})
    name = unique(word(str(spec.get("state_machine_name", "move")), "move"), [one["name"] for one in operations])
    adopted.notes.append(
        (f"operations.{name}", "moves an entity by the state machine; say which field tells the entity")
    )
    fields = {"entity_id": "string", "trigger": "string"}
    moved = {"entity_id": "string", "previous_state": "string", "state": "string", "changed": "boolean"}
    machine = {"entity": "entity_id", "trigger": _TRIGGER} | machine
    description = text(spec.get("description") or "Move an entity along its states.")
    return Machine({"name": name, "description": description, "input": fields, "output": moved}, {"fsm": machine})


def _add(transitions: list[dict[str, Any]], trigger: str, origins: list[str], target: str) -> None:
    """Add a transition; one to the same state by the same trigger takes further states to come from."""
    for known in transitions:
        if (known["trigger"], known["to"]) == (trigger, target):
            before = known["from"] if isinstance(known["from"], list) else [known["from"]]
            known["from"] = list(dict.fromkeys([*before, *origins]))
            return
    transitions.append({"trigger": trigger, "from": origins[0] if len(origins) == 1 else origins, "to": target})


def _entity(operation: Mapping[str, Any]) -> str:
    """Return the field that tells the entity, where an operation moves one by a trigger; empty where it doesn't."""
    given, answered = operation.get("input", {}), operation.get("output", {})
    rest = given.keys() - {_TRIGGER}
    moves = _TRIGGER in given and len(rest) == 1 and answered.keys() == rest | _MOVED
    return next(iter(rest)) if moves else ""


def _states(spec: Mapping[str, Any]) -> dict[str, str]:
    listed = spec.get("states")
    if isinstance(listed, Mapping):
        return {str(name): text(item if isinstance(item, str) else "") or str(name) for name, item in listed.items()}
    found: dict[str, str] = {}
    for state in listed if isinstance(listed, list) else []:
        name = state.get("state_name", state.get("name")) if isinstance(state, Mapping) else state
        if isinstance(name, str):
            found[name] = text(state.get("description") or "" if isinstance(state, Mapping) else "") or name
    return found


def schema_fields(schema: Mapping[str, Any], vocabulary: Vocabulary) -> dict[str, Any]:
    """Return the fields of an object that a JSON Schema inside of a contract describes.

    Args:
        schema: A schema with properties.
        vocabulary: Takes what a person should know.

    Returns:
        The fields; what is no simple type is an object.
    """
    fields: dict[str, Any] = {}
    required = schema.get("required")
    required = required if isinstance(required, list) else []
    for outside, spec in schema["properties"].items():
        name, alias = field_name(str(outside), fields)
        made = _schema_field(str(outside), spec, vocabulary)
        if alias:
            made["alias"] = alias
        if outside not in required and "default" not in made:
            made["required"] = False
        fields[name] = short(made)
    return fields


def _schema_field(place: str, spec: Any, vocabulary: Vocabulary) -> dict[str, Any]:
    spec = {"type": spec} if isinstance(spec, str) else spec if isinstance(spec, Mapping) else {}
    kind, form = spec.get("type"), spec.get("format")
    made: dict[str, Any] = {}
    if isinstance(kind, list):
        made = {"required": False} if "null" in kind else {}
        kind = next((item for item in kind if item != "null"), None)
    if kind == "string" and form in FORMATS:
        made["type"] = FORMATS[form]
    elif kind in _BASE or kind in {*FORMATS.values(), "decimal"}:
        made["type"] = kind
        made |= {"format": form} if form in TEXT_FORMATS and kind == "string" else {}
    else:
        vocabulary.note(place, f"{kind or 'a type that is not said'}: now an object")
        made["type"] = "object"
    if made["type"] == "array" and spec.get("items"):
        items = _schema_field(f"{place}[]", spec["items"], vocabulary)
        made["items"] = short({key: value for key, value in items.items() if key not in {"required", "default"}})
    if spec.get("required") is False:
        made["required"] = False
    if isinstance(spec.get("description"), str):
        made["description"] = text(spec["description"])
    made |= {word_: spec[word_] for word_ in WORDS if word_ in spec and spec[word_] is not None}
    return made
