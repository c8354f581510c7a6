"""Commands behave alike: help, version, completion, JSON, exit statuses."""

import importlib
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence

import pytest

from examples.rendering import ROOT
from extensions.terminal.command import Command, json_file_option, json_option, run
from extensions.terminal.command import command as make_command
from extensions.terminal.progress import progress
from extensions.terminal.status import MEANINGS, Status

type Main = Callable[[Sequence[str]], int]

SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
# It is Copier, whose options are Copier's.
OWN = {name: place for name, place in SCRIPTS.items() if name != "copier-onex"}


def _main(name: str) -> Main:
    module, _, function = OWN[name].removeprefix("copier_onex.").partition(":")
    main: Main = getattr(importlib.import_module(module), function)
    return main


@pytest.mark.parametrize("name", OWN)
def test_help_names_the_command_its_common_options_and_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _main(name)(["--help"]) == Status.DONE

    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: {name} [OPTIONS]")
    for option in ("--json", "--version", "--completion", "--help"):
        assert option in shown
    assert f"  {name} " in shown.partition("Examples:")[2]


@pytest.mark.parametrize("name", OWN)
def test_version_is_that_of_the_distribution(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

    assert _main(name)(["--version"]) == Status.DONE
    assert capsys.readouterr().out == f"{name} {version} (copier-onex)\n"


@pytest.mark.parametrize("name", OWN)
def test_wrong_options_are_told_with_one_status(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        _main(name)(["--no-such-option"])

    assert caught.value.code == Status.USAGE
    assert "--no-such-option" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_options(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _main("update-node")(["--completion", shell]) == Status.DONE
    script = capsys.readouterr().out

    assert f"_UPDATE_NODE_COMPLETE={shell}_complete" in script
    code = f"from {OWN['update-node'].removeprefix('copier_onex.').partition(':')[0]} import main; main()"
    words = {"COMP_WORDS": "update-node --dr", "COMP_CWORD": "--dr" if shell == "fish" else "1"}
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | words | {"_UPDATE_NODE_COMPLETE": f"{shell}_complete"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "--dry-run" in result.stdout, result.stderr


def _example(taken: list[object]) -> Command:
    @make_command("example", "Take words.", ("example --json", "for a program"), several=("--name",))
    @json_option()
    @json_file_option
    def take(*, as_json: bool, json_file: object) -> int:
        taken.append((as_json, str(json_file) if json_file else None))
        return Status.DONE

    return take


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], (False, None)),
        (["--json"], (True, None)),
        (["--json", "report.json"], (False, "report.json")),
        (["--json=report"], (False, "report")),
        (["--json-file", "report"], (False, "report")),
        (["--json", "--json-file", "report"], (True, "report")),
    ],
)
def test_json_goes_to_standard_output_or_to_a_file(words: list[str], expected: tuple[bool, str | None]) -> None:
    taken: list[object] = []

    assert run(_example(taken), words) == Status.DONE
    assert taken == [expected]


def test_each_status_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Status)


def test_progress_is_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    for total in (2, 1):
        with progress("Updating", total) as advance:
            for number in range(total):
                advance(f"node_{number}")

    streams = capsys.readouterr()
    assert streams.err == "Updating 1/2: node_0\nUpdating 2/2: node_1\n"
    assert streams.out == ""
