"""The service and Consul's agent: registered, forgotten, away, back, and removed."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from doubles.consul_agent import ConsulAgent, consul_agent
from onex_node_runtime import discovery
from onex_node_runtime.discovery import ConsulRegistration, DiscoveryFacts, registered
from onex_node_runtime.settings.consul import ConsulSettings
from pydantic import SecretStr

from tests.runtime.told import lines

TOKEN = "hidden-word"
FACTS = DiscoveryFacts(("locks", "infra"), {"node": "node_lock_effect", "version": "1.0.0"})


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsulAgent]:
    monkeypatch.setattr(discovery, "FIRST_RETRY_SECONDS", 0.02)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with consul_agent(TOKEN) as agent:
        yield agent


def settings(agent: ConsulAgent, **changes: Any) -> ConsulSettings:
    values: dict[str, Any] = {
        "consul_http_addr": agent.url,
        "consul_http_token": SecretStr(TOKEN),
        "consul_refresh_seconds": 0.05,
        "consul_service_name": "lock",
        "service_port": 8123,
    }
    return ConsulSettings(**{**values, **changes})


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_service_is_registered_while_it_runs(agent: ConsulAgent) -> None:
    async with registered(settings(agent, consul_service_address="10.1.2.3", consul_service_port=80), FACTS):
        await until(lambda: agent.services)
        (service,) = agent.services.values()
        assert service["Name"] == "lock"
        assert (service["Address"], service["Port"]) == ("10.1.2.3", 80)
        assert service["Tags"] == list(FACTS.tags)
        assert service["Meta"] == dict(FACTS.meta)
        assert service["Check"]["HTTP"] == "http://10.1.2.3:80/ready"
    assert agent.services == {}


async def test_agent_that_forgot_the_service_is_told_again(agent: ConsulAgent) -> None:
    async with registered(settings(agent), FACTS):
        await until(lambda: agent.services)
        await until(lambda: agent.requests[-1].startswith("GET"))
        agent.stop()
        await asyncio.sleep(0.2)
        agent.start()
        await until(lambda: agent.services)
    assert agent.services == {}


async def test_service_runs_without_an_agent_and_registers_when_there_is_one(agent: ConsulAgent) -> None:
    agent.stop()
    async with registered(settings(agent), FACTS):
        await asyncio.sleep(0.1)
        agent.start()
        await until(lambda: agent.services)


async def test_service_ends_without_an_agent(agent: ConsulAgent) -> None:
    async with registered(settings(agent), FACTS):
        await until(lambda: agent.services)
        agent.stop()


async def test_known_service_is_not_registered_again(agent: ConsulAgent) -> None:
    async with registered(settings(agent), FACTS):
        await until(lambda: sum(request.startswith("GET") for request in agent.requests) >= 5)
    assert agent.requests.count("PUT /v1/agent/service/register") == 1


async def test_entry_of_a_crashed_process_is_replaced(agent: ConsulAgent) -> None:
    for port in (80, 81):
        registration = settings(agent, consul_service_address=f"10.0.0.{port}")
        async with httpx.AsyncClient(trust_env=False) as client:
            await discovery.ConsulRegistration(registration, FACTS, client)._refresh()
    (service,) = agent.services.values()
    assert service["Address"] == "10.0.0.81"


@pytest.mark.parametrize(
    "changes",
    [
        {"consul_http_token": SecretStr("wrong")},
        {"consul_http_token": None},
        {"consul_http_addr": "http://[nonsense"},
        {"consul_http_addr": "nonsense"},
    ],
)
async def test_refusals_are_logged_without_secrets(
    agent: ConsulAgent, changes: dict[str, Any], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async with registered(settings(agent, **changes), FACTS):
        await until(lambda: "consul_unavailable" in caplog.text)
        await asyncio.sleep(0.1)
    assert agent.services == {}
    output = caplog.text + "".join(capfd.readouterr())
    assert output.count("consul_unavailable") == 1
    assert TOKEN not in output
    assert "wrong" not in output


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "box")


PLACES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"ID": "lock-box-8123", "Address": "10.1.2.3", "Port": 8123}, "http://10.1.2.3:8123/ready"),
    (
        {"consul_service_address": "fd00::1", "consul_service_port": 80, "service_tls_cert_file": Path("cert.pem")},
        {"ID": "lock-box-80", "Address": "fd00::1", "Port": 80},
        "https://[fd00::1]:80/ready",
    ),
]


@pytest.mark.usefixtures("box")
@pytest.mark.parametrize(("changes", "place", "url"), PLACES, ids=["plain", "encrypted"])
def test_what_an_agent_is_told(changes: dict[str, Any], place: dict[str, Any], url: str) -> None:
    made = ConsulSettings(
        consul_service_name="lock",
        service_host="10.1.2.3",
        service_port=8123,
        consul_check_interval_seconds=1.5,
        consul_check_timeout_seconds=0.25,
        consul_deregister_after_seconds=90,
        **changes,
    )
    definition = ConsulRegistration(made, FACTS, httpx.AsyncClient()).definition()
    check = {
        "Name": "ready",
        "HTTP": url,
        "Method": "GET",
        "Interval": "1.500s",
        "Timeout": "0.250s",
        "DeregisterCriticalServiceAfter": "90.000s",
    }
    meta = {"node": "node_lock_effect", "version": "1.0.0"}
    assert definition == {"Name": "lock", "Tags": ["locks", "infra"], "Meta": meta, "Check": check} | place
    assert json.loads(json.dumps(definition)) == definition


class Scripted:
    """An agent that gives these answers one after the other, and the last one from then on; None is none at all."""

    def __init__(self, *answers: int | None) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if status is None:
            raise httpx.ConnectError("away")
        return httpx.Response(status)

    def registration(self, **changes: Any) -> ConsulRegistration:
        values: dict[str, Any] = {"consul_http_addr": "http://agent:8500/", "consul_service_name": "lock a/b"}
        made = ConsulSettings(**values, **changes)
        return ConsulRegistration(made, FACTS, httpx.AsyncClient(transport=httpx.MockTransport(self)))


async def kept_until(registration: ConsulRegistration, pauses: int, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let a registration be kept until it has paused so often, and return how long."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == pauses:
            raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(asyncio, "sleep", sleep)
        with pytest.raises(asyncio.CancelledError):
            await registration.keep()
    return slept


ID = "lock a/b-box-8080"
PATH = "http://agent:8500/v1/agent/service"


@pytest.mark.usefixtures("box")
async def test_requests_are_those_of_consul(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = Scripted(200, 404, 200, 200)
    registration = agent.registration(consul_http_token=SecretStr(TOKEN))
    await kept_until(registration, 3, monkeypatch)
    await registration.end()
    register = ("PUT", f"{PATH}/register?replace-existing-checks=true", registration.definition())
    look = ("GET", f"{PATH}/lock%20a%2Fb-box-8080", None)
    leave = ("PUT", f"{PATH}/deregister/lock%20a%2Fb-box-8080", None)
    found = [(ask.method, str(ask.url), json.loads(ask.content) if ask.content else None) for ask in agent.asked]
    assert found == [register, look, register, look, leave]
    assert [ask.headers["X-Consul-Token"] for ask in agent.asked] == [TOKEN] * 5


@pytest.mark.parametrize("token", [None, SecretStr("")])
async def test_without_a_token_none_is_sent(token: SecretStr | None) -> None:
    agent = Scripted(200)
    await agent.registration(consul_http_token=token).end()
    assert "X-Consul-Token" not in agent.asked[0].headers


@pytest.mark.usefixtures("box")
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (None, {"error": "ConnectError"}),
        (403, {"error": "HTTPStatusError", "status": "403"}),
        (500, {"error": "HTTPStatusError", "status": "500"}),
    ],
)
async def test_an_agent_that_is_away_is_told_of_once_and_asked_after_pauses_that_grow(
    status: int | None, error: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="omnibase")
    agent = Scripted(status, status, status, status, status, 200, 200, status)
    registration = agent.registration(consul_refresh_seconds=7)
    slept = await kept_until(registration, 9, monkeypatch)
    for seconds, usual in zip(slept, [1, 2, 4, 7, 7, 7, 7, 1, 2], strict=True):
        assert 0.9 * usual <= seconds <= 1.1 * usual
    assert len(set(slept)) == 9
    away = ("WARNING", "consul_unavailable", {"service_id": ID} | error)
    assert lines(caplog) == [away, ("INFO", "consul_registered", {"service_id": ID, "error": None}), away]


@pytest.mark.usefixtures("box")
@pytest.mark.parametrize(
    ("status", "line"),
    [
        (200, ("INFO", "consul_deregistered", {"error": None})),
        (404, ("INFO", "consul_deregistered", {"error": None})),
        (500, ("WARNING", "consul_deregistration_failed", {"error": "HTTPStatusError", "status": "500"})),
        (None, ("WARNING", "consul_deregistration_failed", {"error": "ConnectError"})),
    ],
)
async def test_how_an_entry_was_removed_is_told(
    status: int | None, line: tuple[str, str, dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="omnibase")
    await Scripted(status).registration().end()
    assert lines(caplog) == [(*line[:2], {"service_id": ID} | line[2])]


@pytest.mark.parametrize("changes", [{"consul_register": False}, {"service_port": 0}])
async def test_nothing_is_sent_where_there_is_nothing_to_say(agent: ConsulAgent, changes: dict[str, Any]) -> None:
    async with registered(settings(agent, **changes), FACTS):
        await asyncio.sleep(0.1)
    assert agent.requests == []


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({"service_host": "0.0.0.0"}, "http://box:8123/ready"),
        ({"service_host": "::"}, "http://box:8123/ready"),
        ({"service_host": "fd00::1"}, "http://[fd00::1]:8123/ready"),
        ({"service_host": "0.0.0.0", "consul_service_address": "pod"}, "http://pod:8123/ready"),
    ],
)
async def test_address_is_one_that_others_reach(
    agent: ConsulAgent, changes: dict[str, Any], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "box")
    async with registered(settings(agent, **changes), FACTS):
        await until(lambda: agent.services)
        (service,) = agent.services.values()
    assert service["Check"]["HTTP"] == url
