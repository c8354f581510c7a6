"""Bearer tokens: which are taken, and how the issuer's keys are learnt."""

import asyncio
import base64
import json
import logging
import ssl
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from doubles.issuer import Issuer, bad_tokens
from omnibase_core.enums import EnumCoreErrorCode
from onex_node_runtime.callers import key_set
from onex_node_runtime.callers.key_set import KeySet
from onex_node_runtime.callers.known import Callers, Identity, UnknownCallerError
from onex_node_runtime.callers.tokens import TokenScheme
from onex_node_runtime.serving.admission import RefusedError
from onex_node_runtime.serving.application import application
from onex_node_runtime.settings.bearer import BearerSettings
from pydantic import ValidationError

from tests.runtime.serving import served, serving

NAME, AUDIENCE, URL = "https://login.example/", "orders", "https://login.example/keys"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


def settings(**values: Any) -> BearerSettings:
    given = {"service_auth_issuer": NAME, "service_auth_audience": ["others", AUDIENCE], "service_auth_jwks_url": URL}
    return BearerSettings.model_validate({**given, "service_auth_algorithms": ALGORITHMS, **values})


@pytest.fixture(params=["ES256", "RS256"])
def issuer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    made = Issuer(NAME, AUDIENCE, request.param)
    monkeypatch.setattr(key_set, "fetched", made.published)
    return made


async def answer_to(token: str, scheme: TokenScheme | None = None) -> httpx.Response:
    who = Callers(scheme or TokenScheme(settings()), realm="node_stub", scopes={"echo": ("echo:run",)})
    transport = httpx.ASGITransport(application(served(callers=who)))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.post("/operations/echo", json={}, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_tokens_of_every_algorithm_are_taken(algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = Issuer(NAME, AUDIENCE, algorithm)
    monkeypatch.setattr(key_set, "fetched", issuer.published)
    for token in (issuer.token("echo:run"), issuer.token("echo:run", kid=None)):
        assert (await answer_to(token)).status_code == 200


async def test_bad_tokens_are_refused(issuer: Issuer) -> None:
    for wrong, token in bad_tokens(issuer, "echo:run").items():
        answer = await answer_to(token)
        assert answer.status_code == 401, wrong
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert ("expired" in answer.json()["detail"]) is (wrong == "expired")


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({}, 200),
        ({"aud": ["x", AUDIENCE]}, 200),
        ({"sub": None}, 200),
        ({"scope": "other echo:run"}, 200),
        ({"scope": ["echo:run"]}, 200),
        ({"scope": "echo:runs"}, 403),
        ({"scope": ["other echo:run"]}, 403),
        ({"scope": {"echo:run": True}}, 403),
        ({"scope": None}, 403),
        ({"exp": "soon"}, 401),
        ({"exp": [1]}, 401),
        ({"exp": 1e300}, 200),
        ({"iat": 32503680000}, 401),
        ({"nbf": "x"}, 401),
        ({"aud": {"orders": 1}}, 401),
        ({"iss": [NAME]}, 401),
    ],
)
async def test_claims_decide(claims: dict[str, Any], status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = Issuer(NAME, AUDIENCE)
    monkeypatch.setattr(key_set, "fetched", issuer.published)
    key, payload = issuer.key, issuer.claims("echo:run", **claims)
    token = jwt.PyJWS().encode(json.dumps(payload).encode(), key, "ES256", {"kid": "key-of-tests", "typ": "JWT"})
    assert (await answer_to(token)).status_code == status


async def test_clocks_may_differ_a_little(issuer: Issuer) -> None:
    token = issuer.token("echo:run", exp=issuer.claims()["iat"] - 20)
    assert (await answer_to(token)).status_code == 200
    assert (await answer_to(token, TokenScheme(settings(service_auth_clock_skew_seconds=5)))).status_code == 401


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "e30.e30.", base64.urlsafe_b64encode(b"[" * 9000).decode() + ".e30.e30"]
)
async def test_what_is_no_token_is_refused(token: str, issuer: Issuer) -> None:
    assert (await answer_to(token)).status_code == 401


async def test_algorithms_that_are_not_named_are_refused(issuer: Issuer) -> None:
    scheme = TokenScheme(settings(service_auth_algorithms=["PS256"]))
    assert (await answer_to(issuer.token("echo:run"), scheme)).status_code == 401


@pytest.mark.parametrize("named", [["none"], ["HS256"], ["RS256", "HS512"], [], "RS256"])
def test_settings_take_no_algorithm_that_is_none_or_shares_its_key(named: object) -> None:
    with pytest.raises(ValidationError):
        settings(service_auth_algorithms=named)


async def test_small_keys_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = Issuer(NAME, AUDIENCE, "RS256")
    issuer.key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - it is to be refused
    monkeypatch.setattr(key_set, "fetched", issuer.published)
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = issuer.token("echo:run")
    assert (await answer_to(token)).status_code == 401


class Asked:
    """Keys that are asked for, and a clock that is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.issuer = Issuer(NAME, AUDIENCE)
        self.times, self.now = 0, 1000.0
        self.where: tuple[object, ...] = ()
        self.answer: bytes | Exception = self.issuer.document
        monkeypatch.setattr(key_set, "fetched", self.fetched)
        self.keys = KeySet(
            URL, refresh_seconds=300, max_age_seconds=3600, trusted=Path("ca.pem"), clock=lambda: self.now
        )

    async def fetched(self, *where: object) -> bytes:
        self.times, self.where = self.times + 1, where
        await asyncio.sleep(0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def outcome(self, kid: str | None = "key-of-tests", algorithm: str = "ES256") -> str:
        try:
            await self.keys.key(kid, algorithm)
        except UnknownCallerError as error:
            return error.reason
        except RefusedError as error:
            return str(error.status.value)
        return "known"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(monkeypatch)


async def test_the_ages_of_keys_have_their_ends(asked: Asked) -> None:
    await asked.outcome()
    asked.answer = ConnectionError(500)
    learnt = asked.now
    for age, times in ((300, 1), (301, 2), (301 + 5, 3), (3600, 4)):
        asked.now = learnt + age
        assert await asked.outcome() == "known"
        await asyncio.sleep(0.01)
        assert asked.times == times
    asked.now = learnt + 3601
    with pytest.raises(RefusedError) as caught:
        await asked.keys.key("key-of-tests", "ES256")
    assert (caught.value.status, caught.value.code, caught.value.detail) == (
        HTTPStatus.SERVICE_UNAVAILABLE,
        EnumCoreErrorCode.SERVICE_UNAVAILABLE,
        "Nobody can tell now who the caller is.",
    )
    assert asked.times == 4


@pytest.mark.parametrize(
    ("fails", "pause"), [(False, key_set.PAUSE_SECONDS), (True, key_set.PAUSE_AFTER_FAILURE_SECONDS)]
)
async def test_the_next_question_has_its_time(fails: bool, pause: float, asked: Asked) -> None:
    if fails:
        asked.answer = TimeoutError()
    for passed, times in ((0.0, 1), (pause - 1, 1), (1.0, 2), (pause - 1, 2)):
        asked.now += passed
        await asked.outcome("made-up")
        assert asked.times == times


async def test_an_outage_of_the_issuer_is_logged_without_what_it_said(
    asked: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="omnibase")
    asked.answer = httpx.ConnectError("hidden-word")
    await asked.outcome()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    (line,) = (json.loads(message) for message in caplog.messages)
    assert (line["message"], line["context"]) == ("issuer_keys_unavailable", {"error": "ConnectError"})


async def test_other_keys_of_the_document_are_passed_over(asked: Asked) -> None:
    public = asked.issuer.public
    others = [1, {"kty": "oct", "kid": "key-of-tests"}, {**public, "use": "enc"}, {**public, "key_ops": ["sign"]}]
    asked.answer = json.dumps({"keys": [*others, public, {**public, "kid": "second"}]}).encode()
    assert [await asked.outcome(), await asked.outcome("second"), await asked.outcome()] == ["known"] * 3


async def test_a_document_may_have_so_many_keys(asked: Asked) -> None:
    keys = [{**asked.issuer.public, "kid": f"key-{number}"} for number in range(100)]
    asked.answer = json.dumps({"keys": keys}).encode()
    assert await asked.outcome("key-99") == "known"


async def test_a_caller_that_leaves_takes_the_question_from_nobody(asked: Asked) -> None:
    first, second = asyncio.create_task(asked.outcome()), asyncio.create_task(asked.outcome())
    await asyncio.sleep(0)
    first.cancel()
    assert (await second, asked.times) == ("known", 1)


async def test_keys_are_asked_for_once_however_many_ask(asked: Asked) -> None:
    assert asked.times == 0
    assert set(await asyncio.gather(*(asked.outcome() for _ in range(50)))) == {"known"}
    assert (asked.times, asked.where) == (1, (URL, Path("ca.pem")))


async def test_unknown_keys_are_asked_for_now_and_then(asked: Asked) -> None:
    await asked.outcome()
    for number in range(100):
        assert await asked.outcome(f"made-up-{number}") == "unknown_key"
    assert asked.times == 1
    asked.now += key_set.PAUSE_SECONDS
    changed = Issuer(NAME, AUDIENCE)
    asked.answer = json.dumps({"keys": [asked.issuer.public, {**changed.public, "kid": "next"}]}).encode()
    assert [await asked.outcome("next"), await asked.outcome("made-up")] == ["known", "unknown_key"]
    assert asked.times == 2


async def test_keys_serve_on_while_they_are_asked_for_again(asked: Asked) -> None:
    await asked.outcome()
    asked.now += 301
    asked.answer = Issuer(NAME, AUDIENCE).document.replace(b"key-of-tests", b"next")
    assert await asked.outcome() == "known"
    await asyncio.sleep(0.01)
    assert (asked.times, await asked.outcome(), await asked.outcome("next")) == (2, "unknown_key", "known")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("away"),
        ConnectionError(500),
        TimeoutError(),
        b"",
        b"[]",
        b'{"keys": 1}',
        b'{"keys": []}',
        b'{"keys": [1, {"kty": "oct", "k": "c2VjcmV0", "kid": "key-of-tests"}]}',
        b'{"keys": [{"kty": "RSA", "use": "enc"}]}',
        b'{"keys": [{"kty": "RSA", "key_ops": ["sign"]}]}',
        b"[" * 100_000,
        json.dumps({"keys": [{"kty": "RSA"}] * 101}).encode(),
    ],
    ids=str,
)
async def test_keys_that_can_not_be_had_are_an_outage(
    answer: bytes | Exception, asked: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="omnibase")
    good, asked.answer = asked.answer, answer
    assert [await asked.outcome() for _ in range(20)] == ["503"] * 20
    assert (asked.times, caplog.text.count("issuer_keys_unavailable")) == (1, 1)
    asked.now += key_set.PAUSE_AFTER_FAILURE_SECONDS
    asked.answer = good
    assert await asked.outcome() == "known"
    # An outage later on is bridged for as long as keys may be old.
    asked.answer, asked.now = answer, asked.now + 3500
    assert await asked.outcome() == "known"
    asked.now += 200
    assert await asked.outcome() == "503"


@pytest.mark.parametrize(
    ("changed", "algorithm", "found"),
    [
        ({}, "ES256", "known"),
        ({}, "RS256", "unknown_key"),
        ({}, "ES384", "unknown_key"),
        ({"alg": "ES256"}, "ES256", "known"),
        ({"alg": "ES384"}, "ES256", "unknown_key"),
        ({"x": "AA"}, "ES256", "unknown_key"),
        ({"crv": "P-521"}, "ES256", "unknown_key"),
        ({"use": "sig", "key_ops": ["verify"]}, "ES256", "known"),
    ],
)
async def test_keys_serve_their_own_algorithm(
    changed: dict[str, Any], algorithm: str, found: str, asked: Asked
) -> None:
    asked.answer = json.dumps({"keys": [{**asked.issuer.public, **changed}]}).encode()
    assert await asked.outcome(algorithm=algorithm) == found


async def test_a_token_that_names_no_key_means_the_only_one(asked: Asked) -> None:
    assert await asked.outcome(None) == "known"
    asked.answer = json.dumps({"keys": [asked.issuer.public, {**Issuer(NAME, AUDIENCE).public, "kid": "b"}]}).encode()
    asked.keys = KeySet(URL, refresh_seconds=300, max_age_seconds=3600, clock=lambda: asked.now)
    assert [await asked.outcome(None), await asked.outcome("b")] == ["unknown_key", "known"]


async def test_documents_come_over_http_and_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    async def handle(_name: str, payload: dict[str, Any]) -> dict[str, Any]:
        return payload

    async with serving(served(handle)) as port:
        assert b"alive" in await key_set.fetched(f"http://127.0.0.1:{port}/health", None)
        with pytest.raises(ConnectionError):
            await key_set.fetched(f"http://127.0.0.1:{port}/nothing", None)
        monkeypatch.setattr(key_set, "LARGEST_DOCUMENT_BYTES", 5)
        with pytest.raises(ValueError, match="too large"):
            await key_set.fetched(f"http://127.0.0.1:{port}/health", None)
    with pytest.raises(FileNotFoundError):
        await key_set.fetched("https://127.0.0.1:9/", Path("/nowhere.pem"))


async def test_the_document_is_asked_for_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made: list[dict[str, Any]] = []
    asked: list[httpx.Request] = []
    trusted: list[object] = []
    answers = [httpx.Response(200, stream=httpx.ByteStream(content)) for content in (b"12345", b"123456")]
    answers.append(httpx.Response(302))
    client, context = httpx.AsyncClient, ssl.create_default_context()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answers.pop(0)

    def make(**how: Any) -> httpx.AsyncClient:
        made.append(how)
        return client(**how, transport=httpx.MockTransport(answer))

    def trusting(cafile: object = None) -> ssl.SSLContext:
        trusted.append(cafile)
        return context

    monkeypatch.setattr(httpx, "AsyncClient", make)
    monkeypatch.setattr(ssl, "create_default_context", trusting)
    monkeypatch.setattr(key_set, "LARGEST_DOCUMENT_BYTES", 5)
    own = tmp_path / "own.pem"
    assert await key_set.fetched(URL, own) == b"12345"
    with pytest.raises(ValueError, match=r"^too large$"):
        await key_set.fetched(URL, None)
    with pytest.raises(ConnectionError, match="302"):
        await key_set.fetched(URL, None)
    assert trusted == [own, None, None]
    assert made == [{"verify": context, "timeout": key_set.FETCH_SECONDS}] * 3
    assert {(request.method, str(request.url)) for request in asked} == {("GET", URL)}
    assert {(request.headers["accept"], request.headers["accept-encoding"]) for request in asked} == {
        ("application/json", "identity")
    }


class Key:
    """Gives the issuer's only key, and remembers how it was made."""

    made: dict[str, Any]

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer

    def __call__(self, url: str, **how: Any) -> "Key":
        self.made = {"url": url, **how}
        return self

    async def key(self, kid: object, algorithm: str) -> jwt.PyJWK:
        assert kid in {None, "key-of-tests"}
        return jwt.PyJWK(self.issuer.public, algorithm)


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> Key:
    made = Key(Issuer(NAME, AUDIENCE))
    monkeypatch.setattr("onex_node_runtime.callers.tokens.KeySet", made)
    return made


def test_keys_are_had_as_settings_say(key: Key, tmp_path: Path) -> None:
    TokenScheme(
        settings(
            service_auth_jwks_refresh_seconds=7,
            service_auth_jwks_max_age_seconds=70,
            service_auth_ca_file=tmp_path / "ca.pem",
        )
    )
    expected = {"url": URL, "refresh_seconds": 7.0, "max_age_seconds": 70.0, "trusted": tmp_path / "ca.pem"}
    assert key.made == expected


@pytest.mark.parametrize(
    ("claims", "identity"),
    [
        ({"scope": "a  b"}, Identity("bearer:caller-of-tests", frozenset({"a", "b"}))),
        ({"client_id": "c", "azp": "d"}, Identity("bearer:caller-of-tests")),
        ({"sub": None, "client_id": "c", "azp": "d"}, Identity("bearer:c")),
        ({"sub": None, "client_id": 5, "azp": "d"}, Identity("bearer:d")),
        ({"sub": None}, Identity("bearer:")),
        ({"sub": "x" * 201}, Identity(f"bearer:{'x' * 200}")),
        ({"scope": ["a b", 1, "c"]}, Identity("bearer:caller-of-tests", frozenset({"a b", "c"}))),
        ({"scope": {"a": True}}, Identity("bearer:caller-of-tests")),
    ],
)
async def test_a_token_says_who_calls_and_what_for(claims: dict[str, Any], identity: Identity, key: Key) -> None:
    assert await TokenScheme(settings()).identify(key.issuer.token(**claims)) == identity


async def test_scopes_are_in_the_claim_of_the_settings(key: Key) -> None:
    scheme = TokenScheme(settings(service_auth_scopes_claim="roles"))
    assert (await scheme.identify(key.issuer.token("a", roles=["b"]))).scopes == {"b"}


async def test_what_is_wrong_with_a_token_is_for_the_log(key: Key) -> None:
    reasons = {}
    for wrong, token in bad_tokens(key.issuer).items():
        if wrong == "unknown key":
            continue
        with pytest.raises(UnknownCallerError) as caught:
            await TokenScheme(settings()).identify(token)
        reasons[wrong] = caught.value.reason
        detail = "The token has expired." if wrong == "expired" else "The credentials are not valid."
        assert caught.value.detail == detail
    assert reasons == {
        "expired": "expired_token",
        "not yet": "ImmatureSignatureError",
        "forever": "MissingRequiredClaimError",
        "forged": "InvalidSignatureError",
        "changed": "InvalidSignatureError",
        "unsigned": "InvalidSignatureError",
        "other issuer": "InvalidIssuerError",
        "other audience": "InvalidAudienceError",
        "no audience": "MissingRequiredClaimError",
        "algorithm none": "other_algorithm",
        "HMAC with the public key": "other_algorithm",
        "no token": "unreadable_token",
    }


async def test_a_token_without_an_issuer_is_refused(key: Key) -> None:
    with pytest.raises(UnknownCallerError) as caught:
        await TokenScheme(settings()).identify(key.issuer.token(iss=None, exp=int(time.time()) + 60))
    assert caught.value.reason == "MissingRequiredClaimError"


def test_the_line_that_tells_of_keys_in_clear_names_the_setting(key: Key, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="omnibase")
    TokenScheme(settings(service_auth_jwks_url="http://login.example/k"))
    assert key.made["url"] == "http://login.example/k"
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    (line,) = (json.loads(message) for message in caplog.messages)
    assert (line["message"], line["context"]) == (
        "issuer_keys_in_clear",
        {"setting": "SERVICE_AUTH_JWKS_URL", "risk": "who is on the way may exchange the keys"},
    )


@pytest.mark.parametrize(
    ("url", "told"),
    [("https://login.example/k", 0), ("http://127.0.0.1:1/k", 0), ("http://login.example/k", 1)],
)
def test_keys_in_clear_are_told_of(url: str, told: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="omnibase")
    TokenScheme(settings(service_auth_jwks_url=url))
    assert caplog.text.count("issuer_keys_in_clear") == told
