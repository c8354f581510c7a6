"""A service takes keys of requests for the operations that keep answers, and says which answer was kept."""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from onex_node_runtime.callers.api_keys import ApiKeyScheme
from onex_node_runtime.callers.known import Callers
from onex_node_runtime.idempotency.keyed import KEYED, KeyedRequest
from onex_node_runtime.operation import Event, Operation
from onex_node_runtime.settings.api_keys import ApiKeySettings
from onex_node_runtime.surroundings import Surroundings
from pydantic import BaseModel

from tests.runtime.serving import served, serving

KEYS = json.dumps(
    [{"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest(), "scopes": []} for name in ("ann", "bob")]
)


async def told(_name: str, payload: dict[str, Any]) -> dict[str, Any]:
    keyed = KEYED.get()
    if keyed is None:
        return payload | {"key": None}
    keyed.replayed = payload.get("replayed", False)
    return payload | {"key": keyed.key, "caller": keyed.caller}


async def answers(*requests: dict[str, Any], **values: Any) -> list[httpx.Response]:
    async with serving(served(told, **values)) as port, httpx.AsyncClient(trust_env=False) as client:
        url = f"http://127.0.0.1:{port}/operations/echo"
        return [await client.post(url, **({"json": {}} | request)) for request in requests]


def key(*texts: str) -> dict[str, Any]:
    return {"headers": [("Idempotency-Key", text) for text in texts]}


async def test_a_key_is_that_of_the_request() -> None:
    found = await answers(key('"a b"'), key("c"), {}, keyed=["echo"])
    assert [answer.json()["key"] for answer in found] == ["a b", "c", None]
    assert all("Idempotency-Replayed" not in answer.headers for answer in found)


async def test_an_answer_that_was_kept_says_so() -> None:
    kept, new = await answers(key("a") | {"json": {"replayed": True}}, key("a"), keyed=["echo"])
    assert kept.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in new.headers


@pytest.mark.parametrize("texts", [("",), ("a b",), ("a", "b"), ("x" * 256,)])
async def test_what_is_no_key_is_a_mistake(texts: tuple[str, ...]) -> None:
    (answer,) = await answers(key(*texts), keyed=["echo"])
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "Idempotency-Key" in answer.json()["detail"]


async def test_an_operation_that_keeps_no_answers_takes_no_key() -> None:
    (answer,) = await answers(key("a b"))
    assert answer.json()["key"] is None


async def test_keys_are_those_of_a_caller() -> None:
    scheme = ApiKeyScheme(ApiKeySettings.model_validate({"service_api_keys": KEYS}), header="X-API-Key")
    asked = [{"headers": {"X-API-Key": name, "Idempotency-Key": "a"}} for name in ("ann", "bob")]
    found = await answers(*asked, keyed=["echo"], callers=Callers(scheme, realm="shop"))
    assert [answer.json()["caller"] for answer in found] == ["api_key:ann", "api_key:bob"]


class Pair(BaseModel):
    """An input, and an output."""

    n: int = 1


class Bus:
    """Counts what is published, or is away."""

    def __init__(self) -> None:
        self.published = 0
        self.away = False

    async def publish_envelope(self, _envelope: object, _topic: str) -> None:
        if self.away:
            raise ConnectionError
        self.published += 1


async def pong(request: Pair) -> Pair:
    return request


async def run(keyed: KeyedRequest, bus: Bus) -> Pair:
    """Run an operation with two events for a request with a key."""
    event: Event[Pair, Pair] = Event(topic="t", build=lambda request, _: request)
    operation = Operation(name="op", input_model=Pair, handle=pong, timeout_seconds=5, events=(event, event))
    around = Surroundings(node="n", node_id=uuid4(), metrics=MixinMetrics(), redact=str, event_bus=bus)
    KEYED.set(keyed)
    return await asyncio.create_task(operation.invoke({}, uuid4(), around))


@pytest.fixture(autouse=True)
def _no_key() -> Iterator[None]:
    yield
    KEYED.set(None)


@pytest.mark.parametrize(("announced", "away"), [(False, False), (True, False), (False, True)])
async def test_events_of_an_answer_that_was_kept_are_published_once(*, announced: bool, away: bool) -> None:
    bus = Bus()
    noted: list[bool] = []
    bus.away = away

    async def note() -> None:
        noted.append(True)

    await run(KeyedRequest("a", replayed=True, announced=announced, note_announced=note), bus)
    assert bus.published == (0 if announced or away else 2)
    assert noted == ([] if announced or away else [True])


async def test_noting_that_events_were_published_is_waited_for_no_longer_than_events() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    assert await run(KeyedRequest("a", note_announced=never), Bus()) == Pair()
