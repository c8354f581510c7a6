"""A year in a node's life: ten edits of its contract and three versions of its template, over a project with edits."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from examples.rendering import CONTRACTS, read_contract
from extensions.updating.update import update
from tests.conftest import Run
from tests.generation.history import (
    KEY_OF_VERSION_3,
    LINE_OF_VERSION_2,
    RENAMED_IN_VERSION_2,
    change_contract,
    commit,
    copy,
    edit,
    git,
    make_history,
)

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

NODE = "src/greeting_nodes/nodes/node_greeting_effect"
HANDLER = f"{NODE}/handlers/custom/handler_greet.py"
PART = f"{NODE}/handlers/custom/handler_part.py"
MARK = "by a person"
PART_OPERATION = {
    "name": "part",
    "description": "Say goodbye.",
    "input": {"person": {"type": "string", "minLength": 1}},
    "output": {"farewell": {"type": "string"}},
    "handler": "custom",
}


def set_key(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda contract: contract.update({key: value})


def add_field(contract: dict[str, Any]) -> None:
    contract["operations"][0]["input"]["times"] = {"type": "integer", "default": 1, "minimum": 1}


def add_operation(contract: dict[str, Any]) -> None:
    contract["operations"].append(PART_OPERATION)


def add_model(contract: dict[str, Any]) -> None:
    contract["models"] = {"Person": {"fields": {"surname": {"type": "string"}, "mood": "Mood"}}}
    contract["operations"][1]["output"]["seen"] = {"type": "Person", "required": False}


def rename_operation(contract: dict[str, Any]) -> None:
    contract["operations"][1]["name"] = "leave"


def publish(contract: dict[str, Any]) -> None:
    contract["operations"][0]["publishes"] = "greeted"


def remove_operation(contract: dict[str, Any]) -> None:
    del contract["operations"][1]


# Each step: a version of the template, or an edit of the contract, and what is somewhere in the sources afterwards.
STEPS: dict[str, tuple[str | Callable[[dict[str, Any]], None], str]] = {
    "version of the node": (set_key("version", "1.1.0"), "node_version: {major: 1, minor: 1, patch: 0}"),
    "description": (set_key("description", "Greets whom it meets."), "Greets whom it meets."),
    "second version of the template": ("v2.0.0", "Greets whom it meets."),
    "new field": (add_field, "times: "),
    "new operation": (add_operation, "class HandlerPart:"),
    "new enum": (set_key("enums", {"Mood": ["glad", "sad"]}), "class EnumMood(StrEnum):"),
    "new model": (add_model, "class ModelPerson(BaseModel):"),
    "renamed operation": (rename_operation, "class HandlerLeave:"),
    "third version of the template": ("latest", "class HandlerLeave:"),
    "event": (publish, "onex.evt.greeting-nodes.greeted.v1"),
    "removed operation": (remove_operation, "greeted"),
    "port": (set_key("service", {"port": 8123}), "8123"),
}


# Where templates and handlers change, all tests of the project run; elsewhere those that need no service.
THOROUGH = ("second version of the template", "renamed operation", "port")


def edit_by_hand(project: Path) -> dict[str, str]:
    """Edit six files, and return what has to stay in each."""
    edit(project / "README.md", "\n", f"\nA paragraph {MARK}.\n\n")
    edit(project / "Makefile", "clean: ##", f"greet: ## Written {MARK}.\n\t@echo hello\n\nclean: ##")
    edit(project / ".gitignore", ".coverage\n", f".coverage\n# {MARK}\nnotes/\n")
    edit(project / NODE / "settings.py", '"""\n', f'"""\n# {MARK}\n')
    renamed = RENAMED_IN_VERSION_2[0]
    edit(project / renamed, '"""\n', f'"""\n# {MARK}\n')
    edit(project / HANDLER, '"""\n', f'"""\n# {MARK}\n')
    return dict.fromkeys(["README.md", "Makefile", ".gitignore", f"{NODE}/settings.py", renamed, HANDLER], MARK)


def test_year(run: Run, tmp_path: Path) -> None:
    template = make_history(run, tmp_path / "template")
    project = copy(run, template, tmp_path / "project", read_contract(CONTRACTS / "custom_greeting.yaml"), "v1.0.0")
    edits = edit_by_hand(project)
    commit(run, project, "Edit by hand")
    check(run, project, edits, "the first day", "")

    for name, (step, expected) in STEPS.items():
        if callable(step):
            change_contract(project, step)
        updated = update(project, to=step if isinstance(step, str) else "current")
        assert updated.conflicts == [], name
        if step == "v2.0.0":
            edits[RENAMED_IN_VERSION_2[1]] = edits.pop(RENAMED_IN_VERSION_2[0])
        if name == "new operation":
            (project / PART).write_text((project / PART).read_text(encoding="utf-8") + f"# {MARK}\n", encoding="utf-8")
            edits[PART] = MARK
        if name == "renamed operation":
            assert updated.comparison.renamed == {"part": "leave"}
            edits[f"orphans/{PART}"] = edits.pop(PART)
        commit(run, project, name)
        check(run, project, edits, name, expected)

    assert LINE_OF_VERSION_2 in (project / "README.md").read_text(encoding="utf-8")
    assert f"\n{KEY_OF_VERSION_3}:" in (project / "node.yaml").read_text(encoding="utf-8")
    assert update(project).comparison.files == ()
    assert git(run, project, "status", "--porcelain") == ""
    assert run("make", "check", cwd=project).returncode == 0


def check(run: Run, project: Path, edits: dict[str, str], step: str, expected: str) -> None:
    """Everything that was written by hand is there, what the step asks for is too, and the project's tests pass."""
    for path, text in edits.items():
        assert text in (project / path).read_text(encoding="utf-8"), f"{step}: {path}"
    sources = [path for path in (project / "src").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert any(expected in path.read_text(encoding="utf-8") for path in sources), step
    tests = ("tests",) if step in THOROUGH else ("tests/unit/test_models.py", "tests/contract")
    options = ("-q", "-x", "-p", "no:cacheprovider", *tests)
    result = run(sys.executable, "-m", "pytest", *options, cwd=project, PYTHONDONTWRITEBYTECODE="1")
    assert result.returncode == 0, f"{step}: {result.stdout}"
