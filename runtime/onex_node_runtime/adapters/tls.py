# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""How connections to servers are encrypted: whom is trusted, and who the node says that it is."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

if TYPE_CHECKING:
    from ..settings.types import PathOrNone


def client_context(trusted: PathOrNone, certificate: PathOrNone, key: PathOrNone) -> ssl.SSLContext:
    """Return what connections to a server are encrypted by; its certificate and its name are checked.

    Args:
        trusted: Certificates that the server is trusted by, as PEM; None for those of the system.
        certificate: What the node shows to the server, as PEM; None for nothing.
        key: Its key; None where it is in the same file.

    Raises:
        ModelOnexError: INVALID_CONFIGURATION when a file can't be used.
    """
    try:
        context = ssl.create_default_context(cafile=trusted)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate is not None:
            # No password, and nobody to ask for one.
            context.load_cert_chain(certificate, key, password="")
    except OSError as error:
        raise ModelOnexError(
            message="A file for TLS can't be used.",
            error_code=EnumCoreErrorCode.INVALID_CONFIGURATION,
        ) from error
    return context


def wanted(trusted: PathOrNone, certificate: PathOrNone, key: PathOrNone) -> bool:
    """Tell whether settings ask for TLS by a file."""
    return any(path is not None for path in (trusted, certificate, key))
