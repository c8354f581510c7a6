"""A node is asked for question by question; nothing that was answered is lost."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions.commands import new_node
from extensions.judging.judge import judge
from extensions.judging.redis import NEEDS
from extensions.reading.schema import parts
from extensions.terminal.status import Status

COMMANDS = parts()["operation.schema.json"]["$defs"]["redis"]["properties"]["command"]["enum"]
HEAD = ["stock_levels", "effect", "shop_nodes", "Keep levels.", "1.2.0"]
REDIS = [
    *("put_level", "Keep one level.", "redis"),
    *("sku", "string", "yes", "level", "integer", "no", "3", ""),
    *("stored", "boolean", "yes", ""),
    *("set", "level:${input.sku}", "level", "60", "stored"),
]
SQL = [
    *("get_level", "", "database", "sku", "", "", "", "found", "boolean", "", "level", "integer", "no", ""),
    *("SELECT level FROM levels \\", "WHERE sku = $1", "sku", "one", "found", ""),
    "CREATE TABLE levels (sku text PRIMARY KEY, level bigint NOT NULL)",
]
HTTP = [
    *("order_level", "", "http", "sku", "", "", "", "order_id", "string", "", ""),
    *("POST", "/orders", "body", "sku", "$.id"),
]
KAFKA = ["tell_level", "", "kafka", "sku", "", "", "", "told", "boolean", "", "", "level-told", "${input.sku}", ""]
FILE = ["load", "", "filesystem", "name", "", "", "", "text", "string", "no", "", "read", "${input.name}", "text"]
CUSTOM = ["weigh", "", "custom", "tags", "array", "string", "", "", ""]
COMPUTE = ["price", "", "compute", "cents", "integer", "", "", "total", "integer", "", "", "input.cents * 2"]
STATES = ["follow", "", "states", "pay: placed -> paid", "ship: paid -> shipped", ""]
SALE = ["at", "datetime", "", "shop", "", "", "cents", "integer", "", ""]
FIGURES = [
    *("turnover", "", "aggregate", "Sale", *SALE, "shop", "at", "3600", ""),
    *("sales", "", "cents", "sum", "cents", "slow", "percentile", "cents", "99", ""),
]
WORKFLOW = [
    *("fulfil", "", "workflow", "sku", "", "", "", "status", "string", "", ""),
    *("reserve", "node_stock_effect", "reserve", "", "done"),
]
KINDS = [
    ("effect", "redis", REDIS),
    ("effect", "database", SQL),
    ("effect", "http", HTTP),
    ("effect", "kafka", KAFKA),
    ("effect", "filesystem", FILE),
    ("effect", "handler", CUSTOM),
    ("compute", "compute", COMPUTE),
    ("reducer", "input", STATES),
    ("reducer", "aggregate", FIGURES),
    ("orchestrator", "workflow", WORKFLOW),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer(monkeypatch: pytest.MonkeyPatch, *lines: str, arguments: tuple[str, ...] = ()) -> int:
    left = iter(lines)

    def typed(prompt: str = "") -> str:
        del prompt
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("click.termui.visible_prompt_func", typed)
    status = new_node.main(arguments)
    assert status != Status.DONE or [*left] == []
    return status


def written(file: str = "node.yaml") -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize(("node_type", "key", "operation"), KINDS, ids=[case[1] for case in KINDS])
def test_each_kind_of_operation_comes_to_a_valid_contract(
    node_type: str, key: str, operation: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    head = [HEAD[0], node_type, *HEAD[2:]]
    assert answer(monkeypatch, *head, *operation, "", "") == Status.DONE

    contract = written()
    assert judge(contract) == []
    assert key in contract["operations"][0]
    assert contract["operations"][0]["name"] == operation[0]
    assert not Path("node.yaml.draft").exists()


def test_each_answer_has_its_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(monkeypatch, *HEAD, *REDIS, *SQL, "", "") == Status.DONE

    contract = written()
    assert [contract[key] for key in ("name", "node_type", "package", "description", "version")] == HEAD
    put, get = contract["operations"]
    assert put == {
        "name": "put_level",
        "description": "Keep one level.",
        "input": {"sku": "string", "level": {"type": "integer", "default": 3}},
        "output": {"stored": "boolean"},
        "redis": {
            "command": "set",
            "key": "level:${input.sku}",
            "value": "${input.level}",
            "ttl_seconds": 60,
            "returns": {"found": "stored"},
        },
    }
    assert get["database"] == {
        "query": "SELECT level FROM levels WHERE sku = $1",
        "parameters": ["sku"],
        "returns": {"rows": "one", "found": "found"},
    }
    assert contract["integrations"]["database"]["migrations"][0]["sql"].startswith("CREATE TABLE levels")


def test_enums_and_models_are_asked_for_where_they_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = [
        *("weigh", "", "custom"),
        *("status", "OrderStatus", "", "placed, paid", "no", "paid"),
        *("lines", "array", "OrderLine", "model", "sku", "", "", "kind", "OrderStatus", "", "", ""),
        *("", "line", "OrderLine", "", ""),
    ]
    assert answer(monkeypatch, *HEAD, *typed, "", "") == Status.DONE

    contract = written()
    assert judge(contract) == []
    assert contract["enums"] == {"OrderStatus": ["placed", "paid"]}
    assert contract["models"]["OrderLine"]["fields"] == {"sku": {"type": "string"}, "kind": {"type": "OrderStatus"}}
    assert contract["operations"][0]["input"] == {
        "status": {"type": "OrderStatus", "default": "paid"},
        "lines": {"type": "array", "items": "OrderLine"},
    }
    assert contract["operations"][0]["output"] == {"line": "OrderLine"}


def test_figures_are_as_they_were_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(monkeypatch, HEAD[0], "reducer", *HEAD[2:], *FIGURES, "", "") == Status.DONE

    contract = written()
    assert contract["models"]["Sale"]["fields"].keys() == {"at", "shop", "cents"}
    (operation,) = contract["operations"]
    assert operation["input"] == {"events": {"type": "array", "items": "Sale"}}
    assert operation["aggregate"] == {
        "over": "events",
        "group_by": ["shop"],
        "window": {"by": "at", "seconds": 3600},
        "measures": {"sales": {"count": True}, "cents": {"sum": "cents"}, "slow": {"percentile": "cents", "q": 99}},
    }


REDIS_NEEDS = {"score": "1", "index": "0", "start": "0", "stop": "9"}


@pytest.mark.parametrize("command", [name for name in COMMANDS if any(name in NEEDS[key] for key in REDIS_NEEDS)])
def test_commands_of_redis_get_what_they_need(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = [number for key, number in REDIS_NEEDS.items() if command in NEEDS[key]]
    value = ["sku"] if command in NEEDS["value"] else []
    typed = ["go", "", "redis", "sku", "", "", "", "ok", "boolean", "", "", command, "levels", *value, *needed, "ok"]
    assert answer(monkeypatch, *HEAD, *typed, "", "") == Status.DONE

    assert judge(written()) == []


WRONG = [
    (["stock-levels"], "stock_levels"),
    ([HEAD[0], "effectEffect"], "expected one of effect, compute, reducer, orchestrator"),
    ([*HEAD[:2], "my shop"], "my_shop"),
    ([*HEAD[:4], "one"], "version"),
    ([*HEAD, "get-level"], "get_level"),
    ([*HEAD, *REDIS[:3], "sku", "text"], "expected one of string"),
    ([*HEAD, *REDIS[:3], "a-sku"], "a_sku"),
    ([*HEAD, *REDIS[:8], "no", "many"], "expected a value of type integer"),
    ([*HEAD, *REDIS[:3], "sku", "Not-Pascal"], "expected a PascalCase name"),
    ([HEAD[0], "reducer", *HEAD[2:], *FIGURES[:18], "at-it"], "expected a snake_case name"),
    ([*HEAD, *REDIS[:16], "level:${input.skew}"], "expected an input field"),
]


@pytest.mark.parametrize(("typed", "said"), WRONG, ids=[case[0][-1] for case in WRONG])
def test_a_mistake_is_answered_where_it_is_made(
    typed: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer(monkeypatch, *typed) == Status.INTERRUPTED

    assert said in capsys.readouterr().err
    kept = written("node.yaml.draft")["answers"] if len(typed) > 1 else {}
    assert typed[-1] not in kept.values()


def test_answers_survive_an_interrupt_after_each_question(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [*HEAD, *REDIS, "", ""]
    arguments: tuple[str, ...] = ()
    for line in lines[:-2]:
        assert answer(monkeypatch, line, arguments=arguments) == Status.INTERRUPTED
        arguments = ("--resume", "node.yaml.draft")
    assert answer(monkeypatch, *lines[-2:], arguments=arguments) == Status.DONE
    pieces = written()

    Path("node.yaml").unlink()
    assert answer(monkeypatch, *lines) == Status.DONE
    assert written() == pieces


def test_a_mistake_that_shows_at_the_end_is_asked_for_again_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drop = ["drop", "", "filesystem", "name", "", "", "", "text", "", "", "", "delete", "${input.name}"]
    assert answer(monkeypatch, *HEAD, *drop, "-", "", "") == Status.DONE

    assert "operations[0].output.text: found an output field that nothing fills" in capsys.readouterr().err
    (operation,) = written()["operations"]
    assert not operation.get("output")
    assert operation["filesystem"] == {"action": "delete", "path": "${input.name}"}


def test_one_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = [*HEAD[:4], "<", "<", "other_nodes", "", "", *CUSTOM, "", ""]
    assert answer(monkeypatch, *typed) == Status.DONE

    contract = written()
    assert (contract["package"], contract["description"]) == ("other_nodes", "Keep levels.")


def test_nothing_is_written_over(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("node.yaml.draft").write_text("answers: {}\n", encoding="utf-8")
    assert answer(monkeypatch, *HEAD) == Status.NOT_DONE
    assert "--resume node.yaml.draft" in capsys.readouterr().err
    Path("node.yaml").write_text("mine\n", encoding="utf-8")
    assert answer(monkeypatch, *HEAD) == Status.NOT_DONE
    assert Path("node.yaml").read_text(encoding="utf-8") == "mine\n"


@pytest.mark.parametrize("text", ["- 1\n", "answers: 1\n", "answers: {a: [}\n", "again: {}\nanswers: {a: b}\nagain: 1"])
def test_what_is_no_draft_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("x.draft").write_text(text, encoding="utf-8")
    assert answer(monkeypatch, arguments=("--resume", "x.draft")) == Status.NOT_DONE
    assert "x.draft" in capsys.readouterr().err
    assert answer(monkeypatch, arguments=("--resume", "absent.draft")) == Status.NOT_DONE
