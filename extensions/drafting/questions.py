"""The questions from which a contract follows: about the node, and about each of its operations."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ..judging.redis import NEEDS
from ..language import sql
from ..language.aggregation import FUNCTIONS
from ..reading.effective import yaml_document
from ..reading.schema import parts
from ..text.problems import Path
from .bodies import machine
from .draft import PACKAGE
from .interview import Interview, Question
from .own_types import ask_fields, ask_model, at, listed, new, value_of

NODE_TYPES: Final = {
    "effect": "talks to the world: databases, APIs, queues, files",
    "compute": "calculates",
    "reducer": "follows states",
    "orchestrator": "runs steps on other nodes",
}
"""The types of nodes, with what each does."""
_CUSTOM: Final = {"custom": "Python of your own"}
_KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "effect": {
        "database": "a statement of SQL",
        "redis": "a command of Redis",
        "http": "a request to an API",
        "kafka": "a message",
        "filesystem": "an action on a file",
    }
    | _CUSTOM,
    "compute": {"compute": "an expression for each output field"} | _CUSTOM,
    "reducer": {"states": "a state machine", "aggregate": "figures about events"} | _CUSTOM,
    "orchestrator": {"workflow": "steps on other nodes"} | _CUSTOM,
}
_OPERATION: Final = parts()["operation.schema.json"]["$defs"]
_HASHES: Final = ("hget", "hset", "hdel")
# Numbers that commands of Redis need.
_NUMBERS: Final = {
    "score": "By which number is it sorted?",
    "index": "Which one? 0 is the first, -1 the last.",
    "start": "From which one on? 0 is the first, -1 the last.",
    "stop": "Up to which one? -1 is the last.",
}
_WITH_BODY: Final = ("POST", "PUT", "PATCH")
_SENT: Final = {"body": "as JSON", "query": "as parameters of the address", "nothing": "the path says all"}
_COLUMNS: Final = ("boolean", "integer")


def contract_questions(interview: Interview) -> None:
    """Ask for a node and its operations."""
    node(interview)
    index = 0
    while True:
        place: Path = ("operations", index)
        following = "Which operation does it have?" if index == 0 else "Which further operation? (Enter for none)"
        text = f"{following} A name such as acquire_lock."
        named = Question(f"{index}.name", text, (*place, "name"), optional=index > 0, read=_unused(interview))
        if interview.ask(named) is None:
            return
        _operation(interview, index, place)
        interview.settle()
        index += 1


def node(interview: Interview) -> None:
    """Ask the five questions about the node itself."""
    ask = interview.ask
    ask(Question("name", "What is the node called? Such as distributed_lock.", ("name",)))
    ask(Question("node_type", "What kind of node is it?", ("node_type",), NODE_TYPES, "effect"))
    ask(Question("package", "Which Python package holds it?", ("package",), default=PACKAGE))
    ask(Question("description", "What does it do, in one sentence?", ("description",)))
    ask(Question("version", "Which version does it have?", ("version",), default="1.0.0"))


def document(contract: Mapping[str, Any]) -> str:
    """Return a contract as YAML that a person goes on with: an empty line between its parts and its operations."""
    contract = {key: contract[key] for key in ("enums", "models") if key in contract} | dict(contract)
    head = {key: value for key, value in contract.items() if not isinstance(value, dict | list)}
    text = "# Change it as you like, and check it with validate-contract.\n" + yaml_document(head)
    for key, value in contract.items():
        if key == "operations":
            listed = [yaml_document([_shortened(operation)]) for operation in value]
            text += "\noperations:\n" + "\n".join(_indented(operation) for operation in listed)
        elif key not in head:
            text += "\n" + yaml_document({key: value})
    return text


def _indented(text: str) -> str:
    return "".join(f"  {line}" if line.strip() else line for line in text.splitlines(keepends=True))


def _shortened(operation: Mapping[str, Any]) -> dict[str, Any]:
    short = dict(operation)
    for side in ("input", "output"):
        if side in short:
            fields = short[side].items()
            short[side] = {name: spec["type"] if [*spec] == ["type"] else spec for name, spec in fields}
    return short


def _unused(interview: Interview) -> Callable[[str], str]:
    names = {operation["name"] for operation in interview.contract.get("operations", ())}
    return lambda name: new(name, names)


def _operation(interview: Interview, index: int, place: Path) -> None:
    ask = interview.ask
    name = interview.contract["operations"][index]["name"]
    ask(
        Question(
            f"{index}.description",
            f"What does {name} do? (Enter to leave it out)",
            (*place, "description"),
            optional=True,
        )
    )
    contract = interview.contract
    kinds = _KINDS[contract["node_type"]]
    if "subcontracts" in contract:  # its state machine has its operation
        kinds = _CUSTOM
    text = f"What is {name} implemented with?"
    kind = ask(Question(f"{index}.kind", text, place, kinds, next(iter(kinds)), put=False))
    if kind == "states":
        _states(interview, index)
        return
    if kind == "aggregate":
        _aggregate(interview, index, place)
        return
    taken = ask_fields(interview, f"{index}.input", (*place, "input"), f"{name} takes")
    given = ask_fields(interview, f"{index}.output", (*place, "output"), f"{name} answers")
    _IMPLEMENTATIONS[kind](_Asking(interview, f"{index}.{kind}", (*place, kind), taken, given))


def _states(interview: Interview, index: int) -> None:
    """Ask for the moves of a state machine, from which its states and the operation's fields follow."""
    moves: list[tuple[str, str, str]] = []
    while True:
        place: Path = ("subcontracts", "fsm", "transitions", len(moves))
        text = f"A{' further' if moves else ''} move? Such as pay: placed -> paid." + (
            " (Enter for none)" if moves else ""
        )
        move = Question(f"{index}.states.{len(moves)}", text, place, optional=bool(moves), read=_move)
        if (found := interview.ask(move)) is None:
            break
        moves.append((found["trigger"], found["from"], found["to"]))
    operation, subcontracts = machine(moves, interview.contract["name"])
    interview.contract["operations"][index] |= operation
    interview.contract["subcontracts"] = subcontracts


def _move(text: str) -> dict[str, str]:
    found = re.fullmatch(r"\s*(\S+)\s*:\s*(\S+)\s*->\s*(\S+)\s*", text)
    if not found:
        raise ValueError(f"found {text!r}, expected trigger: from -> to")
    return {"trigger": found[1], "from": found[2], "to": found[3]}


def _aggregate(interview: Interview, index: int, place: Path) -> None:
    """Ask for figures about events; the operation takes the events, and answers with windows of figures."""
    operation = at(interview, place)
    name = operation["name"]
    model = ask_model(interview, f"{index}.event", f"What is an event of {name}? A model, such as Sale.")
    operation["input"] = {"events": {"type": "array", "items": model}}
    operation["output"] = {"windows": {"type": "array", "items": "object"}}
    operation["aggregate"] = {"over": "events"}
    fields = {field: spec["type"] for field, spec in at(interview, ("models", model, "fields")).items()}
    place = (*place, "aggregate")

    def ask(key: str, text: str, **more: Any) -> Any:
        more = {"optional": True, **more}
        return interview.ask(Question(f"{index}.aggregate.{key}", text, (*place, *key.split(".")), **more))

    ask(
        "group_by",
        f"Which fields tell groups apart? Of {', '.join(fields)}; commas between. (Enter for none)",
        read=listed,
    )
    if moments := {field: kind for field, kind in fields.items() if kind == "datetime"}:
        text = "Which field says when it happened, for windows of time? (Enter for no windows)"
        if ask("window.by", text, choices=moments):
            ask(
                "window.seconds", "How many seconds is a window?", default="60", optional=False, read=value_of("number")
            )
    ask("unique_by", "Which field tells an event that comes twice? (Enter for none)", choices=fields)
    _measures(interview, f"{index}.measure", (*place, "measures"), fields)


def _measures(interview: Interview, key: str, place: Path, fields: Mapping[str, str]) -> None:
    number = 0
    while True:
        text = "A figure? A name such as total_cents." if not number else "A further figure? (Enter for none)"
        named = Question(
            f"{key}.{number}.name", text, place, optional=number > 0, read=_measure(interview, place), put=False
        )
        name = interview.ask(named)
        if name is None:
            return
        fitting = {function: _of(kinds, fields) for function, kinds in FUNCTIONS.items()}
        functions: dict[str, str] = {function: "" for function in fitting if function == "count" or fitting[function]}
        what = Question(f"{key}.{number}.function", f"What is {name}?", (*place, name), functions, "count", put=False)
        function = interview.ask(what)
        own = (*place, name, function)
        if function == "count":
            at(interview, (*place, name))["count"] = True
        else:
            interview.ask(Question(f"{key}.{number}.field", "Of which field?", own, fitting[function]))
        if function == "percentile":
            text = "Of 100 values, how many are at most that?"
            read = value_of("number")
            interview.ask(Question(f"{key}.{number}.q", text, (*place, name, "q"), default="95", read=read))
        number += 1


def _of(kinds: Any, fields: Mapping[str, str]) -> dict[str, str]:
    return {field: kind for field, kind in fields.items() if kind in kinds}


def _measure(interview: Interview, place: Path) -> Callable[[str], str]:
    def read(name: str) -> str:
        new(name, at(interview, place))
        if not interview.fits((*place, name), {"count": True}):
            raise ValueError(f"found {name!r}, expected a snake_case name that is no field of the groups")
        return name

    return read


class _Asking:
    """Asks about the implementation of one operation."""

    def __init__(
        self, interview: Interview, key: str, place: Path, taken: Mapping[str, Any], given: Mapping[str, Any]
    ) -> None:
        self.interview, self.key, self.place, self.taken, self.given = interview, key, place, taken, given

    def ask(self, name: str, text: str, **more: Any) -> Any:
        """Ask for a key of the implementation."""
        place = (*self.place, *name.split("."))
        return self.interview.ask(Question(f"{self.key}.{name}", text, place, **more))

    def returns(self, *unlikely: str, **kinds: str) -> None:
        """Ask which output fields take the result: for each key of `returns`, the question; some have no default."""
        left = {name: spec["type"] for name, spec in self.given.items() if not self._is_input(name)}
        for name, text in kinds.items():
            fits = {"found": ("boolean",), "count": ("integer",)}.get(name, left.values())
            place = (*self.place, "returns", name)
            fields = {field: kind for field, kind in left.items() if kind in fits and self.interview.fits(place, field)}
            if not fields:
                continue
            likely = [field for field in fields if name != "into" or left[field] not in _COLUMNS]
            default = "" if name in unlikely else (likely or [""])[0]
            if value := self.ask(f"returns.{name}", text, choices=fields, default=default, optional=not default):
                del left[value]

    def fields_of_input(self, name: str, text: str, *, default: str = "") -> None:
        """Ask which input fields a value is made of."""
        if not self.taken:
            return
        self.ask(
            name,
            f"{text} Of {', '.join(self.taken)}; commas between.",
            read=self._value,
            default=default,
            optional=not default,
        )

    def mapping_of_input(self, name: str, text: str) -> None:
        """Ask which input fields are sent, each by its name."""
        if self.taken:
            self.ask(
                name,
                f"{text} Of {', '.join(self.taken)}; commas between.",
                read=self._mapping,
                default=",".join(self.taken),
            )

    def _value(self, text: str) -> Any:
        fields = self._mapping(text)
        return next(iter(fields.values())) if len(fields) == 1 else fields

    def _mapping(self, text: str) -> dict[str, str]:
        words = [word.strip() for word in text.split(",") if word.strip()]
        if unknown := [word for word in words if word not in self.taken]:
            raise ValueError(f"found {', '.join(unknown)}, expected input fields: {', '.join(self.taken)}")
        return {word: f"${{input.{word}}}" for word in words}

    def _is_input(self, name: str) -> bool:
        return name in self.taken and self.taken[name]["type"] == self.given[name]["type"]

    def open_outputs(self) -> Iterator[str]:
        """Yield the output fields that no input field fills by its name."""
        yield from (name for name in self.given if not self._is_input(name))

    @property
    def last(self) -> str:
        """The last input field, which is likely to be a value; empty where there is none."""
        return next(reversed(tuple(self.taken)), "")

    def referring(self, text: str) -> str:
        """Return a default that refers to the first input field."""
        return text + (f"${{input.{next(iter(self.taken))}}}" if self.taken else "")


def _database(on: _Asking) -> None:
    query = on.ask("query", "Which statement? With $1, $2 … for parameters; a \\ at the end goes on below.", put=False)
    body = at(on.interview, on.place)
    body["query"] = query
    most = max((int(number) for number in re.findall(r"\$(\d{1,3})\b", query)), default=0)
    for number in range(min(most, len(on.taken) or 0, 100) if most else 0):
        fields = {name: spec["type"] for name, spec in on.taken.items()}
        default = [*on.taken][min(number, len(on.taken) - 1)]
        place = (*on.place, "parameters", number)
        text = f"What is ${number + 1}?"
        on.interview.ask(Question(f"{on.key}.parameters.{number}", text, place, fields, default))
    rows = {"none": "nothing is read", "one": "one row at most", "many": "a list of rows"}
    on.ask(
        "returns.rows", "How many rows come back?", choices=rows, default="one" if sql.returns_rows(query) else "none"
    )
    if body["returns"]["rows"] == "none":
        on.returns(found="Which output field tells whether a row was changed?", count="Which one tells how many?")
    else:
        on.returns(
            "count",
            into="Which output field takes what is read?",
            found="Which one tells whether there was any?",
            count="Which one tells how many?",
        )
    _tables(on)


def _tables(on: _Asking) -> None:
    listed = on.interview.contract.get("integrations", {}).get("database", {}).get("migrations", [])
    place = ("integrations", "database", "migrations", len(listed))
    text = "Which SQL makes the tables that it needs? (Enter when they are made already)"
    read: Callable[[str], Any] = lambda made: {"id": f"{len(listed) + 1:04}_tables", "sql": made + "\n"}  # noqa: E731
    on.interview.ask(Question(f"{on.key}.tables", text, place, optional=True, read=read))


def _redis(on: _Asking) -> None:
    commands = dict.fromkeys(_OPERATION["redis"]["properties"]["command"]["enum"], "")
    command = on.ask("command", "Which command?", choices=commands, default="get")
    on.ask("key", "Which key? ${input.NAME} stands for an input field.", default=on.referring("entry:"))
    if command in _HASHES:
        on.ask("field", "Which field of the hash?", default=on.referring(""))
    if command in NEEDS["value"]:
        on.fields_of_input("value", "What is the value?", default=on.last)
    for name, text in _NUMBERS.items():
        if command in NEEDS[name]:
            on.ask(name, f"{text} A number, or ${{input.NAME}}.", read=value_of("number"))
    if command in {"set", "expire"}:
        text = "When does it go away? Seconds, or ${input.NAME}."
        on.ask("ttl_seconds", text, optional=command == "set", read=value_of("integer"))
    on.returns(
        into="Which output field takes the value?",
        found="Which one tells whether the key was there, or changed?",
        count="Which one tells how many?",
    )


def _http(on: _Asking) -> None:
    methods = dict.fromkeys(_OPERATION["http"]["properties"]["method"]["enum"], "")
    method = on.ask("method", "Which method?", choices=methods, default="GET")
    on.ask(
        "path",
        "Which path, below the API's address? ${input.NAME} stands for an input field.",
        default=on.referring("/"),
    )
    if on.taken:
        default = "body" if method in _WITH_BODY else "nothing"
        sent = on.ask("sent", "How are input fields sent?", choices=_SENT, default=default, put=False)
        if sent != "nothing":
            on.mapping_of_input(sent, "Which ones?")
    for name in on.open_outputs():
        on.ask(f"extract.{name}", f"Where in the answer is {name}? A JSONPath.", default=f"$.{name}")


def _kafka(on: _Asking) -> None:
    on.ask("topic", "Which topic? Such as order-placed.")
    on.ask("key", "Which key keeps messages in order? Such as ${input.NAME}. (Enter for none)", optional=True)
    on.fields_of_input("payload", "What does the message hold? (Enter for the whole input)")


def _filesystem(on: _Asking) -> None:
    actions = dict.fromkeys(_OPERATION["filesystem"]["properties"]["action"]["enum"], "")
    action = on.ask("action", "What is done with the file?", choices=actions, default="read")
    on.ask("path", "Which file, below the root? ${input.NAME} stands for an input field.", default=on.referring(""))
    if action in {"write", "append"}:
        on.fields_of_input("content", "What is its content?", default=on.last)
    if action == "read":
        on.returns(into="Which output field takes the content?", found="Which one tells whether there was a file?")
    else:
        on.returns(found="Which output field tells whether there was a file?")


def _compute(on: _Asking) -> None:
    for name in on.open_outputs():
        on.ask(name, f"How does {name} follow? An expression such as input.quantity * input.price.")


def _workflow(on: _Asking) -> None:
    number = 0
    while True:
        place = (*on.place, "steps", number)
        further = " further" if number else ""
        text = f"A{further} step? A name such as reserve_stock." + (" (Enter for none)" if number else "")
        if on.interview.ask(Question(f"{on.key}.{number}.name", text, (*place, "name"), optional=number > 0)) is None:
            break
        for key, asked in (
            ("node", "Which node runs it? Such as node_stock_effect."),
            ("operation", "Which operation of that node?"),
        ):
            on.interview.ask(Question(f"{on.key}.{number}.{key}", asked, (*place, key)))
        number += 1
    for name in on.open_outputs():
        on.ask(f"output.{name}", f"What is {name}? Such as ${{steps.STEP.FIELD}}.", optional=name == "status")


def _custom(on: _Asking) -> None:
    at(on.interview, on.place[:-1])["handler"] = "custom"


_IMPLEMENTATIONS: Final[Mapping[str, Callable[[_Asking], None]]] = {
    "database": _database,
    "redis": _redis,
    "http": _http,
    "kafka": _kafka,
    "filesystem": _filesystem,
    "compute": _compute,
    "workflow": _workflow,
    "custom": _custom,
}
