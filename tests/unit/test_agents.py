"""What AGENTS.md tells of a project is true of it, for each type of node and each layout."""

import re
from functools import cache

import pytest

from examples.rendering import ROOT, export_template, read_contract
from tests.contracts.render import Renderer

CONTRACTS = {
    "effect": "contracts/llm_completion",
    "custom": "contracts/custom_greeting",
    "reducer": "contracts/order_state",
    "orchestrator": "contracts/order_workflow",
    "compute": "contracts/price_quote",
}
# Made by commands that the file names.
MADE = re.compile(r"build/(node_\w+/)?update\.md")
FILE = re.compile(r"`(?!\.onex-manifest)([\w./-]+\.(?:py|md|yaml|json))`")


@pytest.fixture(scope="module")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> Renderer:
    return Renderer(export_template(tmp_path_factory.mktemp("template") / "template"))


@cache
def contract_of(kind: str) -> dict[str, object]:
    return dict(read_contract(ROOT / "examples" / f"{CONTRACTS[kind]}.yaml"))


@pytest.mark.parametrize("layout", ["project", "node"])
@pytest.mark.parametrize("kind", CONTRACTS)
def test_files_and_commands_exist(renderer: Renderer, kind: str, layout: str) -> None:
    contract = contract_of(kind) | ({"layout": "node"} if layout == "node" else {})
    node = f"node_{contract['name']}_{contract['node_type']}"
    home = f"nodes/{node}/" if layout == "node" else ""
    found = renderer.texts(contract, f"{home}AGENTS.md", "Makefile")
    text = found[f"{home}AGENTS.md"]

    named = set(FILE.findall(text))
    assert f"{home}node.yaml" in named
    known = {*found, *(path.rpartition("/")[2] for path in found)}
    assert {path for path in named if not MADE.fullmatch(path)} <= known
    yours = [path for path in found if re.search(r"/custom/(test_)?handler_\w+\.py$", path)]
    assert set(yours) == {path for path in named if "/custom/" in path}

    targets = set(re.findall(r"`make ([a-z]+)`", text))
    assert targets <= set(re.findall(r"^([a-z]+):", found.get("Makefile", ""), re.MULTILINE))
    assert bool(targets) == (layout == "project")
    modules = [name.replace(".", "/") for name in re.findall(r"python -m ([\w.]+)(?=`)", text)]
    assert all({f"{name}.py", f"src/{name}/__main__.py"} & found.keys() for name in modules)
    folders = re.findall(r"(?:pytest|strict|check) ((?:src|tests)/[\w/]+)", text)
    assert all(any(path.startswith(f"{name}/") for path in found) for name in folders)
    assert bool(modules and folders) == (layout == "node")
