# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""A double of Consul's agent: it answers like one, and holds each request against the documented shapes."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from .quiet_server import QuietServer

# https://developer.hashicorp.com/consul/api-docs/agent/service and .../agent/check
SERVICE = {
    "ID": str, "Name": str, "Tags": list, "Address": str, "TaggedAddresses": dict, "Meta": dict, "Namespace": str,
    "Port": int, "Kind": str, "Proxy": dict, "Connect": dict, "Check": dict, "Checks": list,
    "EnableTagOverride": bool, "Weights": dict,
}  # fmt: skip
CHECK = {
    "Name": str, "CheckID": str, "Interval": str, "Timeout": str, "DeregisterCriticalServiceAfter": str, "Notes": str,
    "HTTP": str, "Method": str, "Header": dict, "Body": str, "Status": str, "TLSSkipVerify": bool,
}  # fmt: skip
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
PATH = re.compile(r"/v1/agent/service/(?:(register)|(deregister)/([^/]+)|([^/]+))")


class ConsulAgent:
    """An agent that can be stopped, and started again on the same port with nothing in its memory."""

    def __init__(self, token: str = "") -> None:
        """Start the agent, which refuses requests without the token."""
        self.token = token
        self.services: dict[str, dict[str, Any]] = {}
        self.requests: list[str] = []
        self.violations: list[str] = []
        self._server: QuietServer | None = None
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listen, knowing no service."""
        self.services.clear()
        self._server = QuietServer(("127.0.0.1", self._port), type("Handler", (_Handler,), {"agent": self}))
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def answer(self, method: str, target: str, token: str, body: bytes) -> tuple[int, object]:
        """Answer a request: its status, and a JSON value or None."""
        url = urlsplit(target)
        self.requests.append(f"{method} {url.path}")
        match = PATH.fullmatch(url.path)
        if match is None:
            return 404, None
        if token != self.token:
            return 403, None
        register, deregister, leaving, wanted = match.groups()
        if register and method == "PUT":
            return self._register(parse_qs(url.query), json.loads(body))
        if deregister and method == "PUT":
            return (404 if self.services.pop(unquote(leaving), None) is None else 200), None
        if wanted and method == "GET":
            service = self.services.get(unquote(wanted))
            return (404, None) if service is None else (200, {**service, "Service": service["Name"]})
        return 405, None

    def _register(self, query: dict[str, list[str]], service: dict[str, Any]) -> tuple[int, None]:
        found = [*_misfits(service, SERVICE), *_misfits(service.get("Check", {}), CHECK)]
        if set(query) - {"replace-existing-checks", "ns"}:
            found.append(f"query: {sorted(query)}")
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", service.get("Name", "")):
            found.append("Name: no DNS label")
        if not 0 < service.get("Port", 0) < 65536:
            found.append("Port: none")
        if not all(isinstance(tag, str) for tag in service.get("Tags", ())):
            found.append("Tags: not all text")
        for key, value in service.get("Meta", {}).items():
            if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", key) or not isinstance(value, str) or len(value) > 512:
                found.append(f"Meta: {key}")
        found += _check_misfits(service.get("Check", {}))
        if found:
            self.violations += found
            return 400, None
        self.services[service.get("ID", service["Name"])] = service
        return 200, None


def _check_misfits(check: dict[str, Any]) -> Iterator[str]:
    if not re.match(r"https?://[^/]+:[0-9]+/", check.get("HTTP", "")):
        yield "HTTP: no URL"
    for name in ("Interval", "Timeout", "DeregisterCriticalServiceAfter"):
        match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)", check.get(name, ""))
        seconds = float(match[1]) * UNITS[match[2]] if match else 0.0
        if seconds <= 0 or (name.startswith("Deregister") and seconds < 60):
            yield f"{name}: {check.get(name)}"


def _misfits(values: dict[str, Any], shape: dict[str, type]) -> Iterator[str]:
    for name, value in values.items():
        if name not in shape:
            yield f"{name}: unknown"
        elif not isinstance(value, shape[name]):
            yield f"{name}: not a {shape[name].__name__}"


class _Handler(BaseHTTPRequestHandler):
    agent: ConsulAgent

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        token = self.headers.get("X-Consul-Token", "")
        status, value = self.agent.answer(self.command, self.path, token, body)
        content = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@contextmanager
def consul_agent(token: str = "") -> Iterator[ConsulAgent]:
    """Run an agent for as long as the context lasts, and tell afterwards whether every request was a proper one."""
    agent = ConsulAgent(token)
    try:
        yield agent
    finally:
        agent.stop()
    assert agent.violations == []
