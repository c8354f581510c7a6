"""Compares what examples answer with the documents of their interfaces: `make interface`.

Each is generated and run as a service, with what it talks to on embedded servers. Schemathesis then sends it valid and
invalid requests; operations that are for a person to write, and workflows, are left out. `ONLY` in the environment
picks contracts by name, separated by blanks.
"""

import hashlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from examples.rendering import ROOT, export_template, generate, read_contract
from extensions.judging.judge import read

from .nodes_page import contracts, is_custom

BIN = Path(sys.executable).parent
PATIENCE_SECONDS = 60.0
CONFIGURATION = ROOT / "scripts" / "schemathesis.toml"
_LONGEST_LINE = 300


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller with an API key of its own.

    Attributes:
        name: The header that holds the key.
        scopes: What it may do.
    """

    name: str
    scopes: Collection[str]
    key: str = field(default_factory=secrets.token_urlsafe)

    @property
    def setting(self) -> str:
        """The setting of a service that takes the key."""
        digest = hashlib.sha256(self.key.encode()).hexdigest()
        return json.dumps([{"name": "tester", "sha256": digest, "scopes": list(self.scopes)}])

    @property
    def header(self) -> str:
        """The header of its requests."""
        return f"{self.name}: {self.key}"


def compared(project: Path, log: Path, aside: Collection[str] = (), caller: Caller | None = None) -> str:
    """Run a project's service, and return what its answers have that its document does not allow; empty for nothing.

    Args:
        project: A generated project.
        log: Where the service's output goes.
        aside: Operations that are left out.
        caller: Who asks; None where nobody is asked who calls.
    """
    with served(project, log, {"SERVICE_API_KEYS": caller.setting} if caller else {}) as url:
        command: list[str | Path] = [BIN / "schemathesis", "--config-file", CONFIGURATION, "--no-color"]
        document = httpx.get(f"{url}/openapi.json", trust_env=False).json()
        file = log.with_suffix(".openapi.json")
        file.write_text(json.dumps(_for_keys(document)), encoding="utf-8")
        command += ["run", file, "--url", url]
        command += ["--header", caller.header] if caller else []
        command += [word for name in aside for word in ("--exclude-operation-id", name)]
        ran = subprocess.run(command, cwd=log.parent, capture_output=True, text=True, check=False)
        # A request's body may have millions of characters.
        told = "\n".join(line[:_LONGEST_LINE] for line in (ran.stdout + ran.stderr).splitlines())
        return told if ran.returncode else ""


def _for_keys(document: dict[str, Any]) -> dict[str, Any]:
    """Leave API keys alone of the ways to say who calls: the tester makes up tokens beside them, and one is taken."""
    schemes = document.get("components", {}).get("securitySchemes", {})
    dropped = {name for name, scheme in schemes.items() if scheme["type"] != "apiKey"}
    if len(dropped) == len(schemes):
        return document
    for name in dropped:
        del schemes[name]
    operations = [one for path in document["paths"].values() for one in path.values() if isinstance(one, dict)]
    for holder in (document, *operations):
        if "security" in holder:
            holder["security"] = [way for way in holder["security"] if not dropped & way.keys()]
    return document


@contextmanager
def served(project: Path, log: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Run a project's service on loopback, with what it talks to on embedded servers.

    Args:
        project: A generated project.
        log: Where the service's output goes.
        environment: Settings beside those of this process.

    Yields:
        The service's URL, once it is alive.

    Raises:
        RuntimeError: When it does not come alive; the message is the end of its output.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    with log.open("wb") as output:
        service = subprocess.Popen(
            ["make", "--silent", "run"],
            cwd=project,
            env=os.environ | environment | {"PATH": path, "SERVICE_PORT": str(port)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _until_alive(service, f"http://127.0.0.1:{port}", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(service.pid, signal.SIGINT)
        service.wait(PATIENCE_SECONDS)


def _until_alive(service: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and service.poll() is None:
        try:
            if httpx.get(f"{url}/health", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(log.read_text(encoding="utf-8")[-3000:])


def main() -> int:
    """Compare all examples.

    Returns:
        The exit status: 1 when one's answers do not fit its document.
    """
    only = os.environ.get("ONLY", "").split()
    failed = []
    with tempfile.TemporaryDirectory() as scratch:
        template = export_template(Path(scratch) / "template")
        for path in [path for path in contracts() if not only or path.stem in only]:
            raw = read_contract(path) | {"validation_level": "none"}
            # Nobody answers the steps of workflows here, so that each request would take its whole deadline.
            contract = read(raw)
            aside = [one.name for one in contract.operations if is_custom(one) or one.workflow]
            auth = contract.service.auth
            needed = {scope for one in contract.operations for scope in one.scopes}
            caller = None
            if auth and auth.api_keys:
                caller = Caller(auth.api_keys.header, needed | set(auth.metrics_scopes or ()))
            project = generate(template, raw, Path(scratch) / path.stem)
            found = compared(project, Path(scratch) / f"{path.stem}.log", aside, caller)
            print(f"{path.stem}: {'FAILED' if found else 'as its document says'}", flush=True)
            if found:
                print(found, file=sys.stderr, flush=True)
                failed.append(path.stem)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
