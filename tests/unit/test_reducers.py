"""State machines and aggregations: what is wrong with one, and what templates are handed about it."""

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import yaml

from examples.rendering import CONTRACTS
from extensions.judging.judge import judge, read
from extensions.viewing.aggregation import AggregateView
from extensions.viewing.build import view
from extensions.viewing.fsm import FsmView
from extensions.viewing.node import NodeView
from tests.generation.reducers import AGGREGATIONS, STATE_MACHINES

ORDERS: dict[str, Any] = yaml.safe_load((CONTRACTS / "order_state.yaml").read_text(encoding="utf-8"))
FIGURES: dict[str, Any] = yaml.safe_load((CONTRACTS / "codegen_metrics.yaml").read_text(encoding="utf-8"))
TICKETS = STATE_MACHINES["tickets"]
WORK = AGGREGATIONS["everything"]
FSM = "subcontracts.fsm"
STORE = "subcontracts.state_management"
INPUT, OUTPUT = "operations[0].input", "operations[0].output"
AGGREGATE = "operations[0].aggregate"


def changed(contract: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    copied = copy.deepcopy(contract)
    change(copied)
    return copied


def machine(**values: object) -> dict[str, Any]:
    return changed(ORDERS, lambda c: c["subcontracts"]["fsm"].update(values))


def move(trigger: str, source: object, target: str) -> dict[str, Any]:
    return changed(
        ORDERS,
        lambda c: c["subcontracts"]["fsm"]["transitions"].append({"trigger": trigger, "from": source, "to": target}),
    )


def states(**values: str) -> dict[str, Any]:
    return changed(ORDERS, lambda c: c["subcontracts"]["fsm"]["states"].update(values))


def side(name: str, contract: dict[str, Any] = ORDERS, **values: object) -> dict[str, Any]:
    return changed(contract, lambda c: c["operations"][0][name].update(values))


def store(**values: object) -> dict[str, Any]:
    return changed(ORDERS, lambda c: c["subcontracts"].update(state_management=values))


def figures(**values: object) -> dict[str, Any]:
    return changed(FIGURES, lambda c: c["operations"][0]["aggregate"].update(values))


def measure(**values: object) -> dict[str, Any]:
    return changed(FIGURES, lambda c: c["operations"][0]["aggregate"]["measures"].update(extra=values))


def where(text: object, contract: dict[str, Any] = FIGURES) -> dict[str, Any]:
    return changed(
        contract, lambda c: c["operations"][0]["aggregate"]["measures"].update(extra={"count": True, "where": text})
    )


def event_field(name: str, spec: object) -> dict[str, Any]:
    return changed(FIGURES, lambda c: c["models"]["GenerationEvent"]["fields"].update({name: spec}))


def top(contract: dict[str, Any], **values: object) -> dict[str, Any]:
    return contract | values


def guarded(*conditions: str | None) -> dict[str, Any]:
    """The state machine of orders, with so many ways to pay, each under its condition."""
    ways = [
        {"trigger": "pay", "from": "new", "to": "paid"} | ({} if text is None else {"when": text})
        for text in conditions
    ]
    return machine(transitions=[*ways, *ORDERS["subcontracts"]["fsm"]["transitions"][1:]])


WHERE = f"{AGGREGATE}.measures.extra.where"
BAD = [
    # State machines.
    ("initial state unknown", machine(initial_state="nev"), f"{FSM}.initial_state", "did you mean 'new'?"),
    ("terminal state unknown", machine(terminal_states=["lost"]), f"{FSM}.terminal_states[0]", "one of the states new"),
    ("source unknown", move("pay", "ne", "paid"), f"{FSM}.transitions[4].from", "did you mean 'new'?"),
    ("one source of several", move("x", ["paid", "p"], "paid"), f"{FSM}.transitions[4].from[1]", "one of the states"),
    ("target unknown", move("x", "paid", "shiped"), f"{FSM}.transitions[4].to", "did you mean 'shipped'?"),
    ("way out of the end", move("x", "cancelled", "paid"), f"{FSM}.transitions[4].from", "none, since cancelled is"),
    ("transition twice", move("pay", "new", "paid"), f"{FSM}.transitions[4]", "each transition once"),
    ("two targets", move("pay", ["new"], "shipped"), f"{FSM}.transitions[4]", "it leads to paid already"),
    ("state never reached", states(lost=""), f"{FSM}.states.lost", "transitions that lead to it from new"),
    (
        "state without end",
        changed(move("lose", "paid", "lost"), lambda c: c["subcontracts"]["fsm"]["states"].update(lost="")),
        f"{FSM}.states.lost",
        "lost in terminal_states",
    ),
    (
        "states of one name",
        states(Paid=""),
        f"{FSM}.states.Paid; {FSM}.states.Paid",
        "different letters and digits than 'paid'",
    ),
    (
        "state never reached, states without descriptions",
        machine(states=["new", "paid", "shipped", "delivered", "cancelled", "lost"]),
        f"{FSM}.states[5]",
        "transitions that lead to it from new",
    ),
    ("no state name", states(**{"a b": ""}), f"{FSM}.states['a b']", "letters, digits"),
    ("entity not an input", machine(entity="order"), f"{FSM}.entity", "did you mean 'order_id'?"),
    (
        "entity of another type",
        side("input", order_id="boolean"),
        f"{INPUT}.order_id; {OUTPUT}.order_id",
        "uuid or string",
    ),
    ("entity optional", side("input", order_id={"type": "uuid", "required": False}), f"{INPUT}.order_id", "required"),
    ("trigger of another type", side("input", trigger="integer"), f"{INPUT}.trigger", "string or an enum"),
    (
        "condition on what is not there",
        guarded("input.levle > 3"),
        f"{FSM}.transitions[0].when",
        "a field of input",
    ),
    (
        "condition twice",
        guarded("True", "True"),
        f"{FSM}.transitions[1]",
        "each transition once",
    ),
    (
        "condition after none",
        guarded(None, "True"),
        f"{FSM}.transitions[1]",
        "the one without a condition comes last",
    ),
    (
        "intents in an output of another type",
        changed(
            side("output", intents="string"),
            lambda c: c["subcontracts"]["fsm"]["transitions"][0].update(intents=[{"target": "a", "action": "b"}]),
        ),
        f"{OUTPUT}.intents",
        "an array of object",
    ),
    (
        "priority beyond 9",
        changed(
            guarded(None),
            lambda c: c["subcontracts"]["fsm"]["transitions"][0].update(
                intents=[{"target": "a", "action": "b", "priority": 10}]
            ),
        ),
        f"{FSM}.transitions[0].intents[0].priority",
        "at most 9",
    ),
    (
        "trigger that nobody can send",
        side("input", trigger={"type": "string", "enum": ["pay", "ship", "cancel"]}),
        f"{FSM}.transitions[2].trigger",
        "a value that the input field trigger takes",
    ),
    ("event id of another type", side("input", event_id="boolean"), f"{INPUT}.event_id", "uuid, string, integer"),
    ("output that nothing fills", side("output", total="number"), f"{OUTPUT}.total", "previous_state, state, changed"),
    ("state of another type", side("output", state="integer"), f"{OUTPUT}.state", "an enum that holds every state"),
    (
        "state that does not fit",
        side("output", state={"type": "string", "maxLength": 8}),
        f"{OUTPUT}.state",
        "takes every state",
    ),
    ("changed of another type", side("output", changed="string"), f"{OUTPUT}.changed", "boolean"),
    ("entity changes its type", side("output", order_id="string"), f"{OUTPUT}.order_id", "uuid, which it is"),
    ("effect with a state machine", top(ORDERS, node_type="effect"), FSM, "a reducer"),
    (
        "state machine without operation",
        changed(ORDERS, lambda c: c["operations"][0].update(handler="custom")),
        FSM,
        "an operation without implementation",
    ),
    ("table in memory", store(backend="memory", table="a"), f"{STORE}.table", "the backend postgres"),
    ("prefix in a table", store(backend="postgres", key_prefix="a"), f"{STORE}.key_prefix", "the backend redis"),
    ("unknown backend", store(backend="mysql"), f"{STORE}.backend", "one of memory, postgres, redis"),
    ("no database to keep it", top(ORDERS, integrations={"database": False}), f"{STORE}.backend", "another backend"),
    (
        "migration of the state's name",
        top(ORDERS, integrations={"database": {"migrations": [{"id": "0000_order_states", "sql": "SELECT 1"}]}}),
        "integrations.database.migrations[0].id",
        "another id",
    ),
    (
        "place without state",
        changed(
            top(FIGURES, subcontracts={"state_management": {"backend": "memory"}}),
            lambda c: c.update(operations=[{"name": "a", "input": {}, "output": {}, "handler": "custom"}], models={}),
        ),
        STORE,
        "subcontracts.fsm, an aggregation or a workflow",
    ),
    (
        "table of figures in memory",
        top(FIGURES, subcontracts={"state_management": {"backend": "memory", "table": "a"}}),
        f"{STORE}.table",
        "the backend postgres",
    ),
    # Aggregations.
    ("over no input", figures(over="event"), f"{AGGREGATE}.over", "did you mean 'events'?"),
    (
        "over no models",
        side("input", FIGURES, events="string"),
        f"{AGGREGATE}.over",
        "an array of a model",
    ),
    ("group unknown", figures(group_by=["node"]), f"{AGGREGATE}.group_by[0]", "a field of GenerationEvent"),
    ("group of another type", figures(group_by=["duration_ms"]), f"{AGGREGATE}.group_by[0]", "one of type string"),
    ("window unknown", figures(window={"by": "at", "seconds": 1}), f"{AGGREGATE}.window.by", "a field of"),
    ("window by a text", figures(window={"by": "node_kind", "seconds": 1}), f"{AGGREGATE}.window.by", "type datetime"),
    ("no length", figures(window={"by": "occurred_at", "seconds": 0}), f"{AGGREGATE}.window.seconds", "at least"),
    (
        "window by what may be null",
        event_field("occurred_at", {"type": "datetime", "required": False}),
        f"{AGGREGATE}.window.by",
        "a required field",
    ),
    ("unique by a boolean", figures(unique_by="succeeded"), f"{AGGREGATE}.unique_by", "string, integer, uuid"),
    ("no function", measure(), f"{AGGREGATE}.measures.extra", "exactly one of count, sum"),
    ("two functions", measure(count=True, sum="tokens"), f"{AGGREGATE}.measures.extra", "exactly one of"),
    ("unknown function", measure(average="tokens"), f"{AGGREGATE}.measures.extra.average", "one of by, count"),
    ("sum of what is not there", measure(sum="token"), f"{AGGREGATE}.measures.extra.sum", "did you mean 'tokens'?"),
    ("sum of texts", measure(sum="node_kind"), f"{AGGREGATE}.measures.extra.sum", "integer, number, decimal"),
    ("largest of ids", measure(max="event_id"), f"{AGGREGATE}.measures.extra.max", "date, datetime"),
    ("by of a sum", measure(sum="tokens", by="occurred_at"), f"{AGGREGATE}.measures.extra.by", "first and last alone"),
    ("first by a text", measure(first="tokens", by="node_kind"), f"{AGGREGATE}.measures.extra.by", "integer, datetime"),
    ("deviation of texts", measure(stddev="node_kind"), f"{AGGREGATE}.measures.extra.stddev", "integer, number"),
    (
        "condition on what no window has",
        figures(intents=[{"target": "a", "action": "b", "each": "window", "when": "window.totl > 3"}]),
        f"{AGGREGATE}.intents[0].when",
        "a field of window",
    ),
    (
        "condition on a batch",
        figures(intents=[{"target": "a", "action": "b", "each": "batch", "when": "True"}]),
        f"{AGGREGATE}.intents[0].when",
        "each: window",
    ),
    ("percentile without q", measure(percentile="tokens"), f"{AGGREGATE}.measures.extra.q", "q is required"),
    ("q above 100", measure(percentile="tokens", q=101), f"{AGGREGATE}.measures.extra.q", "at most 100"),
    ("q of a sum", measure(sum="tokens", q=5), f"{AGGREGATE}.measures.extra.q", "for percentile alone"),
    (
        "measure of a group's name",
        figures(measures={"node_kind": {"count": True}}),
        f"{AGGREGATE}.measures.node_kind",
        "a name of its own",
    ),
    (
        "measure of the window's name",
        figures(measures={"window_start": {"count": True}}),
        f"{AGGREGATE}.measures.window_start",
        "a name of its own",
    ),
    ("measure a keyword", figures(measures={"from": {"count": True}}), f"{AGGREGATE}.measures.from", "leave free"),
    ("nothing takes the windows", side("output", FIGURES, windows="string"), f"{OUTPUT}; {OUTPUT}.windows", "array"),
    ("two arrays", side("output", FIGURES, more={"type": "array"}), OUTPUT, "exactly one array"),
    (
        "windows of numbers",
        side("output", FIGURES, windows={"type": "array", "items": "integer"}),
        f"{OUTPUT}.windows.items",
        "object, or",
    ),
    ("intents of one's own", side("output", FIGURES, intents="object"), f"{OUTPUT}.intents", "added to the output"),
    (
        "intent for nobody",
        figures(intents=[{"action": "a", "each": "batch"}]),
        f"{AGGREGATE}.intents[0].target",
        "required",
    ),
    ("aggregation in an effect", top(FIGURES, node_type="effect"), AGGREGATE, "a reducer"),
    (
        "enum of the states' name",
        top(ORDERS, enums={"OrderState": ["a"]}),
        FSM,
        "same file as the enum OrderState",
    ),
    (
        "model of the intents' name",
        changed(FIGURES, lambda c: c["models"].update(AggregateIntent={"fields": {"a": "string"}})),
        "operations[0].name",
        "same file as the model AggregateIntent",
    ),
    # Conditions.
    ("no expression", where("event.tokens > > 1"), WHERE, "an expression at column"),
    ("unknown field", where("event.succeded"), WHERE, "did you mean 'succeeded'?"),
    ("unknown name", where("succeeded"), WHERE, "fields of event"),
    ("call", where("event.node_kind.upper() == 'A'"), WHERE, "did you mean 'upper'?"),
    ("function", where("open(event.node_kind) == 'a'"), WHERE, "the function 'open'"),
    ("dunder", where("event.__class__ is not None"), WHERE, "a field of event"),
    ("lambda", where("lambda: event"), WHERE, "comparisons"),
    ("walrus", where("(a := event.tokens) > 1"), WHERE, "comparisons"),
    ("format", where("f'{event.tokens}' == '1'"), WHERE, "comparisons"),
    ("power", where("2 ** event.tokens > 1"), WHERE, "a whole number from 0 to 16"),
    ("division by what may be 0", where("10 / event.tokens > 1"), WHERE, "other than 0"),
    ("number and text", where("event.tokens == 'many'"), WHERE, "values of the same type"),
    ("order of booleans", where("event.succeeded > True"), WHERE, "one of date"),
    ("equal to None", where("event.tokens == None"), WHERE, "is None, or is not None"),
    ("member of a text", where("event.tokens in 'ab'"), WHERE, "a list of literals"),
    ("unknown member", where("event.kind == 'bugg'", WORK), WHERE, "did you mean 'bug'?"),
    ("order of what may be null", where("event.size > 3", WORK), WHERE, "event.size is not None and"),
]


@pytest.mark.parametrize(("contract", "places", "meaning"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_one_mistake_is_named(contract: dict[str, Any], places: str, meaning: str) -> None:
    problems = judge(contract)
    assert [problem.place for problem in problems] == places.split("; ")
    assert meaning in " ".join(map(str, problems))


@pytest.mark.parametrize("contract", [ORDERS, FIGURES, *STATE_MACHINES.values(), *AGGREGATIONS.values()])
def test_sound_contracts_have_no_problems(contract: dict[str, Any]) -> None:
    assert judge(contract) == []


@pytest.mark.parametrize(
    "text",
    [
        "event.tokens > 100 and event.cost_usd <= 2.5",
        "event.node_kind in ['effect', 'compute'] or not event.succeeded",
        "-event.tokens + 1 < 0",
        "event.tokens % 2 == 0",
        True,
    ],
)
def test_sound_conditions_have_no_problems(text: object) -> None:
    assert judge(where(text)) == []


def made(contract: dict[str, Any]) -> NodeView:
    return view(read(contract))


def test_states_need_no_descriptions() -> None:
    names = ["new", "paid", "shipped", "delivered", "cancelled"]
    assert judge(machine(states=names)) == []
    assert fsm_of(machine(states=names)) == fsm_of(machine(states=dict.fromkeys(names, "")))


def fsm_of(contract: dict[str, Any]) -> FsmView:
    found = made(contract).fsm
    assert found is not None
    return found


def figures_of(contract: dict[str, Any], index: int = 0) -> AggregateView:
    found = made(contract).operations[index].reduction
    assert isinstance(found, AggregateView)
    return found


def test_states_are_an_enum_of_their_own_unless_an_output_has_one() -> None:
    assert fsm_of(ORDERS).state[1] == "EnumOrderState"
    assert fsm_of(TICKETS).state[1] == "EnumTicketState"
    assert [enum.name for enum in made(TICKETS).enums] == ["EnumTicketState", "EnumAction"]


def test_where_state_is_kept_follows_from_the_contract() -> None:
    node = made(ORDERS)
    assert [migration.id for migration in node.migrations] == ["0000_order_states"]
    assert [decision.choice for decision in node.decisions if decision.subject == "integration"] == ["PostgreSQL"]
    assert fsm_of(TICKETS).backend == "memory"
    assert made(TICKETS).database is None
    machines = made(STATE_MACHINES["machines"])
    assert [migration.id for migration in machines.migrations] == ["0000_machine_states", "0001_log"]
    assert "entity bigint PRIMARY KEY" in machines.migrations[0].sql


def test_undefined_transitions_are_all_others() -> None:
    found = fsm_of(ORDERS)
    assert len(found.undefined) + len(found.transitions) == len(found.states) * 4


def test_transitions_have_names_of_their_own() -> None:
    machine_of = move("pay.now", "new", "paid")
    machine_of["subcontracts"]["fsm"]["transitions"].append({"trigger": "pay-now", "from": "new", "to": "paid"})
    found = [transition.name for transition in fsm_of(machine_of).transitions]
    assert found[-2:] == ["pay_now_from_new", "pay_now_from_new_2"]


def test_events_announce_moves_alone() -> None:
    act, close, _ = made(TICKETS).operations
    assert [event.occurred for op in (act, close) for event in op.events] == ["", "output.changed"]


def test_events_without_an_id_of_their_own_are_told_by_their_request() -> None:
    (operation,) = made(ORDERS).operations
    assert operation.reduction is not None
    assert getattr(operation.reduction, "event_id", "") == "delivery_id(request.trigger)"
    assert made(ORDERS).correlated
    assert not made(STATE_MACHINES["machines"]).correlated


def test_windows_and_intents_become_models() -> None:
    node = made(FIGURES)
    windows = next(model for model in node.models if model.name == "ModelAggregateWindow")
    assert [field.name for field in windows.fields] == [
        *("node_kind", "window_start", "total", "failures", "tokens", "cost_usd", "mean_ms", "p95_ms", "slowest_ms")
    ]
    assert [field.name for field in node.operations[0].output.fields] == ["windows", "intents"]


def test_figures_without_values_may_be_null() -> None:
    found = {measure.name: measure.value for measure in figures_of(WORK).measures}
    assert found["mean_level"] == "totals.mean_level.value()"
    assert found["mean_size"] == "None if totals.mean_size.empty else totals.mean_size.value()"


@pytest.mark.parametrize(("q", "part"), [(95, (95, 100)), (99.9, (999, 1000)), (0.1, (1, 1000))])
def test_parts_of_percentiles_are_exact(q: float, part: tuple[int, int]) -> None:
    contract = changed(FIGURES, lambda c: c["operations"][0]["aggregate"]["measures"]["p95_ms"].update(q=q))
    code = next(measure.accumulator for measure in figures_of(contract).measures if measure.name == "p95_ms")
    numerator, denominator = (int(word) for word in code.rpartition("(")[2].rstrip(")").split(", ")[1:])
    assert Decimal(numerator) / denominator == Decimal(part[0]) / part[1]


def test_many_conditions_are_spread_over_functions() -> None:
    measures = {f"m{i}": {"count": True, "where": f"event.tokens > {i}"} for i in range(20)}
    found = figures_of(figures(measures=measures))
    assert all(len(function) <= 6 for function in found.additions)
    assert sum(len(function) for function in found.additions) == 20
    assert found.further == ("_add_2", "_add_3", "_add_4")
