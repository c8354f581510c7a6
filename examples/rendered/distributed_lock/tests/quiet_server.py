# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""A local HTTP server that says nothing of clients that hang up, as those do that are tested to give up."""

import sys
from http.server import ThreadingHTTPServer


class QuietServer(ThreadingHTTPServer):
    """It has a thread for each connection; other errors of theirs are shown as they are."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Pass over what a connection that broke raises, and show the rest."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # which it does not look at
