"""Nodes that were written by hand are generated anew with what their handlers do."""

import ast
import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from extensions.adopting import comparison
from extensions.adopting.carrying import Carrier, requirements
from extensions.adopting.comparison import Ran, Side, checklist, compared, side
from extensions.adopting.node import read
from extensions.adopting.python import Sources
from extensions.commands import adopt_node, adopting

CONTRACT = """\
name: node_price_compute
node_type: COMPUTE_GENERIC
contract_version: {major: 1, minor: 0, patch: 0}
description: Says what things cost.
handler_routing:
  handlers:
    - operation: quote
      handler: {module: old_shop.nodes.node_price_compute.handlers.handler_quote, name: HandlerQuote}
    - operation: stock
      handler: {module: old_shop.nodes.node_price_compute.handlers.handler_stock, name: HandlerStock}
    - operation: unknown
      handler: {module: old_shop.nowhere, name: HandlerUnknown}
"""
NODE = {
    "__init__.py": "from .models import ModelQuoteInput\n",
    "contract.yaml": CONTRACT,
    "limits.py": "MOST = 9\n",
    "rates.yaml": "vat: 1.5\n",
    "models/__init__.py": """\
from .model_quote import ModelQuoteInput, ModelQuoteOutput
""",
    "models/model_quote.py": '''\
"""Models."""
from datetime import date

from pydantic import BaseModel, Field


class ModelQuoteInput(BaseModel):
    """What is asked."""

    net: int
    day: date | None = None
    from_: str = Field("here", alias="from")


class ModelQuoteOutput(BaseModel):
    """What it costs."""

    gross: float
    origin: str
''',
    "handlers/__init__.py": "",
    "handlers/handler_quote.py": '''\
"""It quotes."""
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from old_shop.nodes.node_price_compute import limits as bounds

from ..models import (
    ModelQuoteOutput,  # comes from deeper
)

if TYPE_CHECKING:
    from old_shop.nodes.node_price_compute.models import ModelQuoteInput


class HandlerQuote:
    """Quotes prices; it's in euros."""

    async def handle(self, request: ModelQuoteInput) -> ModelQuoteOutput:
        """Quote one price."""
        from old_shop.nodes.node_price_compute.limits import MOST as most; limit = min(most, bounds.MOST)

        rates = yaml.safe_load((Path(__file__).parents[1] / "rates.yaml").read_text())
        return ModelQuoteOutput(gross=min(request.net, limit) * rates["vat"], origin=request.from_)
''',
    "handlers/handler_stock.py": '''\
class HandlerStock:
    def __init__(self, store: object, most: int = 3) -> None:
        self.store = store

    def handle(self, item: str) -> int:
        """Count what is there."""
        return 3
''',
}
STUB = '''\
"""The operation {name}. This file is yours: an update never touches it."""

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

from {package}.models import {model}Input
from {package}.models import {model}Output


class Handler{title}:
    """It is said."""

    async def handle(self, request: {model}Input) -> {model}Output:
        """Run it."""
        raise ModelOnexError(message="To be written.", error_code=EnumCoreErrorCode.METHOD_NOT_IMPLEMENTED)
'''
STUB_TEST = '''\
"""Tests of {name}."""

import pytest

from {package}.models import {model}Input, {model}Output

INPUT: dict[str, object] = {{"net": 2}}
TO_BE_WRITTEN = pytest.mark.xfail(strict=True)


@TO_BE_WRITTEN
async def test_output() -> None:
    raise AssertionError


def test_node_has_this_handler() -> None:
    assert {model}Input
'''
MODELS = """\
from datetime import date

from pydantic import BaseModel, Field


class ModelQuoteInput(BaseModel):
    net: int
    day: date | None = None
    from_value: str = Field("here", alias="from")


class ModelQuoteOutput(BaseModel):
    gross: float
    origin: str


class ModelStockInput(BaseModel):
    item: str


class ModelStockOutput(BaseModel):
    result: int
"""


def node(tmp_path: Path) -> Path:
    """Write the node that was written by hand."""
    folder = tmp_path / "src/old_shop/nodes/node_price_compute"
    for name, text in NODE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for parent in (folder.parent, folder.parent.parent):
        (parent / "__init__.py").write_text("", encoding="utf-8")
    return folder


def project(folder: Path, package: str) -> None:
    """Write what stands in for a generated project."""
    home = folder / "src" / package
    for name, title in (("quote", "Quote"), ("stock", "Stock"), ("unknown", "Unknown")):
        words = {"name": name, "title": title, "model": f"Model{title}", "package": package}
        for path, text in (
            (home / f"handlers/custom/handler_{name}.py", STUB.format(**words)),
            (folder / f"tests/custom/test_handler_{name}.py", STUB_TEST.format(**words)),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for parent in ("", "handlers", "handlers/custom"):
        (home / parent / "__init__.py").write_text("", encoding="utf-8")
    (home / "models.py").write_text(MODELS, encoding="utf-8")


def imported(monkeypatch: pytest.MonkeyPatch, src: Path, name: str) -> ModuleType:
    """Import a module of a new project."""
    monkeypatch.syspath_prepend(str(src))
    return importlib.import_module(name)


@pytest.fixture
def adopted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def copied(_contract: Path, made: Path, *_: object) -> str:
        project(made, "new_shop")
        return ""

    monkeypatch.setattr(adopting, "copied", copied)
    into = tmp_path / "made/new"
    folder = node(tmp_path)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert (
        adopt_node.main([str(folder), "--into", str(into), "--tests", f"{sys.executable} -c \"print('3 passed')\""])
        == 0
    )
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    return into


async def test_a_handler_runs_what_was_carried_over(adopted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "old_shop" not in sys.modules
    made = imported(monkeypatch, adopted / "src", "new_shop.handlers.custom.handler_quote")
    models = sys.modules["new_shop.models"]
    answer = await made.HandlerQuote().handle(models.ModelQuoteInput.model_validate({"net": 20, "from": "there"}))
    assert answer == models.ModelQuoteOutput(gross=13.5, origin="there")
    assert "old_shop" not in sys.modules
    test = (adopted / "tests/custom/test_handler_quote.py").read_text(encoding="utf-8")
    names = {item.name for item in ast.parse(test).body if isinstance(item, ast.FunctionDef)}
    assert names == {
        "test_node_has_this_handler",
        "test_a_valid_input_is_one_of_the_original",
        "test_the_output_has_the_fields_of_the_original",
    }
    scope: dict[str, object] = {}
    exec(compile(test, "test", "exec"), scope)  # noqa: S102 - what was just written
    for name in names:
        scope[name]()  # type: ignore[operator]


def test_what_a_handler_needs_is_asked_for(adopted: Path) -> None:
    text = (adopted / "src/new_shop/handlers/custom/handler_stock.py").read_text(encoding="utf-8")
    assert "HandlerStock was carried over; hand it store (object)" in text
    assert "TO_BE_WRITTEN" in (adopted / "tests/custom/test_handler_stock.py").read_text(encoding="utf-8")
    report = (adopted / "adopted.md").read_text(encoding="utf-8")
    for words in (
        "| quote | as it is |",
        "| stock | once it is handed store (object) |",
        "| unknown | no: to be written |",
        "the original's tests | passed | 3 passed",
        "- [x] The original's tests were run",
        "- [ ] It runs in production",
    ):
        assert words in report


@pytest.mark.parametrize("into", ["there", "src/old_shop/nodes/node_price_compute/new"])
def test_nothing_is_written_over_or_into_the_node(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], into: str
) -> None:
    folder = node(tmp_path)
    (tmp_path / "there").mkdir()
    assert adopt_node.main([str(folder), "--into", str(tmp_path / into)]) == 1
    assert into in capsys.readouterr().err
    assert not list((tmp_path / "there").iterdir())
    assert not (folder / "new").exists()


def test_a_template_that_refuses_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopting, "copied", lambda *_: "no such template")
    assert adopt_node.main([str(node(tmp_path)), "--into", str(tmp_path / "made")]) == 1
    assert "no such template" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["src"]


def test_imports_lead_where_things_stand(tmp_path: Path) -> None:
    sources = Sources(node(tmp_path))
    carrier = Carrier(sources, "new.custom")
    module = sources.module("old_shop.nodes.node_price_compute.handlers.handler_quote")
    assert module is not None
    assert carrier.take(module) == "new.custom.original.handlers.handler_quote"
    carried = carrier.finish()
    assert set(carried.files) == {
        "original/__init__.py",
        "original/contract.yaml",
        "original/handlers/__init__.py",
        "original/handlers/handler_quote.py",
        "original/limits.py",
        "original/models/__init__.py",
        "original/models/model_quote.py",
        "original/rates.yaml",
    }
    text = carried.files["original/handlers/handler_quote.py"]
    for line in (
        "from new.custom.original import limits as bounds",
        "from new.custom.original.models.model_quote import ModelQuoteOutput",
        "    from new.custom.original.models.model_quote import ModelQuoteInput",
        "from new.custom.original.limits import MOST as most; limit",
    ):
        assert line in text
    assert carried.packages == set()
    assert carried.notes[0][0] == "handlers/handler_quote.py"


def test_packages_become_requirements() -> None:
    (one,) = requirements({"pytest", "nothing"}, {"pytest": ["pytest"]})
    assert one.startswith("pytest>=")
    assert "+" not in one


def test_both_sides_are_compared(tmp_path: Path) -> None:
    folder = node(tmp_path)
    (folder / "more.py").write_text(
        "class A(MixinHealthCheck, Generic[int]):\n    # nothing\n\n    def retry(self):\n"
        "        raise OnexError(EnumCoreErrorCode.TIMEOUT)\n",
        encoding="utf-8",
    )
    for place in (folder / "test_own.py", tmp_path / "tests/unit/node_price_compute/test_it.py"):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("def test_one(): ...\n", encoding="utf-8")
    found = side([folder / "more.py"])
    assert (found.lines, found.mixins, found.codes, found.raised) == (
        3,
        {"MixinHealthCheck"},
        {"TIMEOUT"},
        {"OnexError"},
    )
    assert found.features["retry"] == 1
    assert side(comparison.tests_of(folder)).tests == 2
    after = Side(lines=50)
    text = compared(found, after, 2, 3, [Ran("make check", True, "ok", 1.25)])
    for line in (
        "| written by hand | 3 | 5 |",
        "| generated | 0 | 48 |",
        "To be kept by hand: 66.7 % more than before.",
        "- [ ] no longer, but for what was carried over: `TIMEOUT`",
        "| make check | passed | ok | 1.2 |",
    ):
        assert line in text


def test_the_checklist_is_whole() -> None:
    text = checklist(["It is committed"])
    assert text.count("- [ ]") == 33
    assert text.count("- [x]") == 1


def test_reading_runs_nothing(tmp_path: Path) -> None:
    folder = node(tmp_path)
    (folder / "handlers/handler_stock.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n", encoding="utf-8")
    read(folder)
    assert not (tmp_path / "ran").exists()
