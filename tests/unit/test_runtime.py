"""What nodes hold of the runtime: its text as it is, and no module that nothing imports."""

import ast
from collections import Counter
from pathlib import Path

import pytest
from omnibase_core.validation.validator_types import validate_union_usage_file

from examples.rendering import CONTRACTS, read_contract
from extensions.deciding.monitoring import USUAL_PREFIX
from extensions.judging.judge import read
from extensions.viewing import runtime
from extensions.viewing.build import view
from extensions.viewing.node import NodeView
from extensions.viewing.resilience import USUAL_DEADLINE_SECONDS
from extensions.viewing.runtime_settings import classes

NAMES = sorted(path.stem for path in CONTRACTS.glob("*.yaml"))
MODULES = sorted(path.relative_to(runtime.FOLDER).with_suffix("").as_posix() for path in runtime.FOLDER.rglob("*.py"))
MARK = "# The runtime of copier-onex, the same in every node. Change it in the template, not here.\n"


def view_of(name: str, **values: object) -> NodeView:
    return view(read(read_contract(CONTRACTS / f"{name}.yaml") | values))


@pytest.mark.parametrize("module", MODULES)
def test_modules_are_marked(module: str) -> None:
    assert runtime.source(module).startswith(MARK)
    assert "{{" not in runtime.source(module) or "f'" in runtime.source(module) or 'f"' in runtime.source(module)


def test_generated_code_leaves_out_what_the_runtime_says_by_itself() -> None:
    assert f"DEFAULT_TIMEOUT_SECONDS = {USUAL_DEADLINE_SECONDS}\n" in runtime.source("operation")
    assert f'prefix: str = "{USUAL_PREFIX}"' in runtime.source("measuring")


@pytest.mark.parametrize("module", MODULES)
def test_modules_import_each_other_relatively(module: str) -> None:
    """A copy stands in another package."""
    assert runtime.PACKAGE not in runtime.source(module)


@pytest.mark.parametrize("name", NAMES)
def test_copies_hold_all_that_they_import(name: str) -> None:
    modules = runtime.modules(view_of(name))

    assert modules == tuple(sorted(modules))
    for module in modules:
        folder = Path(module).parent
        for node in ast.walk(ast.parse(runtime.source(module))):
            if isinstance(node, ast.ImportFrom) and node.level:
                above = [folder, *folder.parents][node.level - 1]
                target = above.joinpath(*(node.module or "").split("."))
                assert target.as_posix() in modules


def test_nodes_that_import_the_distribution_hold_none() -> None:
    node = view_of("distributed_lock", runtime="package")

    assert runtime.modules(node) == ()
    assert node.runtime == runtime.PACKAGE
    assert any(requirement.startswith("onex-node-runtime") for requirement in node.packages.requirements)


@pytest.mark.parametrize("name", NAMES)
def test_settings_say_the_same_wherever_they_stand(name: str) -> None:
    """Bounds, types and descriptions of settings that the runtime brings are those of the README and the manifests."""
    known = {field: spec for found in classes() for field, spec in found.fields.items()}
    types = dict(_types())
    for setting in view_of(name).setting_fields:
        if setting.name in known:
            kind, arguments = setting.type, setting.arguments
            found = known[setting.name]
            alias = found.type.removesuffix(" | None")
            expanded, bounds = types.get(alias, (alias, ()))
            optional = " | None" if found.type.endswith(" | None") else ""
            assert (expanded + optional, bounds) == (kind, arguments), setting.name
            assert found.description == setting.description


def _types() -> list[tuple[str, tuple[str, tuple[str, ...]]]]:
    """Return what the names of types stand for, by name: type and arguments of its Field, both as code."""
    found = []
    for node in ast.parse(runtime.source("settings/types")).body:
        if isinstance(node, ast.Assign):
            (target,), value = node.targets, node.value
            assert isinstance(value, (ast.Subscript, ast.BinOp))
            kind = ast.unparse(value).replace("'", '"')
            bounds: tuple[str, ...] = ()
            if isinstance(value, ast.Subscript) and ast.unparse(value.value) == "Annotated":
                assert isinstance(value.slice, ast.Tuple)
                base, field = value.slice.elts
                assert isinstance(field, ast.Call)
                kind = ast.unparse(base)
                bounds = tuple(f"{keyword.arg}={ast.unparse(keyword.value)}" for keyword in field.keywords)
            found.append((ast.unparse(target), (kind, bounds)))
    return found


def test_no_room_has_more_unions_than_onex_takes() -> None:
    counted: Counter[str] = Counter()
    for module in MODULES:
        counted[module.rpartition("/")[0]] += validate_union_usage_file(runtime.FOLDER / f"{module}.py")[0]
    assert max(counted.values()) <= 100, counted.most_common()
