"""Where this distribution has its parts, and where it keeps what can be made again."""

import os
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parent
ROOT: Final = PACKAGE.parent
DATA: Final = PACKAGE / "data"
SCHEMAS: Final = ROOT / "schemas"
RUNTIME: Final = ROOT / "runtime"


def cache_folder() -> Path:
    """Return the folder for what can be made again, shared by all projects of this person."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "copier-onex"
