"""Maps of many nodes: what is drawn, and what does not fit."""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions.commands.describe_nodes import main

Contracts = dict[str, dict[str, Any]]


def node(name: str, kind: str, operation: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"name": name, "package": "shop", "node_type": kind, "operations": [operation], **more}


SHOP: Contracts = {
    "order": node(
        "order",
        "orchestrator",
        {
            "name": "place",
            "input": {"order_id": "uuid", "lines": {"type": "array", "items": "Line"}, "note": {"type": "string"}},
            "output": {
                "status": {"type": "string", "enum": ["completed", "failed", "compensated"]},
                "total": {"type": "number", "required": False},
            },
            "workflow": {
                "timeout_seconds": 60,
                "steps": [
                    {
                        "name": "price",
                        "node": "node_price_compute",
                        "operation": "quote",
                        "input": {"lines": "${input.lines}", "percent": 20},
                    },
                    {
                        "name": "reserve",
                        "node": "node_stock_effect",
                        "operation": "reserve",
                        "for_each": "${input.lines}",
                        "input": {"sku": "${item.sku}", "tone": "red"},
                    },
                    {
                        "name": "charge",
                        "node": "node_pay_effect",
                        "operation": "charge",
                        "after": ["price"],
                        "input": {"order_id": "${input.order_id}", "amount": "${steps.price.total}"},
                        "compensate": {"operation": "refund", "input": {"order_id": "${input.order_id}"}},
                    },
                ],
                "output": {"total": "${steps.price.total}"},
            },
        },
        models={"Line": {"fields": {"sku": "string", "count": "integer"}}},
    ),
    "price": node(
        "price",
        "compute",
        {
            "name": "quote",
            "input": {"lines": {"type": "array", "items": "Item"}, "percent": {"type": "integer", "maximum": 100}},
            "output": {"total": "number"},
            "compute": {"total": "len(input.lines) * input.percent * 1.0"},
        },
        models={
            "Item": {"fields": {"sku": "string", "count": "number", "gift": {"type": "boolean", "default": False}}}
        },
    ),
    "stock": node(
        "stock",
        "effect",
        {
            "name": "reserve",
            "input": {"sku": "string", "tone": "Tone"},
            "output": {"reserved": "boolean"},
            "handler": "custom",
            "publishes": "reserved",
        },
        enums={"Tone": ["red", "blue"]},
    ),
    "pay": {
        "name": "pay",
        "package": "shop",
        "node_type": "effect",
        "operations": [
            {
                "name": name,
                "input": {"order_id": "uuid", **({"amount": "number"} if name == "charge" else {})},
                "output": {"done": "boolean"},
                "handler": "custom",
            }
            for name in ("charge", "refund")
        ],
        "integrations": {"kafka": {"bootstrap_servers": "kafka:9092"}},
        "subcontracts": {"event_type": {"consumed_events": [{"event": "reserved", "operation": "refund"}]}},
    },
}


def placed(contracts: Contracts, folder: Path) -> Path:
    for name, contract in contracts.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "node.yaml").write_text(yaml.safe_dump(contract, sort_keys=False), encoding="utf-8")
    return folder


def changed(change: Callable[[Contracts], object]) -> Contracts:
    contracts = deepcopy(SHOP)
    change(contracts)
    return contracts


def steps(contracts: Contracts) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = contracts["order"]["operations"][0]["workflow"]["steps"]
    return found


def operation(contracts: Contracts, name: str) -> dict[str, Any]:
    found: dict[str, Any] = contracts[name]["operations"][0]
    return found


def twin(contracts: Contracts) -> None:
    contracts["twin"] = deepcopy(contracts["stock"])


def back(contracts: Contracts) -> None:
    """Let a workflow that the order calls call the order."""
    call = {"name": "again", "node": "node_order_orchestrator", "operation": "place"}
    call["input"] = {"order_id": "${input.order_id}", "lines": [], "note": "x"}  # type: ignore[assignment]  # a mapping
    contracts["pay"] = node(
        "pay",
        "orchestrator",
        {
            "name": "charge",
            "input": {"order_id": "uuid", "amount": "number"},
            "output": {"status": {"type": "string", "enum": ["completed", "failed"]}},
            "workflow": {"timeout_seconds": 9, "steps": [call]},
        },
    )
    steps(contracts)[2].pop("compensate")
    steps(contracts)[2]["node"] = "node_pay_orchestrator"


def second_owner(contracts: Contracts) -> None:
    operation(contracts, "pay")["publishes"] = "reserved"


FAULTS: dict[str, tuple[Callable[[Contracts], object], str]] = {
    "no such node": (
        lambda all_of: steps(all_of)[1].update(node="node_stok_effect"),
        r"steps\[1\]\.node: found node_stok_effect, expected a node of this system \(did you mean 'node_stock_effect'",
    ),
    "no such operation": (
        lambda all_of: steps(all_of)[1].update(operation="reserv"),
        r"steps\[1\]\.operation: found reserv, .*did you mean 'reserve'",
    ),
    "no such operation of what undoes": (
        lambda all_of: steps(all_of)[2]["compensate"].update(operation="pay_back"),
        r"steps\[2\]\.compensate\.operation: found pay_back, .*it has charge, refund",
    ),
    "another package": (
        lambda all_of: all_of["stock"].update(package="depot"),
        r"steps\[1\]\.node: found package shop, expected depot, where node_stock_effect is",
    ),
    "an input is missing": (
        lambda all_of: steps(all_of)[2]["input"].pop("amount"),
        r"steps\[2\]\.input: found nothing, expected amount, which node_pay_effect\.charge needs",
    ),
    "an input that is not taken": (
        lambda all_of: steps(all_of)[2]["input"].update(amont=1),
        r"steps\[2\]\.input\.amont: found what it does not take, .*did you mean 'amount'",
    ),
    "another type": (
        lambda all_of: steps(all_of)[2]["input"].update(amount="${input.note}"),
        r"steps\[2\]\.input\.amount: found \$\{input\.note\}, a string, expected a number",
    ),
    "another type of an answer": (
        lambda all_of: operation(all_of, "price").update(output={"total": "string"}, compute={"total": "'x'"}),
        r"steps\[2\]\.input\.amount: found \$\{steps\.price\.total\}, a string, expected a number",
    ),
    "an answer without the field": (
        lambda all_of: operation(all_of, "price").update(output={"sum": "number"}, compute={"sum": "1.0"}),
        r"node_price_compute\.quote has no total",
    ),
    "an answer that may be null": (
        lambda all_of: steps(all_of)[0].update(on_failure="continue"),
        r"steps\[2\]\.input\.amount: found \$\{steps\.price\.total\}, what may be null, expected a number",
    ),
    "a field of an item": (
        lambda all_of: all_of["order"]["models"]["Line"]["fields"].update(sku="integer"),
        r"steps\[1\]\.input\.sku: found \$\{item\.sku\}, an integer, expected a string",
    ),
    "a model that differs": (
        lambda all_of: all_of["price"]["models"]["Item"]["fields"].update(count="boolean"),
        r"steps\[0\]\.input\.lines: found .*an array of Line whose count is an integer, expected an array of Item",
    ),
    "a model that lacks a field": (
        lambda all_of: all_of["price"]["models"]["Item"]["fields"].update(gift="boolean"),
        r"steps\[0\]\.input\.lines: found .*Line without gift",
    ),
    "a model with more": (
        lambda all_of: all_of["price"]["models"]["Item"]["fields"].pop("count"),
        r"steps\[0\]\.input\.lines: found .*Line with count, which is not taken",
    ),
    "a literal of another type": (
        lambda all_of: steps(all_of)[0]["input"].update(percent="many"),
        r"steps\[0\]\.input\.percent: found 'many', expected an integer",
    ),
    "a literal beyond its bounds": (
        lambda all_of: steps(all_of)[0]["input"].update(percent=101),
        r"steps\[0\]\.input\.percent: found 101, expected an integer",
    ),
    "a literal that is none of the values": (
        lambda all_of: steps(all_of)[1]["input"].update(tone="green"),
        r"steps\[1\]\.input\.tone: found 'green', expected a Tone",
    ),
    "an output of another type": (
        lambda all_of: operation(all_of, "order")["output"].update(total={"type": "boolean", "required": False}),
        r"workflow\.output\.total: found \$\{steps\.price\.total\}, a number, expected a boolean",
    ),
    "an event that nobody publishes": (
        lambda all_of: operation(all_of, "stock").pop("publishes"),
        r"consumed_events\[0\]: found onex\.evt\.shop\.reserved\.v1, expected an event that a node",
    ),
    "two owners of a topic": (
        second_owner,
        r"publishes: found onex\.evt\.shop\.reserved\.v1, expected a topic that node_\w+ does not own",
    ),
    "one name twice": (twin, r"name: found node_stock_effect, expected a name that .*stock.node\.yaml does not have"),
    "a cycle of calls": (back, r"a cycle of calls: node_\w+ → node_\w+ → node_\w+, expected calls without a cycle"),
}


def test_nodes_that_fit_are_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = placed(changed(lambda _: None), tmp_path / "shop")
    assert main([str(folder), "-o", str(tmp_path / "map")]) == 0
    assert capsys.readouterr().out == "4 nodes, 4 calls, 1 topic: everything fits\n"
    diagram = (tmp_path / "map" / "nodes.mmd").read_text(encoding="utf-8")
    assert diagram.startswith("flowchart LR\n")
    assert 'n0["node_order_orchestrator<br/>shop 1.0.0"]:::orchestrator' in diagram
    assert len(re.findall("-->", diagram)) == 3
    assert len(re.findall(r"-\.->", diagram)) == 2
    assert "linkStyle" not in diagram
    html = (tmp_path / "map" / "nodes.html").read_text(encoding="utf-8")
    assert "Everything fits" in html
    assert not re.findall(r'(?:src|href)="', html)


@pytest.mark.parametrize("name", FAULTS)
def test_what_does_not_fit_is_told_with_its_place(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, message = FAULTS[name]
    folder = placed(changed(change), tmp_path / "shop")
    assert main([str(folder), "-o", str(tmp_path / "map")]) == 1
    out = capsys.readouterr().out
    assert re.search(message, out), out
    assert re.match(r".*node\.yaml:\d+:\d+: ", out)
    assert "What does not fit" in (tmp_path / "map" / "nodes.html").read_text(encoding="utf-8")


def test_all_that_does_not_fit_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def all_of_them(contracts: Contracts) -> None:
        for name in ("no such operation", "an input is missing", "a literal beyond its bounds", "one name twice"):
            FAULTS[name][0](contracts)

    folder = placed(changed(all_of_them), tmp_path / "shop")
    assert main([str(folder), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert len(found["nodes"]) == 5
    paths = {problem["path"] for problem in found["problems"]}
    assert paths >= {
        "operations[0].workflow.steps[0].input.percent",
        "operations[0].workflow.steps[1].operation",
        "operations[0].workflow.steps[2].input",
        "name",
    }


@pytest.mark.parametrize(
    ("name", "pattern"), [("an event that nobody publishes", "onex.evt.shop.*"), ("no such node", "node_stok_effect")]
)
def test_what_belongs_to_others_fits(name: str, pattern: str, tmp_path: Path) -> None:
    folder = placed(changed(FAULTS[name][0]), tmp_path / "shop")
    assert main([str(folder), "--outside", pattern]) == 0


def test_contracts_with_mistakes_are_named_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = placed(changed(lambda all_of: all_of["pay"].update(node_type="effekt")), tmp_path / "shop")
    assert main([str(folder), "-o", str(tmp_path / "map")]) == 1
    assert "effekt" in capsys.readouterr().out
    assert not (tmp_path / "map").exists()


def test_text_of_contracts_is_text_in_the_map(tmp_path: Path) -> None:
    words = '<script>alert(1)</script>"]; click n0 "javascript:x" %% {{ 7*7 }}'
    folder = placed(changed(lambda all_of: all_of["pay"].update(description=words)), tmp_path / "<b>shop")
    assert main([str(folder), "-o", str(tmp_path / "map")]) == 0
    html = (tmp_path / "map" / "nodes.html").read_text(encoding="utf-8")
    assert "<script>" not in html
    assert "<b>shop" not in html
    assert "{{ 7*7 }}" in html


@pytest.mark.parametrize("words", [[], ["no/such/folder"]])
def test_nothing_to_read_is_wrong_usage(words: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words or [str(tmp_path)])
    assert caught.value.code == 2
