"""How a node is, summed up from what it talks to."""

import json
import logging
from dataclasses import dataclass
from uuid import UUID

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.group import AdapterGroup, Figure
from onex_node_runtime.health import degraded, health_of, healthy, warn_of


@dataclass
class Neighbour:
    """Stands in for an adapter, whose server is there or away."""

    away: bool = False

    async def open(self) -> None:
        """Connect."""

    async def close(self) -> None:
        """Let go."""

    async def check(self) -> None:
        if self.away:
            raise ModelOnexError(message="away", error_code=EnumCoreErrorCode.NETWORK_ERROR)

    def figures(self) -> list[Figure]:
        return []


@pytest.mark.parametrize(
    ("away", "optional", "status", "score", "severities"),
    [
        ((), (), "healthy", 1.0, []),
        (("b",), (), "unhealthy", 0.75, ["critical"]),
        (("b",), ("b",), "degraded", 0.75, ["low"]),
        (("a", "b"), ("b",), "unhealthy", 0.5, ["critical", "low"]),
        (("a", "b"), ("a", "b", "c"), "degraded", 0.5, ["low", "low"]),
        (("a", "b", "c", "d"), (), "unhealthy", 0.0, ["critical"] * 4),
    ],
)
async def test_the_score_is_the_share_that_answers(
    away: tuple[str, ...], optional: tuple[str, ...], status: str, score: float, severities: list[str]
) -> None:
    adapters = AdapterGroup(**{name: Neighbour(name in away) for name in "abcd"})
    report = await health_of(adapters, optional)
    assert (report.status, report.health_score) == (status, score)
    assert [issue.severity for issue in report.issues] == severities
    told = [f"{name}: {EnumCoreErrorCode.NETWORK_ERROR}" for name in away]
    assert [(issue.message, issue.category) for issue in report.issues] == [(text, "connectivity") for text in told]


def test_a_node_that_does_not_serve_is_degraded() -> None:
    report = degraded("It starts.")
    assert (report.status, report.health_score) == ("degraded", 0.5)
    assert [(issue.message, issue.severity) for issue in report.issues] == [("It starts.", "critical")]


def test_a_node_that_talks_to_nobody_is_well() -> None:
    report = healthy()
    assert (report.status, report.health_score, report.issues) == ("healthy", 1.0, [])


def test_a_start_without_some_adapters_is_a_warning_for_each(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="omnibase")
    node_id = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")
    warn_of(
        {
            "postgres": ModelOnexError(message="It is away.", error_code=EnumCoreErrorCode.NETWORK_ERROR),
            "http": ModelOnexError(
                message="It is away.", error_code=EnumCoreErrorCode.NETWORK_ERROR, reason="the driver says so"
            ),
        },
        node_id,
    )
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    lines = [json.loads(message) for message in caplog.messages]
    assert [(line["message"], line["context"]) for line in lines] == [
        ("started_degraded", {"node_id": str(node_id), "adapter": "postgres", "error": "It is away."}),
        ("started_degraded", {"node_id": str(node_id), "adapter": "http", "error": "the driver says so"}),
    ]
