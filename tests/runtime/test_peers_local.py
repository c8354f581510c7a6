"""A local run starts what the nodes need that are called in its process."""

import os
import sys
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "runtime" / "doubles" / "peers_local.py"
RUN_LOCAL = """
import os
NODE, PEERS = {node!r}, {peers!r}
def start_servers(servers{takes}):
    {shares}
    os.environ[{node!r}] = "started " + os.environ.get({node!r}, "")
    servers.callback(os.environ.pop, {node!r})
"""

ALONE = {"takes": "", "shares": ""}
SHARES = {"takes": ", apis", "shares": "apis.setdefault(NODE, len(apis))"}


def put(folder: Path, node: str, *peers: str, text: str = RUN_LOCAL, shares: bool = False) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for package in (folder, *folder.parents):
        if "shop_tests" not in package.parts:
            break
        (package / "__init__.py").touch()
    (folder / "run_local.py").write_text(
        text.format(node=node, peers=peers, **(SHARES if shares else ALONE)), encoding="utf-8"
    )


def test_what_peers_and_their_peers_need_is_started_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tests = tmp_path / "shop_tests"
    own = tests / "nodes" / "node_order_orchestrator"
    put(own, "node_order_orchestrator", "node_stock_effect", "node_pay_orchestrator")
    put(tests, "node_stock_effect", shares=True)
    put(
        tests / "nodes" / "node_pay_orchestrator",
        "node_pay_orchestrator",
        "node_bank_effect",
        "node_order_orchestrator",
    )
    put(tests / "nodes" / "node_bank_effect", "node_bank_effect", shares=True)
    put(tests / "nodes" / "node_other_effect", "node_other_effect")
    put(tests / "nodes" / "node_old_effect", "node_old_effect", text="def main_with_servers(): ...")
    (own / "peers_local.py").write_bytes(SOURCE.read_bytes())
    monkeypatch.syspath_prepend(str(tmp_path))
    start = import_module("shop_tests.nodes.node_order_orchestrator.peers_local").start_servers_of

    with ExitStack() as servers:
        start(("node_stock_effect", "node_pay_orchestrator", "node_old_effect", "node_elsewhere_effect"), servers)
        started = {name: value for name, value in os.environ.items() if value.startswith("started")}

    names = ("node_stock_effect", "node_pay_orchestrator", "node_bank_effect", "node_order_orchestrator")
    assert started == dict.fromkeys(names, "started ")
    for module in [module for module in sys.modules if module.startswith("shop_tests")]:
        del sys.modules[module]


def test_a_peer_whose_own_imports_fail_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tests = tmp_path / "broken_tests"
    tests.mkdir()
    (tests / "__init__.py").touch()
    (tests / "run_local.py").write_text("import no_such_library\n", encoding="utf-8")
    (tests / "peers_local.py").write_bytes(SOURCE.read_bytes())
    monkeypatch.syspath_prepend(str(tmp_path))
    start = import_module("broken_tests.peers_local").start_servers_of
    with pytest.raises(ModuleNotFoundError, match="no_such_library"), ExitStack() as servers:
        start(["node_stock_effect"], servers)
