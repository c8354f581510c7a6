"""Requests of HTTP that carry other things than JSON, answers of which other things are taken, and pages."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import jsonpath
import pytest
from doubles.http_server import Answer, LocalApi, local_api
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.adapter_http import AdapterHttp, HttpCall
from onex_node_runtime.adapters.http_content import FilePart, HttpAnswer, SentAs, content_of, parameter
from onex_node_runtime.adapters.retry_policy import RetryPolicy
from onex_node_runtime.paging import CursorPages, LinkedPages, NumberedPages, Paging, every_item
from onex_node_runtime.texts import segments

from tests.runtime.building import Settings
from tests.runtime.building import http as adapter_of

ALL = jsonpath.compile("$")
ITEMS = jsonpath.compile("$.items")
FORM = "application/x-www-form-urlencoded"
LATIN = "text/csv; charset=latin-1"
LIST = HttpCall(method="GET", path="/things", query={"size": 2}, idempotent=True)


@pytest.fixture
def api() -> Iterator[LocalApi]:
    with local_api() as api:
        yield api


@pytest.fixture
async def adapter(api: LocalApi) -> AsyncIterator[AdapterHttp]:
    adapter = adapter_of(Settings(http_base_url=f"{api.url}/v1", retry_max_attempts=1))
    yield adapter
    await adapter.close()


def post(**values: Any) -> HttpCall:
    return HttpCall(method="POST", path="/things", reads=False, **values)


@pytest.mark.parametrize(
    ("values", "content_type", "body"),
    [
        (
            {"sent_as": "form", "body": {"a": "x&y=1", "b": [1, 2], "c": None, "d": True}},
            "application/x-www-form-urlencoded",
            b"a=x%26y%3D1&b=1&b=2&c=&d=true",
        ),
        ({"sent_as": "plain", "body": "\u00e4"}, "text/plain; charset=utf-8", "\u00e4".encode()),
        (
            {"sent_as": "plain", "body": "\u00e4", "headers": {"Content-Type": "text/csv; charset=latin-1"}},
            "text/csv; charset=latin-1",
            b"\xe4",
        ),
        ({"sent_as": "plain", "body": b"\x00\xff"}, "application/octet-stream", b"\x00\xff"),
        (
            {"sent_as": "plain", "body": "{}", "headers": {"content-type": "application/json"}},
            "application/json",
            b"{}",
        ),
        ({"sent_as": "plain", "body": "", "headers": {}}, "text/plain; charset=utf-8", b""),
    ],
)
async def test_body_is_sent_as_it_was_meant(
    api: LocalApi, adapter: AdapterHttp, values: dict[str, Any], content_type: str, body: bytes
) -> None:
    await adapter.ask(post(**values))
    (asked,) = api.asked
    assert (asked.headers["content-type"], asked.body) == (content_type, body)


async def test_parts_are_files_and_values(api: LocalApi, adapter: AdapterHttp) -> None:
    parts = {
        "file": FilePart(b"\x00\xff", 'a"\r\nb.txt'),
        "typed": FilePart({"a": 1}, "c.bin", "application/json"),
        "unnamed": FilePart("text"),
        "absent": FilePart(None, "d"),
        "tags": ["x", 2],
        "nothing": None,
    }
    await adapter.ask(post(sent_as="parts", body=parts))
    (asked,) = api.asked
    kind, _, boundary = asked.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    found = [part.strip(b"\r\n") for part in asked.body.split(f"--{boundary}".encode())[1:-1]]
    assert found == [
        (
            b'Content-Disposition: form-data; name="file"; filename="a%22%0D%0Ab.txt"\r\n'
            b"Content-Type: text/plain\r\n\r\n\x00\xff"
        ),
        (
            b'Content-Disposition: form-data; name="typed"; filename="c.bin"\r\n'
            b'Content-Type: application/json\r\n\r\n{"a": 1}'
        ),
        (
            b'Content-Disposition: form-data; name="unnamed"; filename="unnamed"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\ntext"
        ),
        b'Content-Disposition: form-data; name="tags"\r\n\r\nx',
        b'Content-Disposition: form-data; name="tags"\r\n\r\n2',
        b'Content-Disposition: form-data; name="nothing"',
    ]


async def test_answer_is_more_than_json(api: LocalApi, adapter: AdapterHttp) -> None:
    headers = {"ETag": "abc", "Content-Type": "text/plain; charset=latin-1"}
    api.answers = [Answer(203, body=b"\xe4", headers=headers)]
    answer = await adapter.ask(LIST)
    assert (answer.status, answer.found, answer.text(), answer.base64()) == (203, True, "\u00e4", "5A==")
    assert (answer.header("etag"), answer.header_or_none("X-None")) == ("abc", None)
    for expected in (answer.json, lambda: answer.header("X-None")):
        with pytest.raises(ModelOnexError) as caught:
            expected()
        assert caught.value.error_code is EnumCoreErrorCode.CONTRACT_VIOLATION


@pytest.mark.parametrize(
    ("body", "charset", "expected"),
    [
        ('{"a": "ä"}'.encode("latin-1"), "; charset=iso-8859-1", {"a": "ä"}),
        ('{"a": "ä"}'.encode(), "; charset=iso-8859-1", {"a": "ä"}),
        ('{"a": "ä"}'.encode("utf-16"), "", {"a": "ä"}),
        ('{"a": "ä"}'.encode("latin-1"), "", None),
        ('{"a": "ä"}'.encode("latin-1"), "; charset=utf-8", None),
    ],
)
async def test_json_is_utf_8_or_as_it_says(
    api: LocalApi, adapter: AdapterHttp, body: bytes, charset: str, expected: object
) -> None:
    api.answers = [Answer(200, body=body, headers={"Content-Type": f"application/json{charset}"})]
    answer = await adapter.ask(LIST)
    if expected is not None:
        assert answer.json() == expected
        return
    with pytest.raises(ModelOnexError, match="The answer is not JSON"):
        answer.json()


def told(error: ModelOnexError) -> tuple[object, str, dict[str, Any]]:
    """Return what an error tells: its code, its message and what the log has beside it."""
    return error.error_code, error.message, error.context["additional_context"]


def test_answer_says_what_was_asked_and_where_it_leads() -> None:
    links = '</b>; rel="next  last", </c>, <http://a:b/>; rel=lost, <http://other.example/d>; rel=first'
    response = httpx.Response(
        206, headers={"Link": links, "X-Count": "3"}, request=httpx.Request("GET", "http://api.example/a/?x=1")
    )
    answer = HttpAnswer.of(response, b"\xc3\xa4\xff", found=True)
    assert answer == HttpAnswer(
        status=206,
        found=True,
        url="http://api.example/a/?x=1",
        links={
            "next": "http://api.example/b",
            "last": "http://api.example/b",
            "/c": "http://api.example/c",
            "first": "http://other.example/d",
        },
        encoding="utf-8",
        headers={"link": links, "x-count": "3"},
        content=b"\xc3\xa4\xff",
    )
    assert answer.text() == "\u00e4\ufffd"


def test_what_an_answer_lacks_is_said() -> None:
    answer = HttpAnswer.of(httpx.Response(200, request=httpx.Request("GET", "http://api.example")), b"<p>", found=True)
    refused = []
    for expected in (answer.json, lambda: answer.header("X-Count")):
        with pytest.raises(ModelOnexError) as caught:
            expected()
        refused.append(told(caught.value))
    assert refused == [
        (EnumCoreErrorCode.CONTRACT_VIOLATION, "The answer is not JSON.", {"integration": "http"}),
        (EnumCoreErrorCode.CONTRACT_VIOLATION, "The answer has no header X-Count.", {"integration": "http"}),
    ]


@pytest.mark.parametrize(
    ("value", "given"),
    [
        ("a,b", "a,b"),
        (1.5, 1.5),
        (None, None),
        ([1, "a", {"b": 2}], [1, "a", {"b": 2}]),
        ((1, 2), [1, 2]),
        ({"a": [1]}, '{"a": [1]}'),
        (b"\xff", "/w=="),
    ],
)
def test_parameters_are_values_or_lists_of_them(value: object, given: object) -> None:
    assert parameter(value) == given


@pytest.mark.parametrize(
    ("body", "sent_as", "content_type", "given"),
    [
        (None, "json", "", {}),
        (None, "parts", "", {}),
        ({"a": b"\xff"}, "json", "", {"json": {"a": "/w=="}}),
        ("a", "json", "application/merge-patch+json; charset=utf-8", {"json": "a"}),
        ("\u00e4", "json", "text/csv", {"content": "\u00e4".encode()}),
        ("\u00e4", "json", "text/csv; charset=latin-1", {"content": b"\xe4"}),
        (b"\xe4", "json", "text/csv", {"content": b"\xe4"}),
        ({"a": {"b": 1}, "c": [1, 2]}, "form", "", {"data": {"a": '{"b": 1}', "c": [1, 2]}}),
        (
            "\u00e4",
            "plain",
            "",
            {"content": "\u00e4".encode(), "headers": {"Content-Type": "text/plain; charset=utf-8"}},
        ),
        (b"a", "plain", "", {"content": b"a", "headers": {"Content-Type": "application/octet-stream"}}),
        ("\u00e4", "plain", "text/csv; charset=latin-1", {"content": b"\xe4"}),
        (
            {"a": [FilePart("x", "b.txt", "text/csv"), FilePart(b"y")], "c": 1, "d": FilePart(None)},
            "parts",
            "",
            {
                "files": [
                    ("a", ("b.txt", b"x", "text/csv")),
                    ("a", ("a", b"y")),
                    ("c", (None, b"1")),
                ]
            },
        ),
    ],
)
def test_body_is_what_httpx_takes_for_it(
    body: object, sent_as: SentAs, content_type: str, given: dict[str, object]
) -> None:
    assert content_of(body, sent_as, content_type) == given


@pytest.mark.parametrize(
    ("sent_as", "content_type", "type_"),
    [
        ("plain", "", "application/octet-stream"),
        ("plain", "text/csv; charset=utf-8", "text/csv"),
        ("json", "application/xml", "application/xml"),
    ],
)
def test_values_are_no_text(sent_as: SentAs, content_type: str, type_: str) -> None:
    with pytest.raises(ModelOnexError) as caught:
        content_of({"a": 1}, sent_as, content_type)
    message = f"A body of type {type_} is text or bytes."
    assert told(caught.value) == (EnumCoreErrorCode.VALIDATION_ERROR, message, {"integration": "http"})


async def test_that_there_is_nothing_is_an_answer_where_it_may_be(api: LocalApi, adapter: AdapterHttp) -> None:
    api.answers = [Answer(404, body={"error": "unknown"}, headers={"ETag": "abc"})]
    answer = await adapter.ask(HttpCall(method="GET", path="/things/1", success=frozenset({200}), not_found=True))
    assert (answer.status, answer.found, answer.json(), answer.header_or_none("ETag")) == (404, False, None, None)
    with pytest.raises(ModelOnexError) as caught:
        await adapter.ask(HttpCall(method="GET", path="/things/1"))
    assert caught.value.error_code is EnumCoreErrorCode.RESOURCE_NOT_FOUND


def linked(api: LocalApi, *pages: object, relation: str = "next") -> list[Answer]:
    """Return answers of which each but the last leads to the next."""
    links = [{"Link": f'</v1/things?page={number}>; rel="first {relation}"'} for number in range(2, len(pages) + 1)]
    return [Answer(body=page, headers=link) for page, link in zip(pages, [*links, {}], strict=True)]


async def test_links_are_followed_to_the_end(api: LocalApi, adapter: AdapterHttp) -> None:
    api.answers = linked(api, [1, 2], [], [3])
    found = await every_item(adapter, LIST, LinkedPages("next"), items=ALL, at_most=10)
    assert (found.items, found.more) == ([1, 2, 3], False)
    assert [asked.path for asked in api.asked] == ["/v1/things?size=2", "/v1/things?page=2", "/v1/things?page=3"]


async def test_cursor_is_handed_back(api: LocalApi, adapter: AdapterHttp) -> None:
    pages = [{"items": [1], "next": "a b"}, {"items": [2], "next": ""}]
    api.answers = [Answer(body=page) for page in pages]
    paging = CursorPages(jsonpath.compile("$.next"), "after")
    found = await every_item(adapter, LIST, paging, items=ITEMS, at_most=10)
    assert (found.items, found.more) == ([1, 2], False)
    assert [asked.path for asked in api.asked] == ["/v1/things?size=2", "/v1/things?size=2&after=a+b"]


async def test_numbers_go_on_until_a_page_is_empty(api: LocalApi, adapter: AdapterHttp) -> None:
    api.answers = [Answer(body=[{"id": 1}, {"id": 2}]), Answer(body=[{"id": 3}]), Answer(body=[])]
    ids = jsonpath.compile("$[*].id")
    found = await every_item(adapter, LIST, NumberedPages("page", 0), items=ids, at_most=10, many=True)
    assert (found.items, found.more) == ([1, 2, 3], False)
    assert [asked.path.partition("page=")[2] for asked in api.asked] == ["0", "1", "2"]


@pytest.mark.parametrize(("at_most", "asked", "more"), [(1, 1, True), (2, 1, True), (3, 2, True), (4, 2, False)])
async def test_no_more_is_asked_for_than_is_wanted(
    api: LocalApi, adapter: AdapterHttp, at_most: int, asked: int, more: bool
) -> None:
    api.answers = linked(api, [1, 2], [3, 4])
    found = await every_item(adapter, LIST, LinkedPages("next"), items=ALL, at_most=at_most)
    assert (found.items, found.more) == ([1, 2, 3, 4][:at_most], more)
    assert len(api.asked) == asked


async def test_pages_without_items_are_no_more_than_items_that_are_wanted(api: LocalApi, adapter: AdapterHttp) -> None:
    api.answers = linked(api, [], [], [], [1])
    found = await every_item(adapter, LIST, LinkedPages("next"), items=ALL, at_most=3)
    assert (found.items, found.more) == ([], True)
    assert len(api.asked) == 3


async def test_numbers_begin_at_one_where_nothing_else_is_said(api: LocalApi, adapter: AdapterHttp) -> None:
    api.answers = [Answer(body=[])]
    await every_item(adapter, LIST, NumberedPages("page"), items=ALL, at_most=10)
    assert [asked.path for asked in api.asked] == ["/v1/things?size=2&page=1"]


@pytest.mark.parametrize("last", [{"items": []}, {"items": [], "next": None}, {"items": [], "next": False}], ids=str)
async def test_there_is_no_page_after_one_without_a_cursor(api: LocalApi, adapter: AdapterHttp, last: object) -> None:
    api.answers = [Answer(body=last)]
    paging = CursorPages(jsonpath.compile("$.next"), "after")
    assert not (await every_item(adapter, LIST, paging, items=ITEMS, at_most=10)).items
    assert len(api.asked) == 1


async def test_each_page_is_asked_for_by_the_policy_of_the_operation(api: LocalApi, adapter: AdapterHttp) -> None:
    policy = RetryPolicy.of(Settings(retry_max_attempts=2))
    for retry, items in ((None, None), (policy, [1])):
        api.answers = [Answer(503), Answer(body=[1])]
        if items is None:
            with pytest.raises(ModelOnexError):
                await every_item(adapter, LIST, LinkedPages("next"), items=ALL, at_most=10, retry=retry)
        else:
            assert (
                await every_item(adapter, LIST, LinkedPages("next"), items=ALL, at_most=10, retry=retry)
            ).items == items


@pytest.mark.parametrize(
    ("answer", "paging", "message"),
    [
        (
            Answer(body=[1], headers={"Link": "</v1/things?page=1>; rel=next"}),
            LinkedPages("next"),
            "The pages of the answer have no end.",
        ),
        (
            Answer(body=[], headers={"Link": "<https://elsewhere.example/v1/things>; rel=next"}),
            LinkedPages("next"),
            "",
        ),
        (Answer(body={"items": 1}), LinkedPages("next"), "The answer has no array at $."),
        (Answer(body=b"no json"), NumberedPages("page"), ""),
    ],
    ids=["circle", "another server", "no array", "no JSON"],
)
async def test_pages_that_lead_astray_are_refused(
    api: LocalApi, adapter: AdapterHttp, answer: Answer, paging: Paging, message: str
) -> None:
    api.answers = [answer]
    with pytest.raises(ModelOnexError) as caught:
        await every_item(adapter, LIST, paging, items=ALL, at_most=10)
    assert caught.value.error_code is EnumCoreErrorCode.CONTRACT_VIOLATION
    if message:
        assert caught.value.message == message
        assert caught.value.context["additional_context"]["integration"] == "http"
    assert len(api.asked) <= 2


def test_value_may_be_several_segments() -> None:
    assert segments("a b/c%/1") == "a%20b/c%25/1"
    for wrong in ("", "/a", "a/", "a//b", "a/../b", "."):
        with pytest.raises(ModelOnexError) as caught:
            segments(wrong)
        assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR
