"""The package installs what its modules import: `pipx` gives it an environment of its own."""

import ast
import json
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

from examples.rendering import PARTS
from scripts import pin, wheel


def test_modules_that_no_package_may_be_called_are_those_of_the_libraries(root: Path) -> None:
    listed = (root / "extensions" / "data" / "modules.txt").read_text(encoding="utf-8").split()

    closures = json.loads(pin.CLOSURES.read_text(encoding="utf-8"))
    assert listed == pin.modules(closures)


def test_what_an_extra_brings_is_imported_when_it_is_asked_for(root: Path) -> None:
    at_once = [
        path.name
        for path in (root / "extensions").rglob("*.py")
        for item in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(item, ast.Import | ast.ImportFrom) and "openai" in ast.unparse(item)
    ]

    assert at_once == []


def test_every_import_is_declared(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    names = {re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower() for requirement in declared}
    imported: set[str] = set()
    for path in (root / "extensions").rglob("*.py"):
        for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(item, ast.Import):
                imported.update(alias.name.partition(".")[0] for alias in item.names)
            elif isinstance(item, ast.ImportFrom) and item.level == 0 and item.module:
                imported.add(item.module.partition(".")[0])
    foreign = imported - sys.stdlib_module_names - {"extensions"}

    # jsonschema brings referencing, and no version of it goes without; pytest is that of the projects it is run in.
    distributions = packages_distributions()
    missing = {
        name
        for name in foreign - {"pytest", "referencing"}
        if not {each.lower().replace("_", "-") for each in distributions[name]} & names
    }
    assert missing == set()


def test_distribution_holds_what_copier_and_the_commands_read(root: Path) -> None:
    for part in (*PARTS, "copier_onex"):
        assert (
            part
            in tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"][
                "targets"
            ]["sdist"]["only-include"]
        )
    # `runtime` is taken in parts, without what is its own distribution's.
    parts = {part.partition("/")[0] for part in wheel.PARTS}
    assert parts == set(PARTS)
