"""Contracts that rename the node or its package: what people wrote comes along, or the update is refused by name."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..judging.judge import ContractError, read
from ..project import ownership
from ..project.places import Place, file_in, places_in
from ..project.snapshot import ORPHANS
from ..viewing.build import view
from ..viewing.node import NodeView
from .recovery import UpdateError
from .scratch import Tree

_SHOWN = 5
_NAMES = ("name", "node_type", "package")


def carry(inside: Path, place: Place, before: Mapping[str, Any], after: Any, files: Tree) -> list[str]:
    """Give people's files the names and the imports of a node that is called otherwise now.

    Args:
        inside: The project, in a copy, before Copier updates it.
        place: Where the node is in it.
        before: The contract that the node was generated from.
        after: The contract that it follows now; anything, as it was not judged yet.
        files: The files of the project.

    Returns:
        What became of the files, for people; empty when nothing is renamed.

    Raises:
        UpdateError: When files that people edited would be left behind.
    """
    if not isinstance(after, Mapping) or all(before.get(key) == after.get(key) for key in _NAMES):
        return []
    try:
        old, new = view(read(dict(before))), view(read(dict(after)))
    except ContractError:
        return []  # Copier says what is wrong with the contract.
    manifest = ownership.read(inside, place).get("files", {})
    others = {
        path for each in places_in(inside) if each != place for path in ownership.read(inside, each).get("files", {})
    }
    _require_unedited(old, manifest, files, place)
    own = [path for path in files if manifest.get(path, {}).get("owner", "yours") == "yours" and path not in others]
    own = [path for path in own if path != place.contract and not path.startswith(f"{ORPHANS}/")]
    own = [path for path in own if place.holds(path)]
    words = _words(old, new)
    for path in own:
        words |= _module(path, _path(path, old, new, place))
    pattern = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, sorted(words, key=len, reverse=True)))})(?!\w)")
    done: list[str] = []
    for path in own:
        target, content = _path(path, old, new, place), files[path][0]
        if path.endswith(".py"):
            text = content.decode("utf-8", "surrogateescape")
            text = pattern.sub(lambda match: words[match[0]], text)
            content = text.encode("utf-8", "surrogateescape")
        if target == path and content == files[path][0]:
            continue
        if target != path and target in files:
            message = f"{path} would become {target} with the node's new name, and that is there already"
            raise UpdateError(message)
        moved = file_in(inside, target)
        moved.parent.mkdir(parents=True, exist_ok=True)
        file_in(inside, path).rename(moved)
        moved.write_bytes(content)
        done.append(f"Carried along: {path}" if target == path else f"Carried along: {path} is {target} now")
    return done


def _require_unedited(old: NodeView, manifest: Mapping[str, Any], files: Tree, place: Place) -> None:
    """Refuse to lose edits in generated files that get other paths."""
    named = (f"src/{old.module.replace('.', '/')}/", old.name)
    edited = [
        path
        for path, entry in manifest.items()
        if entry.get("owner") == "generated"
        and path in files
        and any(part in path for part in named)
        and entry.get("sha256") != ownership.digest_of(files[path][0])
    ]
    if edited:
        more = f" and {len(edited) - _SHOWN} more" if len(edited) > _SHOWN else ""
        message = (
            f"{place.contract} renames the node or its package, and files that are called after it were edited: "
            f"{', '.join(edited[:_SHOWN])}{more}. Take these edits back, rename, and make them again."
        )
        raise UpdateError(message)


def _words(old: NodeView, new: NodeView) -> dict[str, str]:
    """Return what modules and classes of the node were called, and what they are called now."""
    words: dict[str, str] = {}
    for (old_module, old_class), (new_module, new_class) in zip(_symbols(old), _symbols(new), strict=True):
        words |= {old_module: new_module, old_class: new_class}
    words |= {f"from {old.package} import": f"from {new.package} import"}
    return {old.module: new.module, old.full_name: new.full_name} | words


def _module(path: str, target: str) -> dict[str, str]:
    """Return what a module of people's is called, and what it is called where it goes."""
    if path == target or not path.endswith(".py"):
        return {}
    before, after = (
        each.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for each in (path, target)
    )
    return {before: after}


def _symbols(node: NodeView) -> Iterator[tuple[str, str]]:
    yield from (node.node, node.lifecycle, node.handler, node.settings)
    yield from (node.request, node.response, node.operation_enum)


def _path(path: str, old: NodeView, new: NodeView, place: Place) -> str:
    """Return the path of a file of people's under the node's new name."""
    folders = {f"src/{old.module.replace('.', '/')}/": f"src/{new.module.replace('.', '/')}/"}
    if not place.inside:
        folders[f"src/{old.package_path}/"] = f"src/{new.package_path}/"
    for before, after in folders.items():
        if path.startswith(before):
            return after + path.removeprefix(before)
    return path
