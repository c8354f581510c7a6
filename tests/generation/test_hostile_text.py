"""Text of a contract lands as text: it is never code, markup or a template, in whatever file it lands."""

import ast
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Generate, Run
from tests.contracts.render import Renderer

CANARY = "canary"
HOSTILE = {
    "python": f'"""\nimport pathlib; pathlib.Path("{CANARY}").touch()\n"""',
    "backslash": f'\\"""\nopen("{CANARY}", "w")\n\\',
    "single": f"''' + __import__('pathlib').Path('{CANARY}').touch() + '''",
    "jinja": "{{ 7 * 7 }} {% raw %} {# note #} {%- endraw -%}",
    "shell": f"$(touch {CANARY}) `touch {CANARY}` ; touch {CANARY} \n\ttouch {CANARY}",
    "yaml": 'a: [b, {c: "d"}]\n---\n- &x *x !!python/object/apply:os.system ["true"] # end',
    "toml": '"\n[project]\nname = "other"\n',
    "markdown": "```\n</code><script>alert(1)</script> | **b** [l](javascript:x) <!-- -->",
    "separators": "a\u2028b\u2029c\u00a0d\ufeffe 🔒",
    "long": "word " * 1500,
    "empty": "",
    "ends with a quote": 'say "hello"',
    "ends with a backslash": "back\\",
}


def contract(text: str) -> dict[str, Any]:
    return {
        "name": "hostile",
        "package": "acme",
        "node_type": "effect",
        "description": text,
        "domain": text,
        "enums": {"Kind": {"description": text, "values": [text[:200], "plain"]}},
        "models": {"Thing": {"description": text, "fields": {"label": {"type": "string", "description": text}}}},
        "integrations": {
            "database": {"migrations": [{"id": "0001_things", "sql": f"SELECT 1; -- {' '.join(text.split())}\n"}]}
        },
        "advanced_features": {
            "security_validation": {"forbidden_patterns": [f"never{re.escape(text[:400])}"]},
            "observability": {"tracing": {"endpoint": f"http://${{env.COLLECTOR}}/{text[:400]}"}},
        },
        "operations": [
            {
                "name": "find",
                "description": text,
                "input": {"word": {"type": "string", "default": text, "description": text}},
                "output": {"thing": {"type": "Thing", "required": False}, "word": "string"},
                "database": {
                    "query": f"SELECT $1 AS label -- {' '.join(text.split())}\n",
                    "parameters": ["word"],
                    "returns": {"into": "thing"},
                },
                "examples": [{"description": text, "input": {"word": text}, "output": {"word": text}}],
            },
            {
                "name": "greet",
                "description": text,
                "input": {"word": {"type": "string", "enum": [text, "plain"], "description": text}},
                "output": {"word": {"type": "string", "description": text}},
                "handler": "custom",
                "examples": [{"input": {"word": text}, "output": {"word": text}}],
            },
        ],
    }


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text(run: Run, renderer: Renderer, generate_project: Generate, tmp_path: Path, name: str) -> None:
    text = HOSTILE[name]
    # What Copier does with a contract is seen where it could do something.
    make = generate_project if name in {"jinja", "yaml"} else renderer.render
    project = make(contract(text), tmp_path / "project")

    for source in project.rglob("*.py"):
        ast.parse(source.read_text(encoding="utf-8"))
    for document in (*project.rglob("*.yaml"), *project.rglob("*.yml")):
        yaml.safe_load(document.read_text(encoding="utf-8"))
    assert yaml.safe_load((project / "node.yaml").read_text(encoding="utf-8")) == contract(text)
    described = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    metadata = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    assert metadata["project"]["description"] == described or not described
    assert metadata["project"]["name"] == "acme-hostile"
    assert (project / "migrations" / "0001_things.sql").read_text(
        encoding="utf-8"
    ) == f"SELECT 1; -- {' '.join(text.split())}\n"
    assert run("ruff", "format", "--check", ".", cwd=project).returncode == 0
    assert run("ruff", "check", ".", cwd=project).stdout == "All checks passed!\n"

    loaded = run(sys.executable, "-c", LOAD, cwd=project, PYTHONPATH="src")
    assert loaded.returncode == 0, loaded.stderr
    assert json.loads(loaded.stdout) == {"default": text, "values": [text[:200], "plain"]}
    assert not list(project.rglob(CANARY))


LOAD = """
import importlib, json, pathlib
for path in pathlib.Path("src").rglob("*.py"):
    if path.stem != "__main__":
        importlib.import_module(".".join(path.relative_to("src").with_suffix("").parts))
from acme.nodes.node_hostile_effect.models.enum_kind import EnumKind
from acme.nodes.node_hostile_effect.models.model_find_input import ModelFindInput
print(json.dumps({"default": ModelFindInput().word, "values": [kind.value for kind in EnumKind]}))
"""


@pytest.mark.parametrize("name", ["python", "yaml", "markdown", "separators", "long"])
def test_hostile_text_in_reducers(run: Run, renderer: Renderer, tmp_path: Path, name: str) -> None:
    text = HOSTILE[name]
    short = "".join(char for char in text if char.isprintable() and char not in "\\'")[:40]
    field = {"type": "string", "description": text}
    contract: dict[str, object] = {
        "name": "hostile",
        "package": "acme",
        "node_type": "reducer",
        "description": text,
        "models": {"Event": {"description": text, "fields": {"note": field}}},
        "operations": [
            {
                "name": "move",
                "description": text,
                "input": {"entity": field, "word": field},
                "output": {"state": field},
            },
            {
                "name": "figure",
                "description": text,
                "input": {"events": {"type": "array", "items": "Event"}},
                "output": {"figures": {"type": "array", "description": text}},
                "aggregate": {
                    "over": "events",
                    "group_by": ["note"],
                    "measures": {"some": {"count": True, "where": f"event.note == '{short}'"}},
                },
            },
        ],
        "subcontracts": {
            "fsm": {
                "entity": "entity",
                "trigger": "word",
                "initial_state": "a",
                "states": {"a": text, "b": text},
                "transitions": [{"trigger": "x.y", "from": "a", "to": "b"}, {"trigger": "x-y", "from": "b", "to": "a"}],
            }
        },
    }

    project = renderer.render(contract, tmp_path / "project")

    (described,) = project.rglob("src/**/contract.yaml")
    machine = yaml.safe_load(described.read_text(encoding="utf-8"))["state_machine"]
    assert {state["description"] for state in machine["states"]} <= {text, "The state a.", "The state b."}
    assert run("ruff", "format", "--check", ".", cwd=project).returncode == 0
    assert run("ruff", "check", ".", cwd=project).returncode == 0
    tests = run("python", "-m", "pytest", "-q", "tests/unit", cwd=project)
    assert tests.returncode == 0, tests.stdout
    assert not list(tmp_path.rglob(CANARY))


def test_hostile_text_in_expressions(run: Run, renderer: Renderer, tmp_path: Path) -> None:
    texts = {f"text_{number}": text[:100] for number, text in enumerate(HOSTILE.values())}
    contract: dict[str, object] = {
        "name": "hostile",
        "package": "acme",
        "node_type": "compute",
        "operations": [
            {
                "name": "find",
                "input": {"word": {"type": "string", "enum": [*dict.fromkeys(texts.values())]}},
                "output": {**dict.fromkeys(texts, "string"), "found": "integer"},
                "compute": {
                    **{name: repr(text) for name, text in texts.items()},
                    "found": "\n+ ".join(f"(2 if input.word == {text!r} else 1) # {CANARY}" for text in texts.values()),
                },
            }
        ],
    }
    project = renderer.render(contract, tmp_path / "project")

    assert run("ruff", "format", "--check", ".", cwd=project).returncode == 0
    assert run("ruff", "check", ".", cwd=project).stdout == "All checks passed!\n"
    worked_out = run(sys.executable, "-c", WORK_OUT, cwd=project, PYTHONPATH="src")
    assert worked_out.returncode == 0, worked_out.stderr
    assert json.loads(worked_out.stdout) == {**texts, "found": len(texts) + 1}
    assert not list(project.rglob(CANARY))


WORK_OUT = """
from acme.nodes.node_hostile_compute.computations.computation_find import compute_find
from acme.nodes.node_hostile_compute.models.model_find_input import ModelFindInput
print(compute_find(ModelFindInput(word="")).model_dump_json())
"""
