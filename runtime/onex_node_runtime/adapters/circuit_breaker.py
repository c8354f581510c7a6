# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""A circuit breaker for the calls to one integration."""

from __future__ import annotations

import asyncio
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..settings.circuit_breaker import CircuitBreakerSettings


class EnumBreakerState(StrEnum):
    """States of a circuit breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """Stops calling an integration that keeps failing, and tries it again after a while.

    Closed, it lets every call through; `failure_threshold` failures in a row open it. Open, it refuses calls for
    `recovery_seconds`. Half-open, it lets `half_open_max_calls` calls through: when all of them succeed it closes,
    and the first that fails opens it again. A call that is cancelled, such as at a deadline, has failed.
    """

    def __init__(
        self,
        name: str,
        *,
        failure_threshold: int,
        recovery_seconds: float,
        half_open_max_calls: int,
    ) -> None:
        """Start closed.

        Args:
            name: The integration, for messages.
            failure_threshold: Failures in a row that open the breaker.
            recovery_seconds: Time in seconds before an open breaker allows a trial call.
            half_open_max_calls: Trial calls that have to succeed.
        """
        self.name = name
        self._failure_threshold = failure_threshold
        self._recovery_seconds = recovery_seconds
        self._half_open_max_calls = half_open_max_calls
        self._failures = 0
        self._opened_at: float | None = None
        self._trials_running = 0
        self._trials_passed = 0

    @classmethod
    def of(cls, name: str, settings: CircuitBreakerSettings) -> Self:
        """Return the breaker that settings ask for.

        Args:
            name: The integration, for messages.
            settings: When it opens, and when it tries again.
        """
        return cls(
            name,
            failure_threshold=settings.circuit_breaker_failure_threshold,
            recovery_seconds=settings.circuit_breaker_recovery_seconds,
            half_open_max_calls=settings.circuit_breaker_half_open_max_calls,
        )

    @property
    def state(self) -> EnumBreakerState:
        """The state as of now."""
        if self._opened_at is None:
            return EnumBreakerState.CLOSED
        if time.monotonic() - self._opened_at < self._recovery_seconds:
            return EnumBreakerState.OPEN
        return EnumBreakerState.HALF_OPEN

    def refuse_while_open(self) -> None:
        """Refuse what would only wait for a call that the breaker refuses.

        Raises:
            ModelOnexError: SERVICE_UNAVAILABLE while the breaker is open.
        """
        if (state := self.state) is EnumBreakerState.OPEN:
            raise self._refusal(state)

    async def call[T](self, action: Callable[[], Awaitable[T]], is_failure: Callable[[BaseException], bool]) -> T:
        """Run the action unless the breaker is open.

        Args:
            action: What to call.
            is_failure: Tells failures of the integration from errors of the caller, which leave the breaker alone.

        Returns:
            What the action returns.

        Raises:
            ModelOnexError: SERVICE_UNAVAILABLE when the breaker refuses the call.
        """
        trial = self._admit()
        try:
            result = await action()
        except BaseException as error:
            # Whoever cancels a call has waited for it in vain.
            if isinstance(error, asyncio.CancelledError) or is_failure(error):
                self._record_failure(trial=trial)
            else:
                self._record_success(trial=trial)
            raise
        else:
            self._record_success(trial=trial)
            return result
        finally:
            self._trials_running -= trial

    def _admit(self) -> bool:
        state = self.state
        if state is EnumBreakerState.CLOSED:
            return False
        if state is EnumBreakerState.HALF_OPEN and self._trials_running < self._half_open_max_calls:
            self._trials_running += 1
            return True
        raise self._refusal(state)

    def _refusal(self, state: EnumBreakerState) -> ModelOnexError:
        return ModelOnexError(
            message=f"The circuit breaker of {self.name} is {state}.",
            error_code=EnumCoreErrorCode.SERVICE_UNAVAILABLE,
            integration=self.name,
        )

    def _record_failure(self, *, trial: bool) -> None:
        self._failures += 1
        if trial or (self._opened_at is None and self._failures >= self._failure_threshold):
            self._opened_at = time.monotonic()
            self._trials_passed = 0

    def _record_success(self, *, trial: bool) -> None:
        if trial:
            self._trials_passed += 1
            if self._trials_passed < self._half_open_max_calls:
                return
            self._opened_at = None
        self._failures = 0
