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
