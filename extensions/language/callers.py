"""Who may call the service, as typed values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

DEFAULT_KEY_HEADER: Final = "X-API-Key"
DEFAULT_ALGORITHMS: Final = ("RS256", "ES256")
DEFAULT_SKEW_SECONDS: Final = 30.0
DEFAULT_REFRESH_SECONDS: Final = 300.0
DEFAULT_SCOPES_CLAIM: Final = "scope"


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Callers are known by API keys, which the settings hold the hashes of.

    Attributes:
        header: The header that carries a key.
    """

    header: str = DEFAULT_KEY_HEADER


@dataclass(frozen=True, slots=True)
class Bearer:
    """Callers are known by tokens that somebody else issues (JWT).

    Attributes:
        issuer: Who issues them, exactly as they say it.
        audience: Whom they are for; one of these has to be named.
        jwks_url: Where the issuer's public keys are.
        algorithms: How they may be signed, all of them with a private key.
        clock_skew_seconds: How far the issuer's clock may be off.
        jwks_refresh_seconds: After which keys are asked for again.
        scopes_claim: The claim that holds the caller's scopes.
    """

    issuer: str
    audience: tuple[str, ...]
    jwks_url: str
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    clock_skew_seconds: float = DEFAULT_SKEW_SECONDS
    jwks_refresh_seconds: float = DEFAULT_REFRESH_SECONDS
    scopes_claim: str = DEFAULT_SCOPES_CLAIM


@dataclass(frozen=True, slots=True)
class Auth:
    """How callers say who they are: in one of these ways; None for those that are not taken.

    Attributes:
        metrics_scopes: Scopes that reading metrics needs; None lets everybody read them.
    """

    api_keys: ApiKeys | None = None
    bearer: Bearer | None = None
    metrics_scopes: tuple[str, ...] | None = None


def build_auth(spec: Mapping[str, Any] | str | None) -> Auth | None:
    """Return how callers say who they are; None where nobody asks them."""
    if spec is None or isinstance(spec, str):
        return None
    keys, scopes = spec.get("api_keys", False), spec.get("metrics_scopes")
    return Auth(
        api_keys=ApiKeys(**({} if keys is True else keys)) if keys is not False else None,
        bearer=_bearer(spec["bearer"]) if "bearer" in spec else None,
        metrics_scopes=None if scopes is None else tuple(scopes),
    )


def _bearer(spec: Mapping[str, Any]) -> Bearer:
    given: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in spec.items()}
    audience = given.pop("audience")
    return Bearer(audience=(audience,) if isinstance(audience, str) else audience, **given)
