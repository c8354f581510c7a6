"""A stand-in for an HTTP API, made of its OpenAPI document: it lets in what the document allows, and answers by it."""

import json
import threading
from collections.abc import Mapping
from email.message import Message
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qsl, unquote

from hypothesis import find
from hypothesis.strategies import from_regex
from jsonschema_path import SchemaPath
from openapi_core import OpenAPI
from openapi_core.configurations import Config
from openapi_core.templating.paths.finders import APICallPathFinder
from openapi_core.testing import MockRequest
from werkzeug.datastructures import ImmutableMultiDict

from extensions.adopting.reference import At, opened

# The status, the content type and the body.
type Answer = tuple[int, str, bytes]
_DEEPEST: Final = 12
_LONGEST_LINE: Final = 300
_DAY: Final = "2026-01-31"
_TEXTS: Final = {
    "date": _DAY,
    "date-time": f"{_DAY}T09:30:00Z",
    "time": "09:30:00",
    "duration": "PT1H",
    "email": "someone@example.org",
    "uri": "https://example.org/",
    "url": "https://example.org/",
    "hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "7d444840-9dc0-11d1-b245-5ffdce74fad2",
    "byte": "b2s=",
    "decimal": "1.5",
}


class MockApi:
    """An API on loopback, between `with` and its end.

    Args:
        path: The document.

    Attributes:
        url: Where it is.
        let_in: How many requests the document allowed.
        refused: What was wrong with the others: the method, the path and the reason.
    """

    def __init__(self, path: Path) -> None:
        """Read the document."""
        self._document = opened(path)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Requests, self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.let_in = 0
        self.refused: list[str] = []
        whole = _with_bytes(self._document.value)
        # What is behind # tells operations apart, and is sent by nobody.
        self._places = {str(place).partition("#")[0]: place for place in reversed(whole["paths"])}
        paths = {path: whole["paths"][place] for path, place in self._places.items()}
        served = {**whole, "paths": paths, "servers": [{"url": self.url}]}
        self._served = SchemaPath.from_dict(served, base_uri=path.resolve().as_uri())
        # What is published need not be sound in every part.
        self._rules = OpenAPI(self._served, Config(spec_validator_cls=None))  # type: ignore[arg-type] # what it takes for "none", its types don't say
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Answer no longer."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, method: str, target: str, headers: Message, body: bytes) -> Answer:
        """Return what the API answers; 400, with what is wrong, to what its document does not allow."""
        path, _, query = target.partition("?")
        asked = MockRequest(
            self.url,
            method,
            unquote(path),
            args=ImmutableMultiDict(parse_qsl(query, keep_blank_values=True)),
            headers=dict(headers.items()),
            data=body,
            content_type=headers.get("Content-Type", ""),
        )
        errors = self._rules.iter_request_errors(asked)
        if reasons := [str(error.__cause__ or error).partition("\n")[0] for error in errors]:
            self.refused += [f"{method} {target}: {reason}"[:_LONGEST_LINE] for reason in reasons]
            return 400, "text/plain", "\n".join(reasons).encode()
        self.let_in += 1
        found = APICallPathFinder(self._served).find(method.lower(), f"{self.url}{unquote(path)}")
        return self._success(str(found.path_result.pattern), method.lower())

    def _success(self, template: str, method: str) -> Answer:
        operation = self._document.below("paths", self._places[template]).followed().below(method).followed()
        code, response = _first_success(operation)
        content = response.held("content", dict)
        kind = next((str(kind) for kind in content if "json" in str(kind)), next(map(str, content), None))
        if kind is None:
            return code, "", b""
        if "json" not in kind:
            return code, kind, b"ok"
        return code, kind, json.dumps(_shown(response.below("content", kind))).encode()


def _with_bytes(part: object) -> Any:  # noqa: ANN401 - a part of a document, as the others are
    """Return a part of a document in which files have no type: what came as bytes is no text for JSON Schema."""
    match part:
        case {"type": "string", "format": "binary", **rest}:
            return rest
        case dict():
            return {key: _with_bytes(value) for key, value in part.items()}
        case list():
            return [_with_bytes(item) for item in part]
        case _:
            return part


class _Requests(BaseHTTPRequestHandler):
    def __init__(self, api: MockApi, request: socket, address: tuple[str, int], server: ThreadingHTTPServer) -> None:
        self.api = api
        super().__init__(request, address, server)

    def handle_one(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        code, kind, content = self.api.answer(self.command, self.path, self.headers, body)
        self.send_response(code)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one  # noqa: N815 - http.server's names

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing of single requests."""


def _shown(content: At) -> object:
    """Return a body: the document's own example where it has one, else what its schema allows."""
    value = content.value
    if "example" in value:
        return value["example"]
    for name in content.held("examples", dict):
        example = content.below("examples", name).followed().value
        if isinstance(example, Mapping) and "value" in example:
            return example["value"]
    return sample(content.below("schema"))


def _first_success(operation: At) -> tuple[int, At]:
    """Return the status of an operation's success, and the response that the document has for it."""
    responses = operation.held("responses", dict)
    for code in responses:
        if str(code).startswith("2"):
            status = int(code) if str(code).isdigit() else 200
            return status, operation.below("responses", code).followed()
    if "default" in responses:
        return 200, operation.below("responses", "default").followed()
    return 204, At({}, None)


def sample(at: At, depth: int = 0) -> object:
    """Return a value that a schema allows, with as little in it as may be; None where the search went too deep.

    Args:
        at: The schema.
        depth: How far the search has come.
    """
    found = at.followed()
    schema = found.value
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return None
    given = [schema[key] for key in ("const", "example", "default") if key in schema]
    given += [*schema.get("enum", ())][:1]
    if given:
        return given[0]
    parts = [
        sample(found.below(key, index), depth + 1)
        for key in ("oneOf", "anyOf", "allOf")
        for index in range(len(schema.get(key, ())) if key == "allOf" else min(1, len(schema.get(key, ()))))
    ]
    members = {name: value for part in parts if isinstance(part, dict) for name, value in part.items()}
    kind = schema.get("type", "object" if members or "properties" in schema else "string")
    kind = next((one for one in kind if one != "null"), "null") if isinstance(kind, list) else kind
    if parts and not members:
        return parts[0]
    if kind == "object":
        return _object(found, members, depth)
    if kind == "array":
        items = range(max(1, schema.get("minItems", 0)) if "items" in schema else 0)
        return [sample(found.below("items"), depth + 1) for _ in items]
    return _scalar(kind, schema)


def _object(at: At, members: dict[str, object], depth: int) -> dict[str, object]:
    """Return an object with a value for each property that a schema demands."""
    properties = at.held("properties", dict)
    made = dict(members)
    for name in at.held("required", list):
        if name in properties and name not in made:
            made[name] = sample(at.below("properties", name), depth + 1)
    told = at.value.get("discriminator")
    first: Mapping[str, Any] = next((at.value[key][0] for key in ("oneOf", "anyOf") if at.value.get(key)), {})
    if isinstance(told, Mapping) and isinstance(told.get("mapping"), Mapping):
        names = [text for text, target in told["mapping"].items() if target == first.get("$ref")]
        if names:
            made[told["propertyName"]] = names[0]
    return made


def _scalar(kind: str, schema: Mapping[str, Any]) -> object:
    if kind in {"integer", "number"}:
        least = schema.get("minimum", 1)
        strict = schema.get("exclusiveMinimum")
        # 3.0 says by a boolean that the bound itself is left out.
        least = least + 1 if strict is True else strict + 1 if isinstance(strict, int | float) and strict else least
        return min(least, schema.get("maximum", least))
    if kind != "string":
        return {"boolean": True}.get(kind)
    if "pattern" in schema:
        return str(find(from_regex(schema["pattern"]), lambda _: True))
    text = _TEXTS.get(schema.get("format", ""), "sample")
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
