"""Rules for actions on files."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from ..language import filling, references
from ..text.problems import Path, Problem, show
from .targets import targets

type Specs = Mapping[str, Any]
type Find = Callable[[str], str | None]


class Rules(Protocol):
    """The part of the rules for whole contracts that is needed here."""

    def clean(self, path: Path) -> bool:
        """Tell whether nothing at or below the path is wrong already."""


def action(rules: Rules, path: Path, spec: Specs, operation: Specs, _find: Find) -> Iterator[Problem]:
    """Find what is wrong with an action on a file beyond its schema.

    Args:
        rules: The rules for the whole contract.
        path: Where it is.
        spec: It, without what has problems already.
        operation: The operation.
        _find: Tells what is wrong with the name of an input field.

    Yields:
        The problems.
    """
    action, outputs = spec.get("action"), _mapping(operation.get("output"))
    writes = action in {"write", "append"}
    if writes and "content" not in spec:
        yield Problem((*path, "content"), "nothing", f"a value: {action} needs content")
    if not writes and "content" in spec:
        yield Problem((*path, "content"), f"content for {action}", f"no content, which {action} does not take")
    text = spec.get("path")
    if isinstance(text, str):
        literal = "".join(part if isinstance(part, str) else "x" for part in references.parts(text))
        if literal.startswith("/") or "\\" in literal or any(word in {"", ".", ".."} for word in literal.split("/")):
            yield Problem((*path, "path"), show(text), "a path below the root, without . and ..")
    kinds = ("string", "bytes", "object", "array")
    returns = _mapping(spec.get("returns"))
    into = (f"an output field of type {', '.join(kinds)}", kinds) if action == "read" else None
    found = ("a boolean output field", ("boolean",))
    yield from targets((*path, "returns"), returns, outputs, {"into": into, "found": None if writes else found})
    filled = {returns.get("into"), returns.get("found")}
    filler = filling.filler(filled, "filesystem.returns", silent=not returns)
    yield from filling.unfilled(path[:-1], operation, filler, rules.clean)


def _mapping(value: object) -> Specs:
    return value if isinstance(value, Mapping) else {}
