"""Where a project comes from: the template's place and version, as they are recorded and found again."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from ..home import ROOT
from . import vcs

_DISTRIBUTION = "copier-onex"
_PARTS = ("copier.yml", "extensions", "runtime", "schemas", "template")
_SHOWN = 5
# How plumbum, with which Copier runs git, tells that it failed.
_OF_GIT = re.compile(r"\s*(?:Stderr:|Stdout:)?\s+\|")
_COMMAND = re.compile(r"[\w.]*ProcessExecutionError|Unexpected exit code|Command line:")


def local_path(source: str, base: Path) -> Path | None:
    """Return the folder or file that a source names; None for one on another machine.

    Args:
        source: What Copier is given: a path, or a URL of git's.
        base: Where relative paths start.
    """
    plain = source.removeprefix("git+")
    if plain.startswith("file:///"):
        # git decodes such URLs; one that has something to decode is taken for no path.
        return None if set("%?#") & set(plain) else Path(plain.removeprefix("file://"))
    if "://" in plain or plain.startswith(("gh:", "gl:")):
        return None
    path = Path(plain).expanduser()
    if not path.is_absolute() and ":" in plain.partition("/")[0]:
        return None
    return base / path


def origins() -> Iterator[str]:
    """Yield where this code lies, and where it was taken from."""
    if (ROOT / "copier.yml").is_file():
        yield str(ROOT)
        with suppress(subprocess.CalledProcessError, OSError):
            yield vcs.git(ROOT, "config", "--get", "remote.origin.url").removesuffix("\n")
    if url := _direct().get("url"):
        yield str(url)


def installed() -> tuple[str, str]:
    """Return the template that these commands belong to, as Copier takes it, and its version; empty for the newest.

    A wheel holds the template too, without its versions: what is generated from there can't be updated from there.
    """
    direct = _direct()
    if "vcs_info" in direct:
        return f"git+{direct['url']}", str(direct["vcs_info"].get("commit_id", ""))
    folder = local_path(str(direct["url"]), ROOT) if "dir_info" in direct else None
    place = folder if folder and (folder / "copier.yml").is_file() else ROOT
    return str(place), "HEAD" if (place / ".git").exists() else ""


def _direct() -> dict[str, Any]:
    """Return what the installer noted of where the distribution came from."""
    try:
        noted = json.loads(metadata.distribution(_DISTRIBUTION).read_text("direct_url.json") or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        return {}
    return noted if isinstance(noted, dict) and "url" in noted else {}


def absolute(source: str) -> str:
    """Return a source as a project can remember it: a path of this machine from the root on."""
    path = local_path(source, Path.cwd()) if source else None
    return str(path.resolve()) if path and path.exists() and "://" not in source else source


def recorded(source: str, clone: Path, version: str) -> tuple[str, list[str]]:
    """Return the version that a project can be updated from.

    Copier commits changes of a working tree in its own copy of the template, which is gone afterwards.

    Args:
        source: What Copier was given.
        clone: Copier's copy of the template.
        version: What Copier calls the version of its copy.

    Returns:
        The version where the source has it, else that of the last commit which the source has; and the files of the
        template that differ from it.
    """
    place = local_path(source, Path.cwd())
    if place is None or not place.is_dir():
        return version, []
    try:
        known = next((commit for commit in _commits(clone) if _has(place, commit)), None)
        if known is None or known == vcs.git(clone, "rev-parse", "HEAD").strip():
            return version, []
        changed = vcs.git(clone, "diff", "--name-only", "-z", known, "HEAD", "--", *_PARTS).split("\0")
        return vcs.git(clone, "describe", "--tags", "--always", known).strip(), list(filter(None, changed))
    except subprocess.CalledProcessError:
        return version, []


def _commits(clone: Path) -> Iterator[str]:
    """Yield the copy's commit, then the one before it, which is all that there may be between it and the source."""
    yield from vcs.git(clone, "rev-list", "--first-parent", "--max-count=2", "HEAD").split()


def _has(repository: Path, commit: str) -> bool:
    try:
        vcs.git(repository, "cat-file", "-e", f"{commit}^{{commit}}")
    except subprocess.CalledProcessError:
        return False
    return True


def uncommitted(changed: list[str], version: str) -> str:
    """Return what a person has to know of changes of a template that are in no commit.

    Args:
        changed: The template's files.
        version: The version that is recorded.
    """
    more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    return (
        f"the template has changes that are in no commit ({', '.join(changed[:_SHOWN])}{more}). {version} is recorded, "
        "which has none of them: an update takes what they generate for edits of yours. Commit them to generate from "
        "a version that can be found again"
    )


def not_found(source: str, version: str, said: str) -> str:
    """Return that a version of a template can't be had, why, and how to go on.

    Args:
        source: Where the project says that the template is.
        version: The version that it says it was generated from.
        said: What git, or Copier, said.
    """
    lines = (line.partition("|")[2] if _OF_GIT.match(line) else line for line in said.splitlines())
    why = [text for line in lines if (text := line.strip().removeprefix("ValueError: ")) and not _COMMAND.match(text)]
    shown = "".join(f"  {line}\n" for line in why if "Unknown revision" not in line)
    return f"Version {version} of the template {source} can't be had.\n{shown}{ways_on(source, version)}"


def ways_on(source: str, version: str) -> str:
    """Return how to go on where a version of a template can't be had.

    Args:
        source: Where the project says that the template is.
        version: The version that it says it was generated from.
    """
    place = local_path(source, Path.cwd())
    shallow = ""
    if place is not None and place.is_dir():
        try:
            if vcs.git(place, "rev-parse", "--is-shallow-repository").strip() == "true":
                shallow = f"  The clone is shallow; bring the rest: git -C {place} fetch --unshallow --tags\n"
        except subprocess.CalledProcessError:
            shallow = "  It is no git repository.\n"
    return (
        f"{shallow}"
        "  If the template has moved, say where it is: update-node --source PLACE. The project remembers it.\n"
        f"  If {version} is gone, say which version comes nearest: update-node --from VERSION, a tag or a commit. What "
        "the two generate differently counts as edits of yours."
    )
