"""What a contract asks for in vain is said, with its place; what holds anyway is not."""

from typing import Any

import pytest

from extensions.judging.judge import judge, read
from extensions.judging.legacy import warnings
from extensions.viewing.build import view
from extensions.viewing.runtime import modules

KAFKA = {"name": "tell", "output": {"ok": "boolean"}, "kafka": {"topic": "came"}}
SQL = {"name": "drop", "output": {"ok": "boolean"}, "database": {"query": "DELETE FROM t"}}
FILE = {"name": "drop", "output": {"ok": "boolean"}, "filesystem": {"action": "delete", "path": "a"}}
ASK = {"name": "ask", "output": {"ok": "boolean"}, "http": {"method": "GET", "path": "/"}}
SUM = {"name": "sum", "output": {"ok": "boolean"}, "compute": {"ok": "True"}}
RUN = {
    "name": "run",
    "output": {"status": {"type": "string", "enum": ["completed", "failed", "compensated"]}},
    "workflow": {"steps": [{"name": "s", "node": "node_stock_effect", "operation": "reserve"}]},
}


def array(items: object) -> dict[str, Any]:
    return {"type": "array", "items": items}


def contract(*operations: dict[str, Any], **more: object) -> dict[str, Any]:
    kind = "compute" if "compute" in operations[0] else "orchestrator" if "workflow" in operations[0] else "effect"
    return {"name": "n", "package": "p", "node_type": kind, "operations": [*operations], **more}


def steps(**more: object) -> dict[str, Any]:
    return {"workflow": {"steps": [RUN["workflow"]["steps"][0] | more]}}  # type: ignore[index]  # a mapping of lists


def advanced(**features: object) -> dict[str, Any]:
    return {"advanced_features": features}


RETRY = {"max_attempts": 3}
IN_VAIN = [
    (contract(KAFKA | {"retry": RETRY}), "operations[0].retry", "outbox"),
    (contract(FILE | {"retry": RETRY}), "operations[0].retry", "files"),
    (contract(SUM | {"retry": RETRY}), "operations[0].retry", "the same result"),
    (contract({"name": "own", "handler": "custom", "retry": RETRY}), "operations[0].retry", "retry_policy"),
    (
        contract(SQL | {"retry": {"retryable_status_codes": [418]}}),
        "operations[0].retry.retryable_status_codes",
        "HTTP",
    ),
    (
        contract(KAFKA, **advanced(retry_policy=RETRY)),
        "advanced_features.retry_policy",
        "database, api_client or redis",
    ),
    (contract(KAFKA, error_handling={"retry_policy": RETRY}), "error_handling.retry_policy", "database"),
    (contract(RUN, **advanced(retry_policy=RETRY)), "advanced_features.retry_policy", "workflow.retry is for steps"),
    (
        contract(SQL, **advanced(retry_policy={"retryable_status_codes": [418]})),
        "advanced_features.retry_policy.retryable_status_codes",
        "HTTP",
    ),
    (contract(KAFKA, **advanced(circuit_breaker={})), "advanced_features.circuit_breaker", "api_client"),
    (
        contract(SQL, **advanced(circuit_breaker={"services": [{"name": "database"}, {"name": "postgress"}]})),
        "advanced_features.circuit_breaker.services[1].name",
        "did you mean 'postgres'?",
    ),
    (contract(KAFKA, **advanced(transactions={})), "advanced_features.transactions", "a database"),
    (contract(KAFKA, **advanced(dead_letter_queue={})), "advanced_features.dead_letter_queue", "consumed_events"),
    (contract(KAFKA, features=["resilience"]), "features", "api_client"),
    (contract(KAFKA, features=["dead_letter_queue"]), "features", "consumed_events"),
    (contract(SQL, features=["canonical_yaml"]), "features", "has one form already"),
    (contract(SQL, dependencies={"mongo": ">=1"}), "dependencies.mongo", "this version"),
    (contract(SUM, integrations={"database": {}}), "integrations.database", "an effect, which calls it"),
    (contract(SUM, features=["http_client"]), "features", "an effect, which calls it"),
    (contract(RUN, dependencies={"redis": "*"}), "dependencies.redis", "Redis in a node of type orchestrator"),
    (contract(KAFKA, integrations={"kafka": {"group_id": "g"}}), "integrations.kafka.group_id", "consumed_events"),
    (
        contract(KAFKA, **advanced(observability={"metrics": {"export_interval_seconds": 5}})),
        "advanced_features.observability.metrics.export_interval_seconds",
        "service_monitor",
    ),
    (contract(RUN | steps(retry={"initial_delay_ms": 5})), "operations[0].workflow", "max_attempts"),
    (
        contract(SQL | {"input": {"marks": array({"type": "string", "required": False})}}),
        "operations[0].input.marks.items.required",
        "never left out",
    ),
    (
        contract(SQL, models={"ModelRow": {"fields": {"marks": array(array({"type": "integer", "default": 1}))}}}),
        "models.ModelRow.fields.marks.items.items.default",
        "never left out",
    ),
    (
        contract({**SQL, "database": {"query": "DELETE FROM t", "transaction": True}}),
        "operations[0].database.transaction",
        "advanced_features.transactions",
    ),
]


@pytest.mark.parametrize(("asked", "place", "meaning"), IN_VAIN, ids=[case[1] for case in IN_VAIN])
def test_what_is_asked_for_in_vain_is_said_once(asked: dict[str, Any], place: str, meaning: str) -> None:
    assert judge(asked) == []
    said = [warning for warning in warnings(asked) if warning.path != ("error_handling",)]
    assert [warning.place for warning in said] == [place]
    assert meaning in str(said[0])


SETTINGS = {"database": {}, "api_client": {"base_url": "https://a.example"}, "redis": {}}
POLICIES = {"transactions": {}, "circuit_breaker": {}, "retry_policy": RETRY}
IDLE_WORDS = ["persistence", "retry", "circuit_breaker"]


@pytest.mark.parametrize("operation", [SUM, RUN], ids=["compute", "orchestrator"])
def test_node_that_calls_nothing_has_neither_adapters_nor_what_guards_them(operation: dict[str, Any]) -> None:
    asked = contract(operation, integrations=SETTINGS, **advanced(**POLICIES))
    assert judge(asked) == []
    places = {warning.place for warning in warnings(asked)}
    assert places == {f"integrations.{key}" for key in SETTINGS} | {f"advanced_features.{key}" for key in POLICIES}
    by_words = contract(operation, features=IDLE_WORDS)
    assert [warning.found for warning in warnings(by_words)] == ["retry", "circuit_breaker", "persistence"]
    for bare in (asked, by_words):
        node = view(read(bare))
        assert not node.adapters
        assert modules(node) == modules(view(read(contract(operation))))


def test_author_s_handler_has_the_adapters_that_are_asked_for() -> None:
    own = {"name": "own", "handler": "custom"}
    asked = contract(SUM, own, integrations={"redis": {}}, **advanced(retry_policy=RETRY))
    assert [adapter.key for adapter in view(read(asked)).adapters] == ["redis"]
    assert [warning.place for warning in warnings(asked)] == ["integrations.redis"]


def test_what_is_asked_for_in_vain_is_kept_in_the_view() -> None:
    (problem,) = view(read(contract(KAFKA | {"retry": RETRY}))).unanswered
    assert problem.place == "operations[0].retry"


OFF = {"enabled": False}
HOLDS = [
    contract(KAFKA | {"retry": OFF}),
    contract(KAFKA, **advanced(retry_policy=OFF, circuit_breaker=OFF, transactions=OFF, dead_letter_queue=OFF)),
    contract({**SQL, "database": {"query": "DELETE FROM t", "transaction": False}}),
    contract(SQL | {"retry": RETRY}, **advanced(retry_policy=RETRY, circuit_breaker={}, transactions={})),
    contract(ASK | {"retry": {"retryable_status_codes": [418]}}, features=["retry", "circuit_breaker"]),
    contract(KAFKA, features=["redis", "retry"]),
    contract(RUN, subcontracts={"state_management": {"backend": "postgres", "table": "t"}}),
    contract(RUN | steps(retry={"max_attempts": 2, "initial_delay_ms": 5})),
]


@pytest.mark.parametrize("asked", HOLDS)
def test_what_holds_is_not_said(asked: dict[str, Any]) -> None:
    assert judge(asked) == []
    assert warnings(asked) == ()


def test_deadline_of_an_operation_is_that_of_its_workflow() -> None:
    (operation,) = read(contract(RUN | {"timeout_seconds": 7})).operations
    assert operation.workflow is not None
    assert operation.workflow.timeout_seconds == 7

    both = contract({**RUN, "timeout_seconds": 7, "workflow": {**RUN["workflow"], "timeout_seconds": 8}})  # type: ignore[dict-item]  # a mapping
    (problem,) = judge(both)
    assert problem.place == "operations[0].timeout_seconds"


@pytest.mark.parametrize(
    ("backend", "key"), [("memory", "table"), ("memory", "key_prefix"), ("postgres", "key_prefix")]
)
def test_places_for_runs_are_those_of_their_backend(backend: str, key: str) -> None:
    (problem,) = judge(contract(RUN, subcontracts={"state_management": {"backend": backend, key: "t"}}))
    assert problem.place == f"subcontracts.state_management.{key}"


def test_runs_are_kept_in_no_integration_that_is_turned_off() -> None:
    kept = {"state_management": {"backend": "postgres"}}
    (problem,) = judge(contract(RUN, subcontracts=kept, integrations={"database": False}))
    assert problem.place == "subcontracts.state_management.backend"
