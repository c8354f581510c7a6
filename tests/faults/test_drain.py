"""A process that is told to end: it leaves Consul, answers what is under way, refuses what is new, and ends in time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import httpx
import pytest

from examples.rendering import CONTRACTS, read_contract
from tests.faults.harness import OK, UNAVAILABLE, Figures, Process, Projects, running, starter, until

pytestmark = pytest.mark.slow
CONTRACT = read_contract(CONTRACTS / "llm_completion.yaml") | {
    "features": ["retry", "circuit_breaker", "service_discovery"]
}


@dataclass
class Held:
    """An answer of the API that comes once it is released; the server asks for each attribute."""

    status: int = OK
    body: object = field(
        default_factory=lambda: {
            "choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}],
            "usage": {"total_tokens": 3},
        }
    )
    headers: dict[str, str] = field(default_factory=dict)
    released: Event = field(default_factory=Event)

    @property
    def pause(self) -> float:
        """Seconds until the answer comes."""
        self.released.wait()
        return 0.0


@asynccontextmanager
async def asked(projects: Projects, answer: Held, **environment: str) -> AsyncIterator[tuple[Process, Any, Any]]:
    """Run the node beside Consul, with a request under way in it.

    Yields:
        The process, the agent, and the request.
    """
    project = projects("llm_completion_in_consul", CONTRACT)
    with starter(project, "http_server").local_api() as api, starter(project, "consul_agent").consul_agent() as agent:
        api.answers = [answer]
        settings = {
            "LLM_BASE_URL": api.url,
            "LLM_API_KEY": "swordfish",
            "METRICS_PORT": "0",
            "CONSUL_REGISTER": "true",
            "CONSUL_HTTP_ADDR": agent.url,
            **environment,
        }
        try:
            async with running(project, **settings) as process:

                async def registered() -> bool:
                    return bool(agent.services)

                async def arrived() -> bool:
                    return bool(api.asked)

                await until(registered)
                request = asyncio.create_task(process.call("complete", {"prompt": "Is it?"}, Figures("drain")))
                await until(arrived)
                yield process, agent, request
        finally:
            answer.released.set()


async def test_request_under_way_is_answered(projects: Projects) -> None:
    answer = Held()
    async with asked(projects, answer, SERVICE_DRAIN_SECONDS="30") as (process, agent, request):

        async def refused() -> bool:
            # A connection that is kept may end in the middle of a request.
            with suppress(httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
                try:
                    await process.client.get("/health")
                except httpx.ConnectError:
                    return True
            return False

        process.terminate()
        await until(refused)
        # Nobody is sent here any more before anybody is refused.
        assert agent.services == {}
        assert not request.done()
        answer.released.set()
        assert await request == OK
        assert await process.ended() == 0


async def test_request_that_takes_too_long_does_not_keep_the_process(projects: Projects) -> None:
    async with asked(projects, Held(), SERVICE_DRAIN_SECONDS="1") as (process, agent, request):
        process.terminate()
        assert await process.ended() == 0
        assert await request == UNAVAILABLE
        assert agent.services == {}
