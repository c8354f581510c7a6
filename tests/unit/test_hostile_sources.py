"""Whatever a file holds that is taken in: no traceback, nothing run, nothing written but a valid contract."""

# ruff: noqa: E501 - the texts are as long as they are

import copy
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import yaml

from extensions.adopting import openapi, sql
from extensions.adopting.reference import BrokenError
from extensions.commands import adopt_node, import_openapi, import_sql
from extensions.commands.validate_contract import main as validate
from tests.unit.test_import_openapi import API

type Main = Callable[[Sequence[str]], int]

RAN = "RAN"
DEEP = 200_000
NODE = "name: node_a_effect\nnode_type: EFFECT_GENERIC\nversion: 1.0.0\n"
OPENAPI = {"openapi": "3.0.0", "info": {"title": "a"}, "paths": {}}
CONTENTS = {
    "empty": b"",
    "no text": b"\xff\xfe\x00\x80",
    "NUL": b"name: a\0b\n",
    "half a letter": "name: ä".encode()[:-1],
    "opened brackets": b"[" * DEEP,
    "opened braces": b'{"a":' * DEEP,
    "indented": b"".join(b" " * (level % 500) + b"a:\n" for level in range(20_000)),
    "aliases": b"a: &a [1, 2]\n"
    + b"".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n".encode() for n in range(24)),
    "itself": b"&a [*a]",
    "tags": b"a: !!python/object/apply:os.system ['touch RAN']\n",
    "turned letters": "name: \u202egnirts\n".encode(),
    "huge": b"a: " + b"x" * 21_000_000,
    "huge number": b'{"openapi": ' + b"9" * 50_000 + b"}",
    "another document": b"--- a\n--- b\n",
    "a list": b"[1, 2]",
    "true": b"true",
}
NODES = {
    "no list": "operations: 7\nhandler_routing: [1]\n",
    "strange entries": "operations: [1, null, {name: [x]}, {operation: {a: b}}, {}]\nhandler_routing: {handlers: [{handler: [1]}]}\n",
    "strange names": f"operations: [{{name: '{{{{ 7 * 7 }}}}'}}, {{name: '{'x' * 5_000}'}}, {{name: '../../{RAN}'}}]\n",
    "strange modules": "handler_routing: {handlers: [{handler: {module: '../..', name: '__import__'}}, {handler: {module: os, name: system}}]}\n",
    "strange versions": "version: {major: x}\nnode_version: 1e400\noperations: [a]\n",
    "strange machine": "node_type: REDUCER_GENERIC\nstate_machine: {states: {a: [b]}, transitions: 3, initial_state: [x]}\n",
    "strange topics": "event_bus: {subscribe_topics: [1, {topic: [x]}], publish_topics: {a: b}}\noperations: [a]\n",
    "strange retries": "error_handling: {retry_policy: {max_attempts: many, backoff: [1]}, circuit_breaker: []}\noperations: [a]\n",
}
PYTHON = {
    "broken": "class A(:\n",
    "deep": "a = " + "(" * 3_000 + ")" * 3_000,
    "long sums": "a = " + "1+" * 100_000 + "1",
    "runs": f"open({RAN!r}, 'w')\n__import__('os').system('touch {RAN}')\n",
    "circle of bases": "class HandlerA(HandlerA): ...\nclass B(C): ...\nclass C(B): ...\n",
    "circle of imports": "from .handlers import HandlerA\nfrom . import *\n",
    "circle of models": "from pydantic import BaseModel\nclass HandlerA:\n    def handle(self, a: 'M') -> 'M': ...\nclass M(BaseModel):\n    m: 'M'\n    n: list['M']\n",
    "hostile words": "class HandlerA:\n    '''{{ 7 * 7 }} {% raw %} \"\"\" \\\\'''\n    def handle(self, a: str = '${env.HOME}\"\"\"') -> str: ...\n",
    "strange annotations": "class HandlerA:\n    def handle(self, a: (lambda: 1)(), b: 1 + 2, c: 'not python (', d: [int]) -> ...: ...\n",
}
PATHS: dict[str, object] = {
    "circle of references": {"/a": {"$ref": "#/paths/~1b"}, "/b": {"$ref": "#/paths/~1a"}},
    "nowhere": {"/a": {"get": {"responses": {"200": {"$ref": "#/nowhere"}}}}},
    "elsewhere": {"/a": {"$ref": "file:///etc/passwd"}, "/b": {"$ref": "http://127.0.0.1:1/x"}},
    "strange operations": {"/a": {"get": 7, "post": {"parameters": "x", "requestBody": [1], "responses": []}}},
    "strange parameters": {"/a": {"get": {"parameters": [1, {"in": 7}, {"name": {}, "in": "query"}], "responses": {}}}},
    "strange schemas": {
        "/a": {
            "get": {
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {"schema": {"type": {}, "enum": [{}], "allOf": [1], "properties": [2]}}
                        }
                    }
                }
            }
        }
    },
    "strange paths": {
        "{{ 7 * 7 }}": {"get": {"operationId": "../../RAN", "responses": {"200": {"description": "\u202e{% x %}"}}}}
    },
    "circle of schemas": {
        "/a": {
            "get": {
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "allOf": [
                                        {"$ref": "#/paths/~1a/get/responses/200/content/application~1json/schema"}
                                    ]
                                }
                            }
                        }
                    }
                }
            }
        }
    },
}
SCRIPTS = {
    "runs a program": "COPY (SELECT 1) TO PROGRAM 'touch RAN';",
    "another statement in a comment": "CREATE TABLE a (b int); /* /* */ DO $$ $$; */ LOAD 'x';",
    "deep": f"SELECT {'(' * 50_000}",
    "semicolons": ";" * 100_000,
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder of its own, without a server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sql, "started", lambda: pytest.fail("a server starts"))


def taken_in(main: Main, *arguments: str) -> None:
    """Run a command, and see that it ends in order."""
    output = Path("made.yaml")
    status = main([*arguments, "-o", str(output)])
    assert status in {0, 1}
    assert not Path(RAN).exists()
    if status == 0:
        assert validate([str(output)]) == 0
    assert not list(Path().glob(".made*"))


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("main", [import_openapi.main, import_sql.main], ids=["import-openapi", "import-sql"])
def test_any_file(main: Main, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("source").write_bytes(CONTENTS[name])
    taken_in(main, "source")
    assert capsys.readouterr().err.strip()
    assert not Path("made.yaml").exists()


@pytest.mark.parametrize("name", CONTENTS)
def test_any_contract_of_a_node(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("node").mkdir()
    Path("node/contract.yaml").write_bytes(CONTENTS[name])
    taken_in(adopt_node.main, "node")
    assert capsys.readouterr().err.strip()
    assert not Path("made.yaml").exists()


@pytest.mark.parametrize("name", NODES)
def test_any_words_of_a_node(name: str) -> None:
    Path("node").mkdir()
    Path("node/contract.yaml").write_text(NODE + NODES[name], encoding="utf-8")
    taken_in(adopt_node.main, "node")


@pytest.mark.parametrize("name", PYTHON)
def test_any_code_of_a_node(name: str) -> None:
    Path("node").mkdir()
    handler = "handler_routing: {handlers: [{operation: a, handler: {module: handlers, name: HandlerA}}]}\n"
    Path("node/contract.yaml").write_text(NODE + handler, encoding="utf-8")
    for file in ("__init__.py", "handlers.py"):
        Path("node", file).write_text(PYTHON[name] if file == "handlers.py" else "", encoding="utf-8")
    taken_in(adopt_node.main, "node")


@pytest.mark.parametrize("name", PATHS)
def test_any_paths_of_an_api(name: str) -> None:
    Path("api.json").write_text(json.dumps(OPENAPI | {"paths": PATHS[name]}), encoding="utf-8")
    taken_in(import_openapi.main, "api.json")


@pytest.mark.parametrize("name", SCRIPTS)
def test_any_script(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("schema.sql").write_text(SCRIPTS[name], encoding="utf-8")
    taken_in(import_sql.main, "schema.sql")
    assert capsys.readouterr().err.strip()


@pytest.mark.parametrize("main", [import_openapi.main, import_sql.main, adopt_node.main])
def test_a_folder_and_a_loop_in_the_place_of_a_file(main: Main) -> None:
    Path("folder").mkdir()
    taken_in(main, "folder")
    Path("loop").symlink_to("loop")
    taken_in(main, "loop")
    shutil.rmtree("folder")
    taken_in(main, "folder")


def _places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _places(item, (*path, key))


def test_any_value_in_the_place_of_any_other_in_an_api() -> None:
    document = yaml.safe_load(API)
    values: list[object] = [7, "x", [], {}, None, [1], {"a": 1}]
    refused: list[str] = []
    for number, path in enumerate(list(_places(document))[1::3]):
        changed = copy.deepcopy(document)
        holder = changed
        for part in path[:-1]:
            holder = holder[part]
        holder[path[-1]] = values[number % len(values)]
        Path("api.json").write_text(json.dumps(changed), encoding="utf-8")
        try:
            openapi.adopt(Path("api.json"))
        except BrokenError as error:
            refused.append(str(error))
    assert refused
    assert all(": found" in message for message in refused)
