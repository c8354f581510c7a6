"""Base class, mixins, integrations and variant, over all combinations of node types, features and integrations."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from extensions.deciding.decisions import INTEGRATIONS, decide_base_class, decide_integrations, decide_variant
from extensions.judging.judge import judge, read
from extensions.language.contract import Contract
from extensions.language.mixins import DEFAULT_MIXINS, NODE_TYPES
from extensions.language.variants import PARTS, parts_of

CUSTOM = {"name": "greet", "handler": "custom"}
SQL = {"name": "drop", "output": {"ok": "boolean"}, "database": {"query": "DELETE FROM t"}}
BARE: dict[str, Any] = {"name": "greet", "package": "acme", "node_type": "effect", "operations": [CUSTOM]}
FEATURES = (
    *("retry", "circuit_breaker", "service_discovery", "fail_fast", "cli", "state_machine", "canonical_yaml"),
    *("hybrid_execution", "persistence", "http_client", "event_driven", "caching", "redis", "rate_limiting"),
    *("dead_letter_queue", "service_mode", "no_service_mode", "custom_mixins"),
)
ASKED_BY = {"persistence": "postgres", "http_client": "http", "event_driven": "kafka", "redis": "redis"}
PART_OF = {"postgres": "database", "http": "api", "kafka": "kafka"}
DEPENDENCIES = {"postgres": "postgres", "http": "http", "kafka": "kafka", "redis": "redis", "files": "filesystem"}


def contract(**keys: object) -> Contract:
    return read(BARE | keys)


def subsets(items: tuple[str, ...], largest: int) -> list[tuple[str, ...]]:
    return [chosen for size in range(largest + 1) for chosen in itertools.combinations(items, size)]


@pytest.mark.parametrize("node_type", NODE_TYPES)
def test_every_combination(node_type: str) -> None:
    bare = replace(contract(), node_type=node_type)
    for integrations in subsets(tuple(INTEGRATIONS), len(INTEGRATIONS)):
        dependent = replace(bare, dependencies={DEPENDENCIES[key]: "*" for key in integrations})
        for features in subsets(FEATURES, 2):
            if {"service_mode", "no_service_mode"} <= set(features):
                continue
            tried = replace(dependent, features=features)

            talks_to = {*integrations, *(ASKED_BY[word] for word in features if word in ASKED_BY)}
            assert set(decide_integrations(tried)) == talks_to

            parts = [part for key, part in PART_OF.items() if key in talks_to]
            parts += ["workflow"] if "hybrid_execution" in features else []
            variant = decide_variant(tried)
            assert variant.choice == "_".join([node_type, *parts])
            assert variant.reasons

            base = decide_base_class(tried)
            prefix = "ModelService" if "service_mode" in features else "Node"
            assert base.name == f"{prefix}{node_type.capitalize()}"
            expected = () if {"service_mode", "custom_mixins"} & set(features) else DEFAULT_MIXINS
            assert base.mixins == (*expected, *(["MixinFailFast"] if "fail_fast" in features else []))


@pytest.mark.parametrize(
    ("domain", "variant"),
    [
        ("", "effect"),
        ("ML inference", "effect_ml"),
        ("html", "effect"),
        ("remodelling", "effect"),
        ("model serving", "effect_ml"),
        ("analytics aggregation", "effect_analytics"),
        ("workflow orchestration", "effect_workflow"),
        ("sales analytics over a database with kafka", "effect_database_kafka_analytics"),
        ("capital", "effect"),
        ("rapid api", "effect_api"),
    ],
)
def test_domain(domain: str, variant: str) -> None:
    assert decide_variant(contract(domain=domain)).choice == variant


@pytest.mark.parametrize("parts", subsets(PARTS, len(PARTS)), ids="-".join)
def test_every_variant_can_be_asked_for(parts: tuple[str, ...]) -> None:
    name = "_".join(("effect", *parts))
    # What an API's address is has to be said where the API is asked for.
    address = {"integrations": {"api_client": {"base_url": "https://a.example"}}} if "api" in parts else {}
    asked = contract(template_variant=name, dependencies={"postgres": "*", "kafka": "*"}, **address)

    assert decide_variant(asked).choice == name
    assert set(decide_integrations(asked)) == {key for key, part in PART_OF.items() if part in parts}
    assert parts_of("_".join(parts) or "effect", "effect") == parts


def test_order_of_parts_is_free() -> None:
    assert decide_variant(contract(template_variant="kafka_database")).choice == "effect_database_kafka"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"template_variant": "databas"}, "did you mean 'database'?"),
        ({"template_variant": "compute_ml"}, "effect, or parts"),
        ({"template_variant": "kafka_kafka"}, "effect, or parts"),
        ({"template_variant": "kafka", "operations": [SQL]}, "operations[0].database needs"),
        ({"template_variant": "ml", "integrations": {"kafka": {}}}, "integrations.kafka needs"),
        ({"template_variant": "database", "integrations": {"database": False}}, "integrations.database is false"),
    ],
)
def test_variant_that_cannot_be(keys: dict[str, Any], expected: str) -> None:
    problems = judge(BARE | keys)

    assert {problem.place for problem in problems} == {"template_variant"}
    assert expected in "\n".join(map(str, problems))
