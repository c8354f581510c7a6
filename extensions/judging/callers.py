"""Rules for who may call the service."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Final, Protocol
from urllib.parse import urlsplit

from ..text.problems import Path, Problem, show
from ..text.specs import Specs, mapping_of

_AUTH: Final[Path] = ("service", "auth")
# What requests have such headers for already.
_OTHER_HEADERS: Final = frozenset(
    {"accept", "authorization", "baggage", "connection", "cookie", "expect", "host", "origin", "traceparent"}
    | {"content-encoding", "content-length", "content-type", "transfer-encoding", "tracestate", "upgrade"}
    | {"x-correlation-id"}
)


class Rules(Protocol):
    """The part of the rules for whole contracts that is needed here."""

    raw: Specs
    operations: list[Specs]

    def clean(self, path: Path) -> bool:
        """Tell whether nothing at or below the path is wrong already."""


def check(rules: Rules) -> Iterator[Problem]:
    """Find what is wrong with what is asked of callers.

    Args:
        rules: The rules for the whole contract.

    Yields:
        The problems.
    """
    auth = mapping_of(rules.raw.get("service")).get("auth")
    known = isinstance(auth, Mapping)
    for index, operation in enumerate(rules.operations):
        place: Path = ("operations", index, "scopes")
        if operation.get("scopes") and not known and rules.clean(place):
            yield Problem(place, "scopes of callers whom nobody knows", "service.auth, which says how they are known")
    if not isinstance(auth, Mapping):
        return
    if rules.clean(_AUTH) and "bearer" not in auth and auth.get("api_keys", False) is False:
        yield Problem(_AUTH, "no way in which callers say who they are", "bearer, api_keys or both; or none")
    header = mapping_of(auth.get("api_keys")).get("header")
    if isinstance(header, str) and header.lower() in _OTHER_HEADERS:
        yield Problem((*_AUTH, "api_keys", "header"), show(header), "a header that has no other meaning")
    yield from _urls(rules, mapping_of(auth.get("bearer")))


def _urls(rules: Rules, bearer: Specs) -> Iterator[Problem]:
    for key in ("issuer", "jwks_url"):
        path: Path = (*_AUTH, "bearer", key)
        url = bearer.get(key)
        if isinstance(url, str) and rules.clean(path) and not is_safe(url):
            expected = "a URL that starts with https://, whose keys nobody on the way exchanges"
            yield Problem(path, show(url), expected, "http:// will do for this machine alone")


def is_safe(url: str) -> bool:
    """Tell whether what a URL gives comes from whom it names: by TLS, or from this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.username is not None or not host:
        return False
    if parts.scheme == "https":
        return True
    try:
        return parts.scheme == "http" and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False
