"""Renders the template as it is in the working tree, uncommitted changes included."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import copier
import yaml

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "examples" / "contracts"

# What Copier reads of this repository. A copy of these alone is a template without history.
PARTS = ("copier.yml", "extensions", "schemas", "runtime", "template")


def export_template(destination: Path) -> Path:
    """Copy the template into a folder that is no git repository, so that Copier renders it as it lies there.

    Args:
        destination: The folder to fill; it is created.

    Returns:
        The folder.
    """
    destination.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, destination / part, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, destination / part)
    return destination


def read_contract(path: Path) -> dict[str, object]:
    """Read a contract that is known to be a mapping.

    Args:
        path: A YAML file.

    Returns:
        Its content.
    """
    contract: dict[str, object] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return contract


def generate(template: Path, contract: Mapping[str, object], destination: Path) -> Path:
    """Generate a node's project through Copier's API.

    Args:
        template: A folder that `export_template` filled, or a git repository.
        contract: The contract.
        destination: The folder to generate into.

    Returns:
        The destination.
    """
    copier.run_copy(str(template), destination, data=dict(contract), defaults=True, unsafe=True, quiet=True)
    return destination
