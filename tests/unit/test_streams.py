"""Messages are never why a command fails."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from examples.rendering import ROOT
from extensions.text import streams

SCRIPT = "from extensions.text import streams; streams.tolerate(); streams.say('a → \\ud800 b\\n' * 9999); print('end')"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "cp1252", "ascii:strict"])
def test_any_encoding(encoding: str) -> None:
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    result = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, env=environment, capture_output=True, check=True)

    assert result.stdout.rstrip().endswith(b"end")
    assert b"\\ud800 b" in result.stdout


def test_nobody_reads() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        result = subprocess.run(
            [sys.executable, "-c", SCRIPT], cwd=ROOT, stdout=pipe, stderr=subprocess.PIPE, check=False
        )

    assert (result.returncode, result.stderr) == (0, b"")


def test_disk_is_full() -> None:
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            [sys.executable, "-c", SCRIPT], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert (result.returncode, result.stderr) == (0, b"")


def test_closed_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    streams.tolerate()

    streams.say("text")

    monkeypatch.setattr(sys, "stderr", io.StringIO())
    streams.warn("text")
    assert isinstance(sys.stderr, io.StringIO)
    assert sys.stderr.getvalue() == "text"


DRAFTED = "CRUD for customers in PostgreSQL with fields name and größe"
COMMANDS = [
    ("validate_contract", "{contract}", 0),
    ("validate_contract", "{wrong}", 1),
    ("validate_contract", "--json {wrong}", 1),
    ("validate_contract", "--schema", 0),
    ("describe_nodes", "{contracts}", None),
    ("draft_contract", f"'{DRAFTED}'", None),
    ("migrate_contract", "--package shop_nodes {contract}", None),
    ("validate_contract", "--help", 0),
    ("validate_contract", "--version", 0),
    ("validate_contract", "--completion bash", 0),
]


@pytest.mark.parametrize("redirected", ["2>&- >&-", "> /dev/full 2> /dev/full", "< /dev/null >&0"])
@pytest.mark.parametrize(("command", "arguments", "status"), COMMANDS)
def test_no_command_fails_for_what_it_says(
    command: str, arguments: str, status: int | None, redirected: str, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: größe → 世界\n", encoding="utf-8")
    contract = ROOT / "examples" / "contracts" / "order_events.yaml"
    words = arguments.format(contract=contract, wrong=wrong, contracts=contract.parent)
    line = f"{sys.executable} -m extensions.commands.{command} {words} {redirected}"
    result = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)

    assert "Traceback" not in result.stdout + result.stderr
    assert "Exception ignored" not in result.stderr
    if status is not None:
        assert result.returncode == status


@pytest.mark.parametrize(
    ("command", "arguments"),
    [("draft_contract", f"'{DRAFTED}'"), ("migrate_contract", "--package shop_nodes {contract}")],
)
def test_what_is_made_and_lost_is_not_done(command: str, arguments: str) -> None:
    contract = ROOT / "examples" / "contracts" / "order_events.yaml"
    words = arguments.format(contract=contract)
    line = f"{sys.executable} -m extensions.commands.{command} {words} > /dev/full"
    result = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 1
    assert result.stderr.endswith(": standard output can't be written\n")
