"""Hostile text in every place where the schema allows any: it stays text, or is refused where it is."""

import ast
import sys
from pathlib import Path

import pytest
import yaml

from extensions.judging.judge import judge
from tests.conftest import Run
from tests.contracts.fuzz import broken_files, ruff
from tests.contracts.hostile import CANARY, KINDS, REFUSED, carried, laid_out, places, spots
from tests.contracts.hostile_nodes import NODES
from tests.contracts.render import Renderer
from tests.contracts.walk import put

TURNS = (0, 7)
SETTING = ("operations", "[]", "settings", "{}")


def test_every_place_for_text_is_tried() -> None:
    tried = {generic for contract in NODES.values() for generic, _ in places(contract).values()}
    # Settings are single values, and the judge says so.
    never = {spot for spot in spots() if spot[:4] == SETTING and spot[4] in {"const", "items", "values"}}
    assert sorted(set(spots()) - tried - never, key=repr) == []


def test_nodes_are_valid_before_anything_hostile_is_in_them() -> None:
    assert {kind: list(map(str, judge(contract))) for kind, contract in NODES.items()} == {kind: [] for kind in NODES}


LOAD = """
import importlib, pathlib, sys
for path in sorted(pathlib.Path("src").rglob("*.py")):
    if path.stem not in ("__main__", "command"):
        importlib.import_module(".".join(path.relative_to("src").with_suffix("").parts))
"""


@pytest.mark.parametrize("turn", TURNS)
def test_hostile_text_stays_text(run: Run, renderer: Renderer, tmp_path: Path, turn: int) -> None:
    wrong: list[str] = []
    for kind, contract in NODES.items():
        hostile, texts, refused = laid_out(contract, turn)
        assert len(texts) > len(refused)
        project = renderer.render(hostile, tmp_path / kind)

        assert yaml.safe_load((project / "node.yaml").read_text(encoding="utf-8")) == hostile
        wrong += [f"{kind}/{line}" for line in broken_files(project)]
        found, mangled = carried(project, texts)
        wrong += mangled
        assert len(found) > len(texts) / 2
        loaded = run(sys.executable, "-c", LOAD, cwd=project, PYTHONPATH="src", COLLECTOR="a")
        wrong += [] if loaded.returncode == 0 else [f"{kind}: {loaded.stderr[-1500:]}"]
        for source in project.rglob("*.py"):
            ast.parse(source.read_text(encoding="utf-8"))
    assert wrong + ruff(tmp_path) == []
    assert not list(tmp_path.rglob(CANARY))


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(REFUSED["control"], id="control"),
        pytest.param(REFUSED["surrogates"], id="surrogates", marks=pytest.mark.nightly),
    ],
)
def test_text_that_no_format_holds_is_refused_where_it_is(kind: str, text: str) -> None:
    contract = NODES[kind]
    missed = [
        path
        for path in places(contract)
        if not any(problem.path[: len(path)] == path for problem in judge(put(contract, path, text)))
    ]
    assert missed == []


def test_there_are_as_many_kinds_as_fit() -> None:
    assert len(KINDS) > max(TURNS)
