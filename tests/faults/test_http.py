"""The API that a node calls goes away under load and comes back."""

import pytest

from tests.faults.harness import UNAVAILABLE, Figures, Projects, Scale, outage, running, start_without, starter

pytestmark = pytest.mark.slow
ANSWER = {"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}], "usage": {"total_tokens": 3}}


async def run(projects: Projects, scale: Scale) -> Figures:
    """Stop and start the API under load, then start a node without it."""
    project = projects("llm_completion")
    figures = Figures("HTTP API refuses connections")
    module = starter(project, "http_server")
    with module.local_api() as api:
        api.answers = [module.Answer(body=ANSWER)]
        settings = {
            "LLM_BASE_URL": api.url,
            "LLM_API_KEY": "swordfish",
            "RETRY_INITIAL_DELAY_SECONDS": "0.01",
            "RETRY_MAX_DELAY_SECONDS": "0.02",
            "CIRCUIT_BREAKER_RECOVERY_SECONDS": "0.3",
        }
        async with running(project, **settings) as process:

            async def call() -> int:
                return await process.call("complete", {"prompt": "Is it?"}, figures)

            await outage(process, scale, call, (api.stop, api.start))
            await process.stop()
            api.stop()
            await process.start()
            without, _ = await start_without(process, call, api.start)
            figures.facts["start without it"] = without
            assert "swordfish" not in process.log.read_text(encoding="utf-8")
    return figures


async def test_api_away(projects: Projects) -> None:
    figures = await run(projects, Scale())
    assert figures.statuses() <= {"200", "503", "504"}, figures
    assert figures.facts["start without it"] == UNAVAILABLE
    assert figures.leaks == set()
