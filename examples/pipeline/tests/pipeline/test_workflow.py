"""The whole pipeline: all nodes in one process, on a real PostgreSQL, real files, and a stand-in for the model."""

import asyncio
import json
import os
import signal
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.nodes.node_codegen_pipeline_orchestrator.servers import postgres_url
from tests.pipeline.writer import Writer, writing

pytestmark = pytest.mark.integration
PROJECT = Path(__file__).parents[2]
LEASE_SECONDS = 2
WAIT_SECONDS = 100
FILE = '''\
"""Sums."""


class Sums:
    """Sums of numbers."""

    async def total(self, numbers: list[int]) -> int:
        """Add them up."""
        raise NotImplementedError
'''
TARGET = "nodes/sums.py"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgres_url() as url:
        yield url


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return entry_points(tmp_path_factory.mktemp("site"))


def entry_points(site: Path) -> Path:
    """Write what an installation adds to the package: the entry points that other nodes are found by."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = site / "omninode_codegen-1.0.0.dist-info"
    found.mkdir(parents=True)
    points = project["entry-points"]["onex.nodes"].items()
    lines = ["[onex.nodes]", *(f"{name} = {value}" for name, value in points)]
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: omninode-codegen\nVersion: 1.0.0\n")
    (found / "entry_points.txt").write_text("\n".join(lines))
    return site


class Pipeline:
    """Processes of the orchestrator, and what they leave behind."""

    def __init__(self, url: str, installed: Path, root: Path, writer: Writer) -> None:
        self.url, self.root = url, root
        self.environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(map(str, (PROJECT / "src", PROJECT, installed))),
            "DATABASE_URL": url,
            "RUN_LEASE_SECONDS": str(LEASE_SECONDS),
            "LLM_BASE_URL": writer.url,
            "LLM_API_KEY": "key",
            "CODEGEN_ARTIFACTS_ROOT": str(root),
        }

    async def start(self, request: dict[str, object]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.pipeline.worker", json.dumps(request)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=PROJECT,
            env=self.environment,
        )

    async def answer(self, request: dict[str, object]) -> dict[str, Any]:
        process = await self.start(request)
        output, errors = await asyncio.wait_for(process.communicate(), WAIT_SECONDS)
        assert process.returncode == 0, errors.decode()[-3000:]
        found: dict[str, Any] = json.loads(output)
        return found

    async def rows(self, query: str, *values: object) -> list[Any]:
        connection = await asyncpg.connect(self.url)
        try:
            return list(await connection.fetch(query, *values))
        except asyncpg.UndefinedTableError:
            return []
        finally:
            await connection.close()

    async def steps(self, run_id: str) -> list[str]:
        """Return the names of the steps that a run has finished."""
        query = "SELECT state::text FROM codegen_pipeline_runs WHERE state->'payload'->>'run_id' = $1"
        return [step["name"] for row in await self.rows(query, run_id) for step in json.loads(row["state"])["steps"]]


def request_for(content: str) -> dict[str, Any]:
    payload = {"run_id": str(uuid4()), "node_file_content": content, "target_path": TARGET, "model": "any"}
    return {"operation": "generate_code", "payload": payload, "correlation_id": str(uuid4())}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "artifacts"
    root.mkdir()
    return root


async def test_a_body_that_is_refused_twice_is_written_again_with_what_was_wrong(
    url: str, installed: Path, root: Path
) -> None:
    bodies = ["import os\nreturn os.getpid()", "return (", "return sum(numbers)"]
    with writing({"total": bodies}) as writer:
        pipeline = Pipeline(url, installed, root, writer)
        request = request_for(FILE)
        answer = await pipeline.answer(request)

    expected = FILE.replace("raise NotImplementedError", "return sum(numbers)")
    assert answer["result"] == {
        "run_id": request["payload"]["run_id"],
        "status": "completed",
        "failed_step": None,
        "total_stubs": 1,
        "updated_content": expected,
    }
    assert (root / TARGET).read_text(encoding="utf-8") == expected
    first, second, third = writer.asked
    assert "os may not be imported" not in first
    assert "os may not be imported" in second
    assert "was never closed" in third
    assert await pipeline.steps(request["payload"]["run_id"]) == [
        "extract",
        *(f"bodies[0]#{number}.{step}" for number in (1, 2, 3) for step in ("write", "check")),
        *("bodies", "inject", "store", "count", "carry_out[0]", "carry_out[1]", "carry_out"),
    ]
    metrics = await pipeline.rows("SELECT node_kind, total, failures FROM codegen_metrics")
    assert [tuple(row) for row in metrics] == [("effect", 1, 0)]
    published = [event for topic, event in answer["events"] if "codegen-metrics-updated" in topic]
    assert len(published) == 1


async def test_without_a_good_body_nothing_is_stored(url: str, installed: Path, root: Path) -> None:
    with writing({"total": ["return eval('1')"]}) as writer:
        answer = await Pipeline(url, installed, root, writer).answer(request_for(FILE))

    assert (answer["result"]["status"], answer["result"]["updated_content"]) == ("failed", None)
    assert answer["result"]["failed_step"].startswith("bodies[0]")
    assert writer.names() == ["total"] * 3
    assert list(root.iterdir()) == []


async def test_a_file_without_stubs_is_left_alone(url: str, installed: Path, root: Path) -> None:
    with writing({}) as writer:
        answer = await Pipeline(url, installed, root, writer).answer(request_for("x = 1\n"))

    assert (answer["result"]["status"], answer["result"]["total_stubs"]) == ("completed", 0)
    assert list(root.iterdir()) == []


async def test_a_process_that_is_killed_among_the_items_is_replaced_and_nothing_finished_is_done_again(
    url: str, installed: Path, root: Path
) -> None:
    names = ("a", "b", "c", "d", "e", "f")
    content = "".join(f"def {name}() -> str:\n    raise NotImplementedError\n\n\n" for name in names)
    # Each body is refused once.
    bodies = {name: ["return (", f"return '{name}'"] for name in names}
    request = request_for(content)
    with writing(bodies, held=("e",)) as writer:
        pipeline = Pipeline(url, installed, root, writer)
        process = await pipeline.start(request)
        others = {f"bodies[{item}]#2.check" for item in range(len(names)) if names[item] != "e"}
        async with asyncio.timeout(WAIT_SECONDS):
            while not others <= set(await pipeline.steps(request["payload"]["run_id"])):
                assert process.returncode is None
                await asyncio.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        await process.communicate()
        before = writer.names()
        assert sorted(before) == sorted([*names, *(name for name in names if name != "e")])

        writer.let_go()
        answer = await pipeline.answer(request)

    assert answer["result"]["status"] == "completed"
    expected = content
    for name in names:
        expected = expected.replace("raise NotImplementedError", f"return '{name}'", 1)
    assert answer["result"]["updated_content"] == expected
    assert (root / TARGET).read_text(encoding="utf-8") == expected
    # The call that was under way is made again, and those that follow it.
    assert set(writer.names()[len(before) :]) == {"e"}
    finished = await pipeline.steps(request["payload"]["run_id"])
    assert len(finished) == len(set(finished))
