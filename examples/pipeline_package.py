"""Puts the package of `examples/pipeline` together: generated nodes, and bodies that are written by hand."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from examples.rendering import ROOT, read_contract
from extensions.filling.stubs import unmarked

WRITTEN: Final = ROOT / "examples" / "pipeline"
PACKAGE: Final = "omninode_codegen"
CONTRACTS: Final[Mapping[str, str]] = {
    "node_codegen_stub_extractor_effect": "catalogue/codegen_stub_extractor",
    "node_codegen_business_logic_effect": "catalogue/codegen_business_logic",
    "node_codegen_code_validator_effect": "catalogue/codegen_code_validator",
    "node_codegen_code_injector_effect": "catalogue/codegen_code_injector",
    "node_codegen_store_effect": "catalogue/codegen_store",
    "node_codegen_metrics_reducer": "contracts/codegen_metrics",
    "node_codegen_pipeline_orchestrator": "catalogue/codegen_pipeline",
}
"""The nodes, and the contracts of examples that they are generated from."""


def build(generate: Callable[[Mapping[str, object], Path], object], folder: Path) -> Path:
    """Generate the nodes into one package, and put in what is written by hand.

    Args:
        generate: Generates a node: takes its contract and the package.
        folder: Where the package goes; it is created.

    Returns:
        The folder.
    """
    # Nodes go into a package that is there, and are refused where a file of theirs is.
    for name in ("pyproject.toml", f"src/{PACKAGE}/__init__.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(WRITTEN / name, folder / name)
    for contract in CONTRACTS.values():
        read = read_contract(ROOT / "examples" / f"{contract}.yaml")
        generate(read | {"package": PACKAGE, "layout": "node"}, folder)
    for path in WRITTEN.rglob("*"):
        target = folder / path.relative_to(WRITTEN)
        if path.is_file() and "__pycache__" not in path.parts and target.name != "pyproject.toml":
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
    for test in (folder / "tests" / "nodes").glob("*/custom/test_handler_*.py"):
        test.write_text(unmarked(test.read_text(encoding="utf-8")), encoding="utf-8")
    return folder
