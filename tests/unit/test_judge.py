"""What is a contract, and what is wrong with what is none."""

import copy
import math
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.rendering import ROOT
from extensions.judging.judge import ContractError, judge, read
from extensions.reading.source import MAX_BYTES, MAX_VALUES

CONTRACTS = ROOT / "examples" / "contracts"
GOOD: dict[str, Any] = {
    "name": "lock",
    "package": "acme",
    "node_type": "effect",
    "enums": {"Status": ["held", "free"]},
    "models": {"Lock": {"fields": {"lock_name": "string", "status": "Status"}}},
    "operations": [
        {
            "name": "take",
            "input": {"owner": {"type": "string", "minLength": 1}, "seconds": {"type": "number", "default": 30}},
            "output": {"taken": "boolean", "lock": {"type": "Lock", "required": False}},
            "database": {
                "query": "INSERT INTO l VALUES ($1, $2) RETURNING lock_name, status",
                "parameters": ["owner", "seconds"],
                "returns": {"rows": "one", "into": "lock", "found": "taken"},
            },
        },
        {"name": "greet", "input": {"name": "string"}, "output": {"text": "string"}, "handler": "custom"},
    ],
}


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    contract = copy.deepcopy(GOOD)
    change(contract)
    return contract


def operation(index: int, **values: object) -> dict[str, Any]:
    return changed(lambda c: c["operations"][index].update(values))


def database(**values: object) -> dict[str, Any]:
    return changed(lambda c: c["operations"][0]["database"].update(values))


def field(spec: object) -> dict[str, Any]:
    return changed(lambda c: c["operations"][1]["input"].update(extra=spec))


def top(**values: object) -> dict[str, Any]:
    return changed(lambda c: c.update(values))


def returns(**values: object) -> dict[str, Any]:
    return changed(lambda c: c["operations"][0]["database"]["returns"].update(values))


def without(key: str) -> dict[str, Any]:
    return changed(lambda c: c.pop(key))


def union(spec: dict[str, Any], kind: object = None, more: dict[str, Any] | None = None) -> dict[str, Any]:
    last = {"type": "string", "const": "c"} if kind is None else kind
    fields = {"B": {"kind": {"type": "string", "const": "b"}, **(more or {})}, "C": {"kind": last, **(more or {})}}
    made = {name: {"fields": inner} for name, inner in fields.items()}
    return top(models={**GOOD["models"], "A": spec, **made})


def consumed(**values: object) -> dict[str, Any]:
    operation = GOOD["operations"][1]["name"]
    event = {"event": "came", "operation": operation, **values}
    return top(subcontracts={"event_type": {"consumed_events": [event]}})


EXTRA = "operations[1].input.extra"
CONSUMED = "subcontracts.event_type.consumed_events[0]"
DB = "operations[0].database"
BAD = [
    ("name missing", without("name"), "name", "required"),
    ("operations missing", without("operations"), "operations", "required"),
    ("no operations", top(operations=[]), "operations", "at least 1"),
    ("unknown key", top(descriptin="x"), "descriptin", "did you mean 'description'?"),
    ("unknown key below", operation(0, databse={}), "operations[0].databse", "did you mean 'database'?"),
    ("name not snake", top(name="My-Node"), "name", "snake_case"),
    ("name of an operation", operation(1, name="get-user"), "operations[1].name", "did you mean 'get_user'?"),
    (
        "name of a model",
        changed(lambda c: c["models"].update({"shop-order": {"fields": {}}})),
        "models.shop-order",
        "did you mean 'ShopOrder'?",
    ),
    ("name of an event", operation(1, publishes="Order_"), "operations[1].publishes", "an event name"),
    ("name with a line end", top(name="lock\n"), "name", "snake_case"),
    ("name too long", top(name="n" * 49), "name", "at most 48"),
    ("name a keyword", top(name="lambda"), "name", "keyword"),
    ("package a keyword", top(package="acme.class"), "package", "keyword"),
    ("version a number", top(version=1.1), "version", "quote it"),
    ("version not semver", top(version="1.0"), "version", "semantic version"),
    ("version that pip can't read", top(version="1.0.0-next"), "version", "-alpha.1"),
    ("integer with a point", field({"type": "string", "minLength": 5.0}), f"{EXTRA}.minLength", "write 5"),
    ("long text", field({"type": "string", "minLength": 10**18}), f"{EXTRA}.minLength", "at most 10000"),
    ("many items", field({"type": "array", "minItems": 10**18}), f"{EXTRA}.minItems", "at most 1000"),
    (
        "mixin's integer with a point",
        top(mixins=[{"name": "MixinHealthCheck", "config": {"check_interval_ms": 9.0}}]),
        "mixins[0].config.check_interval_ms",
        "integer",
    ),
    (
        "header beyond ASCII",
        top(integrations={"api_client": {"base_url": "https://a.example", "headers": {"X-From": "é"}}}),
        "integrations.api_client.headers.X-From",
        "printable ASCII",
    ),
    ("host with a port", top(service={"host": "localhost:80"}), "service.host", "service.port"),
    ("version a date", top(version=date(2026, 1, 1)), "version", "YAML read a date"),
    ("unknown feature", top(features=["retri"]), "features[0]", "did you mean 'retry'?"),
    ("feature twice", top(features=["retry", "retry"]), "features", "each item once"),
    ("features that exclude each other", top(features=["service_mode", "no_service_mode"]), "features", "one of them"),
    ("unknown node type", top(node_type="efect"), "node_type", "did you mean 'effect'?"),
    ("dependencies as a list", top(dependencies=["postgres"]), "dependencies", "version range"),
    ("operation twice", operation(1, name="take"), "operations[1].name", "a name of its own"),
    ("two implementations", operation(0, handler="custom"), "operations[0]", "exactly one implementation"),
    ("no implementation", changed(lambda c: c["operations"][1].pop("handler")), "operations[1]", "exactly one of"),
    ("unknown handler", operation(1, handler="mine"), "operations[1].handler", "'custom'"),
    ("parameter not an input", database(parameters=["ownr", "seconds"]), f"{DB}.parameters[0]", "mean 'owner'?"),
    ("too few placeholders", database(query="DELETE FROM l RETURNING $1"), f"{DB}.query", "$1 to $2"),
    ("placeholder skipped", database(query="SELECT $1, $3"), f"{DB}.query", "$1 to $2"),
    ("two statements", database(query="SELECT $1; SELECT $2"), f"{DB}.query", "exactly one statement"),
    ("into unknown", returns(into="lok"), f"{DB}.returns.into", "did you mean 'lock'?"),
    ("into of the wrong type", database(returns={"into": "taken"}), f"{DB}.returns.into", "a model or an object"),
    ("found of the wrong type", database(returns={"found": "lock"}), f"{DB}.returns.found", "boolean"),
    ("count of the wrong type", database(returns={"count": "taken"}), f"{DB}.returns.count", "integer"),
    ("rows unknown", returns(rows="some"), f"{DB}.returns.rows", "one of one, many, none"),
    ("many into a model", returns(rows="many"), f"{DB}.returns.into", "array"),
    ("unknown type", field("strng"), EXTRA, "did you mean 'string'?"),
    ("unknown type, long", field({"type": "Statu"}), f"{EXTRA}.type", "did you mean 'Status'?"),
    ("unknown type of items", field({"type": "array", "items": "Lok"}), f"{EXTRA}.items", "unknown type"),
    (
        "constraint of another type",
        field({"type": "uuid", "minLength": 1}),
        f"{EXTRA}.minLength",
        "on a field of type uuid",
    ),
    ("limits crossed", field({"type": "integer", "minimum": 5, "maximum": 2}), f"{EXTRA}.maximum", "at least minimum"),
    ("default of the wrong type", field({"type": "integer", "default": "x"}), f"{EXTRA}.default", "of type integer"),
    ("default out of bounds", field({"type": "integer", "minimum": 5, "default": 2}), f"{EXTRA}.default", "minimum: 5"),
    ("default not in the enum", field({"type": "Status", "default": "hel"}), f"{EXTRA}.default", "mean 'held'?"),
    (
        "default incomplete",
        field({"type": "Lock", "default": {"lock_name": "a"}}),
        f"{EXTRA}.default.status",
        "required",
    ),
    ("pattern broken", field({"type": "string", "pattern": "("}), f"{EXTRA}.pattern", "regular expression"),
    ("pattern with look-ahead", field({"type": "string", "pattern": "(?=a)"}), f"{EXTRA}.pattern", "look-around"),
    (
        "pattern broken beside a default",
        field({"type": "string", "pattern": "(", "default": "a"}),
        f"{EXTRA}.pattern",
        "regular expression",
    ),
    (
        "pattern too large for pydantic",
        field({"type": "string", "pattern": r"^\w{1,255}$"}),
        f"{EXTRA}.pattern",
        "maxLength",
    ),
    ("pattern of Python's alone", field({"type": "string", "pattern": "a{,3}"}), f"{EXTRA}.pattern", "pydantic takes"),
    (
        "default that a pattern takes for ever to refuse",
        field({"type": "string", "pattern": "^(a+)+$", "default": "a" * 60 + "!"}),
        f"{EXTRA}.default",
        "meets pattern",
    ),
    ("enum of the wrong type", field({"type": "integer", "enum": ["a"]}), f"{EXTRA}.enum[0]", "of type integer"),
    ("name of pydantic's", operation(1, input={"model_dump": "string"}), "operations[1].input.model_dump", "pydantic"),
    ("name a keyword of Python", operation(1, input={"from": "string"}), "operations[1].input.from", "Python"),
    ("name not snake_case", operation(1, input={"aB": "string"}), "operations[1].input.aB", "snake_case"),
    ("key not text", operation(1, input={False: "string"}), "operations[1].input", "YAML reads no and off"),
    ("control character", top(description="a\x07b"), "description", "control characters"),
    ("lone surrogate", top(description="a\ud800b"), "description", "surrogates"),
    ("not a number", field({"type": "number", "minimum": math.nan}), f"{EXTRA}.minimum", "finite"),
    (
        "names that make the same class",
        changed(lambda c: c["models"].update(TaskManager={"fields": {}}, TaskMgr={"fields": {}})),
        "models.TaskMgr",
        "the same class",
    ),
    (
        "operations that make the same class",
        changed(lambda c: (c["operations"][0].update(name="a1"), c["operations"][1].update(name="a_1"))),
        "operations[1].name",
        "the same class",
    ),
    (
        "a credential",
        operation(1, description="a key: AKIA" + "ABCDEFGHIJKLMNOP"),
        "operations[1].description",
        "no credentials",
    ),
    (
        "a password in a URL",
        field({"type": "string", "default": "amqp://a:pw1@b"}),
        f"{EXTRA}.default",
        "holds a password",
    ),
    (
        "a migration that is no SQL",
        top(integrations={"database": {"migrations": [{"id": "1", "sql": "SELECT (1"}]}}),
        "integrations.database.migrations[0].sql",
        "never closed",
    ),
    ("enum and model of one name", top(enums={"Lock": ["a"], "Status": ["held"]}), "models.Lock", "name of an enum"),
    ("model within itself", top(models={"Lock": {"fields": {"status": "Lock"}}}), "models.Lock", "required: false"),
    (
        "models that always contain each other",
        top(
            models={
                "Lock": {"fields": {"lock_name": "string", "status": "Status"}},
                "Branch": {"fields": {"tree": "Tree"}},
                "Tree": {"fields": {"branches": {"type": "array", "items": "Branch", "minItems": 1}}},
            }
        ),
        "models.Branch models.Tree",
        "always contains itself",
    ),
    ("a model of nothing", top(models={**GOOD["models"], "A": {"description": "x"}}), "models.A", "one of them"),
    ("a union that nothing tells apart", union({"one_of": ["B", "C"]}), "models.A.discriminator", "tells them apart"),
    (
        "a union of unknown models",
        union({"one_of": ["B", "D"], "discriminator": "kind"}),
        "models.A.one_of[1]",
        "fields",
    ),
    (
        "a union by a field that one has not",
        union({"one_of": ["B", "C"], "discriminator": "size"}),
        "models.A.one_of[0] models.A.one_of[1]",
        "with the field size",
    ),
    (
        "a union by a field without a value",
        union({"one_of": ["B", "C"], "discriminator": "kind"}, kind="string"),
        "models.A.one_of[1]",
        "with const",
    ),
    (
        "a union whose models have the same value",
        union({"one_of": ["B", "C"], "discriminator": "kind"}, kind={"type": "string", "const": "b"}),
        "models.A.one_of[1]",
        "of its own",
    ),
    (
        "a union without an end",
        union({"one_of": ["B", "C"], "discriminator": "kind"}, more={"again": "A"}),
        "models.A",
        "always contain each other",
    ),
    (
        "alias that others have",
        operation(1, input={"name": {"type": "string", "alias": "other"}, "other": "string"}),
        "operations[1].input.name.alias",
        "no other field",
    ),
    (
        "alias of an item",
        field({"type": "array", "items": {"type": "string", "alias": "b"}}),
        f"{EXTRA}.items.alias",
        "the field that holds it",
    ),
    ("alias with a space", field({"type": "string", "alias": "a b"}), f"{EXTRA}.alias", "such as firstName"),
    ("format of a number", field({"type": "integer", "format": "email"}), f"{EXTRA}.format", "one of type"),
    ("offset of a text", field({"type": "string", "format": "offset"}), f"{EXTRA}.format", "email, uri"),
    ("email of a moment", field({"type": "datetime", "format": "email"}), f"{EXTRA}.format", "offset, on a datetime"),
    (
        "default of no format",
        field({"type": "string", "format": "ipv4", "default": "1.2.3"}),
        f"{EXTRA}.default",
        "meets format",
    ),
    ("format beside pattern", field({"type": "string", "format": "uri", "pattern": "a"}), f"{EXTRA}.format", "one of"),
    ("const of another type", field({"type": "integer", "const": "a"}), f"{EXTRA}.const", "of type integer"),
    (
        "enum below a limit",
        field({"type": "string", "enum": ["abc", "a"], "minLength": 2}),
        f"{EXTRA}.enum[1]",
        "minLength: 2",
    ),
    (
        "enum beside a pattern",
        field({"type": "string", "enum": ["a", "b"], "pattern": "^a$"}),
        f"{EXTRA}.enum[1]",
        "pattern",
    ),
    ("const above a limit", field({"type": "integer", "const": 9, "maximum": 3}), f"{EXTRA}.const", "maximum: 3"),
    ("const beside enum", field({"type": "string", "const": "a", "enum": ["a"]}), f"{EXTRA}.const", "one of them"),
    (
        "default that is not const",
        field({"type": "integer", "const": 2, "default": 3}),
        f"{EXTRA}.default",
        "meets const",
    ),
    (
        "items twice",
        field({"type": "array", "items": "string", "uniqueItems": True, "default": ["a", "a"]}),
        f"{EXTRA}.default",
        "meets uniqueItems",
    ),
    ("time with an offset", field({"type": "time", "default": "12:00:00+02:00"}), f"{EXTRA}.default", "of type time"),
    (
        "value of a mapping",
        field({"type": "object", "values": "integer", "default": {"a": "b"}}),
        f"{EXTRA}.default.a",
        "of type integer",
    ),
    ("values of text", field({"type": "string", "values": "integer"}), f"{EXTRA}.values", "one of type"),
    (
        "secret that stands here",
        field({"type": "string", "secret": True, "default": "x"}),
        f"{EXTRA}.default",
        "no value of a secret",
    ),
    ("same file twice", top(models=GOOD["models"] | {"TakeInput": {"fields": {}}}), "operations[0].name", "same file"),
    (
        "schedule without defaults",
        operation(1, schedule={"every_seconds": 5}),
        "operations[1].input.name",
        "runs without input",
    ),
    (
        "example of an unknown field",
        operation(1, examples=[{"input": {"name": "a", "nam": 1}, "output": {"text": "b"}}]),
        "operations[1].examples[0].input.nam",
        "did you mean 'name'?",
    ),
    (
        "example incomplete",
        operation(1, examples=[{"input": {"name": "a"}, "output": {}}]),
        "operations[1].examples[0].output.text",
        "required",
    ),
    (
        "output that nothing fills",
        changed(lambda c: c["operations"][0]["output"].update(extra="integer")),
        "operations[0].output.extra",
        "something that fills it",
    ),
    (
        "migration twice",
        top(
            integrations={"database": {"migrations": [{"id": "1", "sql": "SELECT 1"}, {"id": "1", "sql": "SELECT 2"}]}}
        ),
        "integrations.database.migrations[1].id",
        "an id of its own",
    ),
    ("database turned off", top(integrations={"database": False}), DB, "integrations.database is false"),
    (
        "pool upside down",
        top(integrations={"database": {"pool": {"min_size": 5, "max_size": 2}}}),
        "integrations.database.pool.max_size",
        "at least min_size",
    ),
    (
        "delays upside down",
        top(advanced_features={"retry_policy": {"initial_delay_ms": 5, "max_delay_ms": 2}}),
        "advanced_features.retry_policy.max_delay_ms",
        "at least initial_delay_ms",
    ),
    ("mixin unknown", top(mixins=[{"name": "MixinMetric"}]), "mixins[0].name", "did you mean 'MixinMetrics'?"),
    (
        "base URL without a scheme",
        top(integrations={"api_client": {"base_url": "localhost:8080"}}),
        "integrations.api_client.base_url",
        "http://localhost:8080",
    ),
    ("URL of another kind", top(integrations={"redis": {"url": "http://a"}}), "integrations.redis.url", "rediss://"),
    (
        "requirements of what is no custom handler",
        operation(0, requirements=["a"]),
        "operations[0].requirements",
        "handler: custom",
    ),
    ("a requirement that is none", operation(1, requirements=["a b"]), "operations[1].requirements[0]", "versions"),
    (
        "a requirement at an address",
        operation(1, requirements=["a @ https://example.org/a.whl"]),
        "operations[1].requirements[0]",
        "without an address",
    ),
    (
        "a setting that is there",
        operation(1, settings={"service_port": "integer"}),
        "operations[1].settings.service_port",
        "a name of its own",
    ),
    ("a setting of a model", operation(1, settings={"a": "Lock"}), "operations[1].settings.a", "one of string"),
    (
        "a secret number",
        operation(1, settings={"a": {"type": "integer", "secret": True}}),
        "operations[1].settings.a.type",
        "string",
    ),
    (
        "cron that is none",
        operation(1, input={}, output={}, schedule={"cron": "0 25 * * *"}),
        "operations[1].schedule.cron",
        "day of the week",
    ),
    (
        "cron with seconds",
        operation(1, input={}, output={}, schedule={"cron": "0 0 6 * * mon"}),
        "operations[1].schedule.cron",
        "five fields",
    ),
    (
        "two schedules",
        operation(1, input={}, output={}, schedule={"cron": "0 6 * * *", "every_seconds": 5}),
        "operations[1].schedule",
        "one of",
    ),
    (
        "a zone that is none",
        operation(1, input={}, output={}, schedule={"cron": "0 6 * * *", "time_zone": "Europe/Berln"}),
        "operations[1].schedule.time_zone",
        "did you mean 'Europe/Berlin'?",
    ),
    ("an event of unknown fields", consumed(map={"nam": "${event.a}"}), f"{CONSUMED}.map.nam", "did you mean 'name'?"),
    ("a map of another source", consumed(map={"name": "${input.a}"}), f"{CONSUMED}.map.name", "reference to event"),
    ("a map of text around", consumed(map={"name": "a ${event.a}"}), f"{CONSUMED}.map.name", "one reference"),
    ("a map of another type", consumed(map={"name": 5}), f"{CONSUMED}.map.name", "of type string"),
    ("a condition on nothing", consumed(where="event.nam == 'a'"), f"{CONSUMED}.where", "did you mean 'name'?"),
    ("port out of range", top(service={"port": 0}), "service.port", "at least 1"),
]


@pytest.mark.parametrize(("contract", "place", "meaning"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_one_mistake_is_one_problem(contract: dict[str, Any], place: str, meaning: str) -> None:
    problems = judge(contract)
    assert [problem.place for problem in problems] == place.split()
    assert meaning in str(problems[0])


@pytest.mark.parametrize("document", [None, [], "text", 1, True, [GOOD]])
def test_what_is_no_mapping_is_no_contract(document: object) -> None:
    (problem,) = judge(document)
    assert problem.place == "contract"


def test_all_mistakes_come_at_once_in_the_order_of_the_document() -> None:
    contract = {
        "name": "Lock",
        "package": "acme",
        "node_type": "effect",
        "features": ["retri"],
        "models": {"Lock": {"fields": {"status": "Stat"}}},
        "operations": [
            {
                "name": "take",
                "input": {"owner": {"type": "string", "minimum": 1}},
                "output": {"taken": "boolean"},
                "database": {"query": "SELECT $2", "parameters": ["ownr"], "returns": {"found": "take"}},
                "target": {"p95": 5},
            },
            {"name": "take", "output": {}},
        ],
        "service": {"port": 99999},
    }
    with pytest.raises(ContractError) as caught:
        read(contract)
    assert [problem.place for problem in caught.value.problems] == [
        "name",
        "features[0]",
        "models.Lock.fields.status",
        "operations[0].input.owner.minimum",
        "operations[0].database.query",
        "operations[0].database.parameters[0]",
        "operations[0].database.returns.found",
        "operations[0].target.p95",
        "operations[1]",
        "operations[1].name",
        "service.port",
    ]
    assert str(caught.value).startswith("11 problems in the contract:\n  name: found 'Lock', expected ")


def test_documents_without_bounds_are_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"a": deep}
    (problem,) = judge(GOOD | {"deployment": deep})
    assert problem.expected == "at most 40 levels"
    for features in (["retry"] * 60_000, ["x" * 100] * 20_000, [{"y" * 100: 1}] * 20_000):
        (problem,) = judge(GOOD | {"features": features})
        assert problem.expected == f"at most {MAX_VALUES} values, and {MAX_BYTES} characters of text"


def test_huge_numbers_are_refused() -> None:
    (problem,) = judge(top(service={"port": 10**5000}))
    assert (problem.place, problem.found) == ("service.port", "a huge number")


@pytest.mark.parametrize("name", ["distributed_lock", "custom_greeting"])
def test_examples_have_no_problems(name: str) -> None:
    raw = yaml.safe_load((CONTRACTS / f"{name}.yaml").read_text(encoding="utf-8"))
    assert judge(raw) == []
    assert read(raw).name == raw["name"]


def test_short_forms_are_spelled_out_and_defaults_filled_in() -> None:
    contract = read(GOOD | {"version": {"major": 1, "minor": 2, "patch": 3}, "features": ["resilience", "retry"]})
    assert contract.version == "1.2.3"
    assert contract.features == ("retry",)
    take = contract.operations[0]
    assert take.database is not None
    assert (take.database.returns.rows, take.database.reads_only, take.database.transaction) == ("one", False, True)
    assert [(field.name, field.kind, field.reference) for field in take.output] == [
        ("taken", "boolean", None),
        ("lock", "model", "Lock"),
    ]
    assert contract.service.host == "127.0.0.1"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from(sorted(GOOD)), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_document_is_judged(document: object) -> None:
    for problem in judge(document):
        assert str(problem).isprintable()


PATHS = st.sampled_from(
    [
        ("enums", "Status"),
        ("features",),
        ("integrations",),
        ("models", "Lock"),
        ("models", "Lock", "fields"),
        ("operations",),
        ("operations", 0),
        ("operations", 0, "database"),
        ("operations", 0, "database", "returns"),
        ("operations", 0, "input"),
        ("operations", 0, "output", "lock"),
        ("operations", 1, "examples"),
        ("version",),
    ]
)


@settings(max_examples=300, deadline=None)
@given(PATHS, JSON)
def test_anything_anywhere_in_a_contract_is_judged(path: tuple[str | int, ...], value: object) -> None:
    contract: Any = copy.deepcopy(GOOD)
    target = contract
    for part in path[:-1]:
        target = target[part]
    target[path[-1]] = value
    for problem in judge(contract):
        assert str(problem).isprintable()


@pytest.mark.parametrize(
    "extra",
    [
        {"dependencies": {f"k{index}": 3 for index in range(5_000)}},
        {"features": [[index] for index in range(5_000)]},
        {"models": {"M": {"fields": {f"f{index}": {"type": "strin", "zz": 1} for index in range(5_000)}}}},
        {"models": {"M": {"fields": {f"f{index}": "strin" for index in range(5_000)}}}},
    ],
    ids=["values", "items", "keys", "types"],
)
def test_of_very_many_mistakes_the_first_are_shown(extra: dict[str, Any]) -> None:
    *problems, more = judge(GOOD | extra)

    assert len(problems) == 200
    assert (more.path, more.found) == ((), "200 problems or more")


@pytest.mark.parametrize(
    ("package", "owner"),
    [
        *((name, "of Python's standard library") for name in ("json", "logging", "test", "zoneinfo", "json.nodes")),
        *(
            (name, "of a library that nodes depend on")
            for name in ("pydantic", "yaml", "redis", "omnibase_core", "httpx", "hatchling", "trove_classifiers")
        ),
        *(
            (name, "of what nodes are installed, started or tested with")
            for name in ("pip", "numpy", "sitecustomize", "pip.nodes")
        ),
        *(
            (name, "of a folder of the project")
            for name in ("tests", "src", "build", "conftest", "migrations", "tests.acme")
        ),
    ],
)
def test_package_has_a_name_of_its_own(package: str, owner: str) -> None:
    (problem,) = judge(top(package=package))

    assert problem.place == "package"
    assert problem.found.endswith(f", the name {owner}")
    assert problem.hint


@pytest.mark.parametrize("package", ["acme.json", "json_nodes", "acme.tests", "kafka", "jsons", "p"])
def test_package_may_have_such_a_word_in_its_name(package: str) -> None:
    assert judge(top(package=package)) == []
