# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""The certificate that the service shows, read from files that somebody renews."""

import ssl
from pathlib import Path

from omnibase_core.enums import EnumLogLevel
from omnibase_core.logging import emit_log_event_sync

from ..settings.service import ListenerSettings
from ..settings.types import PathOrNone

LOOK_SECONDS = 60
"""Between two looks whether the files were renewed."""

# Of a file, whatever replaced it: moment, size and inode.
type _Stamp = tuple[int, int, int]


class Certificate:
    """A certificate with its key, and what connections are encrypted by.

    Attributes:
        context: Connections that are made from now on show the certificate of the last look.
    """

    def __init__(self, certificate: Path, key: PathOrNone) -> None:
        """Read the files.

        Args:
            certificate: The certificate and those that it follows from, as PEM.
            key: Its key as PEM, without a password; None where it is in the same file.

        Raises:
            OSError: A file can't be read, or the key is not the certificate's (ssl.SSLError).
        """
        self._certificate = certificate
        self._key = key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._stamps = self._look()
        self._load(self.context)

    def refresh(self) -> None:
        """Read the files again if they are others now; what can't be used is logged, and the old one shown on."""
        try:
            stamps = self._look()
            if stamps == self._stamps:
                return
            # A certificate that is written before its key would leave the context with half of each.
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            self._load(self.context)
        except OSError as error:
            emit_log_event_sync(EnumLogLevel.WARNING, "certificate_unusable", {"error": type(error).__name__})
            return
        self._stamps = stamps
        emit_log_event_sync(EnumLogLevel.INFO, "certificate_renewed", {})

    def _load(self, context: ssl.SSLContext) -> None:
        # No password, and nobody to ask for one.
        context.load_cert_chain(self._certificate, self._key, password="")

    def _look(self) -> list[_Stamp]:
        paths = (self._certificate, self._key or self._certificate)
        return [(found.st_mtime_ns, found.st_size, found.st_ino) for found in (path.stat() for path in paths)]


type CertificateOrNone = Certificate | None


def certificate_of(settings: ListenerSettings) -> CertificateOrNone:
    """Return the certificate that the service shows; None where it speaks plain HTTP.

    Args:
        settings: Where the files are.

    Raises:
        OSError: They can't be used.
    """
    if settings.service_tls_cert_file is None:
        return None
    return Certificate(settings.service_tls_cert_file, settings.service_tls_key_file)
