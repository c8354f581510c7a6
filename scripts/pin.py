"""Pin what generated nodes depend on to the versions in requirements.lock.

Writes one constraints file for each group of requirements; a node gets those of the groups that it needs.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "extensions" / "data"


def main() -> None:
    """Write `extensions/data/constraints/<group>.txt` for every group."""
    groups = json.loads((DATA / "requirements.json").read_text(encoding="utf-8"))
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


if __name__ == "__main__":
    main()
