"""The command that turns a node written by hand into a contract."""

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions.adopting import settings
from extensions.adopting.adopted import Adopted
from extensions.adopting.node import NoNodeError, adopt
from extensions.commands import adopt_node
from extensions.judging.judge import judge

CONTRACT = """\
name: node_parcel_effect
node_type: EFFECT_GENERIC
contract_version: {major: 1, minor: 2, patch: 3}
node_version: {major: 1, minor: 4, patch: 0}
description: Moves parcels.
input_model: {name: ModelMoveRequest, module: acme.nodes.node_parcel_effect.models}
output_model: {name: ModelMoveResult, module: acme.nodes.node_parcel_effect.models}
event_bus:
  subscribe_topics: [onex.cmd.acme.move-parcel.v1]
  publish_topics: [onex.evt.acme.parcel-moved.v1, onex.evt.acme.parcel-lost.v1]
handler_routing:
  routing_strategy: operation_match
  handlers:
    - operation: parcel.move
      handler: {name: HandlerParcelMove, module: acme.nodes.node_parcel_effect.handlers.handler_parcel_move}
      topic: onex.cmd.acme.move-parcel.v1
      priority: high
    - operation: parcel.weigh
      handler: {name: HandlerWeigh, module: acme.nodes.node_parcel_effect.handlers.handler_weigh}
io_operations:
  - operation: parcel.move
    description: Move one parcel.
    idempotent: true
    timeout_ms: 2500
error_handling:
  retry_policy: {max_retries: 3, base_delay_ms: 100, max_delay_ms: 5000, exponential_base: 2, retry_on: [TimeoutError]}
  circuit_breaker: {enabled: true, failure_threshold: 5, reset_timeout_ms: 60000}
  error_types: [{name: Lost}]
golden_path: [move, weigh]
"""
MODELS = '''\
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum, auto
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Optional, TypedDict, Union
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, EmailStr, Field, HttpUrl, SecretStr, conint

from .limits import MOST

raise RuntimeError("nothing here is run")

Grams = NewType("Grams", int)
Ratio = Annotated[float, Field(ge=0, le=1)]


class EnumSpeed(StrEnum):
    """How fast."""

    SLOW = auto()
    FAST = "very-fast"


class EnumRank(IntEnum):
    LOW = 1
    HIGH = 2


class ModelBase(BaseModel):
    model_config = ConfigDict(frozen=True)
    correlation_id: UUID | None = None


class ModelStop(BaseModel):
    """A place on the way."""

    city: str = Field(..., min_length=1, max_length=MOST, description="Where it is.")
    next: Optional["ModelStop"] = None


class ModelVan(BaseModel):
    kind: Literal["van"] = "van"
    seats: int


class ModelShip(BaseModel):
    kind: Literal["ship"] = "ship"
    tonnage: Decimal = Field(gt=0)


@dataclass
class Size:
    width: float
    height: float = 1.5


class Label(TypedDict, total=False):
    text: str


class ModelMoveRequest(ModelBase):
    """What to move."""

    _hidden: int = 3
    parcel_id: UUID
    weight: Grams = Field(default=MOST, ge=1)
    speed: EnumSpeed = EnumSpeed.FAST
    rank: EnumRank = EnumRank.LOW
    share: Ratio = 0.5
    route: tuple[ModelStop, ...] = Field(default_factory=tuple, max_length=9)
    tags: frozenset[str] = frozenset()
    corners: tuple[float, float]
    prices: dict[str, Decimal] = {}
    extra: dict[str, Any] = Field(default_factory=dict)
    by: Union[ModelVan, ModelShip]
    email: EmailStr | None = None
    url: HttpUrl
    password: SecretStr
    count: conint(ge=1, lt=10) = 2
    at: datetime = Field(default_factory=datetime.now)
    class_: str = Field("x", alias="class")
    schema: str = "s"
    camelCase: bool = False
    size: Size
    label: Label
    either: int | list[str]
    where: Path = Path("parcels")


class ModelMoveResult(BaseModel):
    moved: bool
    trace_id: UUID = Field(default_factory=uuid4)
'''
HANDLERS = {
    "handler_parcel_move": """\
from acme.nodes.node_parcel_effect.models import ModelMoveRequest, ModelMoveResult


class HandlerParcelMove:
    async def handle(self, request: ModelMoveRequest) -> ModelMoveResult:
        \"\"\"Move it.\"\"\"
        raise SystemExit("nothing here is run")
""",
    "handler_weigh": """\
from uuid import UUID


class Weighing:
    def handle(self, parcel_id: UUID, scale: str = "kitchen", *, twice: bool = False) -> list[float]:
        \"\"\"Weigh it.

        More than once, maybe.
        \"\"\"


class HandlerWeigh(Weighing):
    pass
""",
}


def node(folder: Path, contract: str = CONTRACT, models: str = MODELS, **handlers: str) -> Path:
    """Write a node inside of a package, and return its folder."""
    place = folder / "acme" / "nodes" / "node_parcel_effect"
    (place / "handlers").mkdir(parents=True)
    for package in (folder / "acme", place.parent, place, place / "handlers"):
        (package / "__init__.py").write_text("")
    (place / "contract.yaml").write_text(contract)
    (place / "limits.py").write_text("MOST = 4 * 10\n")
    (place / "models.py").write_text(models)
    for name, text in (handlers or HANDLERS).items():
        (place / "handlers" / f"{name}.py").write_text(text)
    return place


@pytest.fixture
def adopted(tmp_path: Path) -> Adopted:
    return adopt(node(tmp_path))


def contract_of(adopted: Adopted) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(adopted.document())
    assert document == adopted.contract
    return document


def test_what_it_is(adopted: Adopted) -> None:
    contract = contract_of(adopted)
    assert judge(contract) == []
    assert (contract["name"], contract["node_type"], contract["version"]) == ("parcel", "effect", "1.4.0")
    assert contract["package"] == "acme"
    assert [operation["name"] for operation in contract["operations"]] == ["parcel_move", "parcel_weigh"]
    move, weigh = contract["operations"]
    assert (move["handler"], move["idempotent"], move["timeout_seconds"]) == ("custom", True, 2.5)
    assert (move["description"], weigh["description"]) == ("Move one parcel.", "Weigh it.")


EXPECTED = {
    "correlation_id": {"type": "uuid", "required": False},
    "parcel_id": "uuid",
    "weight": {"type": "integer", "minimum": 1, "default": 40},
    "speed": {"type": "Speed", "default": "very-fast"},
    "rank": {"type": "integer", "enum": [1, 2], "default": 1},
    "share": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5},
    "route": {"type": "array", "items": "Stop", "maxItems": 9, "default": []},
    "tags": {"type": "array", "uniqueItems": True, "items": "string", "default": []},
    "corners": {"type": "array", "minItems": 2, "maxItems": 2, "items": "number"},
    "prices": {"type": "object", "values": "decimal", "default": {}},
    "extra": {"type": "object", "default": {}},
    "by": "ModelMoveRequestBy",
    "email": {"type": "string", "format": "email", "required": False},
    "url": {"type": "string", "format": "uri"},
    "password": {"type": "string", "secret": True},
    "count": {"type": "integer", "minimum": 1, "exclusiveMaximum": 10, "default": 2},
    "at": {"type": "datetime", "required": False},
    "class_value": {"type": "string", "alias": "class", "default": "x"},
    "schema_value": {"type": "string", "default": "s", "alias": "schema"},
    "camel_case": {"type": "boolean", "default": False, "alias": "camelCase"},
    "size": "Size",
    "label": "Label",
    "either": "object",
    "where": {"type": "string", "default": "parcels"},
}


def test_fields_of_a_model(adopted: Adopted) -> None:
    contract = contract_of(adopted)
    assert contract["operations"][0]["input"] == EXPECTED
    assert contract["operations"][0]["output"] == {"moved": "boolean", "trace_id": {"type": "uuid", "required": False}}
    assert contract["enums"] == {"Speed": {"description": "How fast.", "values": ["slow", "very-fast"]}}
    models = contract["models"]
    assert models["ModelMoveRequestBy"] == {"one_of": ["Van", "Ship"], "discriminator": "kind"}
    assert models["Stop"]["fields"]["next"] == {"type": "Stop", "required": False}
    assert models["Stop"]["fields"]["city"]["maxLength"] == 40
    assert models["Label"]["fields"]["text"] == {"type": "string", "required": False}
    assert any("uuid4()" in what for _, what in adopted.notes)
    assert ("ModelMoveRequest.either", "one of integer, array: now an object") in adopted.notes


def test_a_handler_with_several_parameters(adopted: Adopted) -> None:
    weigh = contract_of(adopted)["operations"][1]
    assert weigh["input"] == {
        "parcel_id": "uuid",
        "scale": {"type": "string", "default": "kitchen"},
        "twice": {"type": "boolean", "default": False},
    }
    assert weigh["output"] == {"items": {"type": "array", "items": "number"}}


def test_events_and_features(adopted: Adopted) -> None:
    contract = contract_of(adopted)
    consumed = [{"event": "onex.cmd.acme.move-parcel.v1", "operation": "parcel_move"}]
    assert contract["subcontracts"]["event_type"] == {"consumed_events": consumed}
    assert contract["advanced_features"] == {
        "retry_policy": {"max_attempts": 4, "initial_delay_ms": 100, "max_delay_ms": 5000, "backoff_multiplier": 2},
        "circuit_breaker": {"enabled": True, "failure_threshold": 5, "recovery_timeout_ms": 60000},
    }


def test_nothing_is_lost(adopted: Adopted) -> None:
    document, report = adopted.document(), adopted.report()
    for word in (
        "golden_path",
        "retry_on",
        "error_types",
        "priority",
        "onex.evt.acme.parcel-lost.v1",
        "routing_strategy",
    ):
        assert any(word in line for line in document.splitlines() if line.lstrip().startswith("#")), word
    assert "- [ ] `parcel_move`" in report
    assert "`golden_path`" in report
    assert "`parcel_move`: `priority`" in report


def test_a_node_out_of_its_package(tmp_path: Path) -> None:
    """A folder that was copied is found by its name, wherever its contract says that it is."""
    place = node(tmp_path / "a")
    alone = tmp_path / "b" / place.name
    place.rename(tmp_path / "moved")
    alone.parent.mkdir()
    (tmp_path / "moved").rename(alone)
    (alone / "__init__.py").unlink()
    contract = contract_of(adopt(alone))
    assert contract["operations"][0]["input"] == EXPECTED
    assert contract["package"] == "parcel_nodes"


MACHINE = """\
name: order_reducer
node_type: reducer
version: "2.1"
state_machine:
  state_machine_name: order_fsm
  initial_state: new
  states:
    - {state_name: new, description: Nothing paid.}
    - {state_name: paid, description: Paid., entry_actions: [thank]}
    - {state_name: gone, description: Gone.}
  terminal_states: [gone]
  transitions:
    - {from_state: new, to_state: paid, trigger: pay}
    - {from_state: "*", to_state: gone, trigger: drop}
"""


def test_a_state_machine(tmp_path: Path) -> None:
    adopted = adopt(node(tmp_path, MACHINE, "", nothing=""))
    contract = contract_of(adopted)
    assert judge(contract) == []
    fsm = contract["subcontracts"]["fsm"]
    assert fsm["transitions"] == [
        {"trigger": "pay", "from": "new", "to": "paid"},
        {"trigger": "drop", "from": ["new", "paid"], "to": "gone"},
    ]
    assert "handler" not in contract["operations"][-1]
    assert "thank" in adopted.document()


def test_a_state_machine_with_conditions_stays_with_the_handlers(tmp_path: Path) -> None:
    guarded = MACHINE.replace("trigger: pay}", "trigger: pay, conditions: [{expression: amount > 0}]}")
    adopted = adopt(node(tmp_path, guarded, "", nothing=""))
    assert "subcontracts" not in adopted.contract
    assert "# state_machine:" in adopted.document()


@pytest.mark.parametrize(
    ("operations", "names"),
    [
        ("operations: [lock, {name: unlock, input_model: ModelX}]", ["lock", "unlock"]),
        ("compute_operations: {hash: {description: x}, class: {}}", ["hash", "class_value"]),
        ("subcontracts: {effect: {operations: [a, b]}}", ["a", "b"]),
        ("effect_operations: {operations: [{operation_name: scan.contracts}]}", ["scan_contracts"]),
        ("handler: {module: handlers.x, class: HandlerX}", ["thing"]),
        ("handler_routing: {default_handler: 'handler:HandlerX'}", ["thing"]),
        (
            "handler_routing: {handlers: [{handler: {name: HandlerPay}}, {handler: {name: HandlerPay}}]}",
            ["pay", "pay_2"],
        ),
        ("handler_routing: {handlers: [{operation: thing.effect}]}", ["thing_effect_operation"]),
        ("{}", ["thing"]),
    ],
)
def test_spellings_of_operations(tmp_path: Path, operations: str, names: list[str]) -> None:
    body = "" if operations == "{}" else operations
    adopted = adopt(node(tmp_path, f"name: thing\nnode_type: EFFECT_GENERIC\n{body}\n", "", nothing=""))
    assert judge(contract_of(adopted)) == []
    assert [operation["name"] for operation in adopted.contract["operations"]] == names


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"max_retries": 0}, {"max_attempts": 1}),
        ({"attempts": 3, "initial_delay_seconds": 0.5}, {"max_attempts": 3, "initial_delay_ms": 500}),
        ({"backoff_ms": 100, "max_backoff_ms": 10}, {"initial_delay_ms": 100, "max_delay_ms": 100}),
        ({"max_retries": 2, "backoff_factor": 0.5}, {"max_attempts": 3}),
        ({"retry_on_status": [429, 503]}, {"retryable_status_codes": [429, 503]}),
        ({"enabled": False}, {"enabled": False}),
    ],
)
def test_spellings_of_retries(given: dict[str, Any], made: dict[str, Any]) -> None:
    left: dict[str, object] = {}
    assert settings.retry_policy(given, left.__setitem__) == made
    assert set(left) <= {f"retry_policy.{key}" for key in given}


HOSTILE = '''\
class ModelMoveRequest(BaseModel):
    """Evil. \\u202e\\x00"""
    a: "ModelMoveRequest"
    b: list["ModelMoveRequest"] = []
    c: __import__("os").system("exit 3") = 1
    d: str = Field(pattern="(" * 3, description="{{ 7 * 7 }} ${input.x} \\u202e")
    e: Loop
    f: "not python ("
    g: int = 10 ** 10 ** 10
    h: str = f"{open('/etc/passwd')}"

from pydantic import BaseModel, Field
Loop = Other
Other = Loop
'''


def test_hostile_text_is_not_run(tmp_path: Path) -> None:
    adopted = adopt(node(tmp_path, models=HOSTILE))
    assert judge(contract_of(adopted)) == []
    assert "\u202e" not in adopted.document() + adopted.report()


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("contract.yaml", "a: [", "contract.yaml:1:5: contract: found broken YAML"),
        ("contract.yaml", "- a", "contract.yaml:1:1: found a list of 1 without node_type or operations"),
        ("contract.yaml", "name: x", "without node_type or operations"),
        ("models.py", "class X(:\n", "models.py:1:9: broken Python"),
        ("models.py", "\0", "models.py"),
        ("models.py", "x = " + "(" * 5000, "models.py"),
        ("models.py", "#" * 2_000_001, "found a file without bounds"),
    ],
)
def test_bad_input(tmp_path: Path, file: str, content: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    place = node(tmp_path)
    (place / file).write_text(content)
    output = tmp_path / "node.yaml"
    assert adopt_node.main([str(place), "-o", str(output)]) == 1
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""
    assert not output.exists()


def test_all_files_that_are_no_python_are_named(tmp_path: Path) -> None:
    place = node(tmp_path, models="def", nonsense="1 +")
    with pytest.raises(NoNodeError) as caught:
        adopt(place)
    assert len(str(caught.value).splitlines()) == 2


def test_no_node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert adopt_node.main([str(tmp_path)]) == 1
    assert "found no contract" in capsys.readouterr().err
    assert adopt_node.main([str(tmp_path / "absent")]) == 1
    assert "found no folder" in capsys.readouterr().err


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = node(tmp_path)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    modules = set(sys.modules)
    output, report = tmp_path / "node.yaml", tmp_path / "report.md"
    assert adopt_node.main([str(place), "--package", "other_nodes", "-o", str(output), "--report", str(report)]) == 0
    assert yaml.safe_load(output.read_text())["package"] == "other_nodes"
    assert "look at ModelMoveRequest.either" in capsys.readouterr().err
    assert report.read_text().startswith("# parcel\n")
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before
    assert not any(name.startswith("acme") for name in set(sys.modules) - modules)
    assert adopt_node.main([str(place), "-o", str(output)]) == 1
    assert "File exists" in capsys.readouterr().err


def test_the_same_node_gives_the_same_bytes(tmp_path: Path) -> None:
    place = node(tmp_path)
    assert adopt(place).document() == adopt(place).document()
