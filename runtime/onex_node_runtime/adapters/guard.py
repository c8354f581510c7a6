# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What stands between the node and an integration that fails: retries and a circuit breaker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omnibase_core.errors import ModelOnexError

from ..effects import OutcomeUnknownError, cause_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .circuit_breaker import CircuitBreaker
    from .connections import Connections
    from .group import Figure
    from .retry_policy import RetryOrNone


class Guard:
    """Guards the calls to one integration. Every attempt passes the circuit breaker."""

    def __init__(self, retry: RetryOrNone = None, breaker: CircuitBreaker | None = None) -> None:
        """Build the guard.

        Args:
            retry: How often a call is tried; None makes one attempt.
            breaker: What stops calls for a while; None lets all through.
        """
        self.retry = retry
        self.breaker = breaker

    def figures(self) -> list[Figure]:
        """Return gauges: name, value and tags."""
        if self.breaker is None:
            return []
        return [("circuit_breaker_open", float(self.breaker.state != "closed"), {"integration": self.breaker.name})]

    async def call[T](
        self,
        action: Callable[[], Awaitable[T]],
        is_outage: Callable[[BaseException], bool],
        is_transient: Callable[[BaseException], bool],
        *,
        idempotent: bool,
        retry: RetryOrNone = None,
        connections: Connections | None = None,
    ) -> T:
        """Make a call; one that may have taken effect is made again only where that does no harm.

        Args:
            action: The call.
            is_outage: Tells failures of the integration from errors of the caller.
            is_transient: Tells whether another attempt may succeed, as far as the error goes.
            idempotent: Whether making the call twice does no harm.
            retry: The operation's own retry policy, instead of the node's.
            connections: Where every attempt waits for its turn, which says nothing of the integration; None lets all
                through at once.

        Returns:
            What the call returns; the last error is raised as it is.
        """
        policy, breaker = retry or self.retry, self.breaker

        async def attempt() -> T:
            if connections is None:
                return await admitted()
            # An open breaker refuses at once, before anything is waited for.
            if breaker is not None:
                breaker.refuse_while_open()
            async with connections:
                return await admitted()

        async def admitted() -> T:
            if breaker is None:
                return await action()
            return await breaker.call(action, lambda error: is_outage(cause_of(error)))

        if policy is None:
            return await attempt()

        def is_retryable(error: BaseException) -> bool:
            if isinstance(error, OutcomeUnknownError) and not idempotent:
                return False
            cause = cause_of(error)
            # What a transaction has told in words of its own is known by what the driver raised.
            told = cause.__cause__ if isinstance(cause, ModelOnexError) else None
            return is_transient(cause) or policy.lists(cause) or (told is not None and policy.lists(told))

        return await policy.call(attempt, is_retryable)
