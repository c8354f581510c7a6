"""The rules of state machines."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..language import filling, names
from ..language.aggregation import INTENTS, takes_intents
from ..language.fsm import (
    ENTITY_TYPES,
    EVENT_ID,
    PATH,
    STATES,
    STORE_PATH,
    condition_of,
    default_place,
    reached,
    sources_of,
)
from ..text.problems import Path, Problem, did_you_mean, nearest, show
from ..text.specs import Specs

_TRIGGER_TYPES: Final = ("string", "an enum")
_INTEGRATIONS: Final = {"postgres": "database", "redis": "redis"}
_OPTIONS: Final = {"table": "postgres", "key_prefix": "redis"}


@dataclass(frozen=True, slots=True)
class Side:
    """An operation that the state machine implements, its fields in their long form."""

    path: Path
    inputs: Mapping[str, Specs]
    outputs: Mapping[str, Specs]


@dataclass(frozen=True, slots=True)
class Context:
    """What the rules have to know of the rest of the contract.

    Attributes:
        name: The node's name.
        enums: Values by enum.
        clean: Tells whether nothing at or below a path is wrong already.
        unfit: Finds what keeps a value from being one of a field.
        condition: Finds what is wrong with an expression on `input`, some fields.
        off: Integrations that the contract turns off.
        migrations: The ids of the contract's own migrations.
    """

    name: str
    enums: Mapping[str, Sequence[str]]
    clean: Callable[[Path], bool]
    unfit: Callable[[Path, object, object], Iterable[Problem]]
    condition: Callable[[Path, str, Mapping[str, Specs]], Iterable[Problem]]
    off: Sequence[str]
    migrations: Sequence[object]


def check(spec: Specs, store: Specs | None, sides: Sequence[Side], context: Context) -> Iterator[Problem]:
    """Find what is wrong with a state machine that meets the schema.

    Args:
        spec: `subcontracts.fsm`.
        store: `subcontracts.state_management`, if there is one that meets the schema.
        sides: The operations that it implements.
        context: What it has to know of the rest of the contract.

    Yields:
        The problems.
    """
    if not sides:
        yield Problem(PATH, "no operation that it implements", "an operation without implementation of its own")
    yield from _words(spec)
    yield from _transitions(spec)
    yield from _guards(spec, sides, context)
    yield from _unsendable(spec, sides, context)
    unknown = [key for key in ("entity", "trigger") if sides and all(spec[key] not in side.inputs for side in sides)]
    for key in unknown:
        hint = did_you_mean(spec[key], sides[0].inputs)
        yield Problem((*PATH, key), show(spec[key]), "an input field of what the state machine moves", hint)
    for side in sides:
        yield from _inputs(spec, side, context, unknown)
        yield from _outputs(spec, side, context)
        yield from _filled(spec, side, context)
    if store is not None:
        yield from check_store(store, context, default_place(context.name))


def check_store(store: Specs, context: Context, place: str) -> Iterator[Problem]:
    """Find what is wrong with where state is kept, beyond its schema.

    Args:
        store: `subcontracts.state_management`.
        context: What it has to know of the rest of the contract.
        place: What the table is called when it says nothing.

    Yields:
        The problems.
    """
    backend = store["backend"]
    for option, owner in _OPTIONS.items():
        if option in store and backend != owner:
            yield Problem((*STORE_PATH, option), f"{option} for the backend {backend}", f"the backend {owner}")
    setting = _INTEGRATIONS.get(backend)
    if setting in context.off:
        expected = f"another backend, since integrations.{setting} is false"
        yield Problem((*STORE_PATH, "backend"), backend, expected)
    if backend == "postgres":
        own = f"0000_{store.get('table') or place}"
        if own in context.migrations:
            path = ("integrations", "database", "migrations", context.migrations.index(own), "id")
            yield Problem(path, show(own), "another id: this one makes the table of subcontracts.state_management")


def _words(spec: Specs) -> Iterator[Problem]:
    """Find states and triggers that become the same name in code."""
    seen: dict[str, str] = {}
    for state in spec["states"]:
        if seen.setdefault(names.constant(state), state) != state:
            expected = f"names with different letters and digits than {show(seen[names.constant(state)])}"
            yield Problem(_place(spec, state), show(state), expected)


def _transitions(spec: Specs) -> Iterator[Problem]:
    states = spec["states"]
    expected = f"one of the states {', '.join(states)}"
    terminal = spec.get("terminal_states", ())
    places: list[tuple[Path, str]] = [((*PATH, "initial_state"), spec["initial_state"])]
    places += [((*PATH, "terminal_states", index), state) for index, state in enumerate(terminal)]
    taken: dict[tuple[str, str], dict[str, str]] = {}
    ambiguous: list[Problem] = []
    for index, item in enumerate(spec["transitions"]):
        path = (*PATH, "transitions", index)
        places.append(((*path, "to"), item["to"]))
        for number, source in enumerate(sources_of(item["from"])):
            place = (*path, "from") if isinstance(item["from"], str) else (*path, "from", number)
            places.append((place, source))
            if source in terminal and source in states:
                found = f"a way out of {source}"
                ambiguous.append(Problem(place, found, f"none, since {source} is one of terminal_states"))
            ambiguous += _second(path, item, source, taken)
    unknown = [
        Problem(path, show(state), expected, did_you_mean(state, states))
        for path, state in places
        if state not in states
    ]
    yield from unknown
    yield from ambiguous
    yield from _graph(spec)


def _place(spec: Specs, state: str) -> Path:
    states = spec["states"]
    return (*PATH, "states", states.index(state) if isinstance(states, list) else state)


def _second(path: Path, item: Specs, source: str, taken: dict[tuple[str, str], dict[str, str]]) -> Iterator[Problem]:
    """Find transitions that are never taken, since the first one that fits is."""
    known = taken.setdefault((source, item["trigger"]), {})
    what, condition = f"{item['trigger']} from {source}", condition_of(item)
    before = next((earlier for earlier in ("", condition) if earlier in known), None)
    if before is None:
        known[condition] = item["to"]
    elif condition != before:
        hint = "the first one that fits is taken, so the one without a condition comes last"
        yield Problem(path, f"{what} after one without when", "a place before it", hint)
    elif known[before] == item["to"]:
        yield Problem(path, f"{what} a second time", "each transition once")
    else:
        hint = "when says which of several is taken" if not condition else ""
        yield Problem(path, f"{what} to {item['to']}", f"one target: it leads to {known[before]} already", hint)


def _guards(spec: Specs, sides: Sequence[Side], context: Context) -> Iterator[Problem]:
    for index, item in enumerate(spec["transitions"]):
        if "when" not in item:
            continue
        path = (*PATH, "transitions", index, "when")
        for side in sides:
            wrong = list(context.condition(path, condition_of(item), side.inputs))
            if context.clean((*side.path, "input")) and wrong:
                yield from wrong
                break


def _meant(word: str, states: Collection[str]) -> Collection[str]:
    """Return the states that a word may stand for: itself, the nearest one, or any."""
    close = word if word in states else nearest(word, states)
    return states if close is None else [close]


def _graph(spec: Specs) -> Iterator[Problem]:
    states = list(spec["states"])
    initial, terminal = spec["initial_state"], spec.get("terminal_states", ())
    steps: dict[str, set[str]] = {state: set() for state in states}
    for item in spec["transitions"]:
        for source in (state for word in sources_of(item["from"]) for state in _meant(word, states)):
            steps[source].update(_meant(item["to"], states))
    reachable = reached(_meant(initial, states), steps)
    back: dict[str, set[str]] = {state: set() for state in steps}
    for source, targets in steps.items():
        for target in targets:
            back[target].add(source)
    ends = [state for word in terminal for state in _meant(word, states)]
    # Where nothing is said of ends, what nothing leads out of is one.
    alive = reached(ends, back) if "terminal_states" in spec else set(steps)
    for state in steps:
        path = _place(spec, state)
        if state not in reachable:
            yield Problem(
                path, "a state that cannot be reached", f"transitions that lead to it from {initial}", awaited=(PATH,)
            )
        elif state not in alive:
            way = f"a way to one of {', '.join(terminal)}" if terminal else "a transition out of it"
            yield Problem(path, "a state without a way out", f"{way}, or {state} in terminal_states", awaited=(PATH,))


def _inputs(spec: Specs, side: Side, context: Context, unknown: Sequence[str]) -> Iterator[Problem]:
    place = (*side.path, "input")
    wanted = {"entity": ENTITY_TYPES, "trigger": _TRIGGER_TYPES}
    for key, kinds in wanted.items():
        name = spec[key]
        if name not in side.inputs and key not in unknown:
            found = f"no field {show(name)}, which is {key} of the state machine"
            yield Problem(
                (*place, name), found, f"a field of type {' or '.join(kinds)}", did_you_mean(name, side.inputs)
            )
    names_of = {"entity": spec["entity"], "trigger": spec["trigger"]}
    for key, name in names_of.items():
        field = side.inputs.get(name)
        if field is None or not context.clean((*place, name)):
            continue
        kind = field.get("type")
        fits = kind in ENTITY_TYPES if key == "entity" else _takes_triggers(field, context)
        if not fits:
            yield Problem((*place, name), f"a field of type {kind}", " or ".join(wanted[key]))
        elif field.get("required", True) is False:
            yield Problem((*place, name), "required: false", f"a required field: it is {key} of the state machine")
    if spec["entity"] == spec["trigger"]:
        yield Problem((*PATH, "trigger"), show(spec["trigger"]), "another field than entity")
    event = side.inputs.get(EVENT_ID)
    if event is not None and context.clean((*place, EVENT_ID)) and event.get("type") not in ENTITY_TYPES:
        expected = f"{', '.join(ENTITY_TYPES)}: it tells apart events that are delivered twice"
        yield Problem((*place, EVENT_ID), f"a field of type {event.get('type')}", expected)


def _takes_triggers(field: Specs, context: Context) -> bool:
    return field.get("type") == "string" or field.get("type") in context.enums


def _unsendable(spec: Specs, sides: Sequence[Side], context: Context) -> Iterator[Problem]:
    """Find triggers that no operation takes."""
    name = spec["trigger"]
    fields = [side.inputs[name] for side in sides if name in side.inputs and context.clean((*side.path, "input", name))]
    if len(fields) < len(sides) or not all(_takes_triggers(field, context) for field in fields):
        return
    for index, item in enumerate(spec["transitions"]):
        path = (*PATH, "transitions", index, "trigger")
        if fields and all(any(True for _ in context.unfit(path, item["trigger"], field)) for field in fields):
            values = [value for field in fields for value in field.get("enum") or context.enums.get(field["type"], ())]
            expected = f"a value that the input field {name} takes"
            yield Problem(path, show(item["trigger"]), expected, did_you_mean(item["trigger"], values))


def _outputs(spec: Specs, side: Side, context: Context) -> Iterator[Problem]:
    entity = side.inputs.get(spec["entity"], {}).get("type")
    for name, field in side.outputs.items():
        path = (*side.path, "output", name)
        kind = field.get("type")
        if not context.clean(path):
            continue
        if name in STATES:
            yield from _state_field(path, spec, field, context)
        elif name == INTENTS and _asks(spec):
            if not takes_intents(field):
                yield Problem(path, f"a field of type {kind}", "an array of object, which takes the intents")
        elif name == "changed":
            if kind != "boolean":
                yield Problem(path, f"a field of type {kind}", "boolean: whether the state is another one than before")
        elif name == spec["entity"] and kind != entity and entity is not None:
            yield Problem(path, f"a field of type {kind}", f"{entity}, which it is in the input")


def _filled(spec: Specs, side: Side, context: Context) -> Iterator[Problem]:
    ways = f"the name previous_state, state, changed or {spec['entity']}"
    operation = {"input": side.inputs, "output": side.outputs}
    names_of = {*STATES, "changed", *([INTENTS] if _asks(spec) else [])}
    if spec["entity"] not in side.inputs or not _is_entity(side, spec["entity"]):
        names_of.add(spec["entity"])  # that is a mistake of its own
    filler = filling.Filler(names_of, ways)
    yield from filling.unfilled(side.path, operation, filler, context.clean)


def _asks(spec: Specs) -> bool:
    return any(item.get("intents") for item in spec["transitions"])


def _is_entity(side: Side, name: str) -> bool:
    given, wanted = side.inputs[name], side.outputs.get(name, {})
    return given.get("required", True) is not False and given.get("type") == wanted.get("type")


def _state_field(path: Path, spec: Specs, field: Specs, context: Context) -> Iterator[Problem]:
    kind = field.get("type")
    if kind != "string" and kind not in context.enums:
        yield Problem(path, f"a field of type {kind}", "string, or an enum that holds every state")
        return
    missing = [state for state in spec["states"] if any(True for _ in context.unfit(path, state, field))]
    if missing:
        yield Problem(path, f"a field that cannot be {', '.join(missing)}", "a field that takes every state")
