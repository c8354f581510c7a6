# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Callers of the service: who they are by their credentials, and what they may do by their scopes."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from omnibase_core.enums import EnumCoreErrorCode, EnumLogLevel
from omnibase_core.logging import emit_log_event_sync
from starlette.datastructures import Headers
from starlette.requests import Request

from ..serving.admission import RefusedError

# Whoever guesses credentials does not fill the log.
LOG_PAUSE_SECONDS = 1.0
_OPEN: Mapping[str, Sequence[str]] = {}


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller that is known.

    Attributes:
        name: Unique among all callers, with how it is known: `bearer:SUBJECT` or `api_key:NAME`.
        scopes: What it may do.
    """

    name: str
    scopes: frozenset[str] = frozenset()


IDENTITY: ContextVar[Identity | None] = ContextVar("identity", default=None)
"""Who made the HTTP request; None where nobody asks who callers are, and for work that came in another way."""


class UnknownCallerError(Exception):
    """Credentials that are not good."""

    def __init__(self, reason: str, detail: str = "The credentials are not valid.") -> None:
        """Keep why.

        Args:
            reason: For the log, in a word.
            detail: For the caller, in a sentence without quotes that helps nobody to guess.
        """
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class Scheme(Protocol):
    """A way in which callers say who they are."""

    @property
    def challenge(self) -> str:
        """The name of the scheme in `WWW-Authenticate`."""

    def credentials(self, headers: Headers) -> list[str]:
        """Return the credentials of this scheme that a request brings along."""

    async def identify(self, credentials: str) -> Identity:
        """Return whose they are.

        Raises:
            UnknownCallerError: They are not good.
            RefusedError: Nobody can tell now: 503.
        """


class Callers:
    """Tells who calls, and refuses who is unknown or may not."""

    def __init__(
        self,
        *schemes: Scheme,
        realm: str,
        scopes: Mapping[str, Sequence[str]] = _OPEN,
        metrics: Sequence[str] | None = None,
    ) -> None:
        """Keep what is asked of callers.

        Args:
            schemes: How they may say who they are; one of them is enough.
            realm: What challenges call the service; letters, digits and `_`.
            scopes: Those that operations need, all of them; an operation that is not here needs a known caller alone.
            metrics: The scopes that reading metrics needs; None lets everybody read them.
        """
        self._schemes = schemes
        self._realm = realm
        self._scopes = scopes
        self._metrics = metrics
        self._quiet_until = 0.0
        self._left_out = 0

    async def check_operation(self, request: Request, operation: str) -> Identity:
        """Return who calls an operation.

        Args:
            request: The request; its body is not read.
            operation: The operation, which may not exist.

        Raises:
            RefusedError: 401 for one who is unknown, 403 for one who may not, 503 where nobody can tell now.
        """
        return await self._check(request, self._scopes.get(operation, ()))

    async def check_metrics(self, request: Request) -> None:
        """Refuse who may not read metrics.

        Args:
            request: The request.

        Raises:
            RefusedError: 401, 403 or 503, as for operations.
        """
        if self._metrics is not None:
            await self._check(request, self._metrics)

    async def _check(self, request: Request, needed: Sequence[str]) -> Identity:
        brought = [(scheme, text) for scheme in self._schemes for text in scheme.credentials(request.headers)]
        if not brought:
            raise self._unknown("The request has no credentials.")
        if len(brought) > 1:
            self._log(request, "several_credentials")
            raise self._unknown("The request has several credentials, where one is taken.")
        scheme, text = brought[0]
        try:
            identity = await scheme.identify(text)
        except UnknownCallerError as error:
            self._log(request, error.reason)
            raise self._unknown(error.detail, scheme) from None
        if not identity.scopes.issuperset(needed):
            self._log(request, "insufficient_scope", identity.name)
            problem = {"error": "insufficient_scope", "scope": " ".join(needed)}
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                f"The caller needs the scope {' '.join(needed)}.",
                code=EnumCoreErrorCode.PERMISSION_DENIED,
                headers={"WWW-Authenticate": self._challenge(scheme, problem)},
            )
        return identity

    def _unknown(self, detail: str, used: object = None) -> RefusedError:
        problem = {"error": "invalid_token", "error_description": detail}
        challenges = [self._challenge(scheme, problem if scheme is used else {}) for scheme in self._schemes]
        return RefusedError(
            HTTPStatus.UNAUTHORIZED,
            detail,
            code=EnumCoreErrorCode.AUTHENTICATION_ERROR,
            headers={"WWW-Authenticate": ", ".join(challenges)},
        )

    def _challenge(self, scheme: Scheme, problem: Mapping[str, str]) -> str:
        parameters = {"realm": self._realm, **problem}
        return f"{scheme.challenge} " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())

    def _log(self, request: Request, reason: str, caller: str = "") -> None:
        now = time.monotonic()
        if now < self._quiet_until:
            self._left_out += 1
            return
        line = {"reason": reason, "address": request.client.host if request.client else ""}
        line |= {"caller": caller} if caller else {}
        line |= {"left_out": str(self._left_out)} if self._left_out else {}
        emit_log_event_sync(EnumLogLevel.WARNING, "caller_refused", line)
        self._quiet_until, self._left_out = now + LOG_PAUSE_SECONDS, 0


type CallersOrNone = Callers | None


def after_scheme(headers: Headers, scheme: str) -> Iterator[str]:
    """Yield what follows the name of a scheme in each `Authorization` header, in whatever case it is written."""
    for value in headers.getlist("authorization"):
        name, _, text = value.strip().partition(" ")
        if name.lower() == scheme.lower():
            yield text.strip()
