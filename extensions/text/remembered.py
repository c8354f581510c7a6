"""Remembers what was made of the documents that came last: Copier asks for the same more than once."""

from collections.abc import Callable
from functools import wraps

_KEPT = 8


def by_content[Document, Result](function: Callable[[Document], Result]) -> Callable[[Document], Result]:
    """Let a function work out each document once.

    Args:
        function: What makes something unchangeable of a document of plain values.

    Returns:
        The function, which gives the same object for the same document, as long as few others come between.
    """
    results: dict[str, Result] = {}

    @wraps(function)
    def remembered(document: Document) -> Result:
        # Unlike JSON, it tells keys and values of all types apart, and keeps the order.
        key = repr(document)
        if key not in results:
            result = function(document)
            while len(results) >= _KEPT:
                del results[next(iter(results))]
            results[key] = result
        return results[key]

    return remembered
