"""`copier copy` without data: a person at a terminal answers, and gets a node."""

from collections.abc import Iterator
from pathlib import Path

import copier
import pytest
import yaml
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

ENTER, ANEW, DOWN = "\r", "\x15", "\x1b[B"


@pytest.fixture
def keyboard() -> Iterator[PipeInput]:
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        yield pipe


def test_each_answer_has_its_effect(
    template: Path, tmp_path: Path, keyboard: PipeInput, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = (
        f"stock-levels{ENTER}{ANEW}stock_levels",
        f"{DOWN}{DOWN}",
        f"{ANEW}my shop{ENTER}{ANEW}shop_nodes",
        "Levels of stock: from full to low on sell, from low to full on refill.",
        f"{ANEW}one{ENTER}{ANEW}1.2.0",
    )
    keyboard.send_text("".join(answer + ENTER for answer in answers))

    copier.run_copy(str(template), tmp_path / "project", unsafe=True)

    project = tmp_path / "project"
    contract = yaml.safe_load((project / "node.yaml").read_text(encoding="utf-8"))
    assert contract["description"] == answers[3]
    assert (project / "src/shop_nodes/nodes/node_stock_levels_reducer/node.py").is_file()
    assert 'version = "1.2.0"' in (project / "pyproject.toml").read_text(encoding="utf-8")
    assert answers[3] in (project / "README.md").read_text(encoding="utf-8")
    assert contract["subcontracts"]["fsm"]["states"].keys() == {"full", "low"}
    assert "drafted from the description: apply_event" in capsys.readouterr().err


def test_what_data_has_is_not_asked(template: Path, tmp_path: Path, keyboard: PipeInput) -> None:
    data = {"name": "stock_levels", "package": "shop_nodes", "features": ["retry"]}
    keyboard.send_text(f"{ENTER}Keep levels of stock in Redis.{ENTER}{ENTER}")

    copier.run_copy(str(template), tmp_path / "project", data=data, unsafe=True, quiet=True)

    contract = yaml.safe_load((tmp_path / "project" / "node.yaml").read_text(encoding="utf-8"))
    assert contract["features"] == ["retry"]
    assert contract["version"] == "1.0.0"
