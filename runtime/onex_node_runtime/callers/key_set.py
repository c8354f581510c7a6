# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""The public keys of an issuer of tokens (JWKS): asked for when they are needed, and again now and then."""

import asyncio
import json
import math
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import httpx
import jwt
from omnibase_core.enums import EnumCoreErrorCode, EnumLogLevel
from omnibase_core.logging import emit_log_event_sync

from ..serving.admission import RefusedError
from ..settings.types import PathOrNone
from .known import UnknownCallerError

FETCH_SECONDS = 5.0
LARGEST_DOCUMENT_BYTES = 262_144
MOST_KEYS = 100
# However many unknown keys tokens name, the issuer is asked no more often; after a failure, a little sooner.
PAUSE_SECONDS = 30.0
PAUSE_AFTER_FAILURE_SECONDS = 5.0
type _Question = asyncio.Task[None] | None
type _Found = jwt.PyJWK | None
# A secret key in the document would be one that everybody knows.
_PUBLIC_TYPES = ("RSA", "EC", "OKP")


async def fetched(url: str, trusted: PathOrNone) -> bytes:
    """Return the document of an issuer's keys.

    Args:
        url: Where it is; a redirect is not followed.
        trusted: A file with the certificates of who may say that it is the issuer; None for those of the system.

    Raises:
        httpx.HTTPError: The issuer can't be reached.
        OSError: It takes too long, answers with another status than 200, or the file can't be read.
        ValueError: The document is too large.
    """
    context = ssl.create_default_context(cafile=trusted) if trusted else ssl.create_default_context()
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    content = bytearray()
    async with (
        asyncio.timeout(FETCH_SECONDS),
        httpx.AsyncClient(verify=context, timeout=FETCH_SECONDS) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        if answer.status_code != HTTPStatus.OK:
            raise ConnectionError(answer.status_code)
        async for chunk in answer.aiter_raw():
            content += chunk
            if len(content) > LARGEST_DOCUMENT_BYTES:
                raise ValueError("too large")
    return bytes(content)


class KeySet:
    """The keys of one issuer."""

    def __init__(
        self,
        url: str,
        *,
        refresh_seconds: float,
        max_age_seconds: float,
        trusted: PathOrNone = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep where they are; nothing is asked before the first token.

        Args:
            url: Where the document is.
            refresh_seconds: After which keys are asked for again, while those that are known serve on.
            max_age_seconds: After which keys that could not be asked for again are no longer used.
            trusted: As of `fetched`.
            clock: Tells the time in seconds.
        """
        self._url = url
        self._refresh_seconds = refresh_seconds
        self._max_age_seconds = max_age_seconds
        self._trusted = trusted
        self._clock = clock
        self._keys: Sequence[Mapping[str, Any]] = ()
        self._made: dict[tuple[int, str], jwt.PyJWK] = {}
        self._known_since = -math.inf
        self._next_question = clock()
        self._question: _Question = None

    async def key(self, kid: object, algorithm: str) -> jwt.PyJWK:
        """Return the key that a token names.

        Args:
            kid: The key's name in the token's header; None for none, where the only key that fits is meant.
            algorithm: How the token is signed.

        Raises:
            UnknownCallerError: The issuer has no such key.
            RefusedError: 503 while the issuer can't be asked and its keys are not known, or too old.
        """
        if self._age() > self._max_age_seconds:
            await self._ask()
            if self._age() > self._max_age_seconds:
                raise RefusedError(
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    "Nobody can tell now who the caller is.",
                    code=EnumCoreErrorCode.SERVICE_UNAVAILABLE,
                )
        elif self._age() > self._refresh_seconds:
            self._begin_to_ask()
        found = self._find(kid, algorithm)
        if found is None:
            await self._ask()
            found = self._find(kid, algorithm)
        if found is None:
            raise UnknownCallerError("unknown_key")
        return found

    def _age(self) -> float:
        return self._clock() - self._known_since

    def _find(self, kid: object, algorithm: str) -> _Found:
        found = [
            key
            for index, candidate in enumerate(self._keys)
            if kid is None or candidate.get("kid") == kid
            if (key := self._key_for(index, algorithm)) is not None
        ]
        return found[0] if len(found) == 1 else None

    def _key_for(self, index: int, algorithm: str) -> _Found:
        """Return a key for an algorithm; None where it is of another kind, or for another one alone."""
        raw = self._keys[index]
        if raw.get("alg", algorithm) != algorithm:
            return None
        made = self._made.get((index, algorithm))
        if made is None:
            try:
                made = jwt.PyJWK(dict(raw), algorithm)
                # Whether it is on the algorithm's curve.
                made.Algorithm.prepare_key(made.key)
            except jwt.PyJWTError:
                return None
            self._made[index, algorithm] = made
        return made

    async def _ask(self) -> None:
        question = self._begin_to_ask()
        if question is not None:
            # A caller that leaves takes the question from nobody else.
            await asyncio.shield(question)

    def _begin_to_ask(self) -> _Question:
        """Ask, unless that is under way or was not long ago; return what is under way."""
        if self._question is None and self._clock() >= self._next_question:
            self._question = asyncio.create_task(self._learn())
        return self._question

    async def _learn(self) -> None:
        try:
            keys = _usable(await fetched(self._url, self._trusted))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            pause = PAUSE_AFTER_FAILURE_SECONDS
            emit_log_event_sync(EnumLogLevel.WARNING, "issuer_keys_unavailable", {"error": type(error).__name__})
        else:
            pause = PAUSE_SECONDS
            self._keys, self._made, self._known_since = keys, {}, self._clock()
        finally:
            self._question = None
        self._next_question = self._clock() + pause


def _usable(content: bytes) -> list[Mapping[str, Any]]:
    """Return the keys of a document that signatures can be checked with.

    Raises:
        ValueError: There are none, or too many.
    """
    keys = json.loads(content)["keys"]
    found: list[Mapping[str, Any]] = [
        key
        for key in keys
        if isinstance(key, dict)
        and key.get("kty") in _PUBLIC_TYPES
        and key.get("use", "sig") == "sig"
        and "verify" in key.get("key_ops", ["verify"])
    ]
    if not 0 < len(found) <= MOST_KEYS:
        raise ValueError(len(found))
    return found
