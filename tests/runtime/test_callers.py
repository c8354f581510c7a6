"""Callers of the service: known by their credentials, allowed by their scopes, refused as problem documents."""

import hashlib
import json
import logging
from typing import Any

import httpx
import pytest
from onex_node_runtime.callers import known
from onex_node_runtime.callers.api_keys import ApiKeyScheme
from onex_node_runtime.callers.known import IDENTITY, Callers
from onex_node_runtime.correlation import CALLER
from onex_node_runtime.serving.application import application, metrics_route
from onex_node_runtime.settings.api_keys import ApiKeySettings
from pydantic import ValidationError
from starlette.applications import Starlette

from tests.runtime.serving import served

PATH = "/operations/echo"
OLD, NEW, WEAK = "old-key", "new-key", "weak-key"


def entry(name: str, key: str, *scopes: str) -> dict[str, Any]:
    return {"name": name, "sha256": hashlib.sha256(key.encode()).hexdigest(), "scopes": list(scopes)}


KEYS = json.dumps([entry("shop", OLD, "echo:run", "m"), entry("shop", NEW, "echo:run", "m"), entry("guest", WEAK)])


def callers(**values: Any) -> Callers:
    scheme = ApiKeyScheme(ApiKeySettings.model_validate({"service_api_keys": KEYS}), header="X-API-Key")
    return Callers(scheme, realm="node_stub", **{"scopes": {"echo": ("echo:run",)}, **values})


async def tell(_name: str, payload: dict[str, Any]) -> dict[str, Any]:
    found = IDENTITY.get()
    return {"caller": CALLER.get(), "scopes": sorted(found.scopes) if found else [], **payload}


def client_of(who: Callers, **values: Any) -> httpx.AsyncClient:
    app = application(served(tell, callers=who, **values))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


@pytest.mark.parametrize("key", [OLD, NEW])
@pytest.mark.parametrize("way", ["{}", "ApiKey {}", "apikey  {}"])
async def test_known_callers_are_known_to_the_operation(key: str, way: str) -> None:
    name = "X-API-Key" if way == "{}" else "Authorization"
    async with client_of(callers()) as client:
        answer = await client.post(PATH, json={"a": 1}, headers={name: way.format(key)})
    assert (answer.status_code, answer.json()) == (
        200,
        {"caller": "api_key:shop", "scopes": ["echo:run", "m"], "a": 1},
    )


@pytest.mark.parametrize(
    ("headers", "status", "error"),
    [
        ([], 401, ""),
        ([("Authorization", f"Basic {OLD}")], 401, ""),
        ([("X-API-Key", "")], 401, "invalid_token"),
        ([("X-API-Key", OLD[:-1])], 401, "invalid_token"),
        ([("X-API-Key", f"{OLD}\xe9")], 401, "invalid_token"),
        ([("X-API-Key", hashlib.sha256(OLD.encode()).hexdigest())], 401, "invalid_token"),
        ([("X-API-Key", OLD), ("X-API-Key", OLD)], 401, ""),
        ([("X-API-Key", OLD), ("Authorization", f"ApiKey {OLD}")], 401, ""),
        ([("X-API-Key", WEAK)], 403, "insufficient_scope"),
    ],
)
async def test_others_are_refused_before_their_body_is_read(
    headers: list[tuple[str, str]], status: int, error: str
) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    async with client_of(callers()) as client:
        answer = await client.post(PATH, content=b"no json", headers=raw)
        unknown = await client.post("/operations/none", headers=raw)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.headers["www-authenticate"].startswith('ApiKey realm="node_stub"')
    assert (f'error="{error}"' in answer.headers["www-authenticate"]) is bool(error)
    assert answer.json()["code"].endswith("AUTHENTICATION_ERROR" if status == 401 else "PERMISSION_DENIED")
    assert answer.json()["correlation_id"]
    # Who is unknown learns nothing of which operations there are.
    assert unknown.status_code == (401 if status == 401 else 404)


async def test_health_is_open() -> None:
    async with client_of(callers()) as client:
        assert [(await client.get(path)).status_code for path in ("/health", "/ready")] == [200, 200]


@pytest.mark.parametrize(
    ("needed", "key", "status"),
    [(None, "", 200), ((), "", 401), ((), WEAK, 200), (("m",), WEAK, 403), (("m",), OLD, 200)],
)
async def test_metrics_are_as_open_as_is_said(needed: tuple[str, ...] | None, key: str, status: int) -> None:
    app = Starlette(routes=[metrics_route(lambda: (b"figures", "text/plain"), callers(metrics=needed))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        answer = await client.get("/metrics", headers={"X-API-Key": key} if key else {})
    assert answer.status_code == status
    assert ("figures" in answer.text) is (status == 200)


async def test_refusals_are_logged_without_credentials_and_now_and_then(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, logger="omnibase")
    now = [10.0]
    monkeypatch.setattr("onex_node_runtime.callers.known.time.monotonic", lambda: now[0])
    async with client_of(callers()) as client:
        for _ in range(5):
            await client.post(PATH, headers={"X-API-Key": "guess-word"})
        now[0] += known.LOG_PAUSE_SECONDS
        await client.post(PATH, headers={"X-API-Key": WEAK})
    lines = [record.getMessage() for record in caplog.records if "caller_refused" in record.getMessage()]
    assert len(lines) == 2
    assert "unknown_api_key" in lines[0]
    assert "api_key:guest" in lines[1]
    assert "'4'" in lines[1].replace('"', "'")
    assert not any(word in caplog.text for word in ("guess-word", WEAK))


@pytest.mark.parametrize(
    ("host", "level"), [("127.0.0.1", "INFO"), ("::1", "INFO"), ("0.0.0.0", "WARNING"), ("10.1.2.3", "WARNING")]
)
async def test_a_service_that_asks_nobody_says_so(host: str, level: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="omnibase")
    for who, said in ((None, 1), (callers(), 0)):
        caplog.clear()
        app = application(served(service_host=host, callers=who))
        async with app.router.lifespan_context(app):
            pass
        told = [record for record in caplog.records if "callers_unknown" in record.getMessage()]
        assert [record.levelname for record in told] == [level] * said
        assert all("anyone who reaches the port" in record.getMessage() for record in told)


@pytest.mark.parametrize(
    "text",
    [
        "hidden-word",
        '{"name": "hidden-word"}',
        '[{"name": "a", "sha256": "hidden-word"}]',
        '[{"name": "a", "sha256": "' + "A" * 64 + '", "hidden-word": 1}]',
        '[{"name": "hidden word", "sha256": "' + "a" * 64 + '"}]',
        "[1]",
    ],
)
def test_keys_that_can_not_be_read_are_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ValidationError, match="JSON list such as") as caught:
        ApiKeySettings.model_validate({"service_api_keys": text})
    assert "hidden" not in str(caught.value)


def test_hashes_are_in_no_text() -> None:
    settings = ApiKeySettings.model_validate({"service_api_keys": KEYS})
    assert len(settings.api_keys) == 3
    digest = settings.api_keys[0].sha256
    assert not any(digest in text for text in (repr(settings), settings.model_dump_json(), repr(settings.api_keys)))
    assert ApiKeySettings().api_keys == ApiKeySettings.model_validate({"service_api_keys": ""}).api_keys == ()
