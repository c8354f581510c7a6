"""Words that ONEX forbids in its own code: contracts have a right to them, and their nodes pass ONEX's gate."""

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest
from omnibase_core.validation.todo_marker.handler import scan_source

from extensions.judging.judge import judge
from extensions.project import ownership
from extensions.validation.run import validate
from tests.conftest import Run
from tests.contracts.hostile_nodes import NODES
from tests.contracts.render import Renderer
from tests.contracts.tools import TOOLS

WORDS = [
    "cache_manager",
    "handle",
    "helper",
    "utility",
    "cpu_util",
    "services",
    "controller",
    "data_processor",
    "worker",
]
MARKS = ["TODO", "FIXME", "HACK", "XXX"]
GENERIC = ["process", "execute", "run", "do_it", "perform", "manage", "control", "work", "operate", "action", "todo"]
FORBIDDEN = ["Manager", "Handler", "Helper", "Utility", "Util", "Service", "Controller", "Processor", "Worker"]
ENUMS = {f"{word}Kind": [word, word.lower(), "a"] for word in (*FORBIDDEN, *MARKS)} | {
    "TaskManager": ["TODO", "DONE", "todo", "+1", "-1"],
    "TODO": ["FIXME", "XXX"],
    "Anager": ["a"],
}
MODELS = {
    f"Order{word}": {
        "description": f"{mark}: what a {word} is.",
        "fields": {
            word.lower(): {"type": "string", "default": word, "description": f"{word}, {mark}"},
            mark.lower(): "TODO",
        },
    }
    for word, mark in zip(FORBIDDEN, MARKS * 3, strict=False)
} | {
    "CpuUtilization": {
        "description": "TODO: say what it is.",
        "fields": {
            "service": {"type": "string", "default": "TODO"},
            "manager": {"type": "TaskManager", "default": "TODO", "description": "FIXME soon"},
            "todo": "TODO",
        },
    }
}


def _renamed(item: str | dict[str, Any], names: dict[str, str]) -> str | dict[str, Any]:
    """Return what an operation invalidates, under the operation's new name."""
    if isinstance(item, str):
        return names.get(item, item)
    return item | {"operation": names.get(item["operation"], item["operation"])}


def worded(kind: str) -> dict[str, Any]:
    contract = copy.deepcopy(NODES[kind]) | {
        "name": WORDS[["effect", "compute", "reducer", "orchestrator"].index(kind)]
    }
    contract["description"] = "TODO: describe the manager."
    contract["enums"] = ENUMS | contract["enums"]
    contract["models"] = MODELS | contract["models"]
    renamed: dict[str, str] = {}
    for operation, name in zip(contract["operations"], WORDS[4:] + GENERIC, strict=False):
        renamed[operation["name"]] = name
        operation |= {"name": name, "description": "FIXME: HACK"}
        if "kafka" not in operation:
            operation["publishes"] = "service-manager-changed"
    for operation in contract["operations"]:
        operation |= {"invalidates": [_renamed(item, renamed) for item in operation.get("invalidates", ())]}
        if not operation["invalidates"]:
            del operation["invalidates"]
    for event in contract.get("subcontracts", {}).get("event_type", {}).get("consumed_events", ()):
        event["operation"] = renamed.get(event["operation"], event["operation"])
    return contract


@pytest.mark.slow
@pytest.mark.parametrize("kind", NODES)
def test_nodes_with_such_words_pass_the_gate(run: Run, template: Path, tmp_path: Path, kind: str) -> None:
    contract = worded(kind)
    assert list(map(str, judge(contract))) == []
    project = Renderer(template).render(contract, tmp_path / "project")
    ownership.complete(project)

    report = validate(project, "standard")
    assert report.passed, report.table()
    assert not [str(found) for outcome in report.outcomes for found in outcome.findings]
    # As the project's own check does it: the runtime's unions are counted apart from the node's, room by room.
    own = shutil.copytree(project / "src", tmp_path / "own", ignore=shutil.ignore_patterns("runtime"))
    (runtime,) = (project / "src").rglob("runtime")
    rooms = []
    for number, room in enumerate(path for path in (runtime, *runtime.rglob("*")) if path.is_dir()):
        rooms.append(tmp_path / "rooms" / str(number))
        rooms[-1].mkdir(parents=True)
        for module in room.glob("*.py"):
            shutil.copy(module, rooms[-1])
    checked = run(str(TOOLS / "onex"), "validate", "--strict", str(own), *map(str, rooms), cwd=project)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    complied = run(str(TOOLS / "onex"), "compliance", "check", "--repo-root", "src", cwd=project)
    assert complied.returncode == 0, complied.stdout + complied.stderr
    for path in (project / "src").rglob("*.*"):
        if path.suffix in {".py", ".yaml"}:
            assert not scan_source(path.read_text(encoding="utf-8"), str(path)).findings
