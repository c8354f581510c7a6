"""Legacy keys, and what a contract says twice."""

import copy
from typing import Any

import pytest

from extensions.commands.validate_contract import examine
from extensions.judging.judge import judge, read
from extensions.judging.legacy import warnings
from extensions.reading.source import read_text

BARE: dict[str, Any] = {
    "name": "greet",
    "package": "acme",
    "node_type": "effect",
    "operations": [{"name": "greet", "handler": "custom"}],
    "integrations": {"redis": True},
}
ERROR_HANDLING = {
    "retry_policy": {"max_attempts": 7, "initial_delay_ms": 5},
    "circuit_breaker": {"enabled": True, "failure_threshold": 9},
}


def test_error_handling_means_what_advanced_features_mean() -> None:
    legacy = read(BARE | {"error_handling": ERROR_HANDLING})

    assert legacy == read(BARE | {"advanced_features": ERROR_HANDLING})
    assert legacy.retry is not None
    assert legacy.retry.max_attempts == 7


def test_error_handling_is_a_warning() -> None:
    (warning,) = warnings(BARE | {"error_handling": ERROR_HANDLING})

    assert str(warning).startswith("error_handling: found a legacy key, expected advanced_features")


def test_error_handling_beside_advanced_features() -> None:
    (problem,) = judge(BARE | {"error_handling": ERROR_HANDLING, "advanced_features": {}})

    assert problem.path == ("error_handling",)


def test_error_handling_is_judged_in_its_own_place() -> None:
    broken = copy.deepcopy(ERROR_HANDLING)
    broken["retry_policy"]["max_delay_ms"] = 1
    broken["circuit_breaker"]["failure_threshold"] = 0

    assert [problem.place for problem in judge(BARE | {"error_handling": broken})] == [
        "error_handling.retry_policy.max_delay_ms",
        "error_handling.circuit_breaker.failure_threshold",
    ]


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"features": ["retry"]}, []),
        ({"features": ["retry", "circuit_breaker"], "advanced_features": ERROR_HANDLING}, []),
        ({"features": ["fault_tolerance", "circuit_breaker"]}, ["features[1]"]),
        ({"features": ["retry"], "advanced_features": {"retry_policy": {"enabled": False}}}, ["features[0]"]),
        (
            {"features": ["retry"], "error_handling": {"retry_policy": {"enabled": False}}},
            ["error_handling", "features[0]"],
        ),
    ],
)
def test_overlaps(extra: dict[str, Any], expected: list[str]) -> None:
    assert judge(BARE | extra) == []
    assert [warning.place for warning in warnings(BARE | extra)] == expected


def test_warnings_have_places_in_the_file() -> None:
    head = "name: greet\nnode_type: effect\npackage: acme\noperations: [{name: greet, handler: custom}]\n"
    head += "integrations: {redis: true}\n"
    text = f"{head}features: [retry,\n  resilience]\n"

    report = examine("greet.yaml", read_text(text))

    assert list(report.lines()) == [
        "greet.yaml: valid",
        "greet.yaml:7:3: warning: features[1]: found 'resilience', which means 'retry', expected each feature once",
    ]
    assert [finding["pointer"] for finding in report.as_json()["warnings"]] == ["/features/1"]
