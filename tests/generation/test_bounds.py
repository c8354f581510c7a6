"""Hostile documents cost little: each command says what is wrong, in bounded memory and processor time.

Limits of the operating system are the assertion: a process that goes beyond them is killed, or ends in a traceback.
"""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from examples.rendering import ROOT

_MEGABYTE = 1024 * 1024
_SECONDS = 30
GOOD = "name: greet\npackage: acme\nnode_type: effect\noperations:\n  - {name: greet, handler: custom}\n"


def _bomb(first: str, line: str) -> str:
    return "".join(
        f"x{number}: &a{number} {line if number else first}\n".replace("@", str(number - 1)) for number in range(40)
    )


HOSTILE: dict[str, tuple[str, str]] = {
    "aliases": (_bomb("[x, x]", "[*a@, *a@, *a@, *a@, *a@, *a@, *a@, *a@, *a@, *a@]"), "without bounds"),
    "aliases of long text": (f"t: &t {'x' * 50_000}\nu: &u [{'*t, ' * 900}]\nv: [{'*u, ' * 50}]\n", "without bounds"),
    "merged mappings": (_bomb("{k: 1}", "{<<: [*a@, *a@], k@: *a@}"), "endless nesting|without bounds"),
    "a list in itself": ("domain: &a [*a]\n", "inside of what it names"),
    "open brackets": (f"domain: {'[' * 100_000}\n", "endless nesting"),
    "nested lists": ("domain:\n" + "".join(f"{' ' * depth}-\n" for depth in range(1, 1000)), "endless nesting"),
    "nested mappings": (f"domain: {'{a: ' * 5000}1{'}' * 5000}\n", "endless nesting"),
    "a whole number": (f"service: {{port: {'9' * 5000}}}\n", "a huge number"),
    "a whole number, short": (f"service: {{port: {10**90}}}\n", "a huge number"),
    "a number in hexadecimal": (f"service: {{port: 0x{'f' * 90}}}\n", "a huge number"),
    "a number to the base of 60": (f"service: {{port: 1{':59' * 30}}}\n", "a huge number"),
    "infinity": ("advanced_features: {transactions: {timeout_seconds: .inf}}\n", "a finite number"),
    "a float beyond all": ("advanced_features: {transactions: {timeout_seconds: 1.0e+400}}\n", "a finite number"),
    "no number": ("advanced_features: {transactions: {timeout_seconds: .nan}}\n", "a finite number"),
    "a text": (f"domain: {'x' * 400_000}\n", "at most 10000 characters"),
    "a file": (f"domain: {'x' * 5_000_000}\n", "a file without bounds"),
    "a key": (f"{'x' * 500_000}: 1\n", "broken YAML"),
    "keys": ("".join(f"k{number}: 1\n" for number in range(60_000)), "without bounds"),
    "a key twice": ("name: other\n", "a second time"),
    "a pattern": ("models: {M: {fields: {a: {type: string, pattern: '((a{1,3000}){1,3000}){1,3000}'}}}}\n", "pydantic"),
    "a pattern that takes for ever": (
        f"models: {{M: {{fields: {{a: {{type: string, pattern: '^(a+)+$', default: '{'a' * 5000}!'}}}}}}}}\n",
        "meets pattern",
    ),
    "the character NUL": ('domain: "a\0b"\n', "text that YAML allows"),
    "half a character": ('domain: "\\ud800"\n', "lone surrogates|invalid Unicode"),
    "an object of Python": ("domain: !!python/object/apply:os.system ['true']\n", "the tag"),
    "a set": ("domain: !!set {a, b}\n", "the tag"),
}
# What Copier can read, and hands over.
_COPIER = {
    "aliases": "endless nesting",
    "aliases of long text": "without bounds",
    "a list in itself": "endless nesting",
    "a number in hexadecimal": "a huge number",
    "a float beyond all": "a finite number",
    "a text": "at most 10000 characters",
    "a set": "a value of the kind set",
    "half a character": "lone surrogates",
}


def run_within(megabytes: int, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command of this repository within limits of memory and of processor time."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * _MEGABYTE, megabytes * _MEGABYTE))
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))

    words = [str(word) for word in command]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=limit)


def said(text: str, meanings: str) -> bool:
    """Tell whether a text holds one of several words."""
    return any(meaning in text for meaning in meanings.split("|"))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    found = {name: tmp_path / f"{number}.yaml" for number, name in enumerate(HOSTILE)}
    for name, path in found.items():
        path.write_text(GOOD + HOSTILE[name][0], encoding="utf-8")
    return found


def test_validate_contract_says_what_is_wrong_with_each(files: dict[str, Path]) -> None:
    done = run_within(400, sys.executable, "-m", "extensions.commands.validate_contract", *files.values())

    assert (done.returncode, done.stderr) == (1, "")
    for name, path in files.items():
        lines = [line for line in done.stdout.splitlines() if line.startswith(f"{path}:")]
        assert lines, name
        assert any(said(line, HOSTILE[name][1]) for line in lines), (name, lines[:3])


@pytest.mark.parametrize("name", ["aliases", "merged mappings", "open brackets", "a whole number", "a file", "keys"])
def test_migrate_contract_says_what_is_wrong(files: dict[str, Path], name: str) -> None:
    done = run_within(400, sys.executable, "-m", "extensions.commands.migrate_contract", files[name])

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert said(done.stderr, HOSTILE[name][1])


@pytest.mark.parametrize("name", _COPIER)
def test_a_copy_says_what_is_wrong_and_writes_nothing(
    template: Path, files: dict[str, Path], tmp_path: Path, name: str
) -> None:
    copier = Path(sys.executable).with_name("copier")
    options = ("--trust", "--defaults", "--data-file", files[name])

    done = run_within(1200, copier, "copy", *options, template, tmp_path / "project")

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert _COPIER[name] in done.stderr or said(done.stderr, HOSTILE[name][1])
    assert not (tmp_path / "project").exists()
