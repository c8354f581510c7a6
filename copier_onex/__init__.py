"""The distribution: its commands, and what they work with.

A wheel holds `extensions`, `schemas` and `runtime` in this folder. In a checkout they stand beside it, since Copier
works with a template as it is cloned.
"""

from pathlib import Path

_HERE = Path(__file__).resolve().parent
if not (_HERE / "extensions").is_dir():
    __path__.append(str(_HERE.parent))
