"""Contracts that Hypothesis draws generate tidy code; changes of them are refused where they are."""

import copy
import filecmp
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from examples.rendering import CONTRACTS, generate, read_contract
from extensions.judging.judge import judge
from tests.conftest import Run
from tests.contracts.draw import likely_contracts, valid_contracts
from tests.contracts.fields import SCHEMA
from tests.contracts.fuzz import draw, unproven
from tests.contracts.fuzz import generate as generate_all
from tests.contracts.render import Renderer


@pytest.fixture(scope="module")
def drawn() -> list[dict[str, Any]]:
    return draw(1, 60)


def test_drawn_contracts_generate_tidy_projects(drawn: list[dict[str, Any]], tmp_path: Path) -> None:
    contracts = drawn[:30]

    rendered, wrong = generate_all(contracts, tmp_path)

    assert wrong == []
    assert rendered == len(contracts) > 20


def test_same_seed_draws_the_same_contracts_whatever_is_loaded(run: Run, root: Path) -> None:
    code = "import json; from tests.contracts.fuzz import draw; print(json.dumps(draw(7, 6)))"

    alone = run(sys.executable, "-c", code, cwd=root, PYTHONHASHSEED="7")

    assert alone.returncode == 0, alone.stderr
    assert json.loads(alone.stdout) == draw(7, 6)


def test_drawn_contracts_have_every_implementation(drawn: list[dict[str, Any]]) -> None:
    keys = {key for contract in drawn for operation in contract["operations"] for key in operation}
    wanted = {"database", "http", "kafka", "redis", "filesystem", "compute", "aggregate", "workflow", "handler"}
    assert wanted <= keys
    assert any("fsm" in contract.get("subcontracts", {}) for contract in drawn)


@pytest.mark.parametrize("name", ["codegen_metrics", "order_events"])
def test_rendering_in_process_is_copiers(template: Path, tmp_path: Path, name: str) -> None:
    contract = read_contract(CONTRACTS / f"{name}.yaml")
    renderer = Renderer(template)
    renderer.render(read_contract(CONTRACTS / "order_state.yaml"), tmp_path / "before")

    ours = renderer.render(contract, tmp_path / "ours")
    theirs = generate(template, contract, tmp_path / "theirs")

    kept = {path.relative_to(theirs) for path in theirs.rglob("*.py")}
    assert {path.relative_to(ours) for path in ours.rglob("*.py")} == kept
    different = [path for path in kept if not filecmp.cmp(ours / path, theirs / path, shallow=False)]
    assert different == []


@given(contract=likely_contracts())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_refused_has_its_place(contract: dict[str, Any]) -> None:
    assert [problem for problem in judge(contract) if not problem.path or not problem.expected] == []


def _places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the places of mappings whose keys the language knows."""
    known = {
        (),
        ("operations", 0),
        ("operations", 0, "database"),
        ("operations", 0, "http"),
        ("operations", 0, "kafka"),
    }
    places = [path] if path in known and isinstance(value, dict) and value else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return places + [place for key, item in inner for place in _places(item, (*path, key))]


@given(contract=valid_contracts(), data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_near_misses_are_refused_where_they_are(contract: dict[str, Any], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(_places(contract)))
    changed = copy.deepcopy(contract)
    holder: Any = changed
    for step in path:
        holder = holder[step]
    key = data.draw(st.sampled_from(sorted(holder)))
    way = data.draw(st.sampled_from(["misspelt", "wrong type"]))
    if way == "misspelt":
        holder[f"{key}x"] = holder.pop(key)
        key = f"{key}x"
    else:
        holder[key] = 3.5 if key not in ("timeout_seconds", "body", "payload") else {"a": None, 3: 4}

    problems = judge(changed)

    assert any(problem.path[: len(path) + 1] == (*path, key) or problem.path == (*path,) for problem in problems)
    if way == "misspelt":
        (told,) = [problem for problem in problems if problem.path == (*path, key)]
        assert f"did you mean '{key[:-1]}'" in str(told.hint)


@pytest.mark.slow
@pytest.mark.nightly
def test_drawn_contracts_pass_mypy_and_their_own_tests(tmp_path: Path) -> None:
    contracts = {contract["node_type"]: contract for contract in draw(70_001, 12)}

    found = {kind: unproven(contracts[kind], tmp_path) for kind in ("compute", "effect")}

    assert found == {"compute": [], "effect": []}


NODE_TYPES = ("effect", "compute", "reducer", "orchestrator")
INTEGRATIONS = ("database", "api_client", "kafka", "redis", "consul", "filesystem")
FEATURES: list[str] = [*SCHEMA["properties"]["features"]["items"]["enum"]]


@pytest.mark.parametrize(
    "node_type", ["effect", *(pytest.param(kind, marks=pytest.mark.nightly) for kind in NODE_TYPES if kind != "effect")]
)
def test_features_and_integrations_combine(tmp_path: Path, node_type: str) -> None:
    contracts: list[dict[str, Any]] = []
    for number, (feature, integration) in enumerate(itertools.product(FEATURES, INTEGRATIONS)):
        contract = {
            "name": "combined",
            "package": "acme",
            "node_type": node_type,
            "features": [feature],
            "integrations": {integration: True},
            "advanced_features": {"observability": {"tracing": {"exporter": ("console", "none")[number % 2]}}},
            "operations": [{"name": "take", "input": {"a": "string"}, "output": {"b": "boolean"}, "handler": "custom"}],
        }
        problems = judge(contract)
        assert [problem for problem in problems if not problem.path or not problem.expected] == []
        # Each integration is rendered with an eighth of the features, others with other node types.
        if not problems and number % 8 == NODE_TYPES.index(node_type):
            contracts.append(contract)

    rendered, wrong = generate_all(contracts, tmp_path)

    assert wrong == []
    assert rendered == len(contracts) > 10
