# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""How often a failed call is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from tenacity import RetryCallState

    from ..settings.retry import RetrySettings


class AsksForPauseError(Exception):
    """An error of an integration that says how long to wait.

    Attributes:
        retry_after_seconds: At least so long, in seconds.
    """

    retry_after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential delays between attempts, with a cap.

    Attributes:
        max_attempts: Attempts at one call, the first included.
        initial_delay_seconds: Delay before the second attempt.
        max_delay_seconds: The longest delay.
        backoff_multiplier: Factor by which the delay grows.
        retryable_exceptions: Names of exception classes that are worth another attempt, beside the transient ones.
        retryable_status_codes: Answers of HTTP APIs that are worth another attempt; none stands for the node's own.
    """

    max_attempts: int
    initial_delay_seconds: float
    max_delay_seconds: float
    backoff_multiplier: float
    retryable_exceptions: frozenset[str] = frozenset()
    retryable_status_codes: frozenset[int] = frozenset()

    @classmethod
    def of(cls, settings: RetrySettings, retryable_exceptions: Iterable[str] = ()) -> Self:
        """Return the policy that settings ask for.

        Args:
            settings: How often, and after how long.
            retryable_exceptions: Names of exception classes that are worth another attempt.
        """
        return cls(
            max_attempts=settings.retry_max_attempts,
            initial_delay_seconds=settings.retry_initial_delay_seconds,
            max_delay_seconds=settings.retry_max_delay_seconds,
            backoff_multiplier=settings.retry_backoff_multiplier,
            retryable_exceptions=frozenset(retryable_exceptions),
        )

    def lists(self, error: BaseException) -> bool:
        """Tell whether the class of the error, or one that it derives from, is listed by name."""
        return any(parent.__name__ in self.retryable_exceptions for parent in type(error).__mro__)

    async def call[T](self, action: Callable[[], Awaitable[T]], is_retryable: Callable[[BaseException], bool]) -> T:
        """Run the action until it succeeds, fails for good, or the attempts are used up.

        Args:
            action: What to call.
            is_retryable: Tells whether another attempt is safe and worth it.

        Returns:
            What the action returns; the last error is raised as it is.
        """
        failed: list[Exception] = []
        # Nearly every call succeeds at once, for which tenacity does more work than the call.
        try:
            return await action()
        except Exception as error:
            failed.append(error)

        # tenacity awaits coroutine functions only, which not every callable that gives an awaitable is.
        async def attempt() -> T:
            if failed:
                raise failed.pop()
            return await action()

        exponential = wait_exponential(
            multiplier=self.initial_delay_seconds,
            exp_base=self.backoff_multiplier,
            max=self.max_delay_seconds,
        )
        attempts = AsyncRetrying(
            stop=stop_after_attempt(self.max_attempts),
            wait=lambda state: max(exponential(state), _asked_for(state)),
            retry=retry_if_exception(is_retryable),
            reraise=True,
        )
        return await attempts(attempt)


def _asked_for(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return error.retry_after_seconds if isinstance(error, AsksForPauseError) else 0.0


type RetryOrNone = RetryPolicy | None
