"""Tests of the generated relay, which run in its project: values of every type go out and come back as they were."""

# mypy: ignore-errors

import asyncio
import json
from base64 import urlsafe_b64encode
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from acme.relays.nodes.node_relay_effect.consumed import consumer
from acme.relays.nodes.node_relay_effect.handler import HandlerRelayEffect
from acme.relays.nodes.node_relay_effect.models.model_relay_request import ModelRelayRequest
from acme.relays.nodes.node_relay_effect.models.model_tell_input import ModelTellInput
from acme.relays.nodes.node_relay_effect.models.model_whole import ModelWhole
from acme.relays.nodes.node_relay_effect.runtime.adapters.adapter_kafka import KafkaMessage
from acme.relays.nodes.node_relay_effect.runtime.json_values import json_values
from acme.relays.nodes.node_relay_effect.settings import ModelRelaySettings
from aiokafka import AIOKafkaProducer
from hypothesis import given, settings
from hypothesis import strategies as st
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from tests.http_server import Answer, local_api
from tests.kafka_server import embedded_kafka
from tests.redis_server import embedded_redis

MANY = settings(max_examples=60, deadline=None, derandomize=True, database=None)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
PART = st.fixed_dictionaries({"sku": TEXT, "data": st.binary(max_size=16), "note": st.none() | TEXT})
WHOLE = st.fixed_dictionaries(
    {
        "text": TEXT,
        "whole": st.integers(-(2**63), 2**63 - 1),
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "truth": st.booleans(),
        "identity": st.uuids(),
        "moment": st.datetimes(timezones=st.timezones()),
        "day": st.dates(),
        "span": st.timedeltas(),
        "amount": st.decimals(allow_nan=False, allow_infinity=False),
        "data": st.binary(max_size=16),
        "extra": st.dictionaries(TEXT, JSON, max_size=3),
        "colour": st.sampled_from(["RED", "GREEN"]),
        "part": PART,
        "parts": st.lists(PART, max_size=2),
        "chunks": st.lists(st.binary(max_size=16), max_size=3),
        "note": st.none() | TEXT,
    }
)


def plain(value):
    return ModelWhole.model_validate(value).model_dump(mode="json")


class Relay:
    """The node's handler on servers of its own."""

    def __init__(self, values):
        self.settings = ModelRelaySettings.model_validate(values)
        self.loop = asyncio.new_event_loop()
        self.handler = HandlerRelayEffect(settings=self.settings)

    def call(self, operation, **payload):
        """Run an operation and return its result."""
        request = ModelRelayRequest(operation=operation, payload=payload)
        return self.loop.run_until_complete(self.handler.handle(request)).result

    def code(self, operation, **payload):
        """Run an operation that fails and return the error's code."""
        with pytest.raises(ModelOnexError) as caught:
            self.call(operation, **payload)
        return caught.value.error_code


@pytest.fixture(scope="module")
def api():
    with local_api() as api:
        yield api


@pytest.fixture(scope="module")
def broker():
    with embedded_kafka() as broker:
        yield broker


@pytest.fixture(scope="module")
def relay(api, broker, tmp_path_factory):
    folder = tmp_path_factory.mktemp("relay")
    with embedded_redis() as redis:
        relay = Relay(
            {
                "http_base_url": api.url,
                "redis_url": redis.url,
                "kafka_bootstrap_servers": broker.servers,
                "files_root": str(folder / "files"),
                "outbox_path": folder / "outbox",
            }
        )
        relay.loop.run_until_complete(relay.handler.initialize())
        yield relay
        relay.loop.run_until_complete(relay.handler.shutdown())


@MANY
@given(WHOLE, st.binary())
def test_http(relay, api, value, data):
    wanted, encoded = plain(value), json_values(data)
    api.answers = [Answer()]
    relay.call("send", value=wanted, data=encoded)
    api.answers = [Answer(body=api.asked[-1].json)]
    assert relay.call("fetch", folder="a", name="b") == {"value": wanted, "data": encoded, "notes": [], "note": None}


@MANY
@given(WHOLE, st.binary())
def test_redis(relay, value, data):
    wanted, encoded = plain(value), json_values(data)
    relay.call("keep", folder="a", name="b", value=wanted, data=encoded)
    assert relay.call("find", folder="a", name="b") == {"value": wanted, "data": encoded, "found": True}


@MANY
@given(WHOLE, st.binary())
def test_files(relay, value, data):
    wanted, encoded = plain(value), json_values(data)
    relay.call("file", folder="a", name="b", value=wanted)
    assert relay.call("unfile", folder="a", name="b") == {"value": wanted}
    relay.call("file_data", name="a/c", data=encoded)
    assert relay.call("unfile_data", name="a/c") == {"data": encoded}


@MANY
@given(WHOLE, st.binary())
def test_kafka(value, data):
    told = {"folder": "a", "name": "b", "value": plain(value), "data": json_values(data)}
    request = ModelTellInput.model_validate(told)
    for payload in (request, {"folder": "a", "name": "b", "value": request.value, "data": request.data}):
        message = KafkaMessage("t", payload).stored()
        assert ModelTellInput.model_validate(json.loads(message.value)) == request


@MANY
@given(WHOLE, st.binary())
def test_steps(value, data):
    request = ModelTellInput.model_validate({"folder": "a", "name": "b", "value": plain(value), "data": data})
    given_on = json_values({"value": request.value, "data": request.data, "folder": "a", "name": "b"})
    assert ModelTellInput.model_validate_json(json.dumps(given_on)) == request


@MANY
@given(st.binary())
def test_both_alphabets_are_read(data):
    part = {"sku": "a", "data": urlsafe_b64encode(data).decode()}
    assert json_values(ModelWhole.model_fields["part"].annotation.model_validate(part))["data"] == json_values(data)


def test_answers_may_say_more_and_callers_may_not(relay, api):
    value = plain(WHOLE_EXAMPLE) | {"added": 1}
    value["part"] |= {"added": 1}
    value["parts"] = [value["part"]]
    api.answers = [Answer(body={"value": value, "data": "", "added": 2})]
    found = relay.call("fetch", folder="a", name="b")["value"]
    assert "added" not in found
    assert "added" not in found["parts"][0]
    path = relay.settings.files_root
    Path(path, "files", "d").mkdir(parents=True)
    Path(path, "files", "d", "e.json").write_text(json.dumps(value), encoding="utf-8")
    assert relay.call("unfile", folder="d", name="e") == {"value": found}
    assert relay.code("send", value=value, data="") is EnumCoreErrorCode.VALIDATION_ERROR
    assert relay.code("send", value=plain(WHOLE_EXAMPLE), data="", added=1) is EnumCoreErrorCode.VALIDATION_ERROR


def test_events_may_say_more(relay, broker):
    value = plain(WHOLE_EXAMPLE)
    event = {"folder": "e", "name": "f", "value": value | {"added": 1}, "data": "", "added": 2}

    async def consume():
        producer = AIOKafkaProducer(bootstrap_servers=broker.servers)
        await producer.start()
        await producer.send_and_wait("onex.evt.acme-relays.told.v1", json.dumps(event).encode())
        await producer.stop()
        metrics = MixinMetrics()
        taking = consumer(relay.settings, relay.handler.adapters.kafka, relay.handler.handle, metrics)
        taking.start()
        async with asyncio.timeout(30):
            while "event_handled" not in metrics.get_metrics() and "event_given_up" not in metrics.get_metrics():
                await asyncio.sleep(0.02)
        await taking.stop()

    relay.loop.run_until_complete(consume())
    assert relay.call("find", folder="e", name="f") == {"value": value, "data": "", "found": True}
    # A caller's stays a mistake, in the same process.
    assert relay.code("keep", **event) is EnumCoreErrorCode.VALIDATION_ERROR


@pytest.mark.parametrize("status", [200, 204])
def test_no_body_means_no_value(relay, api, status):
    api.answers = [Answer(status, b"")]
    assert relay.call("poke") == {"note": None, "notes": None}
    assert relay.code("fetch", folder="a", name="b") is EnumCoreErrorCode.CONTRACT_VIOLATION


def test_what_is_not_given_is_left_out(relay, api):
    api.answers = [Answer()]
    relay.call("change", part={"sku": "a", "data": ""})
    assert api.asked[-1].json == {"part": {"sku": "a", "data": ""}, "inner": {}}
    relay.call("change", note="", part={"sku": "a", "data": "", "note": "b"}, extra={"c": None})
    inner = {"note": "", "extra": {"c": None}}
    assert api.asked[-1].json == {"note": "", "part": {"sku": "a", "data": "", "note": "b"}, "inner": inner}


def test_value_in_a_form_starts_no_other_field(relay, api):
    api.answers = [Answer()]
    text = "a=b&note=c%20+ä"
    relay.call("post_form", text=text)
    assert parse_qs(api.asked[-1].body.decode(), keep_blank_values=True) == {"text": [text], "note": [""]}


def test_value_of_another_kind(relay):
    relay.call("keep", folder="k", name="l", value=plain(WHOLE_EXAMPLE), data="")
    assert relay.code("count", folder="k", name="l") is EnumCoreErrorCode.CONTRACT_VIOLATION


@pytest.mark.parametrize(
    ("one", "other"), [(("x:y", "z"), ("x", "y:z")), (("x/y", "z"), ("x", "y/z")), (("x%3Ay", "z"), ("x:y", "z"))]
)
def test_values_of_one_caller_are_not_those_of_another(relay, one, other):
    first = plain(WHOLE_EXAMPLE)
    second = first | {"text": "second"}
    for (folder, name), value in ((one, first), (other, second)):
        relay.call("keep", folder=folder, name=name, value=value, data="")
        relay.call("file", folder=folder, name=name, value=value)
    for (folder, name), value in ((one, first), (other, second)):
        assert relay.call("find", folder=folder, name=name)["value"] == value
        assert relay.call("unfile", folder=folder, name=name)["value"] == value


WHOLE_EXAMPLE = {
    "text": "a",
    "whole": 1,
    "number": 1.5,
    "truth": True,
    "identity": "00000000-0000-0000-0000-000000000000",
    "moment": "2026-01-02T03:04:05Z",
    "day": "2026-01-02",
    "span": "PT1S",
    "amount": "1.50",
    "data": b"\xfb\xff\xfe",
    "extra": {"a": None},
    "colour": "RED",
    "part": {"sku": "a", "data": b""},
    "parts": [],
    "chunks": [b"\xff"],
}
