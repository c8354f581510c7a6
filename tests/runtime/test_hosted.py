"""A node behind the HTTP application: its requests, its readiness, and all that is handed on."""

import contextlib
from enum import StrEnum
from typing import Any
from uuid import UUID

import httpx
import pytest
from onex_node_runtime.serving import hosted
from onex_node_runtime.serving.application import Served
from onex_node_runtime.serving.hosted import node_application
from onex_node_runtime.serving.intake import Intake
from onex_node_runtime.settings.service import ListenerSettings
from pydantic import BaseModel, JsonValue
from starlette.applications import Starlette

ID = "7d444840-9dc0-11d1-b245-5ffdce74fad2"


class Name(StrEnum):
    """Operations."""

    ECHO = "echo"


class Request(BaseModel):
    """A request."""

    operation: Name
    payload: dict[str, JsonValue]
    correlation_id: UUID | None


class Response(BaseModel):
    """An answer."""

    result: dict[str, JsonValue]


class Issue(BaseModel):
    """Something that is wrong."""

    severity: str
    message: str


class Report(BaseModel):
    """How a node is."""

    status: str = "healthy"
    issues: list[Issue] = []


class Node:
    """A node that answers with what it was asked."""

    NAME = "node_echo_effect"
    OPERATIONS = Name
    request_model = Request

    def __init__(self) -> None:
        self.settings = ListenerSettings(service_host="127.0.0.9")
        self.asked: list[Request] = []
        self.report = Report()

    async def initialize(self) -> None:
        """Open nothing."""

    async def shutdown(self) -> None:
        """Close nothing."""

    async def handle(self, request: Request) -> Any:
        self.asked.append(request)
        return Response(result={"echo": request.payload})

    async def health_check_async(self) -> Any:
        return self.report


def client_of(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


async def test_a_request_of_a_caller_is_one_of_the_node() -> None:
    node: Any = Node()
    async with client_of(node_application(node)) as client:
        answer = await client.post("/operations/echo", json={"a": 1}, headers={"X-Correlation-ID": ID})
    assert answer.json() == {"echo": {"a": 1}}
    assert node.asked == [Request(operation=Name.ECHO, payload={"a": 1}, correlation_id=UUID(ID))]


@pytest.mark.parametrize(
    ("severities", "status"), [([], 200), (["warning", "info"], 200), (["warning", "critical"], 503)]
)
async def test_what_is_critical_makes_the_service_unready(severities: list[str], status: int) -> None:
    node: Any = Node()
    issues = [Issue(severity=severity, message=f"{severity} it") for severity in severities]
    node.report = Report(status="degraded", issues=issues)
    async with client_of(node_application(node)) as client:
        answer = await client.get("/ready")
    told = {"status": "degraded", "issues": [f"{severity} it" for severity in severities]}
    assert (answer.status_code, answer.json()) == (status, told)


def test_all_that_the_application_is_told_is_the_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Served] = []
    monkeypatch.setattr(hosted, "application", made.append)
    node: Any = Node()
    names = ("intake", "continued", "documents", "callers", "keyed")
    given: dict[str, Any] = {name: object() for name in names}
    node_application(node, metrics=lambda whose: (whose.NAME.encode(), "text/plain"), **given)
    node_application(node)
    (served, plain) = made
    assert {name: getattr(served, name) for name in given} == given
    assert served.metrics is not None
    assert served.metrics() == (b"node_echo_effect", "text/plain")
    assert (served.node, served.name, served.settings, served.operations) == (node, node.NAME, node.settings, Name)
    assert (plain.metrics, plain.intake, plain.continued) == (None, Intake, contextlib.nullcontext)
    assert (plain.documents, plain.callers, plain.keyed) == ((), None, ())
