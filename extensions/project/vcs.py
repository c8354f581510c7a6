"""Runs git on projects, with the standard library alone: what the caller's surroundings say decides nothing.

What a hook of git, an alias or a shell has set for a repository of its own never reaches the repository that is meant.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

# Of the variables of git, what says how others are reached, and where a person's settings are.
_KEPT = {
    "GIT_ALLOW_PROTOCOL",
    "GIT_ASKPASS",
    "GIT_CEILING_DIRECTORIES",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_EXEC_PATH",
    "GIT_PROTOCOL_FROM_USER",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_TERMINAL_PROMPT",
}
_KEPT_PREFIXES = ("GIT_HTTP_", "GIT_PROXY_", "GIT_SSL_")
# Nothing of a project's own settings starts a program; a folder that looks like a repository of git is none.
_EVERYWHERE = {"core.fsmonitor": "false", "core.hooksPath": os.devnull, "safe.bareRepository": "explicit"}
# In a repository that is made for one update: bytes stay what they are, and every file counts.
_SCRATCH = {
    "apply.ignoreWhitespace": "no",
    "apply.whitespace": "nowarn",
    "clone.defaultRemoteName": "origin",
    "commit.gpgSign": "false",
    "core.attributesFile": os.devnull,
    "core.autocrlf": "false",
    "core.excludesFile": os.devnull,
    "core.quotePath": "false",
    "core.safecrlf": "false",
    "gc.auto": "0",
    "init.templateDir": "",
    "maintenance.auto": "false",
    "status.showUntrackedFiles": "all",
    "submodule.recurse": "false",
    "user.email": "update-node@localhost",
    "user.name": "update-node",
}
# What attributes in a project say about line ends and filters; the copy of a project holds what git holds.
_AS_THEY_ARE = "* -text -eol -filter -ident -working-tree-encoding\n"


def environment(*, scratch: bool = False, **more: str) -> dict[str, str]:
    """Return the environment for git, or for a program that runs git.

    Args:
        scratch: Whether it works on a repository that is made for one update.
        more: Further variables.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    # A question is no reason to write the index anew.
    return kept | {"GIT_OPTIONAL_LOCKS": "0"} | _settings(_EVERYWHERE | (_SCRATCH if scratch else {})) | more


def _settings(values: Mapping[str, str]) -> dict[str, str]:
    variables = {"GIT_CONFIG_COUNT": str(len(values))}
    for number, (key, value) in enumerate(values.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def run(folder: Path, *arguments: str, content: bytes = b"", scratch: bool = False) -> bytes:
    """Run git.

    Args:
        folder: Where.
        arguments: Its arguments.
        content: Its input.
        scratch: Whether the repository is made for one update.

    Returns:
        Its output.

    Raises:
        subprocess.CalledProcessError: When it fails.
    """
    command = ["git", *arguments]
    variables = environment(scratch=scratch)
    return subprocess.run(command, cwd=folder, env=variables, input=content, check=True, capture_output=True).stdout


def git(folder: Path, *arguments: str, text: str = "", scratch: bool = False) -> str:
    """Run git, whose input and output are text, in which names of files are as Python has them, whatever the locale.

    Args:
        folder: Where.
        arguments: Its arguments.
        text: Its input.
        scratch: Whether the repository is made for one update.

    Returns:
        Its output.

    Raises:
        subprocess.CalledProcessError: When it fails.
    """
    return os.fsdecode(run(folder, *arguments, content=os.fsencode(text), scratch=scratch))


def git_folder(project: Path) -> Path:
    """Return the folder in which git keeps what it knows of the project's tree, wherever that is."""
    return Path(git(project, "rev-parse", "--absolute-git-dir").removesuffix("\n"))


def why(error: subprocess.CalledProcessError) -> str:
    """Return what git said when it failed, on one line."""
    said = (error.stderr or b"").decode("utf-8", "replace").strip().splitlines()
    # What it advises comes after the reason.
    reasons = [number for number, line in enumerate(said) if line.startswith(("fatal: ", "error: "))]
    told = " ".join(" ".join(said[reasons[-1] if reasons else -1 :]).split())
    return told or f"{error.cmd[0]} ended with {error.returncode}"


def copy_of(project: Path, copy: Path, prefix: str) -> None:
    """Check out the project's commit in a repository that borrows the objects, and in which nothing is converted.

    Whenever this is cut off, the project's repository is untouched.

    Args:
        project: The project's root, in any kind of repository: also a worktree, a submodule, or a shallow one.
        copy: The folder to make.
        prefix: The project's path in its repository, with a `/` at its end; of many, only this one is checked out.

    Raises:
        subprocess.CalledProcessError: When git fails, such as in a partial clone whose other end is away.
    """
    head, form = git(project, "rev-parse", "HEAD", "--show-object-format").split()
    _fetch_missing(project, f"{head}:{prefix}")
    common = Path(git(project, "rev-parse", "--path-format=absolute", "--git-common-dir").removesuffix("\n"))
    copy.mkdir(parents=True)
    git(copy, "init", "--quiet", f"--object-format={form}", scratch=True)
    inner = copy / ".git"
    (inner / "info").mkdir(exist_ok=True)
    (inner / "info" / "attributes").write_text(_AS_THEY_ARE, encoding="utf-8")
    (inner / "objects" / "info").mkdir(parents=True, exist_ok=True)
    # git reads a line in quotes as a text with escapes, and others as they are.
    path = str(common / "objects").replace("\\", "\\\\").replace('"', '\\"')
    (inner / "objects" / "info" / "alternates").write_bytes(os.fsencode(f'"{path}"\n'))
    if (common / "shallow").is_file():
        (inner / "shallow").write_bytes((common / "shallow").read_bytes())
    if prefix:
        # What looks like a pattern is a name, and asked about by some versions of git.
        named = ("--skip-checks",) if set(prefix) & set("!*?[]\\") else ()
        git(copy, "sparse-checkout", "set", "--cone", *named, "--", prefix.rstrip("/"), scratch=True)
    git(copy, "checkout", "--quiet", "--detach", head, scratch=True)


def _fetch_missing(project: Path, folder: str) -> None:
    """Let a partial clone get what it lacks of a folder, which a checkout leaves out, and succeeds all the same."""
    before: list[str] = []
    while missing := _missing(project, folder):
        names = git(project, "config", "--list", "--name-only").splitlines()
        remotes = [name[7:-9] for name in names if name.startswith("remote.") and name.endswith(".promisor")]
        if not remotes or missing == before:
            reason = f"the repository lacks {len(missing)} of its objects"
            raise subprocess.CalledProcessError(1, ["git"], stderr=reason.encode())
        options = ("--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--refmap=", "--filter=blob:none")
        wanted = "".join(f"{name}\n" for name in missing)
        git(project, "fetch", "--quiet", *options, "--stdin", "--", remotes[0], text=wanted)
        before = missing


def _missing(project: Path, folder: str) -> list[str]:
    listed = git(project, "rev-list", "--objects", "--no-object-names", "--missing=print", folder)
    return [line[1:] for line in listed.splitlines() if line.startswith("?")]
