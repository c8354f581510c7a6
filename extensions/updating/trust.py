"""Which templates an update may run: what a project names comes from anybody who may change the project."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from subprocess import CalledProcessError
from typing import Literal
from urllib.parse import urlsplit

from copier import load_settings
from copier._settings import is_trusted_repository
from copier._vcs import get_repo
from copier.errors import CopierError

from ..home import ROOT
from ..project import vcs
from ..project.origin import local_path, origins

type Reason = Literal["settings", "installed", ""]
_SETTINGS = "COPIER_SETTINGS_PATH"


def why_trusted(source: str, base: Path) -> Reason:
    """Say by what a template may be run; empty when nothing says so.

    Args:
        source: What a project names.
        base: Where relative paths start.

    Raises:
        ValueError: When Copier's settings can't be read.
    """
    try:
        settings = load_settings()
    except (CopierError, OSError, ValueError) as error:
        message = f"Copier's settings can't be read: {error}"
        raise ValueError(message) from error
    if is_trusted_repository(settings.trust, source):
        return "settings"
    path = local_path(source, base)
    if path is not None:
        return "installed" if path.resolve() in _installed()[0] else ""
    return "installed" if _address(source) in _installed()[1] else ""


@cache
def _installed() -> tuple[frozenset[Path], frozenset[str]]:
    """Return the folders and the addresses of the template that these commands belong to."""
    paths: set[Path] = set()
    addresses: set[str] = set()
    for source in origins():
        path = local_path(source, ROOT)
        if path is None:
            addresses.add(_address(source))
        else:
            paths.add(path.resolve())
    for path in list(paths):
        paths.update(_of_one_repository(path))
    return frozenset(paths), frozenset(addresses)


def _of_one_repository(path: Path) -> Iterator[Path]:
    """Yield the other work trees of a checkout's repository, and git's folder."""
    try:
        if Path(vcs.git(path, "rev-parse", "--show-toplevel").removesuffix("\n")).resolve() != path:
            return
        listed = vcs.git(path, "worktree", "list", "--porcelain", "-z").split("\0")
        common = vcs.git(path, "rev-parse", "--path-format=absolute", "--git-common-dir").removesuffix("\n")
    except (CalledProcessError, OSError):
        return
    yield Path(common).resolve()
    yield from (Path(line.removeprefix("worktree ")).resolve() for line in listed if line.startswith("worktree "))


def _address(source: str) -> str:
    """Return one form for the forms that an address on another machine may have."""
    address = get_repo(source) or source
    parts = urlsplit(address)
    if parts.scheme and parts.hostname:
        address = parts._replace(netloc=parts.netloc.rpartition("@")[2].lower()).geturl()
    return address.rstrip("/").removesuffix(".git")


def refusal(source: str, answers: str) -> str:
    """Return why a template is not run, and what a person can do about it.

    Args:
        source: What the project names.
        answers: The file that names it.
    """
    installed = ", ".join(dict.fromkeys(origins())) or "none that is known"
    settings = os.environ.get(_SETTINGS) or "Copier's settings.yml, which `copier --help` tells about"
    shown = source if source.isprintable() else ascii(source)
    return (
        f"{answers} names a template that nobody has said to trust, and an update runs its code:\n"
        f"  named by the project: {shown}\n"
        f"  installed here:       {installed}\n"
        "If the template has moved to the installed one, or elsewhere, say so: --source PLACE.\n"
        f"If you trust the one that is named, add it to `trust` in {settings}, or say --trust for this run."
    )
