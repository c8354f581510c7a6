"""Bearer tokens: which are taken, and how the issuer's keys are learnt."""

import asyncio
import base64
import json
import logging
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from doubles.issuer import Issuer, bad_tokens
from onex_node_runtime.callers import key_set
from onex_node_runtime.callers.key_set import KeySet
from onex_node_runtime.callers.known import Callers, UnknownCallerError
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
        self.answer: bytes | Exception = self.issuer.document
        monkeypatch.setattr(key_set, "fetched", self.fetched)
        self.keys = KeySet(URL, refresh_seconds=300, max_age_seconds=3600, clock=lambda: self.now)

    async def fetched(self, *_: object) -> bytes:
        self.times += 1
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


async def test_keys_are_asked_for_once_however_many_ask(asked: Asked) -> None:
    assert asked.times == 0
    assert set(await asyncio.gather(*(asked.outcome() for _ in range(50)))) == {"known"}
    assert asked.times == 1


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


@pytest.mark.parametrize(
    ("url", "told"),
    [("https://login.example/k", 0), ("http://127.0.0.1:1/k", 0), ("http://login.example/k", 1)],
)
def test_keys_in_clear_are_told_of(url: str, told: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="omnibase")
    TokenScheme(settings(service_auth_jwks_url=url))
    assert caplog.text.count("issuer_keys_in_clear") == told
