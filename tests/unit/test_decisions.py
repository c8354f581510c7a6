"""What is decided from a contract, and why."""

from typing import Any

import pytest

from extensions.deciding.decisions import decide_base_class, decide_database, decide_discovery, not_generated
from extensions.judging.judge import read
from extensions.language.contract import Contract

SQL = {"name": "a", "output": {"ok": "boolean"}, "database": {"query": "DELETE FROM t"}}
CUSTOM = {"name": "a", "output": {"ok": "boolean"}, "handler": "custom"}


def contract(operation: dict[str, Any], **values: object) -> Contract:
    return read({"name": "n", "package": "p", "node_type": "effect", "operations": [operation], **values})


@pytest.mark.parametrize(
    ("values", "bases", "reason"),
    [
        ({}, ("NodeEffect", "MixinHealthCheck", "MixinMetrics"), "the default of effect nodes"),
        ({"features": ["service_mode"]}, ("ModelServiceEffect",), "features: service_mode"),
        (
            {"features": ["custom_mixins"], "mixins": [{"name": "MixinFailFast"}]},
            ("NodeEffect", "MixinFailFast"),
            "features: custom_mixins",
        ),
        (
            {
                "mixins": [
                    {"name": "MixinFailFast"},
                    {"name": "MixinMetrics"},
                    {"name": "MixinCaching", "enabled": False},
                ]
            },
            ("NodeEffect", "MixinHealthCheck", "MixinMetrics", "MixinFailFast"),
            "mixins: MixinFailFast",
        ),
    ],
)
def test_base_class(values: dict[str, Any], bases: tuple[str, ...], reason: str) -> None:
    chosen = decide_base_class(contract(CUSTOM, **values))
    assert (chosen.name, *chosen.mixins) == bases
    assert reason in chosen.decision.reasons


@pytest.mark.parametrize(
    ("operation", "values", "reasons"),
    [
        (SQL, {"integrations": {"database": {}}}, ("operations[0].database",)),
        (CUSTOM, {"integrations": {"database": True}}, ("integrations.database",)),
        (CUSTOM, {"dependencies": {"postgres": ">=14"}}, ("dependencies.postgres",)),
        (CUSTOM, {"features": ["database"]}, ("features: persistence",)),
        (CUSTOM, {"domain": "A Postgres database."}, ("domain: postgres", "domain: database")),
        (CUSTOM, {"domain": "databases and postgresqlite"}, None),
        (CUSTOM, {"domain": "database", "integrations": {"database": False}}, None),
        (CUSTOM, {}, None),
    ],
)
def test_database(operation: dict[str, Any], values: dict[str, Any], reasons: tuple[str, ...] | None) -> None:
    decision = decide_database(contract(operation, **values))
    assert (decision.reasons if decision else None) == reasons


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"integrations": {"consul": {}}, "features": ["discovery"]}, "integrations.consul"),
        ({"dependencies": {"consul": ">=1.18"}}, "dependencies.consul"),
        ({"features": ["discovery"]}, "features: service_discovery"),
        ({"domain": "Consul."}, "domain: consul"),
        ({"domain": "consulting"}, None),
        ({"features": ["discovery"], "integrations": {"consul": False}}, None),
        ({"features": ["discovery"], "service": {"enabled": False}}, None),
    ],
)
def test_discovery(values: dict[str, Any], reason: str | None) -> None:
    decision = decide_discovery(contract(CUSTOM, **values))
    assert (decision.reasons[0] if decision else None) == reason


def test_what_is_not_generated_is_named() -> None:
    asked = contract(
        CUSTOM,
        features=["retry", "caching"],
        dependencies={"postgres": ">=14", "etcd": ">=3"},
        mixins=[{"name": "MixinMetrics", "config": {"percentiles": [95]}}],
    )
    assert not_generated(asked) == (
        "features: caching",
        "dependencies.etcd",
    )
    assert not_generated(contract(CUSTOM)) == ()
    monitored = {"deployment": {"service_monitor": True, "replicas": 2}, "service": {"tags": ["a"]}}
    assert not_generated(contract(CUSTOM, **monitored)) == ()
    unmeasured = contract(CUSTOM, features=["custom_mixins"], **monitored)
    assert not_generated(unmeasured) == ("deployment.service_monitor",)
