"""The document of what a node publishes and consumes says what goes over its topics."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from omnibase_core.models.core.model_envelope_metadata import ModelEnvelopeMetadata
from omnibase_core.models.events.model_event_envelope import ModelEventEnvelope
from onex_node_runtime.failure import ModelFailure

from examples.rendering import ROOT, read_contract
from extensions.judging.judge import read
from extensions.language import samples
from extensions.language.contract import MISSING
from extensions.viewing.asyncapi import ENVELOPE, FAILURE
from extensions.viewing.build import view
from extensions.viewing.node import NodeView

CONTRACTS = sorted((ROOT / "examples").glob("c*/*.yaml"))
SCHEMA = Path(__file__).with_name("asyncapi") / "3.0.0-without-$id.json"
EVENTS: dict[str, Any] = {
    "name": "orders",
    "package": "shop",
    "node_type": "effect",
    "models": {
        "Card": {"fields": {"number": {"type": "string", "secret": True}, "holder": "string"}},
        "Coin": {"fields": {"kind": {"type": "string", "const": "coin"}, "worth": "integer"}},
        "Note": {"fields": {"kind": {"type": "string", "const": "note"}, "serial": "string"}},
        "Money": {"one_of": ["Coin", "Note"], "discriminator": "kind"},
    },
    "integrations": {"kafka": {}},
    "advanced_features": {"dead_letter_queue": {"topic_suffix": ".dead"}},
    "subcontracts": {
        "event_type": {
            "consumed_events": [
                {
                    "event": "onex.evt.bank.money-paid.v1",
                    "operation": "pay",
                    "where": "event.amount > 0",
                    "map": {"amount": "${event.sum.cents}", "source": "bank"},
                }
            ]
        }
    },
    "operations": [
        {
            "name": "pay",
            "handler": "custom",
            "input": {
                "amount": "integer",
                "source": "string",
                "card": {"type": "Card", "required": False},
                "money": {"type": "Money", "description": "What was paid.", "required": False},
            },
            "output": {"paid": "boolean"},
            "publishes": [{"event": "paid"}, {"event": "payment_failed", "on": "failure"}],
        },
        {
            "name": "tell",
            "input": {"id": "uuid", "card": "Card", "count": {"type": "integer", "minimum": 1}},
            "output": {"id": "uuid"},
            "kafka": {
                "topic": "told",
                "key": "${input.id}",
                "headers": {"X-Kind": "order"},
                "payload": {
                    "id": "${input.id}",
                    "holder": "${input.card.holder}",
                    "words": ["order", "no. ${input.id}"],
                    "at": "${now}",
                    "count": "${input.count}",
                    "whole": 7,
                },
            },
        },
    ],
}


@cache
def official() -> Draft7Validator:
    return Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def document(raw: dict[str, Any]) -> tuple[NodeView, dict[str, Any]]:
    node = view(read(raw))
    found: dict[str, Any] = json.loads(node.asyncapi)
    return node, found


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (target for key, target in value.items() if key == "$ref" and isinstance(target, str))
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def target(found: dict[str, Any], reference: str) -> dict[str, Any]:
    place = found
    for name in reference.removeprefix("#/").split("/"):
        place = place[name]
    return place


def judge(found: dict[str, Any], message: str, part: str = "payload") -> Draft7Validator:
    schema = found["components"]["messages"][message][part]
    return Draft7Validator(
        {**schema, "components": found["components"]}, format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def envelope(payload: object) -> dict[str, Any]:
    made = ModelEventEnvelope[Any](
        payload=payload, correlation_id=uuid4(), source_tool="n", metadata=ModelEnvelopeMetadata(tags={"a": "b"})
    )
    told: dict[str, Any] = json.loads(made.model_dump_json())
    return told


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)
def test_documents_are_valid_and_whole(path: Path) -> None:
    node, found = document(read_contract(path))
    assert [error.message for error in official().iter_errors(found)] == []
    for reference in references(found):
        target(found, reference)
    for operation in found["operations"].values():
        channel = operation["channel"]["$ref"]
        assert {message["$ref"].removeprefix(f"{channel}/messages/") for message in operation["messages"]} <= set(
            target(found, channel)["messages"]
        )
    addresses = {channel["address"] for channel in found["channels"].values()}
    letters = node.kafka.dead_letters.topic_suffix if node.kafka and node.kafka.dead_letters else ""
    spoken = {node.command_topic, node.completed_topic, *node.published_topics, *node.consumed_topics}
    spoken |= {f"{topic}{letters}" for topic in node.consumed_topics if letters}
    spoken |= {topic for peer in node.peers for topic in (peer.command_topic, peer.completed_topic)}
    spoken |= {node.step_topic} if node.workflows else set()
    assert addresses == spoken


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)
def test_requests_and_events_fit(path: Path) -> None:
    node, found = document(read_contract(path))
    for operation in node.contract.operations:
        sample = samples.sample(node.contract, operation)
        if sample is None:
            continue
        given = samples.outside(node.contract, operation.input, sample)
        asked = {"operation": operation.name, "payload": given, "correlation_id": str(uuid4())}
        judge(found, "request").validate(envelope(asked))
        assert not judge(found, "request").is_valid(envelope(asked | {"operation": "none"}))
        assert judge(found, "request").is_valid(envelope({"operation": operation.name})) is not any(
            field.required and field.default is MISSING for field in operation.input
        )
        for event in node.contract.consumed_events:
            if event.operation == operation.name and not event.map:
                judge(found, f"{operation.name}.event").validate(given | {"more": 1})
                judge(found, f"{operation.name}.event").validate(envelope(given))


def test_the_envelope_is_that_of_onex() -> None:
    known = ModelEventEnvelope[Any].model_json_schema(mode="serialization")["properties"]
    assert ENVELOPE["properties"].keys() <= known.keys()
    Draft7Validator(ENVELOPE).validate(envelope({}))
    told = ModelFailure(code="a", message="b", outcome_unknown=True, safe_to_repeat=False).model_dump(mode="json")
    Draft7Validator(FAILURE).validate(told)
    assert set(FAILURE["required"]) == set(told)


def test_events_have_what_was_asked_and_what_came_of_it_but_no_secrets() -> None:
    _, found = document(EVENTS)
    asked = {"amount": 3, "source": "bank", "card": {"holder": "Ada"}, "money": {"kind": "coin", "worth": 3}}
    succeeded, failed = judge(found, "pay.succeeded"), judge(found, "pay.failed")
    good = {"input": asked, "output": {"paid": True}}
    wrong = {"code": "A", "message": "b", "outcome_unknown": False, "safe_to_repeat": True}
    succeeded.validate(envelope(good))
    failed.validate(envelope({"input": asked, "error": wrong}))
    assert not succeeded.is_valid(good)
    assert not succeeded.is_valid(envelope({"input": asked}))
    assert not succeeded.is_valid(envelope({**good, "input": {**asked, "card": {"holder": "Ada", "number": "1"}}}))
    assert not succeeded.is_valid(envelope({**good, "input": {**asked, "money": {"kind": "coin", "serial": "3"}}}))
    request = {"operation": "pay", "payload": {**asked, "card": {"holder": "Ada", "number": "1"}}}
    judge(found, "request").validate(envelope(request))


def test_consumed_events_are_told_as_they_are_mapped() -> None:
    _, found = document(EVENTS)
    event = judge(found, "pay.event")
    good = {"sum": {"cents": 3, "currency": "EUR"}, "card": {"number": "1", "holder": "Ada", "issuer": "b"}}
    event.validate(good)
    event.validate(envelope(good))
    assert not event.is_valid({"amount": 3})
    assert not event.is_valid({"sum": {"cents": "three"}})
    assert "event.amount > 0" in found["components"]["messages"]["pay.event"]["summary"]


def test_messages_are_told_as_they_are_put_together() -> None:
    _, found = document(EVENTS)
    message, identity = judge(found, "tell.message"), str(uuid4())
    good = {
        "id": identity,
        "holder": "Ada",
        "words": ["order", f"no. {identity}"],
        "at": "2026-01-01T00:00:00Z",
        "count": 1,
        "whole": 7,
    }
    message.validate(good)
    for name, value in {"id": "x", "words": ["order"], "count": 0, "whole": 8, "holder": 1}.items():
        assert not message.is_valid({**good, name: value}), name
    assert "X-Kind" in found["components"]["messages"]["tell.message"]["headers"]["properties"]


def test_dead_letters_say_where_they_come_from() -> None:
    _, found = document(EVENTS)
    channel = found["channels"]["onex.evt.bank.money-paid.v1.dead"]
    assert channel["servers"] == [{"$ref": "#/servers/kafka"}]
    headers = found["components"]["messages"]["dead_letter"]["headers"]
    source = (ROOT / "runtime/onex_node_runtime/consumer.py").read_text(encoding="utf-8")
    assert [name for name in headers["properties"] if f'"{name}"' not in source] == []


@pytest.mark.parametrize(
    ("service", "documents"),
    [
        ({}, ("openapi.json", "asyncapi.json")),
        ({"asyncapi": False}, ("openapi.json",)),
        ({"openapi": False}, ("asyncapi.json",)),
        ({"openapi": False, "asyncapi": False}, ()),
    ],
)
def test_documents_can_be_left_out(service: dict[str, bool], documents: tuple[str, ...]) -> None:
    node = view(read({**EVENTS, "service": service}))
    assert node.documents == documents
    assert (f"/{node.folder}/asyncapi.json" in node.left_out) is ("asyncapi.json" not in documents)
    assert ("serving/documents" in node.runtime_modules) is bool(documents)
