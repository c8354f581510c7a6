"""What callers that are refused are told, and what the log is: the whole challenge, the whole line."""

import hashlib
import json
import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from onex_node_runtime.callers import known
from onex_node_runtime.callers.api_keys import ApiKeyScheme
from onex_node_runtime.callers.known import Callers, Identity, UnknownCallerError, after_scheme
from onex_node_runtime.serving.admission import RefusedError
from onex_node_runtime.settings.api_keys import ApiKeySettings
from starlette.datastructures import Headers
from starlette.requests import Request


class Words:
    """Knows callers by a word after the name of the scheme; `bad` is nobody's, and `later` nobody can tell."""

    def __init__(self, challenge: str) -> None:
        self.challenge = challenge

    def credentials(self, headers: Headers) -> list[str]:
        return list(after_scheme(headers, self.challenge))

    async def identify(self, credentials: str) -> Identity:
        if credentials == "bad":
            raise UnknownCallerError("bad_word")
        if credentials == "old":
            raise UnknownCallerError("old_word", "The word is too old.")
        if credentials == "later":
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "Later.")
        return Identity(f"word:{credentials}", frozenset({"read", "list"}))


def callers(**values: Any) -> Callers:
    scopes = {"find": ("read",), "all": ("list", "read"), "drop": ("read", "write")}
    return Callers(Words("Word"), Words("Sign"), realm="shop", scopes=scopes, **values)


def request(*credentials: str, client: tuple[str, int] | None = ("10.1.2.3", 5)) -> Request:
    headers = [(b"authorization", value.encode()) for value in credentials]
    return Request({"type": "http", "headers": headers, "client": client})


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str, dict[str, Any]]]:
    told = [json.loads(message) for message in caplog.messages]
    return [
        (record.levelno, line["message"], line["context"]) for record, line in zip(caplog.records, told, strict=True)
    ]


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="omnibase")


INVALID = 'realm="shop", error="invalid_token", error_description='


@pytest.mark.parametrize(
    ("credentials", "detail", "challenge", "reason"),
    [
        ((), "The request has no credentials.", 'Word realm="shop", Sign realm="shop"', None),
        (("Other good",), "The request has no credentials.", 'Word realm="shop", Sign realm="shop"', None),
        (
            ("Word good", "Sign good"),
            "The request has several credentials, where one is taken.",
            'Word realm="shop", Sign realm="shop"',
            "several_credentials",
        ),
        (
            ("Word bad",),
            "The credentials are not valid.",
            f'Word {INVALID}"The credentials are not valid.", Sign realm="shop"',
            "bad_word",
        ),
        (("Sign old",), "The word is too old.", f'Word realm="shop", Sign {INVALID}"The word is too old."', "old_word"),
    ],
)
async def test_who_is_unknown_is_told_how_to_be_known(
    credentials: Sequence[str], detail: str, challenge: str, reason: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(RefusedError) as caught:
        await callers().check_operation(request(*credentials), "find")
    error = caught.value
    assert (error.status, error.code) == (HTTPStatus.UNAUTHORIZED, EnumCoreErrorCode.AUTHENTICATION_ERROR)
    assert (error.detail, error.headers) == (detail, {"WWW-Authenticate": challenge})
    told = [] if reason is None else [(logging.WARNING, "caller_refused", {"reason": reason, "address": "10.1.2.3"})]
    assert lines(caplog) == told


async def test_who_may_not_is_told_what_it_takes(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RefusedError) as caught:
        await callers().check_operation(request("sign  good", client=None), "drop")
    error = caught.value
    assert (error.status, error.code) == (HTTPStatus.FORBIDDEN, EnumCoreErrorCode.PERMISSION_DENIED)
    assert error.detail == "The caller needs the scope read write."
    challenge = 'Sign realm="shop", error="insufficient_scope", scope="read write"'
    assert error.headers == {"WWW-Authenticate": challenge}
    told = {"reason": "insufficient_scope", "address": "", "caller": "word:good"}
    assert lines(caplog) == [(logging.WARNING, "caller_refused", told)]


@pytest.mark.parametrize("operation", ["find", "all", "unheard of"])
async def test_who_may_is_known(operation: str, caplog: pytest.LogCaptureFixture) -> None:
    found = await callers().check_operation(request("Word good"), operation)
    assert found == Identity("word:good", frozenset({"read", "list"}))
    assert lines(caplog) == []


async def test_an_operation_without_scopes_needs_a_known_caller() -> None:
    who = Callers(Words("Word"), realm="shop")
    assert (await who.check_operation(request("Word good"), "drop")).name == "word:good"
    with pytest.raises(RefusedError):
        await who.check_operation(request(), "drop")
    await who.check_metrics(request())


async def test_where_nobody_can_tell_the_refusal_is_the_schemes(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RefusedError) as caught:
        await callers().check_operation(request("Word later"), "find")
    assert (caught.value.status, caught.value.headers) == (HTTPStatus.SERVICE_UNAVAILABLE, {})
    assert lines(caplog) == []


async def test_lines_of_the_log_that_were_left_out_are_counted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 50.0
    monkeypatch.setattr("onex_node_runtime.callers.known.time.monotonic", lambda: now)
    who = callers(metrics=("write",))
    for pause in (0.0, 0.0, known.LOG_PAUSE_SECONDS / 2, known.LOG_PAUSE_SECONDS / 2, known.LOG_PAUSE_SECONDS):
        now += pause
        with pytest.raises(RefusedError):
            await who.check_metrics(request("Word good"))
    told = {"reason": "insufficient_scope", "address": "10.1.2.3", "caller": "word:good"}
    assert [line for _, _, line in lines(caplog)] == [told, {**told, "left_out": "2"}, told]


def test_what_follows_a_scheme_is_its_credentials() -> None:
    values = (" WORD  a b ", "word", "Wordy c", "Word\td", "Sign e")
    headers = Headers(raw=[(b"authorization", value.encode()) for value in values])
    assert list(after_scheme(headers, "Word")) == ["a b", ""]


async def test_keys_are_taken_from_their_header_and_from_the_usual_one() -> None:
    digest = hashlib.sha256("k\u00e9y".encode()).hexdigest()
    keys = json.dumps([{"name": "shop", "sha256": digest, "scopes": ["read"]}])
    scheme = ApiKeyScheme(ApiKeySettings.model_validate({"service_api_keys": keys}), header="X-Key")
    headers = [(b"x-key", b"a"), (b"authorization", b"ApiKey c"), (b"X-Key".lower(), b"b"), (b"x-api-key", b"d")]
    assert (scheme.challenge, scheme.credentials(Headers(raw=headers))) == ("ApiKey", ["a", "b", "c"])
    assert await scheme.identify("k\u00e9y") == Identity("api_key:shop", frozenset({"read"}))
    with pytest.raises(UnknownCallerError) as caught:
        await scheme.identify("key")
    assert (caught.value.reason, caught.value.detail) == ("unknown_api_key", "The credentials are not valid.")
    assert str(caught.value) == "unknown_api_key"
