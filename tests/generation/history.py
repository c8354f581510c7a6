"""A template with three tagged versions, and projects that follow it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from examples.rendering import export_template
from tests.conftest import Run

LINE_OF_VERSION_2 = "This line came with the second version."
RENAMED_IN_VERSION_2 = ("tests/unit/test_settings.py", "tests/unit/test_configuration.py")
KEY_OF_VERSION_3 = "area"


def git(run: Run, folder: Path, *arguments: str) -> str:
    result = run("git", *arguments, cwd=folder)
    assert result.returncode == 0, result.stderr
    return result.stdout


def commit(run: Run, folder: Path, message: str) -> None:
    git(run, folder, "add", "--all")
    git(run, folder, "commit", "--quiet", "--allow-empty", "--message", message)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} does not hold {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def readme_of(template: Path) -> Path:
    """Return the template of the README."""
    return template / "template" / "{{ node.place.home }}" / "README.md.j2"


def test_of(template: Path, path: str) -> Path:
    """Return the template of a file that projects have in their tests."""
    return template / "template" / "{{ node.place.tests }}" / f"{path.removeprefix('tests/')}.j2"


def make_history(run: Run, repository: Path) -> Path:
    """Make a template whose second version renames a file, and whose third renames a key of the contract."""
    export_template(repository)
    git(run, repository, "init", "--quiet")
    commit(run, repository, "First version")
    git(run, repository, "tag", "v1.0.0")
    with readme_of(repository).open("a", encoding="utf-8") as readme:
        readme.write(f"\n{LINE_OF_VERSION_2}\n")
    old, new = RENAMED_IN_VERSION_2
    test_of(repository, old).rename(test_of(repository, new))
    edit(test_of(repository, new), "import pytest\n", "import pytest\n\n# Renamed in version 2.\n")
    renames: dict[str, object] = {"questions": {}, "files": [[old.replace(".", "\\."), new]]}
    (repository / "extensions" / "data" / "renames.json").write_text(json.dumps(renames), encoding="utf-8")
    commit(run, repository, "Second version")
    git(run, repository, "tag", "v2.0.0")
    edit(repository / "copier.yml", "\ndomain:\n", f"\n{KEY_OF_VERSION_3}:\n")
    edit(repository / "copier.yml", '"domain": domain', f'"{KEY_OF_VERSION_3}": {KEY_OF_VERSION_3}')
    edit(repository / "copier.yml", "type_of('domain'", f"type_of('{KEY_OF_VERSION_3}'")
    edit(repository / "schemas" / "contract.schema.json", '"domain":', f'"{KEY_OF_VERSION_3}":')
    edit(repository / "extensions" / "language" / "build.py", 'raw.get("domain"', f'raw.get("{KEY_OF_VERSION_3}"')
    renames["questions"] = {"domain": KEY_OF_VERSION_3}
    (repository / "extensions" / "data" / "renames.json").write_text(json.dumps(renames), encoding="utf-8")
    commit(run, repository, "Third version")
    git(run, repository, "tag", "v3.0.0")
    return repository


def write_contract(project: Path, contract: Mapping[str, object]) -> None:
    text = yaml.safe_dump(dict(contract), sort_keys=False)
    (project / "node.yaml").write_text(f"# Our contract.\n{text}", encoding="utf-8")


def change_contract(project: Path, change: Callable[[dict[str, object]], None]) -> None:
    contract: dict[str, object] = yaml.safe_load((project / "node.yaml").read_text(encoding="utf-8"))
    change(contract)
    write_contract(project, contract)


def copy(run: Run, template: Path, project: Path, contract: Mapping[str, object], version: str) -> Path:
    """Generate a project with one version of the template, and commit it."""
    project.parent.mkdir(parents=True, exist_ok=True)
    data = project.with_name(f"{project.name}.yaml")
    data.write_text(yaml.safe_dump(dict(contract), sort_keys=False), encoding="utf-8")
    options = ("--trust", "--defaults", "--vcs-ref", version, "--data-file", data)
    result = run("copier", "copy", *options, template, project)
    assert result.returncode == 0, result.stderr
    git(run, project, "init", "--quiet")
    commit(run, project, "Generate")
    return project


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a project, without those of git and those that git ignores."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {".git", "build", "__pycache__"} & set(path.relative_to(folder).parts)
    }
