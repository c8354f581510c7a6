"""What requests to APIs may carry, what may be taken of answers, and how pages are followed."""

import re
from typing import Any

import pytest

from extensions.judging.judge import judge, read
from extensions.text.problems import Problem
from extensions.viewing.build import view
from extensions.viewing.call import CallView

INPUT: dict[str, Any] = {
    "id": "string",
    "data": "bytes",
    "maybe": {"type": "bytes", "required": False},
    "note": {"type": "string", "required": False},
}
OPTIONAL = {"type": "string", "required": False}
LIST = {"output": {"things": {"type": "array", "items": "string"}, "more": "boolean"}, "method": "GET"}
PAGES = {"next": {"link": "next"}, "items": "$", "into": "things", "more": "more", "at_most": 5}


def contract(output: dict[str, Any] | None = None, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - of any type
    spec = {"method": "POST", "path": "/a"} | request
    return {
        "name": "relay",
        "package": "acme",
        "node_type": "effect",
        "models": {"Thing": {"fields": {"x": "string"}}},
        "operations": [{"name": "go", "input": INPUT, "output": output or {"done": "boolean"}, "http": spec}],
    }


def problems(**request: Any) -> list[Problem]:  # noqa: ANN401 - of any type
    return judge(contract(**request))


def made(**request: Any) -> CallView:  # noqa: ANN401 - of any type
    (operation,) = view(read(contract(**request))).operations
    assert operation.calls
    return operation.calls


@pytest.mark.parametrize(
    ("request_spec", "place"),
    [
        ({"form": {"a": 1}, "text": "b"}, "http.text"),
        ({"form": {"a": 1}, "method": "GET"}, "http.form"),
        ({"bytes": "${input.data}", "method": "HEAD"}, "http.bytes"),
        ({"text": "a", "omit_null": True}, "http.omit_null"),
        ({"form": {"a": 1}, "headers": {"content-type": "text/plain"}}, "http.headers"),
        ({"path": "//other/x"}, "http.path"),
        ({"path": "/x/../y"}, "http.path"),
        ({"path": "/x/./${input.id}"}, "http.path"),
        ({"path": "/x/%zz"}, "http.path"),
        ({"path": "/x/100%"}, "http.path"),
        ({"output": {"n": "string"}, "extract": {"n": "$.a[?@.b == '${input.id}']"}}, "http.extract.n"),
        ({"headers": {"Content-Length": "3"}}, "http.headers.Content-Length"),
        ({"headers": {"transfer-encoding": "chunked"}}, "http.headers.transfer-encoding"),
        ({"headers": {"Connection": "close"}}, "http.headers.Connection"),
        ({"bytes": "${input.id}"}, "http.bytes"),
        ({"bytes": "a ${input.data}"}, "http.bytes"),
        ({"multipart": {"f": {"content": "${input.maybe}"}}}, "http.multipart.f.content"),
        ({"multipart": {"f": {"filename": "a"}}}, "http.multipart.f.content"),
        ({"multipart": {"f": {"content": "a", "content_type": "csv"}}}, "http.multipart.f.content_type"),
        ({"form": {"a": "${input.nobody}"}}, "http.form.a"),
        ({"body": {"a": "${input.id:path}"}}, "http.body.a"),
        ({"query": {"a": "${input.id:path}"}}, "http.query.a"),
        ({"path": "/${input.nobody:path}"}, "http.path"),
        ({"path": "/${input.note:path}"}, "http.path"),
        ({"headers": {"Authorization": "Bearer ${input.note}"}}, "http.headers.Authorization"),
        ({"query": {"q": "note:${input.note}"}}, "http.query.q"),
        ({"output": {"n": "string"}, "extract": {"n": {"status": True}}}, "http.extract.n"),
        ({"output": {"n": "Thing"}, "extract": {"n": {"header": "X"}}}, "http.extract.n"),
        ({"output": {"n": "bytes"}, "extract": {"n": {"text": True}}}, "http.extract.n"),
        ({"output": {"n": "string"}, "extract": {"n": {"bytes": True}}}, "http.extract.n"),
        ({"output": {"n": "string"}, "extract": {"n": {"header": "no name"}}}, "http.extract.n.header"),
        ({"output": {"n": "string"}, "extract": {"n": {"text": True, "status": True}}}, "http.extract.n"),
        ({"output": {"n": "string"}, "extract": {"n": {"text": True}}, "method": "HEAD"}, "http.extract.n"),
        ({"output": {"done": "boolean", "n": "integer"}, "extract": {"n": "$.n"}}, "output.done"),
        ({"not_found": "nobody"}, "http.not_found"),
        ({"output": {"n": "string"}, "not_found": "n"}, "http.not_found"),
        ({"output": {"ok": "boolean"}, "not_found": "ok", "success": [200, 404]}, "http.success"),
        ({"output": {"ok": "boolean", "n": "string"}, "not_found": "ok", "extract": {"n": "$.n"}}, "output.n"),
        ({"output": {"ok": "boolean"}, "not_found": "ok", "extract": {"ok": "$.n"}}, "http.extract.ok"),
        ({**LIST, "method": "POST", "pages": PAGES}, "http.pages"),
        ({**LIST, "pages": PAGES, "extract": {"things": "$"}}, "http.extract"),
        ({**LIST, "pages": PAGES | {"next": {"cursor": "$.a"}}}, "http.pages.next"),
        ({**LIST, "pages": PAGES | {"next": {"link": "next", "page": "p"}}}, "http.pages.next"),
        ({**LIST, "pages": PAGES | {"next": {"link": "next", "first": 2}}}, "http.pages.next"),
        ({**LIST, "pages": PAGES | {"next": {"cursor": "$[", "parameter": "p"}}}, "http.pages.next.cursor"),
        ({**LIST, "pages": PAGES | {"items": "$["}}, "http.pages.items"),
        ({**LIST, "pages": PAGES | {"into": "more"}}, "http.pages.into"),
        ({**LIST, "pages": PAGES | {"more": "things"}}, "http.pages.more"),
        ({**LIST, "pages": {key: value for key, value in PAGES.items() if key != "more"}}, "output.more"),
    ],
)
def test_what_a_request_can_not_be_is_a_mistake(request_spec: dict[str, Any], place: str) -> None:
    found = [problem.place.removeprefix("operations[0].") for problem in problems(**request_spec)]
    assert place in found


@pytest.mark.parametrize(
    "request_spec",
    [
        {"form": {"a": "${input.note}", "b": [1, "${input.id}"]}, "omit_null": True},
        {"multipart": {"f": {"content": "${input.maybe}"}, "a": "${input.note}"}, "omit_null": True},
        {"multipart": {"f": {"content": "${input.data}", "filename": "${input.id}.txt", "content_type": "text/csv"}}},
        {"text": "a ${input.note}", "headers": {"Content-Type": "text/markdown"}},
        {"bytes": "${input.maybe}"},
        {"path": "/${input.id:path}/${input.id}"},
        {"output": {"done": "boolean", "n": "integer"}, "extract": {"n": {"status": True}}},
        {"output": {"n": "datetime"}, "extract": {"n": {"header": "X-At"}}},
        {"output": {"n": "string", "m": "integer"}, "extract": {"n": {"text": True}, "m": "$.m"}},
        {"output": {"ok": "boolean", "n": OPTIONAL}, "not_found": "ok", "extract": {"n": "$.n"}},
        {"output": {"ok": "boolean", "n": "integer"}, "not_found": "ok", "extract": {"n": {"status": True}}},
        {**LIST, "pages": PAGES},
        {**LIST, "pages": PAGES | {"next": {"page": "p", "first": 0}}},
        {**LIST, "pages": PAGES | {"next": {"cursor": "$.n", "parameter": "p"}, "items": "$.a[*]"}},
    ],
)
def test_what_a_request_can_be(request_spec: dict[str, Any]) -> None:
    assert problems(**request_spec) == []


def test_empty_segment_of_a_path_is_a_mistake() -> None:
    asked = contract(path="/x/${input.id:path}")
    asked["operations"][0]["input"] = {"id": {"type": "string", "default": "a//b"}}
    assert [problem.place for problem in judge(asked)] == ["operations[0].input.id.default"]


def test_call_says_no_more_than_the_contract() -> None:
    arguments = dict(made(form={"a": "${input.note}"}, omit_null=True, path="/${input.id:path}/x").arguments)
    assert arguments["path"] == 'f"/{segments(request.id)}/x"'
    assert arguments["body"].startswith("given(")
    patch = dict(made(body={"a": "${input.note}", "gone": None, "in": [{"b": None}]}, omit_null=True).arguments)
    assert re.sub(r"[\s,]", "", patch["body"]) == 'given({"a":request.note"gone":Null()"in":[given({"b":Null()})]})'
    whole = dict(made(body={"a": "${input.note}", "gone": None}).arguments)
    assert re.sub(r"[\s,]", "", whole["body"]) == '{"a":request.note"gone":None}'
    assert dict(made(text="${input.note}").arguments)["body"] == "text(request.note)"
    assert dict(made(bytes="${input.data}").arguments)["body"] == "request.data"


@pytest.mark.parametrize(
    ("stated", "accept"),
    [({}, True), ({"accept": "text/csv"}, False)],
)
def test_answer_that_is_no_json_is_asked_for(stated: dict[str, str], accept: bool) -> None:
    call = made(output={"n": "string"}, extract={"n": {"text": True}}, headers=stated)
    assert ('"Accept": "*/*"' in dict(call.arguments).get("headers", "")) is accept


def test_array_that_is_the_whole_answer_is_taken_as_it_is() -> None:
    call = made(output={"n": {"type": "array", "items": "string"}}, extract={"n": "$"})
    assert call.results == (("n", "first(N_PATH, answer)"),)


@pytest.mark.parametrize(
    ("following", "code", "answer"),
    [
        ({"link": "next"}, 'LinkedPages("next")', ["thing"]),
        ({"cursor": "$.n", "parameter": "p"}, 'CursorPages(CURSOR_PATH, "p")', ["thing"]),
        ({"page": "p"}, 'NumberedPages("p")', []),
        ({"page": "p", "first": 0}, 'NumberedPages("p", 0)', []),
    ],
)
def test_sample_of_pages_is_the_last_one(following: dict[str, Any], code: str, answer: list[str]) -> None:
    call = made(**LIST, pages=PAGES | {"next": following})
    assert call.paging[0] == code
    assert isinstance(call.answer, list)
    assert len(call.answer) == len(answer)
