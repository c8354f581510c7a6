"""The service and Consul's agent: registered, forgotten, away, back, and removed."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from doubles.consul_agent import ConsulAgent, consul_agent
from onex_node_runtime import discovery
from onex_node_runtime.discovery import DiscoveryFacts, registered
from onex_node_runtime.settings.consul import ConsulSettings
from pydantic import SecretStr

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
