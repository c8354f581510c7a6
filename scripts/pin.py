"""Pin what generated nodes depend on to the versions in requirements.lock.

Writes one constraints file for each group of requirements; a node gets those of the groups that it needs. Writes what
modules all of these are imported as, too, which no package of a node may be called.
"""

import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "extensions" / "data"
INFRA = "omnibase-infra>=0.38,<0.39"


def main() -> None:
    """Write `extensions/data/constraints/<group>.txt` for every group."""
    groups = json.loads((DATA / "requirements.json").read_text(encoding="utf-8"))
    # The extra of every project, which resolvers find no versions for by themselves.
    groups |= {"infra": {"run": groups["base"]["run"], "dev": [INFRA]}}
    for group, requirements in groups.items():
        subprocess.run(
            [
                Path(sys.executable).with_name("uv"),
                *("pip", "compile", "--quiet", "--system-certs", "--python-version", "3.12"),
                *("--no-header", "--no-annotate", "--no-emit-index-url"),
                *("--constraint", ROOT / "requirements.lock"),
                *("--output-file", DATA / "constraints" / f"{group}.txt"),
                "-",
            ],
            input="\n".join(requirements["run"] + requirements["dev"]),
            text=True,
            check=True,
            cwd=ROOT,
        )
    text = "".join(f"{name}\n" for name in modules())
    (DATA / "modules.txt").write_text(text, encoding="utf-8")


def modules() -> list[str]:
    """Return the modules of what generated nodes depend on, as they are installed here, sorted."""
    # Of what the extra brings, only itself: a node that is installed without it is not to miss names for it.
    pinned = {"omnibase_infra", "onex_node_runtime"}
    for file in {*(DATA / "constraints").glob("*.txt")} - {DATA / "constraints" / "infra.txt"}:
        pinned |= {line.partition("==")[0] for line in file.read_text(encoding="utf-8").splitlines() if "==" in line}
    pinned = {_normal(name) for name in pinned}
    found = packages_distributions().items()
    # Those that are no word of a contract can't be a package either.
    return sorted(
        name for name, owners in found if name.isidentifier() and name[0] != "_" and pinned & set(map(_normal, owners))
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
