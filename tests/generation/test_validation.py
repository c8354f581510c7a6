"""The validation hook: planted faults are found with file and line, and what fails leaves nothing behind."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from sysconfig import get_path

import omnibase_infra
import pytest
import yaml
from omnibase_core.constants.constants_runtime_profiles import REGISTERED_RUNTIME_PROFILES

from examples.rendering import CONTRACTS, export_template, read_contract
from extensions.validation.command import main as validate_node
from extensions.validation.findings import Outcome, Report
from extensions.validation.imports import Imports
from extensions.validation.index import Index
from extensions.validation.onex import Onex
from extensions.validation.project import Project
from extensions.validation.run import validate
from tests.conftest import Generate, Run

NODE = "src/omninode_bridge/nodes/node_distributed_lock_effect"
HANDLER = f"{NODE}/handlers/handler_acquire_lock.py"


def replace(old: str, new: str) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return edit


def append(text: str) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(before + text, encoding="utf-8")

    return edit


CONTRACT = f"{NODE}/contract.yaml"
# Per fault: the stage that finds it, the file, the edit, and the rule that it breaks.
FAULTS: dict[str, tuple[str, str, Callable[[Path], None], str]] = {
    "python": ("syntax", HANDLER, append("\ndef broken(:\n"), "python-syntax"),
    "yaml": ("syntax", "deploy/metadata.yaml", append("\n  - [\n"), "yaml-syntax"),
    "toml": ("syntax", "pyproject.toml", append("\n[tool\n"), "toml-syntax"),
    "json": ("syntax", "tests/fixtures/request.json", append("}"), "json-syntax"),
    "sql": ("syntax", "migrations/0001_distributed_locks.sql", append("CREATE TABLE x (id int;\n"), "sql-syntax"),
    "sql keyword": ("syntax", "migrations/0001_distributed_locks.sql", append("\nCRAETE TABLE x ();\n"), "sql-syntax"),
    "class": ("structure", HANDLER, replace("class HandlerAcquireLock", "class HandlerTakeLock"), "class-missing"),
    "base": ("structure", f"{NODE}/node.py", replace(", MixinMetrics)", ")"), "base-missing"),
    "method": ("structure", HANDLER, replace("async def handle", "async def handle_it"), "method-missing"),
    "signature": ("structure", HANDLER, replace("handle(self, request", "handle(self, message"), "signature"),
    "member": (
        "structure",
        f"{NODE}/models/enum_lock_status.py",
        replace('    EXPIRED = "expired"\n', ""),
        "member-missing",
    ),
    "module": ("imports", HANDLER, append("\nimport no_such_package\n"), "import-module"),
    "module of a package": ("imports", HANDLER, append("\nimport omnibase_core.no_such\n"), "import-module"),
    "name": ("imports", HANDLER, append("\nfrom omnibase_core.nodes import NodeEfect\n"), "import-name"),
    "own name": ("imports", HANDLER, replace("import ModelLockInfo", "import ModelLockInf"), "import-name"),
    "profile": ("ONEX", CONTRACT, replace("[main]", "[compute]"), "onex-contract"),
    "topic": ("ONEX", CONTRACT, replace("distributed-lock-requested.v1", "distributed_lock.v1"), "onex-contract"),
    "routing": ("ONEX", CONTRACT, replace("handler:Handler", "no_handler:Handler"), "onex-routing"),
    "name of the node": ("ONEX", CONTRACT, replace("name: node_distributed", "name: node_undistributed"), "onex-name"),
    "error code": (
        "ONEX",
        f"{NODE}/lifecycle.py",
        append("\nfrom omnibase_core.enums import EnumCoreErrorCode\n\nERROR = EnumCoreErrorCode.INTERNAL_EROR\n"),
        "onex-error-code",
    ),
    "identifier": (
        "ONEX",
        f"{NODE}/models/model_lock_info.py",
        append("    owner_id: str\n"),
        "onex-pattern",
    ),
    "function name": ("ONEX", HANDLER, append("\n\ndef process() -> None:\n    pass\n"), "onex-pattern"),
    "marker": ("ONEX", HANDLER, append("\n# TODO: later\n"), "onex-marker"),
    "second model": (
        "ONEX",
        f"{NODE}/models/model_lock_info.py",
        append("\n\nclass ModelOther(BaseModel):\n    pass\n"),
        "onex-one-per-file",
    ),
    "yaml below src": ("ONEX", f"{NODE}/manifest.yaml", append("version: 1\n"), "onex-yaml"),
    "eval": ("security", HANDLER, append("\n\ndef guess(text: str) -> object:\n    return eval(text)\n"), "S307"),
    "shell": ("security", HANDLER, append('\nimport os\n\nos.system("ls")\n'), "S605"),
    "pickle": ("security", HANDLER, append("\nimport pickle\n\npickle.loads(QUERY)\n"), "S301"),
    "unsafe yaml": ("security", HANDLER, append("\nimport yaml\n\nyaml.unsafe_load(QUERY)\n"), "unsafe-yaml"),
    "yaml with any loader": (
        "security",
        HANDLER,
        append("\nimport yaml\n\nyaml.load(QUERY, Loader=yaml.Loader)\n"),
        "S506",
    ),
    "sql in an f-string": (
        "security",
        HANDLER,
        append('\n\ndef query(owner: str) -> str:\n    return f"SELECT * FROM locks WHERE owner = {owner}"\n'),
        "sql-parameters",
    ),
    "sql put together": (
        "security",
        HANDLER,
        append('\n\ndef query(owner: str) -> str:\n    return "DELETE FROM locks WHERE owner = \'" + owner + "\'"\n'),
        "sql-parameters",
    ),
    "secret": ("security", "deploy/metadata.yaml", append("# AKIA" + "ABCDEFGHIJKLMNOP\n"), "secret"),
    "password in a URL": (
        "security",
        f"{NODE}/settings.py",
        append('\nURL = "postgresql://me:' + 'hunter2@db/locks"\n'),
        "secret",
    ),
}


@pytest.fixture(scope="module")
def pristine(generate_project: Generate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate_project(CONTRACTS / "distributed_lock.yaml", tmp_path_factory.mktemp("pristine") / "project")


@pytest.fixture
def project(pristine: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pristine, tmp_path / "project")


def failed(report: Report) -> dict[str, set[str]]:
    return {
        outcome.stage: {found.code for found in outcome.findings} for outcome in report.outcomes if outcome.findings
    }


def test_report_of_a_copy(pristine: Path) -> None:
    report = json.loads((pristine / "build" / "validation.json").read_text(encoding="utf-8"))

    assert report["passed"]
    assert {stage["stage"]: stage["status"] for stage in report["stages"]} == {
        "syntax": "passed",
        "structure": "passed",
        "imports": "passed",
        "ONEX": "passed",
        "security": "passed",
        "lint": "left out",
        "tests": "left out",
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_is_found(project: Path, fault: str) -> None:
    stage, path, plant, code = FAULTS[fault]
    plant(project / path)

    report = validate(project, "standard")

    assert not report.passed
    found = [found for outcome in report.outcomes if outcome.stage == stage for found in outcome.findings]
    assert (path, code) in {(item.path, item.code) for item in found}, report.table()
    if code not in {"class-missing", "onex-yaml", "base-missing"}:
        assert all(item.line > 0 for item in found if item.code == code)


def test_levels(project: Path) -> None:
    append("\nimport no_such_package\n")(project / HANDLER)

    assert validate(project, "none").passed
    assert validate(project, "basic").passed
    assert not validate(project, "standard").passed


def test_environment_of_the_project_is_what_counts(project: Path) -> None:
    site_packages = project / ".venv" / "lib" / "python3.12" / "site-packages"
    site_packages.mkdir(parents=True)
    (project / ".venv" / "bin").mkdir()
    (project / ".venv" / "bin" / "python").symlink_to(sys.executable)

    report = validate(project, "standard")

    assert failed(report)["imports"] == {"import-module"}
    assert "no package provides the module asyncpg" in report.table()


def test_index_that_comes_with_the_template(project: Path, tmp_path: Path) -> None:
    installed, shipped = Index(Path(get_path("purelib"))), Index(tmp_path).shipped
    for module, names in shipped["modules"].items():
        known = installed.module(module)
        assert known, module
        assert set(names) == {name for name in known.names if not name.startswith("_")}, module
    assert shipped["members"]["EnumCoreErrorCode"] == sorted(
        installed.members("omnibase_core.enums", "EnumCoreErrorCode") or []
    )
    assert frozenset(shipped["profiles"]) == REGISTERED_RUNTIME_PROFILES

    append("\nfrom omnibase_core.nodes import NodeEfect\nfrom omnibase_core.no_such import Thing\n")(project / HANDLER)
    append("\nfrom omnibase_core.enums import EnumCoreErrorCode\nERROR = EnumCoreErrorCode.NO_SUCH_CODE\n")(
        project / NODE / "lifecycle.py"
    )
    without = Project(project)
    without.__dict__["site_packages"] = tmp_path
    imports, onex = Imports(without, Index(tmp_path)), Onex(without, Index(tmp_path))
    assert [found.code for found in imports.check()] == ["import-name"]
    assert "omnibase_core.no_such" in imports.unchecked
    assert [found.code for found in onex.check()] == ["onex-error-code"]
    assert not [text for text in onex.unchecked if "Checker" not in text]


def test_what_copier_lacks_is_not_checked(pristine: Path, tmp_path: Path) -> None:
    project = Project(pristine)
    project.__dict__["site_packages"] = tmp_path
    imports = Imports(project, Index(tmp_path))

    assert list(imports.check()) == []
    assert {"asyncpg", "pydantic"} <= imports.unchecked.keys()
    # What comes with the template tells about ONEX; `make golden` writes it anew.
    assert not [name for name in imports.unchecked if name.startswith("omnibase_core")]
    outcome = Outcome("imports", unchecked=tuple(imports.unchecked.values()))
    assert Report("standard", (outcome,)).passed
    assert not Report("strict", (outcome,)).passed


def test_strict_fails_where_tools_are_missing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = project / ".venv" / "bin" / "python"
    bare.parent.mkdir(parents=True)
    bare.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(bare))
    monkeypatch.setenv("PATH", os.devnull)

    report = validate(project, "strict", tests=False)

    (lint,) = [outcome for outcome in report.outcomes if outcome.stage == "lint"]
    assert lint.status == "not checked"
    assert [note.split(",")[0] for note in lint.unchecked] == ["mypy", "onex", "ruff"]
    assert not lint.findings
    assert not report.passed
    assert validate(project, "basic").passed


@pytest.mark.slow
def test_strict_passes(project: Path) -> None:
    report = validate(project, "strict")

    assert report.passed, report.table()
    assert all(outcome.status == "passed" for outcome in report.outcomes)


@pytest.mark.slow
def test_strict_finds_faults_of_types_lint_and_tests(project: Path) -> None:
    append("\n\ndef half() -> int:\n    return 'half'\n\n\nx = 1;\n")(project / HANDLER)
    append("\n\ndef test_fails() -> None:\n    assert 1 == 2\n")(project / "tests/unit/test_models.py")

    append("x = ( 1 )\n")(project / "tests/conftest.py")

    report = validate(project, "strict")

    found = {outcome.stage: outcome.findings for outcome in report.outcomes}
    assert any(item.code == "mypy" and item.path == HANDLER and item.line for item in found["lint"]), report.table()
    assert any(item.code == "ruff-format" and item.path == "tests/conftest.py" for item in found["lint"])
    assert any(item.code == "ruff-check" and item.path == HANDLER and item.line for item in found["lint"])
    assert any(item.path == "tests/unit/test_models.py" and item.line for item in found["tests"]), report.table()


def test_hand_written_node(tmp_path: Path, run: Run, root: Path) -> None:
    folder = tmp_path / "node_hello_effect"
    folder.mkdir()
    (folder / "contract.yaml").write_text("name: node_hello_effect\nnode_type: EFFECT_GENERIC\n", encoding="utf-8")
    (folder / "node.py").write_text("import os\n\n\nclass NodeHello:\n    pass\n", encoding="utf-8")

    result = run(sys.executable, "-m", "extensions.validation.command", tmp_path, cwd=root)

    assert result.returncode == 1
    assert "node_hello_effect/contract.yaml:1: onex-contract" in result.stdout
    assert "no class derives from NodeEffect" in result.stdout
    assert run(sys.executable, "-m", "extensions.validation.command", tmp_path / "none", cwd=root).returncode == 2
    unchecked = run(sys.executable, "-m", "extensions.validation.command", tmp_path, "--level", "none", cwd=root)
    assert unchecked.returncode == 0
    node = run(sys.executable, "-m", "extensions.validation.command", folder, cwd=root)
    assert (node.returncode, node.stdout.count("contract.yaml")) == (1, result.stdout.count("contract.yaml"))


def test_nodes_of_others(tmp_path: Path) -> None:
    """Nodes that people wrote: what they promise and import is there, and nothing ends in a traceback."""
    nodes = Path(omnibase_infra.__file__).parent / "nodes"
    for name in ("node_registry_effect", "node_contract_registry_reducer", "node_registration_orchestrator"):
        shutil.copytree(nodes / name, tmp_path / "src" / "omnibase_infra" / "nodes" / name)

    report = validate(tmp_path, "standard")

    outcomes = {outcome.stage: outcome for outcome in report.outcomes}
    assert not outcomes["syntax"].findings, report.table()
    assert not outcomes["structure"].findings, report.table()
    assert {found.code for found in outcomes["ONEX"].findings} <= {
        "onex-contract",
        "onex-name",
        "onex-pattern",
        "onex-routing",
        "onex-yaml",
        "onex-constructor",
        "onex-one-per-file",
    }


def test_one_node_of_a_project(project: Path) -> None:
    append("\nimport no_such_package\n")(project / HANDLER)
    append("\nimport no_such_package\n")(project / "tests" / "conftest.py")

    report = validate(project / NODE, "standard")

    assert {found.path for outcome in report.outcomes for found in outcome.findings} == {HANDLER}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template that writes a handler which imports what there is not."""
    template = export_template(tmp_path_factory.mktemp("faulty") / "template")
    (handler,) = template.rglob("lifecycle.py.j2")
    handler.write_text(
        handler.read_text(encoding="utf-8") + "\n\nfrom no_such_package import thing as thing\n", encoding="utf-8"
    )
    return template


def copy(run: Run, template: Path, destination: Path, tmp_path: Path, **changes: object) -> tuple[int, str]:
    data = tmp_path / "contract.yaml"
    contract = read_contract(CONTRACTS / "custom_greeting.yaml") | changes
    data.write_text(yaml.safe_dump(contract), encoding="utf-8")
    result = run("copier", "copy", "--trust", "--defaults", "--data-file", data, template, destination)
    return result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize("there", ["nothing", "an empty folder", "a file"])
def test_copy_that_fails_leaves_nothing(run: Run, faulty: Path, tmp_path: Path, there: str) -> None:
    destination = tmp_path / "project"
    if there != "nothing":
        destination.mkdir()
    if there == "a file":
        (destination / "notes.txt").write_text("mine\n", encoding="utf-8")

    status, output = copy(run, faulty, destination, tmp_path)

    assert status == 1
    assert "lifecycle.py" in output
    assert "no package provides the module no_such_package" in output
    assert destination.exists() == (there != "nothing")
    left = [path.name for path in destination.rglob("*")] if destination.exists() else []
    assert left == (["notes.txt"] if there == "a file" else [])


def test_level_is_that_of_the_contract(run: Run, faulty: Path, tmp_path: Path) -> None:
    status, output = copy(run, faulty, tmp_path / "project", tmp_path, validation_level="basic")

    assert status == 0, output
    assert (tmp_path / "project" / "build" / "validation.json").is_file()

    status, output = copy(run, faulty, tmp_path / "unchecked", tmp_path, validation_level="none")

    assert status == 0, output
    assert not (tmp_path / "unchecked" / "build" / "validation.json").exists()


RUNS = """from pathlib import Path
Path(__file__).parent.joinpath("RAN").write_text(__name__)


def plugin(version: str) -> type:
    from mypy.plugin import Plugin

    return Plugin
"""


@pytest.mark.slow
def test_nothing_of_a_project_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tools, what Python and tools import by themselves, plugins and tests: only when told."""
    node = tmp_path / "src" / "shop" / "nodes" / "node_hello_effect"
    names = ("sitecustomize.py", "usercustomize.py", "click.py", "typer.py", "yaml.py", "mypy/__init__.py")
    places = [f"{folder}{name}" for folder in ("", "src/") for name in names]
    onex = ".venv/lib/python3.12/site-packages/omnibase_core"
    places += [f"{onex}/{name}" for name in ("__init__.py", "constants/constants_runtime_profiles.py")]
    for place in (*places, "plugin.py", "conftest.py", "tests/conftest.py", "tests/unit/test_a.py"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(RUNS, encoding="utf-8")
    node.mkdir(parents=True)
    (node / "contract.yaml").write_text("name: node_hello_effect\nnode_type: EFFECT_GENERIC\n", encoding="utf-8")
    (node / "node.py").write_text(RUNS, encoding="utf-8")
    settings = '[tool.mypy]\nplugins = ["plugin.py"]\n[tool.pytest.ini_options]\naddopts = "-p plugin"\n'
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    tools = tmp_path / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name in ("python", "ruff", "mypy", "onex", "pytest"):
        (tools / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/RAN\n", encoding="utf-8")
        (tools / name).chmod(0o755)
    manifest = {"files": {}, "validation_level": "strict", "node": "node_hello_effect"}
    (tmp_path / ".onex-manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name in (".copier-answers.yml", "node.yaml"):
        (tmp_path / name).write_text("name: hello\n", encoding="utf-8")
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")

    # The project itself says that it is to be validated strictly.
    assert validate_node([str(tmp_path)]) == 1
    assert validate_node([str(tmp_path), "--level", "standard"]) == 1
    assert validate_node([str(tmp_path), "--level", "strict", "--no-tests"]) == 1
    assert not list(tmp_path.rglob("RAN"))

    assert validate_node([str(tmp_path), "--trust"]) == 1
    assert list(tmp_path.rglob("RAN")), "these files do something when they run"
