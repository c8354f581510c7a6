"""Pin what generated nodes depend on to the versions in requirements.lock, with hashes.

Writes the hashes of every file of every distribution that a node may need, `extensions/data/locked.txt`, and what each
requirement brings along, `extensions/data/closures.json`: a node gets those of the requirements that it has. Writes
what modules all of these are imported as, too, which no package of a node may be called.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "extensions" / "data"
LOCKED, CLOSURES = DATA / "locked.txt", DATA / "closures.json"
# The extra of every project, and what builds its distribution, also one that is installed for editing.
INFRA = "omnibase-infra>=0.38,<0.39"
BUILD = ("hatchling>=1.27", "editables>=0.5")


def main() -> None:
    """Write `locked.txt`, `closures.json` and `modules.txt`."""
    groups = json.loads((DATA / "requirements.json").read_text(encoding="utf-8"))
    shared = tomllib.loads((ROOT / "runtime" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted: dict[str, set[str]] = {shared["name"]: set(shared["dependencies"])}
    for text in (INFRA, *BUILD, *(text for group in groups.values() for part in group.values() for text in part)):
        wanted.setdefault(canonicalize_name(Requirement(text).name), set()).add(text)
    # All of them together first, so that those which requirements.lock does not have are the same for each of them.
    everything = (text for texts in wanted.values() for text in texts)
    LOCKED.write_text(_compiled(everything, ROOT / "requirements.lock", "--generate-hashes"), encoding="utf-8")
    # pip takes a version as pinned only where the extras that others ask for stand with it.
    closures = {
        name: _compiled(sorted(texts), LOCKED, "--no-strip-extras").splitlines() for name, texts in wanted.items()
    }
    CLOSURES.write_text(json.dumps(closures, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    text = "".join(f"{name}\n" for name in modules(closures))
    (DATA / "modules.txt").write_text(text, encoding="utf-8")


def _compiled(requirements: Iterable[str], constraint: Path, *options: str) -> str:
    uv = Path(sys.executable).with_name("uv")
    arguments = ("--quiet", "--system-certs", "--python-version", "3.12", "--universal")
    output = ("--no-header", "--no-annotate", "--no-emit-index-url", *options)
    return subprocess.run(
        [uv, "pip", "compile", *arguments, *output, "--constraint", constraint, "-"],
        input="\n".join(requirements),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout


def modules(closures: Mapping[str, list[str]]) -> list[str]:
    """Return the modules of what generated nodes depend on, as they are installed here, sorted."""
    # Of what the extra brings, only itself: a node that is installed without it is not to miss names for it.
    passed_over = {canonicalize_name(Requirement(INFRA).name)}
    pinned = {canonicalize_name(name) for name in ("omnibase_infra", "onex_node_runtime")}
    for name, lines in closures.items():
        if name not in passed_over:
            pinned |= {canonicalize_name(Requirement(line).name) for line in lines}
    found = packages_distributions().items()
    # Those that are no word of a contract can't be a package either.
    return sorted(
        name
        for name, owners in found
        if name.isidentifier() and name[0] != "_" and pinned & set(map(canonicalize_name, owners))
    )


if __name__ == "__main__":
    main()
