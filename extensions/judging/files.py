"""Rules for actions on files."""

from collections.abc import Callable, Iterator
from typing import Protocol

from ..language import filling, references
from ..language.contract import spell_out
from ..text.problems import Path, Problem, show
from ..text.specs import Specs, mapping_of
from .targets import targets

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
    action, outputs = spec.get("action"), mapping_of(operation.get("output"))
    writes = action in {"write", "append"}
    if writes and "content" not in spec:
        yield Problem((*path, "content"), "nothing", f"a value: {action} needs content")
    if not writes and "content" in spec:
        yield Problem((*path, "content"), f"content for {action}", f"no content, which {action} does not take")
    if action != "list" and "path" not in operation["filesystem"]:
        yield Problem((*path, "path"), "nothing", f"a value: {action} needs path")
    if action == "move" and "to" not in spec:
        yield Problem((*path, "to"), "nothing", "a value: move needs to")
    if action != "move" and "to" in spec:
        yield Problem((*path, "to"), f"to for {action}", f"no to, which {action} does not take")
    for key in ("path", "to"):
        text = spec.get(key)
        if not isinstance(text, str):
            continue
        literal = "".join(part if isinstance(part, str) else "x" for part in references.parts(text))
        if literal.startswith("/") or "\\" in literal or any(word in {"", ".", ".."} for word in literal.split("/")):
            yield Problem((*path, key), show(text), "a path below the root, without . and ..")
        spanning = [part for part in references.parts(text) if isinstance(part, references.Reference) and part.spans]
        if len(spanning) > 1:
            several = f"{len(spanning)} references with :path"
            yield Problem((*path, key), several, "one: nobody can tell where the first of them ends")
    kinds = ("string", "bytes", "object", "array")
    returns = mapping_of(spec.get("returns"))
    into: tuple[str, tuple[str, ...]] | None = None
    if action == "read":
        into = (f"an output field of type {', '.join(kinds)}", kinds)
    if action == "list":
        into = ("an output field that is an array", ("array",))
        yield from _names((*path, "returns", "into"), returns.get("into"), outputs)
    if action == "exists" and "found" not in returns:
        yield Problem((*path, "returns", "found"), "nothing", "an output field that tells whether there is a file")
    count = ("an integer output field", ("integer",)) if action == "list" else None
    found = ("a boolean output field", ("boolean",))
    wanted = {"into": into, "found": None if writes else found, "count": count}
    yield from targets((*path, "returns"), returns, outputs, wanted)
    filled = {returns.get("into"), returns.get("found"), returns.get("count")}
    filler = filling.filler(filled, "filesystem.returns", silent=not returns and action not in {"list", "exists"})
    yield from filling.unfilled(path[:-1], operation, filler, rules.clean)


def _names(path: Path, name: object, outputs: Specs) -> Iterator[Problem]:
    spec = spell_out(outputs[name]) if isinstance(name, str) and name in outputs else {}
    if spec.get("type") == "array" and spell_out(spec.get("items", "string")).get("type") != "string":
        yield Problem(path, show(name), "an array of strings, the names of files")
