"""The type of a node, told from its contract."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from examples.rendering import CONTRACTS
from extensions.judging.judge import judge, read
from extensions.language.classify import NODE_TYPES, THRESHOLD, classify
from extensions.viewing.build import view

CUSTOM = {"name": "greet", "handler": "custom"}


def bare(**keys: object) -> dict[str, Any]:
    return {"name": "greet", "package": "acme", "operations": [CUSTOM]} | keys


def operations(*names: str) -> dict[str, Any]:
    return bare(operations=[{"name": name, "handler": "custom"} for name in names])


@pytest.mark.parametrize("path", sorted(CONTRACTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_contracts_say_what_they_would_be_told_to_be(path: Path) -> None:
    contract = yaml.safe_load(path.read_text())
    said = contract.pop("node_type")

    likeliest = classify(contract)[0]
    assert path.stem == "custom_greeting" or likeliest.node_type == said
    assert path.stem == "custom_greeting" or likeliest.confidence >= THRESHOLD


@pytest.mark.parametrize(
    ("raw", "node_type", "reason"),
    [
        (bare(operations=[{"name": "x", "database": {}}, CUSTOM]), "effect", "operations[0].database"),
        (bare(operations=[CUSTOM, {"name": "x", "compute": {}}]), "compute", "operations[1].compute"),
        (bare(operations=[{"name": "x", "aggregate": {}}]), "reducer", "operations[0].aggregate"),
        (bare(operations=[{"name": "x", "workflow": {}}]), "orchestrator", "operations[0].workflow"),
        (bare(subcontracts={"fsm": {}}), "reducer", "subcontracts.fsm"),
        (bare(features=["state_machine"]), "reducer", "features: state_machine"),
        (bare(features=["workflow"]), "orchestrator", "features: workflow"),
        (bare(features=["kafka"]), "effect", "features: kafka"),
        (bare(dependencies={"redis": ">=6"}), "effect", "dependencies.redis"),
        (bare(integrations={"api_client": True}), "effect", "integrations.api_client"),
        (bare(domain="pricing"), "compute", "domain: pricing"),
        (bare(domain="Sales Analytics"), "reducer", "domain: analytics"),
        (operations("send_email", "fetch_status"), "effect", "operations[0].name: send"),
        (operations("calculate_tax", "convert_currency"), "compute", "operations[1].name: convert"),
        (bare(description="Aggregates events and counts them."), "reducer", "description: aggregate"),
        (bare(description="Coordinates approvals, compensates failures."), "orchestrator", "description: coordinate"),
    ],
)
def test_type_is_told_with_its_reasons(raw: dict[str, Any], node_type: str, reason: str) -> None:
    likeliest, *others = classify(raw)

    assert likeliest.node_type == node_type
    assert reason in likeliest.reasons
    assert likeliest.confidence >= THRESHOLD
    assert {likeliest.node_type, *(other.node_type for other in others)} == set(NODE_TYPES)


@pytest.mark.parametrize(
    "raw",
    [
        bare(),
        operations("send"),
        operations("send", "calculate"),
        bare(domain="capital rapids"),
        bare(integrations={"database": False}),
        bare(operations=[{"name": "x", "database": {}}, {"name": "y", "compute": {}}]),
    ],
)
def test_too_little_is_a_problem_that_shows_the_candidates(raw: dict[str, Any]) -> None:
    (problem,) = [problem for problem in judge(raw) if problem.path == ("node_type",)]

    for node_type in NODE_TYPES:
        assert f"{node_type} (" in problem.found


def test_what_is_said_is_not_questioned() -> None:
    contract = read(bare(node_type="effect", description="Aggregates and counts."))

    assert contract.node_type == "effect"
    assert contract.classified == ()


def test_decision_is_shown() -> None:
    contract = read(operations("send_email", "fetch_status"))

    (decision, *_) = view(contract).decisions
    assert (decision.subject, decision.choice) == ("node type", "effect")
    assert decision.reasons == ("confidence 67%", "operations[0].name: send", "operations[1].name: fetch")


@pytest.mark.parametrize("value", [3, None, [], {"a": 1}, [[1]], "x" * 1000])
@pytest.mark.parametrize(
    "key", ["operations", "domain", "features", "dependencies", "integrations", "subcontracts", "description"]
)
def test_no_form_is_a_traceback(key: str, value: object) -> None:
    assert classify(bare(**{key: value}))
    judge(bare(**{key: value}))
