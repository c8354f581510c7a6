"""What operations are implemented with, where words settle it: CRUD in SQL, entries of a cache, states that follow."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from ..language import names
from ..text.nouns import plural, singular
from .fields import Field, short
from .guess import GAZETTEER
from .operations import CRUD, Entity, Operation
from .prose import Prose

_COLUMNS: Final = {
    "string": "text",
    "integer": "bigint",
    "number": "double precision",
    "boolean": "boolean",
    "uuid": "uuid",
    "datetime": "timestamptz",
    "date": "date",
    "duration": "interval",
    "decimal": "numeric",
    "bytes": "bytea",
    "object": "jsonb",
}
_READS: Final = ("get", "read", "fetch", "load", "find", "retrieve")
_WRITES: Final = ("put", "set", "store", "save", "cache", "keep", "create", "add")
_DROPS: Final = ("delete", "remove", "drop", "evict", "invalidate", "clear")
_ARROWS = re.compile(r"[A-Za-z][\w-]*(?:\s*(?:->|=>|\u2192)\s*[A-Za-z][\w-]*)+")
_FROM_TO = re.compile(
    r"\bfrom\s+([a-z][\w-]*)\s+to\s+([a-z][\w-]*)(?:\s+(?:on|when|upon|by|after)\s+(?:an?\s+|the\s+|it\s+is\s+)?([a-z][\w-]*))?",
    re.IGNORECASE,
)


_CHAIN = re.compile(
    r"\bfrom\s+([a-z][\w-]*(?:\s+to\s+[a-z][\w-]*){2,})((?:\s*,)?\s+or\s+(?:to\s+)?[a-z][\w-]*)?", re.IGNORECASE
)
_TO_ON = re.compile(
    r"\b([a-z][\w-]*)\s+(?:to|becomes|turns|changes\s+to|goes\s+to)\s+([a-z][\w-]*)\s+(?:on|when|upon)\s+"
    r"(?:an?\s+|the\s+)?([a-z][\w-]*)",
    re.IGNORECASE,
)
_FEWEST_MOVES = 2


class Table:
    """A table of an entity, and the statements of CRUD on it."""

    def __init__(self, entity: Entity) -> None:
        """Choose names and key.

        Args:
            entity: What is kept; its own field of the name `id`, or of its name and `_id`, is the key.
        """
        self.entity = entity
        self.model = names.pascal(entity.name)
        self.list_name = plural(entity.name)
        own = {field.name: field for field in entity.fields}
        self.key = next((name for name in (f"{entity.name}_id", "id") if name in own), f"{entity.name}_id")
        self.has_own_key = self.key in own and own[self.key].spec["type"] != "uuid"
        self.key_spec: dict[str, Any] = own[self.key].spec if self.key in own else {"type": "uuid"}
        self.others = [field for field in entity.fields if field.name != self.key]

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of its model."""
        return {self.key: short(self.key_spec)} | {field.name: short(field.spec) for field in self.others}

    def migration(self) -> dict[str, str]:
        """Return the migration that makes it."""
        default = "" if self.has_own_key else " DEFAULT gen_random_uuid()"
        columns = [f"{_quoted(self.key)} {_column(self.key_spec)} PRIMARY KEY{default}"]
        for field in self.others:
            null = "" if field.spec.get("required") is False else " NOT NULL"
            columns.append(f"{_quoted(field.name)} {_column(field.spec)}{null}")
        listed = ",\n".join(f"    {column}" for column in columns)
        return {"id": f"0001_{self.list_name}", "sql": f"CREATE TABLE {_quoted(self.list_name)} (\n{listed}\n);\n"}

    def operation(self, verb: str) -> dict[str, Any]:
        """Return what an operation of CRUD is made of: input, output and statement.

        Args:
            verb: One of CRUD's.
        """
        table, key, one = _quoted(self.list_name), _quoted(self.key), self.entity.name
        columns = ", ".join(_quoted(name) for name in self.fields)
        inputs = {field.name: short(field.spec) for field in self.others}
        given = {self.key: short(self.key_spec)}
        answer = {"found": "boolean", one: {"type": self.model, "required": False}}
        returns = {"rows": "one", "into": one, "found": "found"}
        match verb:
            case "create":
                taken = (given | inputs) if self.has_own_key else inputs
                marks = ", ".join(f"${number}" for number in range(1, len(taken) + 1))
                query = f"INSERT INTO {table} ({', '.join(map(_quoted, taken))}) VALUES ({marks}) RETURNING {columns}"
                return _database(taken, {one: self.model}, query, {"rows": "one", "into": one})
            case "get":
                return _database(given, answer, f"SELECT {columns} FROM {table} WHERE {key} = $1", returns)
            case "update":
                changes = ", ".join(f"{_quoted(field.name)} = ${number}" for number, field in enumerate(self.others, 2))
                query = f"UPDATE {table} SET {changes} WHERE {key} = $1 RETURNING {columns}"
                return _database(given | inputs, answer, query, returns)
            case "delete":
                returned = {"rows": "none", "found": "deleted"}
                return _database(given, {"deleted": "boolean"}, f"DELETE FROM {table} WHERE {key} = $1", returned)
            case _:
                taken = {
                    "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
                    "offset": {"type": "integer", "minimum": 0, "default": 0},
                }
                query = f"SELECT {columns} FROM {table} ORDER BY {key} LIMIT $1 OFFSET $2"
                output = {self.list_name: {"type": "array", "items": self.model}}
                return _database(taken, output, query, {"rows": "many", "into": self.list_name})


def _database(taken: Mapping[str, Any], output: object, query: str, returns: object) -> dict[str, Any]:
    body = {"query": query, "parameters": list(taken), "returns": returns}
    return {"input": dict(taken), "output": output, "database": body}


def _quoted(name: str) -> str:
    return f'"{name}"' if name in GAZETTEER["sql_reserved"] else name


def _column(spec: Mapping[str, Any]) -> str:
    if spec["type"] == "array":
        return f"{_COLUMNS.get(spec['items'], 'text')}[]"
    return _COLUMNS.get(spec["type"], "text")


def fits_a_table(entity: Entity | None) -> bool:
    """Tell whether enough is said of an entity for a table."""
    return bool(entity and any(field.name not in {"id", f"{entity.name}_id"} for field in entity.fields))


def entry(operation: Operation, fields: list[Field]) -> dict[str, Any] | None:
    """Return what an operation on entries of a cache is made of; None for what is none.

    Args:
        operation: The operation.
        fields: What an entry holds; nothing known of it is one value.
    """
    noun = singular(operation.noun) or "entry"
    key = f"{noun}_id"
    place = f"{noun}:${{input.{key}}}"
    given = {key: {"type": "string", "minLength": 1, "maxLength": 200}}
    held = {field.name: short(field.spec) for field in fields if field.name != key} or {"value": "string"}
    if operation.verb in _READS:
        output = {"found": "boolean"} | {name: _optional(spec) for name, spec in held.items()}
        body = {"command": "get", "key": place, "returns": {"into": list(held), "found": "found"}}
        return {"input": given, "output": output, "redis": body}
    if operation.verb in _WRITES:
        ttl = {"ttl_seconds": {"type": "integer", "minimum": 1, "maximum": 2592000, "default": 3600}}
        body = {
            "command": "set",
            "key": place,
            "value": {name: f"${{input.{name}}}" for name in held},
            "ttl_seconds": "${input.ttl_seconds}",
            "returns": {"found": "stored"},
        }
        return {"input": given | held | ttl, "output": {"stored": "boolean"}, "redis": body}
    if operation.verb in _DROPS:
        body = {"command": "delete", "key": place, "returns": {"found": "deleted"}}
        return {"input": given, "output": {"deleted": "boolean"}, "redis": body}
    return None


def _optional(spec: Any) -> dict[str, Any]:
    return ({"type": spec} if isinstance(spec, str) else dict(spec)) | {"required": False}


def transitions(prose: Prose) -> list[tuple[str, str, str]]:
    """Return the moves of a state machine that a description spells out: trigger, from, to."""
    moves: dict[tuple[str, str], str] = {}
    for line in prose.lines:
        for chain in _ARROWS.findall(line.text):
            states = [names.snake(state) for state in re.split(r"\s*(?:->|=>|\u2192)\s*", chain)]
            for before, after in pairwise(states):
                moves.setdefault((before, after), f"to_{after}")
        for match in _FROM_TO.finditer(line.text):
            move = (names.snake(match[1]), names.snake(match[2]))
            moves[move] = names.snake(match[3]) if match[3] else moves.get(move, f"to_{move[1]}")
        for match in _CHAIN.finditer(line.text):
            first, *later = (names.snake(state) for state in re.split(r"\s+to\s+", match[1]))
            *between, last = later
            ends = [names.snake(state) for state in (match[2] or "").split()[-1:]]
            for before, after in pairwise([first, *between]):
                moves.setdefault((before, after), f"to_{after}")
            for after in [last, *ends]:
                moves.setdefault(([first, *between][-1], after), f"to_{after}")
        spelled = _TO_ON.findall(line.text)
        for before, after, trigger in spelled if len(spelled) >= _FEWEST_MOVES else ():
            moves[names.snake(before), names.snake(after)] = names.snake(trigger)
    return [(trigger, before, after) for (before, after), trigger in moves.items() if before != after]


def machine(moves: list[tuple[str, str, str]], entity: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the operation of a state machine, and its subcontracts.

    Args:
        moves: Trigger, from, to; at least one.
        entity: What moves.
    """
    states = list(dict.fromkeys(state for _, before, after in moves for state in (before, after)))
    targets = {after for _, _, after in moves}
    leaving = {before for _, before, _ in moves}
    initial = next((state for state in states if state not in targets), states[0])
    key = f"{entity}_id"
    ends = [state for state in states if state not in leaving]
    operation = {
        "input": {key: "uuid", "trigger": "string"},
        "output": {key: "uuid", "previous_state": "string", "state": "string", "changed": "boolean"},
    }
    fsm = {
        "entity": key,
        "trigger": "trigger",
        "initial_state": initial,
        **({"terminal_states": ends} if ends else {}),  # an empty list would say that each way has an end
        "states": {state: f"The {entity.replace('_', ' ')} is {state.replace('_', ' ')}." for state in states},
        "transitions": [{"trigger": trigger, "from": before, "to": after} for trigger, before, after in moves],
    }
    return operation, {"fsm": fsm, "state_management": {"backend": "memory"}}


def crud_of(operations: list[Operation], entity: Entity) -> Iterator[tuple[Operation, str]]:
    """Yield the operations that are CRUD on an entity, with the verb of CRUD that each is."""
    same = {"add": "create", "insert": "create", "read": "get", "fetch": "get", "find": "get", "retrieve": "get"}
    same |= {"remove": "delete", "change": "update", "edit": "update", "search": "list", "query": "list"}
    for operation in operations:
        verb = same.get(operation.verb, operation.verb)
        plain = singular(operation.noun)
        if verb in CRUD and (operation.is_crud or plain in {entity.name, ""}) and not operation.inputs:
            yield operation, "list" if verb == "get" and operation.noun == plural(entity.name) else verb
