# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Bearer tokens: JSON Web Tokens that an issuer signs with a private key, checked with its public ones."""

from typing import Any
from urllib.parse import urlsplit

import jwt
from omnibase_core.enums import EnumLogLevel
from omnibase_core.logging import emit_log_event_sync
from starlette.datastructures import Headers

from ..serving.admission import is_loopback
from ..settings.bearer import BearerSettings
from .key_set import KeySet
from .known import Identity, UnknownCallerError, after_scheme

SCHEME = "Bearer"
LONGEST_NAME = 200
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)


class TokenScheme:
    """Knows callers by tokens of one issuer, for this service."""

    challenge = SCHEME

    def __init__(self, settings: BearerSettings) -> None:
        """Keep what tokens have to be.

        Args:
            settings: Who issues them, for whom, and how they are signed.
        """
        self._settings = settings
        self._keys = KeySet(
            settings.service_auth_jwks_url,
            refresh_seconds=settings.service_auth_jwks_refresh_seconds,
            max_age_seconds=settings.service_auth_jwks_max_age_seconds,
            trusted=settings.service_auth_ca_file,
        )
        url = urlsplit(settings.service_auth_jwks_url)
        if url.scheme != "https" and not is_loopback(url.hostname or ""):
            line = {"setting": "SERVICE_AUTH_JWKS_URL", "risk": "who is on the way may exchange the keys"}
            emit_log_event_sync(EnumLogLevel.WARNING, "issuer_keys_in_clear", line)

    def credentials(self, headers: Headers) -> list[str]:
        """Return the tokens that a request brings along."""
        return list(after_scheme(headers, SCHEME))

    async def identify(self, credentials: str) -> Identity:
        """Return whose token it is.

        Raises:
            UnknownCallerError: It is no token of the issuer for this service, or not now.
            RefusedError: 503 where the issuer's keys can't be had.
        """
        settings = self._settings
        try:
            header = jwt.get_unverified_header(credentials)
        except _UNREADABLE:
            raise UnknownCallerError("unreadable_token") from None
        algorithm = header.get("alg")
        # What the token says of itself chooses among what is allowed, and nothing else.
        if algorithm not in settings.service_auth_algorithms:
            raise UnknownCallerError("other_algorithm")
        key = await self._keys.key(header.get("kid"), algorithm)
        try:
            claims = jwt.decode(
                credentials,
                key,
                algorithms=[algorithm],
                audience=settings.service_auth_audience,
                issuer=settings.service_auth_issuer,
                leeway=settings.service_auth_clock_skew_seconds,
                options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
            )
        except jwt.ExpiredSignatureError:
            raise UnknownCallerError("expired_token", "The token has expired.") from None
        except _UNREADABLE as error:
            raise UnknownCallerError(type(error).__name__) from None
        return Identity(f"bearer:{_name(claims)}", _scopes(claims.get(settings.service_auth_scopes_claim)))


def _name(claims: dict[str, Any]) -> str:
    found = next((claims[key] for key in ("sub", "client_id", "azp") if isinstance(claims.get(key), str)), "")
    return str(found)[:LONGEST_NAME]


def _scopes(claim: object) -> frozenset[str]:
    """Return the scopes in a claim: words with blanks between them, or a list of texts."""
    if isinstance(claim, str):
        return frozenset(claim.split())
    return frozenset(item for item in claim if isinstance(item, str)) if isinstance(claim, list) else frozenset()
