"""What a copy contains: complete, well-formed, and the same each time."""

import ast
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from pytest_copie.plugin import Copie

from examples.golden import differences
from examples.rendering import CONTRACTS, generate, read_contract
from tests.conftest import Generate, Run

SUPPORTED = ("distributed_lock", "custom_greeting")

GENERATE = """
import sys
from pathlib import Path
from examples.rendering import generate, read_contract
generate(Path(sys.argv[1]), read_contract(Path(sys.argv[2])), Path(sys.argv[3]))
"""


@pytest.fixture(scope="module", params=SUPPORTED)
def contract(request: pytest.FixtureRequest) -> Path:
    return CONTRACTS / f"{request.param}.yaml"


@pytest.fixture(scope="module")
def project(contract: Path, generate_project: Generate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate_project(contract, tmp_path_factory.mktemp("project") / contract.stem)


def files(project: Path, *suffixes: str) -> Iterator[Path]:
    found = [path for path in project.rglob("*") if path.is_file() and (not suffixes or path.suffix in suffixes)]
    assert found
    yield from found


def test_pytest_copie_generates(copie: Copie, template: Path, contract: Path) -> None:
    result = copie.copy(extra_answers=read_contract(contract), template_dir=template)

    assert result.exception is None
    assert result.exit_code == 0
    assert result.project_dir is not None
    assert (result.project_dir / "node.yaml").is_file()


@pytest.mark.parametrize("seed", ["1", "4242"])
def test_copy_does_not_depend_on_the_process(  # noqa: PLR0913, PLR0917 - fixtures
    project: Path, contract: Path, template: Path, root: Path, run: Run, tmp_path: Path, seed: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {"PYTHONPATH": str(root), "PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": "Asia/Tokyo"}

    result = run(sys.executable, "-c", GENERATE, template, contract, tmp_path / "other", cwd=elsewhere, **environment)

    assert result.returncode == 0, result.stderr
    assert differences(project, tmp_path / "other") == []


def test_no_leftovers(project: Path) -> None:
    # A workflow of GitHub has its own ${{ expressions }}, and so have dashboards and alerts.
    leftover = re.compile(r"(?<!\$)\{\{|\{%|%\}|\b(TODO|FIXME|XXX)\b|\.j2\b")
    for path in files(project):
        if path.parent == project / "deploy" / "watch":
            continue
        match = leftover.search(path.read_text(encoding="utf-8"))
        assert match is None, f"{path.relative_to(project)}: {match}"


def test_text_files_are_tidy(project: Path) -> None:
    for path in files(project):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(project)
        assert "\r" not in text, name
        assert "\t" not in text or path.name == "Makefile", name
        assert not text or (text.endswith("\n") and not text.endswith("\n\n")), name
        assert not re.search(r"[ \t]+$", text, re.MULTILINE), name


def test_python_compiles(project: Path) -> None:
    for path in files(project, ".py"):
        ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@pytest.mark.parametrize(
    ("suffixes", "parse"),
    [
        ((".yaml", ".yml"), lambda text: list(yaml.safe_load_all(text))),
        ((".toml",), tomllib.loads),
        ((".json",), json.loads),
    ],
    ids=["yaml", "toml", "json"],
)
def test_data_files_parse(project: Path, suffixes: tuple[str, ...], parse: Callable[[str], object]) -> None:
    for path in project.rglob("*"):
        if path.suffix in suffixes:
            assert parse(path.read_text(encoding="utf-8")) is not None, path.relative_to(project)


@pytest.mark.parametrize("arguments", [("format", "--check", "--diff"), ("check",)], ids=["format", "check"])
def test_ruff_has_nothing_to_change(project: Path, run: Run, arguments: tuple[str, ...]) -> None:
    result = run("ruff", *arguments, "--no-cache", ".", cwd=project)

    assert result.returncode == 0, result.stdout + result.stderr


def test_contract_of_the_project_generates_the_project(project: Path, template: Path, tmp_path: Path) -> None:
    again = generate(template, read_contract(project / "node.yaml"), tmp_path / "again")

    assert differences(project, again) == []
