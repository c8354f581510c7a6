"""Many contracts become many projects, or one package."""

from pathlib import Path

import pytest
import yaml

from extensions.commands import generate_nodes
from extensions.commands.generate_nodes import plan
from extensions.reading.source import read_text

CONTRACT = """\
# Of Ann.
name: {name}
node_type: compute
package: {package}
operations: [{{name: go, handler: custom}}]
"""


def _write(folder: Path, name: str, text: str = CONTRACT, package: str = "shop_nodes") -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(text.format(name=name, package=package), encoding="utf-8")
    return file


def test_nodes_of_a_package_keep_their_text_and_the_first_one_makes_the_project(tmp_path: Path) -> None:
    files = [_write(tmp_path, name) for name in ("a", "b", "c")]

    first, *others = plan(files, tmp_path / "shop", package=True)

    assert (first.text, first.error) == (files[0].read_text("utf-8"), "")
    for file, wanted in zip(files[1:], others, strict=True):
        assert wanted.text == f"{file.read_text('utf-8')}layout: node\n"
        assert (wanted.folder, wanted.error) == (tmp_path / "shop", "")


def test_project_that_is_there_gets_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    wanted = plan([_write(tmp_path, "a"), _write(tmp_path, "b", CONTRACT + "layout: node\n")], tmp_path, package=True)

    assert [yaml.safe_load(each.text)["layout"] for each in wanted] == ["node", "node"]


@pytest.mark.parametrize("text", ['{{"name": "{name}", "node_type": "compute"}}', "{{name: {name}}}\n", "a: 1\n...\n"])
def test_text_that_takes_no_key_at_its_end_is_written_anew(text: str) -> None:
    document = read_text(text.format(name="a"))

    found = yaml.safe_load(generate_nodes._in_package(document))  # noqa: SLF001 - the rest of it needs whole contracts

    assert found == {**document.value, "layout": "node"}


def test_projects_are_called_after_their_nodes(tmp_path: Path) -> None:
    wanted = plan([_write(tmp_path, "a"), _write(tmp_path, "b")], tmp_path / "nodes", package=False)

    assert [each.folder for each in wanted] == [tmp_path / "nodes" / "a", tmp_path / "nodes" / "b"]


def test_all_problems_come_before_anything_is_generated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other").mkdir()
    _write(tmp_path, "a")
    _write(tmp_path / "other", "a")
    _write(tmp_path, "b", package="other_nodes")
    _write(tmp_path, "c", "name: c\noperations: 1\n")
    (tmp_path / "d.yaml").write_text("a: [", encoding="utf-8")

    assert generate_nodes.main([str(tmp_path), "--into", str(tmp_path / "shop"), "--package"]) == 1

    told = capsys.readouterr().err
    for expected in (
        f"{tmp_path / 'a.yaml'}: the name a is that of another contract, too",
        f"{tmp_path / 'b.yaml'}: its package is other_nodes, and that of others shop_nodes",
        f"{tmp_path / 'c.yaml'}:2:1: operations",
        f"{tmp_path / 'd.yaml'}:1:5: contract: found broken YAML",
        "Nothing was generated.",
    ):
        assert expected in told
    assert not (tmp_path / "shop").exists()
