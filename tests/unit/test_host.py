"""The project that a node is generated into: what is written into its pyproject.toml, and what is refused."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from examples.rendering import CONTRACTS, ROOT, read_contract
from extensions.judging.judge import read
from extensions.project.host import misfit, register
from extensions.project.places import Place, place_of, places_in
from extensions.text.encode import imports
from extensions.viewing.build import view
from extensions.viewing.node import NodeView

NODE = "node_a_effect"
MARKERS = ("integration", "performance")
PYPROJECTS = {
    "short": '[project]\nname = "p"\n',
    "no end of line": '[project]\nname = "p"',
    "other entry points": (
        '[project]\nname = "p"\n\n[project.entry-points.other]\nold = "p.old" # old\n[tool.x]\na = 1\n'
    ),
    "entry points of ONEX": '[project]\nname = "p"\n\n[project.entry-points."onex.nodes"]\nold = "p.old"\n',
    "inline": '[project]\nname = "p"\nentry-points = {"onex.nodes" = {old = "p.old"}}\n',
    "dotted": '[project]\nname = "p"\nentry-points."onex.nodes".old = "p.old"\n',
    "out of order": (
        '[project]\nname = "p"\n[tool.mypy]\nstrict = true\n\n[project.scripts]\nx = "p:x"\n\n[tool.x]\na = 1\n'
    ),
    "groups": '[project]\nname = "p"\n\n[dependency-groups]\ndev = ["pytest>=8"]\n\n[tool.mypy]\nstrict = true\n',
    "several of mypy": '[project]\nname = "p"\n\n[tool.mypy]\nstrict = true\n\n[[tool.mypy.overrides]]\nmodule = "x"\n',
    "markers as text": '[project]\nname = "p"\n\n[tool.pytest.ini_options]\nmarkers = """a: b\n"""\n',
    "line ends of Windows": (
        '[project]\r\nname = "p"\r\ndependencies = [\r\n    "a", # 1\r\n]\r\n\r\n[tool.x]\r\na = 1\r\n'
    ),
}


def manifest(node: str = NODE) -> dict[str, Any]:
    needs = {
        "package": "p",
        "module": f"p.nodes.{node}",
        "requirements": ["omnibase-core>=0.47,<0.48", "Pydantic>=2"],
        "dev_requirements": ["pytest>=9", "pytest-asyncio>=1.3"],
        "untyped": ["aiokafka.*"],
    }
    return {"node": node, "project": needs}


def project(folder: Path, pyproject: str) -> Path:
    (folder / "src" / "p" / "nodes").mkdir(parents=True)
    (folder / "pyproject.toml").write_bytes(pyproject.encode())
    return folder


def settings(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", PYPROJECTS.values(), ids=PYPROJECTS.keys())
def test_nodes_are_registered_once(tmp_path: Path, text: str) -> None:
    folder = project(tmp_path, text)

    first = register(folder, manifest())
    once = (folder / "pyproject.toml").read_bytes()
    again = register(folder, manifest())
    other = register(folder, manifest("node_b_effect"))

    assert first.done
    assert again.done == [] == first.left
    assert (folder / "pyproject.toml").read_bytes() != once
    assert other.done == ['the entry point node_b_effect = "p.nodes.node_b_effect", in pyproject.toml']
    entry_points = settings(folder)["project"]["entry-points"]["onex.nodes"]
    assert entry_points | {"old": "p.old"} == {
        "old": "p.old",
        "node_a_effect": "p.nodes.node_a_effect",
        "node_b_effect": "p.nodes.node_b_effect",
    }
    markers = settings(folder)["tool"]["pytest"]["ini_options"]["markers"]
    assert all(marker in str(markers) for marker in MARKERS)


@pytest.mark.parametrize("text", PYPROJECTS.values(), ids=PYPROJECTS.keys())
def test_lines_that_were_there_stay_as_they_are(tmp_path: Path, text: str) -> None:
    folder = project(tmp_path, text)

    registration = register(folder, manifest())

    # Of a list or an inline table that got longer, the line stays but for its end.
    after = iter((folder / "pyproject.toml").read_bytes().decode().splitlines(keepends=True))
    for line in text.splitlines(keepends=True):
        start = line.rstrip('\r\n]}"')
        assert any(other.startswith(start) and (line.endswith("\r\n") == other.endswith("\r\n")) for other in after), (
            line
        )
    registration.undo()
    assert (folder / "pyproject.toml").read_bytes() == text.encode()
    assert not (folder / "src" / "p" / "nodes" / "__init__.py").exists()


def test_what_is_declared_is_not_declared_again(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        '[project]\nname = "p"\ndependencies = ["omnibase_core==0.47.1", "pydantic", "pytest_asyncio"]\n'
        '[project.optional-dependencies]\ntest = ["pytest"]\n'
        '[tool.pytest.ini_options]\nasyncio_mode = "strict"\n[tool.mypy]\nignore_missing_imports = true\n',
    )

    registration = register(folder, manifest())

    found = settings(folder)
    assert found["project"]["dependencies"] == ["omnibase_core==0.47.1", "pydantic", "pytest_asyncio"]
    assert found["project"]["optional-dependencies"] == {"test": ["pytest"]}
    assert found["tool"]["mypy"] == {"ignore_missing_imports": True}
    assert registration.left == ['the tests of the node need asyncio_mode = "auto" of pytest']


def test_settings_elsewhere_are_left_to_people(tmp_path: Path) -> None:
    folder = project(tmp_path, '[project]\nname = "p"\ndynamic = ["dependencies"]\n')
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")

    registration = register(folder, manifest())

    assert [line.partition(":")[0] for line in registration.left] == [
        "dependencies are dynamic",
        "pytest reads pytest.ini",
    ]
    assert "dependencies" not in settings(folder)["project"]


def test_a_file_in_conflict_is_left_to_people(tmp_path: Path) -> None:
    folder = project(tmp_path, "[project]\n<<<<<<< before updating\n")

    assert "is in conflict" in register(folder, manifest()).left[0]
    assert (folder / "pyproject.toml").read_bytes() == b"[project]\n<<<<<<< before updating\n"


@pytest.fixture(scope="module")
def node() -> NodeView:
    return view(read(read_contract(CONTRACTS / "price_quote.yaml") | {"layout": "node", "package": "p"}))


REFUSED = {
    "nothing": (None, "there is no pyproject.toml"),
    "not TOML": ("[project", "pyproject.toml can't be read"),
    "no project": ("[tool.x]\na = 1\n", "has no [project]"),
    "dynamic": ('[project]\nname = "p"\ndynamic = ["entry-points"]\n', "entry points are dynamic"),
    "taken": (
        '[project]\nname = "p"\n[project.entry-points."onex.nodes"]\nnode_price_quote_compute = "p.other"\n',
        "has the entry point node_price_quote_compute for p.other",
    ),
    "inline": ('project = {name = "p"}\n', "can't be added to"),
}


@pytest.mark.parametrize(("text", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_settings_that_cannot_hold_a_node(tmp_path: Path, node: NodeView, text: str | None, expected: str) -> None:
    project(tmp_path, text or "")
    if text is None:
        (tmp_path / "pyproject.toml").unlink()

    assert expected in misfit(tmp_path, node, node.place.answers, (), new=True)


def test_all_that_is_wrong_comes_at_once(tmp_path: Path, node: NodeView) -> None:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "mine").touch()

    message = misfit(tmp_path, node, node.place.answers, ("deploy/mine", "deploy/new"), new=True)

    assert message.splitlines()[1:] == [
        "  there is no pyproject.toml: layout node is for a project that is there",
        "  there is no folder src/p: `package` has to name a package of this project, below src",
        "  these files are in the way: deploy/mine",
    ]


def test_answers_belong_to_the_node(tmp_path: Path, node: NodeView) -> None:
    folder = project(tmp_path, PYPROJECTS["short"])
    whole = view(read(read_contract(CONTRACTS / "price_quote.yaml")))

    assert misfit(folder, node, node.place.answers, (), new=True) == ""
    assert ".copier-answers.yml" in misfit(folder, node, ".copier-answers.yml", (), new=True)
    assert "layout is not node" in misfit(folder, whole, node.place.answers, (), new=True)
    assert misfit(folder, whole, ".copier-answers.yml", (), new=True) == ""
    assert misfit(folder, node, node.place.answers, (), new=False) == ""
    (folder / ".copier-answers.yml").touch()
    (folder / "node.yaml").touch()
    assert "the layout of a node stays" in misfit(folder, node, node.place.answers, (), new=False)


def test_places(tmp_path: Path) -> None:
    place = Place(NODE)
    for name in (".copier-answers.yml", "node.yaml", place.answers, ".copier-answers.other.yml"):
        (tmp_path / name).touch()

    assert places_in(tmp_path) == [Place(), place]
    assert place_of(place.answers) == place
    assert place_of(".copier-answers.other.yml") == Place()
    for path in ("tests/unit/test_a.py", "deploy/Dockerfile", "README.md", "src/p/nodes/node_a_effect/node.py"):
        assert place.holds(place.as_own(path))
        assert place.as_whole(place.as_own(path)) == path
        assert Place().as_own(path) == path
    assert not place.holds("tests/nodes/node_b_effect/conftest.py")
    assert not place.holds(".copier-answers.yml")


def test_relative_imports() -> None:
    symbols = [("tests.unit.fakes", "FakePool"), ("tests.servers", "postgres_url"), ("p.nodes", "x")]

    assert imports(symbols, package=["unit"]) == (
        "from p.nodes import x\n\nfrom ..servers import postgres_url\nfrom .fakes import FakePool"
    )
    assert imports(symbols[1:2], package=[]) == "from .servers import postgres_url"


def test_tests_import_each_other_through_the_filter_alone() -> None:
    """Only it knows whether they are packages, which import each other relatively."""
    found = [path for path in (ROOT / "template" / "{{ node.place.tests }}").rglob("*") if path.is_file()]

    assert found
    assert [
        path for path in found if re.search(r"^\s*(from|import) tests\b", path.read_text("utf-8"), re.MULTILINE)
    ] == []
