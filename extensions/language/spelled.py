"""What is spelled like a reference where none is filled in: in SQL, in expressions and in JSONPaths."""

import re
from collections.abc import Iterator
from typing import Final

from .references import GIVEN

_SOURCES: Final = "input|env|secret|steps"
_REFERENCE: Final = re.compile(
    rf"\$+\{{\s*(?:{_SOURCES}|{'|'.join(GIVEN)})\b[^{{}}]*\}}|(?:\$|\{{)(?:{_SOURCES})\.[A-Za-z_][\w.]*\}}?"
)


def references(text: str) -> Iterator[str]:
    """Find what is spelled like a reference, wherever it stands.

    Args:
        text: Any text of a contract.

    Yields:
        The references as they stand there.
    """
    yield from (match[0] for match in _REFERENCE.finditer(text))
