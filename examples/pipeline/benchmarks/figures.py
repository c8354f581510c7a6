"""How long the pipeline's nodes take, beside what they may take: `make bench`. The best of some runs counts."""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from omninode_codegen.nodes.node_codegen_code_injector_effect.handlers.custom.handler_inject_code import (
    HandlerInjectCode,
)
from omninode_codegen.nodes.node_codegen_code_injector_effect.models.model_inject_code_input import (
    ModelInjectCodeInput,
)
from omninode_codegen.nodes.node_codegen_code_validator_effect.handlers.custom.handler_validate_code import (
    HandlerValidateCode,
)
from omninode_codegen.nodes.node_codegen_code_validator_effect.models.model_validate_code_input import (
    ModelValidateCodeInput,
)
from omninode_codegen.nodes.node_codegen_metrics_reducer.handlers.handler_aggregate import HandlerAggregate
from omninode_codegen.nodes.node_codegen_metrics_reducer.models.model_aggregate_input import ModelAggregateInput
from omninode_codegen.nodes.node_codegen_stub_extractor_effect.handlers.custom.handler_extract_stubs import (
    HandlerExtractStubs,
)
from omninode_codegen.nodes.node_codegen_stub_extractor_effect.models.model_extract_stubs_input import (
    ModelExtractStubsInput,
)
from tests.nodes.node_codegen_pipeline_orchestrator.servers import postgres_url
from tests.pipeline.test_workflow import Pipeline, entry_points, request_for
from tests.pipeline.writer import writing

RUNS = 5
TYPICAL, MANY, EVENTS = 10, 100, 10_000
MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)
BODY = "total = 0\nfor row in rows:\n    total += row\nreturn total"


def file_of(methods: int) -> str:
    """Return a file with so many methods that are to be written, and as many that are written."""
    parts = [
        f"    async def method_{number}(self, rows: list[int], *, limit: int | None = None) -> int:\n"
        f'        """Do {number}."""\n        # IMPLEMENTATION REQUIRED\n        raise NotImplementedError\n\n'
        f"    def other_{number}(self, rows: list[int]) -> int:\n        return sum(row for row in rows if row)\n\n"
        for number in range(methods)
    ]
    return '"""A node."""\n\n\nclass Node:\n    """A node."""\n\n' + "".join(parts)


async def best(call: Callable[[], Awaitable[object]]) -> float:
    """Return the seconds of the fastest run."""
    fastest = float("inf")
    for _ in range(RUNS):
        began = time.perf_counter()
        await call()
        fastest = min(fastest, time.perf_counter() - began)
    return fastest


async def extraction(methods: int) -> float:
    """Return the seconds that it takes to find so many stubs."""
    request = ModelExtractStubsInput(node_file_content=file_of(methods))
    return await best(lambda: HandlerExtractStubs().handle(request))


async def validation() -> float:
    """Return the seconds that it takes to judge a whole file."""
    request = ModelValidateCodeInput(code=file_of(TYPICAL))
    return await best(lambda: HandlerValidateCode().handle(request))


async def injection() -> float:
    """Return the seconds that it takes to put bodies into a file."""
    bodies = [{"method_name": f"method_{number}", "body": BODY} for number in range(TYPICAL)]
    values = {"original_content": file_of(TYPICAL), "implementations": bodies}
    request = ModelInjectCodeInput.model_validate(values)
    return await best(lambda: HandlerInjectCode().handle(request))


async def reduction() -> float:
    """Return how many events are reduced in a second, their validation included."""
    events = [
        {
            "event_id": str(UUID(int=number)),
            "node_kind": f"{number % 5}",
            "succeeded": number % 10 > 0,
            "duration_ms": number % 1000,
            "tokens": number % 1000,
            "cost_usd": number / 1000,
            "occurred_at": (MOMENT + timedelta(seconds=number % 3600)).isoformat(),
        }
        for number in range(EVENTS)
    ]

    async def reduce() -> None:
        await HandlerAggregate().handle(ModelAggregateInput.model_validate({"events": events}))

    return EVENTS / await best(reduce)


async def whole() -> float:
    """Return the seconds of a run on real servers, the start of its process included; each body is refused once."""
    bodies = {f"method_{number}": ["return (", BODY] for number in range(TYPICAL)}
    with tempfile.TemporaryDirectory() as folder, postgres_url() as url, writing(bodies) as writer:
        site, root = Path(folder) / "site", Path(folder) / "artifacts"
        root.mkdir()
        pipeline = Pipeline(url, entry_points(site), root, writer)
        began = time.perf_counter()
        answer = await pipeline.answer(request_for(file_of(TYPICAL)))
        seconds = time.perf_counter() - began
    if answer["result"]["status"] != "completed":
        raise RuntimeError(json.dumps(answer["result"]))
    return seconds


async def main() -> None:
    """Measure, and print a table."""
    rows = [
        (f"extractor, {TYPICAL} methods", 1000 * await extraction(TYPICAL), 100.0, "ms"),
        (f"extractor, {MANY} methods", 1000 * await extraction(MANY), 1000.0, "ms"),
        ("validator, a file", 1000 * await validation(), 500.0, "ms"),
        (f"injector, {TYPICAL} bodies", 1000 * await injection(), 200.0, "ms"),
        (f"the whole, {TYPICAL} methods", await whole(), 60.0, "s"),
    ]
    per_second = await reduction()
    out = sys.stdout.write
    out(f"{'':28}{'taken':>14}{'goal':>14}{'times faster':>14}\n")
    for name, taken, goal, unit in rows:
        out(f"{name:28}{taken:>11,.1f} {unit:<2}{goal:>11,.0f} {unit:<2}{goal / taken:>14,.1f}\n")
    out(f"{'reducer, events a second':28}{per_second:>14,.0f}{1000:>14,}{per_second / 1000:>14,.1f}\n")


if __name__ == "__main__":
    asyncio.run(main())
