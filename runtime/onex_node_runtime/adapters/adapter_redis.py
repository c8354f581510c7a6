# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Redis: one pool of connections, values as JSON, and commands that survive a server that fails for a while."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from contextvars import Context
from ssl import TLSVersion
from typing import TYPE_CHECKING, Any, override

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, ReadOnlyError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ..effects import begin, cause_of, effect
from ..json_values import json_values, parsed
from ..spans import UNTRACED
from .connections import FOR_CHECKS, Connections
from .tls import wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import JsonValue
    from redis.asyncio.connection import AbstractConnection

    from ..settings.redis import RedisSettings
    from ..spans import Spans
    from .group import Figure
    from .guard import Guard
    from .retry_policy import RetryOrNone

type Word = str | float | bytes
"""A part of a command; whole numbers are sent as such."""

CLOSE_SECONDS = 3.0
_LOADING = (BusyLoadingError, ReadOnlyError)
# What Redis answers, beginning of the sentence: kept is another kind of value, or the command asks for too much.
_SAID = {
    "WRONGTYPE": EnumCoreErrorCode.CONTRACT_VIOLATION,
    "value is not an integer": EnumCoreErrorCode.CONTRACT_VIOLATION,
    "hash value is not an integer": EnumCoreErrorCode.CONTRACT_VIOLATION,
    "increment or decrement would overflow": EnumCoreErrorCode.VALIDATION_ERROR,
    "invalid expire time": EnumCoreErrorCode.VALIDATION_ERROR,
}
_MESSAGES = {
    EnumCoreErrorCode.TIMEOUT: "Redis gave no answer in time.",
    EnumCoreErrorCode.NETWORK_ERROR: "Redis can't be reached.",
    EnumCoreErrorCode.CONTRACT_VIOLATION: "What Redis keeps is of another kind than the contract says.",
    EnumCoreErrorCode.VALIDATION_ERROR: "Redis does not take a number of this size.",
    EnumCoreErrorCode.OPERATION_FAILED: "Redis refused the command.",
    EnumCoreErrorCode.INVALID_CONFIGURATION: "Redis can't be used as it is configured.",
}
_INTEGERS = range(-(2**63), 2**63)
# Less deletes a key at once; Redis counts milliseconds from 1970 on, in 64 bits.
_SECONDS_TO_LIVE = range(1, 9_000_000_000_001)
_OUTAGE = (RedisConnectionError, RedisTimeoutError, OSError, TimeoutError, *_LOADING)


class Pool(BlockingConnectionPool):
    """Connections that are given back in the background, so that what becomes of one changes no reply."""

    def __init__(self, **options: Any) -> None:
        """Build the pool, with redis's options."""
        super().__init__(**options)
        self._releases: set[asyncio.Task[None]] = set()

    @override
    async def get_connection(self, *arguments: Any, **options: Any) -> AbstractConnection:
        connection: AbstractConnection = await super().get_connection(*arguments, **options)  # type: ignore[no-untyped-call]  # as redis has it
        # What is sent from here on may take effect.
        begin()
        return connection

    @override
    async def release(self, connection: AbstractConnection) -> None:
        release = asyncio.create_task(self._release(connection), context=Context())
        self._releases.add(release)
        release.add_done_callback(self._releases.discard)

    async def _release(self, connection: AbstractConnection) -> None:
        # A connection that can't be closed in order is made anew when it is asked for.
        with suppress(*_OUTAGE):
            await super().release(connection)


def _encryption(settings: RedisSettings, url: str) -> dict[str, Any]:
    """Return what connections are told of TLS.

    Raises:
        ModelOnexError: INVALID_CONFIGURATION when there are files for TLS that the URL does not ask for.
    """
    files = (settings.redis_tls_ca_file, settings.redis_tls_cert_file, settings.redis_tls_key_file)
    if not url.lower().startswith("rediss:"):
        if wanted(*files):
            raise ModelOnexError(
                message="Redis is only spoken to by TLS where its URL starts with rediss://.",
                error_code=EnumCoreErrorCode.INVALID_CONFIGURATION,
            )
        return {}
    trusted, certificate, key = files
    return {
        "ssl_ca_certs": trusted and str(trusted),
        "ssl_certfile": certificate and str(certificate),
        "ssl_keyfile": (key or certificate) and str(key or certificate),
        "ssl_check_hostname": True,
        "ssl_min_version": TLSVersion.TLSv1_2,
    }


class AdapterRedis:
    """The Redis that the node works with."""

    def __init__(
        self,
        settings: RedisSettings,
        *,
        url: Callable[[], str],
        guard: Guard,
        check_seconds: float,
        spans: Spans = UNTRACED,
    ) -> None:
        """Keep the settings; no connection is opened before the first command.

        Args:
            settings: Limits of the client.
            url: Where Redis is; asked when the first command is sent.
            guard: Stands before commands.
            check_seconds: How long a sign of life may take.
            spans: How commands are traced.
        """
        self.settings = settings
        self._url = url
        self._check_seconds = check_seconds
        self._spans = spans
        self._connections = Connections("redis", settings.redis_max_connections, settings.redis_timeout_seconds)
        self._client: Redis | None = None
        self.guard = guard

    async def open(self) -> None:
        """Connect; does nothing when connected.

        Raises:
            ModelOnexError: NETWORK_ERROR or TIMEOUT when Redis is away, CONFIGURATION_NOT_FOUND without its URL.
        """
        await self.check()

    async def close(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(*_OUTAGE):
                await asyncio.wait_for(client.aclose(), CLOSE_SECONDS)

    async def check(self) -> None:
        """Ask Redis for a sign of life.

        Raises:
            ModelOnexError: NETWORK_ERROR or TIMEOUT when none comes, CONFIGURATION_NOT_FOUND without its URL.
        """
        try:
            async with asyncio.timeout(self._check_seconds):
                await self._send_once(["PING"], idempotent=True)
        except Exception as error:
            raise self._translated(error) from error

    def figures(self) -> list[Figure]:
        """Return gauges: name, value and tags."""
        return [*self.guard.figures(), *self._connections.figures()]

    async def send(
        self,
        command: Sequence[Word],
        expiry: Sequence[Word] = (),
        *,
        idempotent: bool = False,
        retry: RetryOrNone = None,
    ) -> Any:
        """Send a command and return the reply.

        Args:
            command: The command and its arguments.
            expiry: A second command that sets when the key goes away; both take effect or none.
            idempotent: Whether sending it twice does no harm.
            retry: The operation's own retry policy, instead of the node's.

        Returns:
            The reply to the command; texts as `str`.

        Raises:
            ModelOnexError: NETWORK_ERROR, TIMEOUT or SERVICE_UNAVAILABLE when Redis is away, CONTRACT_VIOLATION when
                the key holds a value of another kind, VALIDATION_ERROR for numbers that are too large, or
                OPERATION_FAILED when the command is refused.
        """
        with self._spans.call("redis send"):
            try:
                _check(command)
                _check(expiry)
                return await self.guard.call(
                    lambda: self._send_once(command, expiry, idempotent=idempotent),
                    _is_outage,
                    _is_outage,
                    idempotent=idempotent,
                    retry=retry,
                    connections=self._connections,
                )
            except Exception as error:
                raise self._translated(error) from error

    async def _send_once(self, command: Sequence[Word], expiry: Sequence[Word] = (), *, idempotent: bool) -> Any:
        client = self._ready_client()
        with effect(_leaves_open, idempotent=idempotent, begun=False):
            if not expiry:
                return await client.execute_command(*command)  # type: ignore[no-untyped-call]  # as redis has it
            async with client.pipeline(transaction=True) as pipeline:
                pipeline.execute_command(*command)
                pipeline.execute_command(*expiry)
                reply, _ = await pipeline.execute()
            return reply

    def _ready_client(self) -> Redis:
        if self._client is None:
            url = self._url()
            pool = Pool.from_url(
                url,
                **_encryption(self.settings, url),
                decode_responses=True,
                max_connections=self.settings.redis_max_connections + FOR_CHECKS,
                timeout=self.settings.redis_timeout_seconds,
                socket_timeout=self.settings.redis_timeout_seconds,
                socket_connect_timeout=self.settings.redis_timeout_seconds,
                # What may be sent again is decided per operation.
                retry=Retry(NoBackoff(), 0),
            )
            self._client = Redis.from_pool(pool)
        return self._client

    def _translated(self, raised: Exception) -> ModelOnexError:
        error = cause_of(raised)
        if isinstance(error, ModelOnexError):
            return error
        if isinstance(error, (RedisTimeoutError, TimeoutError)):
            code = EnumCoreErrorCode.TIMEOUT
        elif isinstance(error, _OUTAGE):
            code = EnumCoreErrorCode.NETWORK_ERROR
        elif isinstance(error, RedisError):
            said = (code for sentence, code in _SAID.items() if sentence in str(error))
            code = next(said, EnumCoreErrorCode.OPERATION_FAILED)
        elif isinstance(error, UnicodeDecodeError):
            code = EnumCoreErrorCode.CONTRACT_VIOLATION
        else:
            code = EnumCoreErrorCode.INVALID_CONFIGURATION
        return ModelOnexError(
            message=_MESSAGES[code],
            error_code=code,
            integration="redis",
            # What the server and the client say is for the log; callers learn what they can act on.
            reason=self.settings.redact(f"Redis: {type(error).__name__}: {error}"),
            outcome_unknown=error is not raised,
        )


def _is_outage(error: BaseException) -> bool:
    return isinstance(error, _OUTAGE)


def _leaves_open(error: Exception) -> bool:
    # A server that is loading or only reads has refused the command.
    return _is_outage(error) and not isinstance(error, _LOADING)


def _check(words: Sequence[Word]) -> None:
    message = ""
    if any(isinstance(word, int) and word not in _INTEGERS for word in words):
        message = "A number is too large for Redis, which has 64 bits for it."
    # Redis itself would find that out of the second of two commands when the first has taken effect.
    elif [*words[:1]] == ["EXPIRE"] and words[-1] not in _SECONDS_TO_LIVE:
        message = _MESSAGES[EnumCoreErrorCode.VALIDATION_ERROR]
    if message:
        raise ModelOnexError(
            message=message,
            error_code=EnumCoreErrorCode.VALIDATION_ERROR,
            integration="redis",
        )


def encoded(value: object) -> str:
    """Return a value as it is stored: as JSON."""
    return json.dumps(json_values(value), ensure_ascii=False)


def decoded(stored: str | None) -> JsonValue:
    """Return a stored value; text that is no JSON, which others may have stored, as it is."""
    if stored is None:
        return None
    try:
        value: JsonValue = parsed(stored)
    # JSON that is nested too deeply is a RecursionError.
    except (ValueError, RecursionError):
        return stored
    return value


def scored(reply: Sequence[Any]) -> list[tuple[str, float]]:
    """Return the values and scores of a part of a sorted set, in order, however the client hands them on."""
    pairs = reply if not reply or isinstance(reply[0], (list, tuple)) else zip(reply[::2], reply[1::2], strict=True)
    return [(value, float(score)) for value, score in pairs]


def member(value: JsonValue, name: str) -> JsonValue:
    """Return one member of a stored mapping, or None when there is none."""
    return value.get(name) if isinstance(value, dict) else None
