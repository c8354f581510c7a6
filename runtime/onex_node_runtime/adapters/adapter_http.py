# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""HTTP: one API, its connections kept open, and requests that survive an API that fails for a while."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

from ..correlation import CORRELATION_HEADER, CORRELATION_ID
from ..effects import begin, cause_of, effect
from ..json_values import json_values
from ..spans import UNTRACED
from .connections import FOR_CHECKS, Connections
from .http_content import HttpAnswer, SentAs, content_of, parameter
from .retry_policy import AsksForPauseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import JsonValue

    from ..settings.node import NodeSettings
    from ..spans import Spans
    from .group import Figure
    from .guard import Guard
    from .retry_policy import RetryOrNone

# Where this starts, the request begins to leave.
_LEAVES = "send_request_headers.started"
_CODES = {
    HTTPStatus.UNAUTHORIZED: EnumCoreErrorCode.PERMISSION_DENIED,
    HTTPStatus.FORBIDDEN: EnumCoreErrorCode.PERMISSION_DENIED,
    HTTPStatus.NOT_FOUND: EnumCoreErrorCode.RESOURCE_NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT: EnumCoreErrorCode.TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS: EnumCoreErrorCode.RATE_LIMIT_ERROR,
    HTTPStatus.GATEWAY_TIMEOUT: EnumCoreErrorCode.TIMEOUT,
}
_LONGEST_EXCERPT = 200
_MESSAGES = {
    EnumCoreErrorCode.TIMEOUT: "The API gave no answer in time.",
    EnumCoreErrorCode.VALIDATION_ERROR: "The API can't be asked with these values.",
    EnumCoreErrorCode.NETWORK_ERROR: "The API can't be reached.",
    EnumCoreErrorCode.CONTRACT_VIOLATION: "The answer of the API can't be read.",
    EnumCoreErrorCode.OPERATION_FAILED: "The request to the API failed.",
}
CLOSE_SECONDS = 3.0
# What is read of an answer whose body nobody asked for; a longer one costs its connection.
_PASSED_OVER_BYTES = 65536
_PASSED_OVER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Limits of the client of an API.

    Attributes:
        timeout_seconds: Longest wait for an answer.
        max_connections: Connections of calls at once; health checks have one more.
        max_answer_bytes: Largest answer that is read.
    """

    timeout_seconds: float
    max_connections: int
    max_answer_bytes: int


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One request.

    Attributes:
        method: Such as `POST`.
        path: Below the base URL, percent-encoded; or a whole URL of the same server.
        query: Parameters; one whose value is None is left out.
        headers: Headers beside those of every request; one whose value is None is left out.
        body: Sent as JSON, or as it is where the headers name another type; None sends none.
        sent_as: What the body is: `json`; `form`, the fields of a form; `parts`, values and files of a request of
            several parts; or `plain`, text or bytes that are sent as they are.
        success: Status codes of success; none stands for every 2xx.
        not_found: Whether 404 is an answer, too: that there is nothing.
        reads: Whether the answer's body is asked for; else nothing in it turns a success into an error.
        idempotent: Whether it may be sent twice.
    """

    method: str
    path: str
    query: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, object] = field(default_factory=dict)
    body: object = None
    sent_as: SentAs = "json"
    success: frozenset[int] = frozenset()
    not_found: bool = False
    reads: bool = True
    idempotent: bool = False


class HttpStatusError(AsksForPauseError):
    """The API answered with a status that is no success."""

    def __init__(self, call: HttpCall, response: httpx.Response, content: bytes) -> None:
        """Keep what matters of the answer.

        Args:
            call: The request.
            response: The answer.
            content: Its body, or the beginning of it, decoded.
        """
        excerpt = content.decode(errors="replace")[:_LONGEST_EXCERPT]
        super().__init__(f"{call.method} was answered with {response.status_code}: {excerpt}")
        self.status = response.status_code
        self.safe_to_repeat = _safe_to_repeat(response, content)
        self.retry_after_seconds = _retry_after(response.headers.get("Retry-After"))


class AdapterHttp:
    """An HTTP API that the node works with."""

    def __init__(
        self,
        settings: NodeSettings,
        *,
        limits: HttpLimits,
        base_url: Callable[[], str],
        headers: Callable[[], Mapping[str, str]],
        guard: Guard,
        check_seconds: float,
        name: str = "http",
        health_path: str = "",
        retry_status: frozenset[int] = frozenset(),
        spans: Spans = UNTRACED,
    ) -> None:
        """Keep the settings; no connection is opened before the first request.

        Args:
            settings: The node's settings.
            limits: Limits of the client.
            base_url: Where the API is; asked when the first request is made.
            headers: Headers of every request; asked at the same time.
            guard: Stands before requests.
            check_seconds: How long a sign of life may take.
            name: What errors and traces call it.
            health_path: What is asked for a sign of life, and has to be there; empty asks the base URL, and takes
                every answer that is no failure of the server.
            retry_status: Statuses that are worth another attempt, where it does no harm.
            spans: How requests are traced.
        """
        self.settings = settings
        self.name = name
        self._limits = limits
        self._base_url = base_url
        self._headers = headers
        self._check_seconds = check_seconds
        self._health_path = health_path
        self._retry_status = retry_status
        self._spans = spans
        self._connections = Connections(name, limits.max_connections, limits.timeout_seconds)
        self._client: httpx.AsyncClient | None = None
        self.guard = guard

    async def open(self) -> None:
        """Prepare the client; does nothing when there is one.

        Raises:
            ModelOnexError: CONFIGURATION_NOT_FOUND when a setting is missing.
        """
        self._ready_client()

    async def close(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(client.aclose(), CLOSE_SECONDS)

    async def check(self) -> None:
        """Ask the API for a sign of life.

        Raises:
            ModelOnexError: CONFIGURATION_NOT_FOUND, NETWORK_ERROR, TIMEOUT, or what the status stands for.
        """
        call, client = HttpCall(method="GET", path=self._health_path), self._ready_client()
        worst = HTTPStatus.BAD_REQUEST if self._health_path else HTTPStatus.INTERNAL_SERVER_ERROR
        try:
            async with asyncio.timeout(self._check_seconds):
                response = await client.get(call.path)
            if response.status_code >= worst:
                raise HttpStatusError(call, response, response.content)
        except Exception as error:
            raise self._translated(error) from error

    def figures(self) -> list[Figure]:
        """Return gauges: name, value and tags."""
        return [*self.guard.figures(), *self._connections.figures()]

    async def send(self, call: HttpCall, retry: RetryOrNone = None) -> JsonValue:
        """Send a request and return the JSON of the answer.

        Args:
            call: The request.
            retry: The operation's own retry policy, instead of the node's.

        Returns:
            The JSON of the answer; None when it has no body, or when the call does not ask for it.

        Raises:
            ModelOnexError: NETWORK_ERROR, TIMEOUT, CONTRACT_VIOLATION, or what the status stands for.
        """
        return (await self.ask(call, retry)).json()

    async def ask(self, call: HttpCall, retry: RetryOrNone = None) -> HttpAnswer:
        """Send a request and return the whole answer.

        Args:
            call: The request.
            retry: The operation's own retry policy, instead of the node's.

        Returns:
            The answer.

        Raises:
            ModelOnexError: NETWORK_ERROR, TIMEOUT, CONTRACT_VIOLATION, or what the status stands for.
        """
        with self._spans.call(f"{self.name} send"):
            try:
                return await self.guard.call(
                    lambda: self._send_once(call),
                    _is_outage,
                    partial(self._is_transient, retry or self.guard.retry),
                    idempotent=call.idempotent,
                    retry=retry,
                    connections=self._connections,
                )
            except Exception as error:
                raise self._translated(error) from error

    async def _send_once(self, call: HttpCall) -> HttpAnswer:
        client, headers = self._ready_client(), self._headers_of(call)
        stated = headers.get("Content-Type") or client.headers.get("Content-Type", "")
        content = content_of(call.body, call.sent_as, stated)
        query = {name: parameter(value) for name, value in call.query.items() if value is not None}
        request = client.build_request(
            call.method,
            call.path,
            # Without any, those that the path has would go.
            params=query or None,
            headers={**content.pop("headers", {}), **headers},
            **content,
            extensions={"trace": _watch},
        )
        if request.url.netloc != client.base_url.netloc or request.url.scheme != client.base_url.scheme:
            raise ModelOnexError(
                message="The API leads to another server, which is not asked with the credentials of this one.",
                error_code=EnumCoreErrorCode.CONTRACT_VIOLATION,
                integration=self.name,
            )
        with effect(_leaves_open, idempotent=call.idempotent, begun=False):
            response = await client.send(request, stream=True)
            try:
                found = not (call.not_found and response.status_code == HTTPStatus.NOT_FOUND)
                refused = response.status_code not in call.success and (call.success or not response.is_success)
                if found and refused:
                    raise HttpStatusError(call, response, await self._passed_over(response))
                if call.reads and found:
                    return HttpAnswer.of(response, await self._read(response), found=True)
                await self._passed_over(response)
                return HttpAnswer.of(response, b"", found=found)
            finally:
                await response.aclose()

    async def _passed_over(self, response: httpx.Response) -> bytes:
        """Read a body so that its connection can be used again; whatever goes wrong, the status stays what it is."""
        content = bytearray()
        with suppress(httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(_PASSED_OVER_SECONDS):
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > _PASSED_OVER_BYTES:
                        break
        return bytes(content)

    async def _read(self, response: httpx.Response) -> bytes:
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > self._limits.max_answer_bytes:
                raise ModelOnexError(
                    message=f"The answer is longer than {self._limits.max_answer_bytes} bytes.",
                    error_code=EnumCoreErrorCode.CONTRACT_VIOLATION,
                    integration=self.name,
                )
        return bytes(content)

    def _ready_client(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                base_url=self._base_url(),
                headers={"Accept": "application/json", **self._headers()},
                timeout=self._limits.timeout_seconds,
                limits=httpx.Limits(max_connections=self._limits.max_connections + FOR_CHECKS),
            )
        return self._client

    def _headers_of(self, call: HttpCall) -> httpx.Headers:
        headers = httpx.Headers(self._spans.outgoing())
        if correlation_id := CORRELATION_ID.get():
            headers[CORRELATION_HEADER] = str(correlation_id)
        headers.update({name: str(json_values(value)) for name, value in call.headers.items() if value is not None})
        return headers

    def _is_transient(self, policy: RetryOrNone, error: BaseException) -> bool:
        if not isinstance(error, HttpStatusError):
            return _is_outage(error)
        if policy is None or error.retry_after_seconds > policy.max_delay_seconds:
            return False
        return error.status in (policy.retryable_status_codes or self._retry_status)

    def _translated(self, raised: Exception) -> ModelOnexError:
        error = cause_of(raised)
        if isinstance(error, ModelOnexError):
            return error
        details: dict[str, Any] = {"integration": self.name, "outcome_unknown": error is not raised}
        if isinstance(error, HttpStatusError):
            code = _CODES.get(HTTPStatus(error.status)) if error.status in set(HTTPStatus) else None
            outage = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            code = code or (EnumCoreErrorCode.SERVICE_UNAVAILABLE if outage else EnumCoreErrorCode.OPERATION_FAILED)
            details["http_status"] = error.status
        elif isinstance(error, (httpx.TimeoutException, TimeoutError)):
            code = EnumCoreErrorCode.TIMEOUT
        elif isinstance(error, (httpx.LocalProtocolError, httpx.InvalidURL, UnicodeEncodeError)):
            code = EnumCoreErrorCode.VALIDATION_ERROR
        elif isinstance(error, (httpx.TransportError, OSError)):
            code = EnumCoreErrorCode.NETWORK_ERROR
        elif isinstance(error, httpx.DecodingError):
            code = EnumCoreErrorCode.CONTRACT_VIOLATION
        else:
            code = EnumCoreErrorCode.OPERATION_FAILED
        # Values of headers may be secret, and errors about them show them.
        said = "" if isinstance(error, (httpx.LocalProtocolError, UnicodeEncodeError)) else f": {error}"
        # What the API says and who asked it is for the log; callers learn what they can act on.
        details["reason"] = self.settings.redact(f"HTTP: {type(error).__name__}{said}")
        message = f"The API answered with {error.status}." if isinstance(error, HttpStatusError) else _MESSAGES[code]
        return ModelOnexError(message=message, error_code=code, **details)


async def _watch(event: str, _info: object) -> None:
    if event.endswith(_LEAVES):
        begin()


def _leaves_open(error: Exception) -> bool:
    # A client's mistake is refused, and a redirect is an answer without an effect.
    if isinstance(error, HttpStatusError):
        refused = HTTPStatus.MULTIPLE_CHOICES <= error.status < HTTPStatus.INTERNAL_SERVER_ERROR
        return not error.safe_to_repeat and not (refused and error.status != HTTPStatus.REQUEST_TIMEOUT)
    return True


def _safe_to_repeat(response: httpx.Response, content: bytes) -> bool:
    """Tell whether the answer says that the request had no effect: in a member of its own, or by a pause to make."""
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict) and isinstance(said.get("safe_to_repeat"), bool):
        return bool(said["safe_to_repeat"])
    asks = response.status_code == HTTPStatus.SERVICE_UNAVAILABLE and "Retry-After" in response.headers
    return asks or response.status_code == HTTPStatus.TOO_MANY_REQUESTS


def _is_outage(error: BaseException) -> bool:
    if isinstance(error, HttpStatusError):
        return error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.LocalProtocolError)


def _retry_after(value: str | None) -> float:
    if value is None:
        return 0.0
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
