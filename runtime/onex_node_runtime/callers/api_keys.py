# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""API keys: long random texts of which the settings hold hashes alone."""

import hashlib
import hmac
from collections.abc import Sequence

from starlette.datastructures import Headers

from ..settings.api_keys import ApiKeySettings
from .api_key import ModelApiKey
from .known import Identity, UnknownCallerError, after_scheme

SCHEME = "ApiKey"


class ApiKeyScheme:
    """Knows callers by their API keys, in a header of their own or as `Authorization: ApiKey KEY`."""

    challenge = SCHEME

    def __init__(self, settings: ApiKeySettings, header: str) -> None:
        """Keep the keys.

        Args:
            settings: The hashes of the keys, and whose they are.
            header: The header that carries a key.
        """
        self._keys: Sequence[ModelApiKey] = settings.api_keys
        self._header = header

    def credentials(self, headers: Headers) -> list[str]:
        """Return the keys that a request brings along."""
        return [*headers.getlist(self._header), *after_scheme(headers, SCHEME)]

    async def identify(self, credentials: str) -> Identity:
        """Return whose key it is.

        Raises:
            UnknownCallerError: It is nobody's.
        """
        # A key has more than 128 bits that nobody can guess, so that a slow hash would protect nothing further.
        digest = hashlib.sha256(credentials.encode()).hexdigest()
        # All of them are compared, in constant time, whichever fits.
        fitting = [key for key in self._keys if hmac.compare_digest(key.sha256, digest)]
        if not fitting:
            raise UnknownCallerError("unknown_api_key")
        return Identity(f"api_key:{fitting[0].name}", frozenset(fitting[0].scopes))
