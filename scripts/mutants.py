"""Mutates the runtime, or the generated code of a node, and counts what the tests notice: `make mutants`.

mutmut wants a project whose modules lie below `src` under the names that tests import; `build/mutants` is one.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from examples.rendering import ROOT, export_template, generate, read_contract

_FOLDER = ROOT / "build" / "mutants"
_RUNTIME = ROOT / "runtime" / "onex_node_runtime"
_TESTS = ROOT / "tests" / "runtime"
_BIN = ROOT / ".venv" / "bin"
_RESULT = re.compile(r"^ +(?P<mutant>[\w.ǁ]+): (?P<status>.+)$", re.MULTILINE)
# Mutants whose tests take too long are as noticed as those whose tests fail.
_NOTICED = {"killed", "timeout", "caught by type check", "segfault"}
_SETTINGS = """\
[tool.pytest.ini_options]
addopts = ["--import-mode=importlib", "--strict-markers"]
pythonpath = ["src", "."]
asyncio_mode = "auto"
asyncio_default_fixture_loop_scope = "function"
markers = ["slow: starts servers"]
"""


def _mutmut(mutated: Sequence[str], tests: Sequence[str], copied: Sequence[str]) -> str:
    settings = {
        "source_paths": ["src"],
        "only_mutate": mutated,
        "do_not_mutate": ["*/__main__.py", "*/runtime/*"],
        "also_copy": copied,
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
        "pytest_add_cli_args_test_selection": tests,
    }
    lines = [f"{key} = {[*value]!r}\n" for key, value in settings.items()]
    return "\n[tool.mutmut]\nuse_git_change_detection = false\n" + "".join(lines)


def lay_out_runtime(folder: Path, names: Sequence[str]) -> None:
    """Lay out the runtime with those of its tests that use what is mutated.

    Args:
        folder: It is filled.
        names: Of the modules to mutate, without a suffix; all when there are none.
    """
    shutil.copytree(_RUNTIME, folder / "src" / _RUNTIME.name)
    shutil.copytree(_RUNTIME.parent / "doubles", folder / "doubles")
    for part in ("runtime", "faults"):
        shutil.copytree(ROOT / "tests" / part, folder / "tests" / part)
    for part in ("examples", "extensions"):
        (folder / part).symlink_to(ROOT / part)
    uses = re.compile(rf"\bonex_node_runtime\b.*\b({'|'.join(names) or r'\w+'})\b")
    tests = [path for path in sorted(_TESTS.glob("test_*.py")) if uses.search(path.read_text(encoding="utf-8"))]
    settings = _mutmut(
        [f"src/onex_node_runtime/*{name}.py" for name in names] or ["src/*"],
        [path.relative_to(ROOT).as_posix() for path in tests],
        ["doubles", "examples", "extensions"],
    )
    (folder / "pyproject.toml").write_text(_SETTINGS + settings, encoding="utf-8")


def lay_out_node(folder: Path, contract: Path) -> None:
    """Generate a node's project; its own tests without a server are what is asked.

    Args:
        folder: It is filled.
        contract: Of the node.
    """
    template = folder.with_name("template")
    shutil.rmtree(template, ignore_errors=True)
    export_template(template)
    generate(template, read_contract(contract), folder)
    shutil.rmtree(template)
    copied = [path.name for path in folder.iterdir() if path.name not in {"src", "tests", "build", "pyproject.toml"}]
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as settings:
        asked = [part for part in ("tests/unit", "tests/custom") if (folder / part).is_dir()]
        settings.write(_mutmut(["src/*"], asked, sorted(copied)))


def main() -> int:
    """Mutate, run the tests, and print which mutants nobody noticed, and how many were.

    Returns:
        0, or 1 when mutmut could not run the tests.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="modules of the runtime, without a suffix; all when left out")
    parser.add_argument("--contract", type=Path, help="mutate the node of this contract in place of the runtime")
    arguments = parser.parse_args()
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.parent.mkdir(exist_ok=True)
    if arguments.contract:
        lay_out_node(_FOLDER, arguments.contract)
    else:
        lay_out_runtime(_FOLDER, arguments.names)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PATH"] = f"{_BIN}{os.pathsep}{os.environ['PATH']}"
    # With CI, Hypothesis draws the same each time, however busy the machine is.
    environment |= {"CI": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_asyncio.plugin"}
    if subprocess.run([_BIN / "mutmut", "run"], cwd=_FOLDER, env=environment, check=False).returncode:
        return 1
    command = [str(_BIN / "mutmut"), "results", "--all", "true"]
    told = subprocess.run(command, cwd=_FOLDER, env=environment, capture_output=True, text=True, check=True).stdout
    found = {match["mutant"]: match["status"] for match in _RESULT.finditer(told)}
    for mutant, status in found.items():
        if status not in _NOTICED:
            print(f"{mutant}: {status}")
    counts = Counter(found.values())
    noticed = sum(count for status, count in counts.items() if status in _NOTICED)
    print(f"{noticed} of {len(found)} noticed: {dict(counts.most_common())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
