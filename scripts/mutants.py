"""Mutates the runtime, or the generated code of a node, and counts what the tests notice: `make mutants`.

mutmut wants a project whose modules lie below `src` under the names that tests import; `build/mutants` is one.
"""

import argparse
import contextlib
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
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
# Many mutants wait for ever: a test that takes six times as long is taken for one that does. A process that was forked
# from one that has run the tests would wait for threads that it has not.
_MUTMUT = """
[tool.mutmut]
use_git_change_detection = false
timeout_multiplier = 6.0
process_isolation = "forkserver"
"""
# What one test left in a cache hides from mutmut what the next ones use.
_CONFTEST = """\
import sys


def pytest_runtest_setup():
    for name, module in [*sys.modules.items()]:
        if name.startswith("onex_node_runtime."):
            for cached in vars(module).values():
                getattr(cached, "cache_clear", lambda: None)()
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
    return _MUTMUT + "".join(lines)


def lay_out_runtime(folder: Path, names: Sequence[str]) -> None:
    """Lay out the runtime with those of its tests that use what is mutated, or what imports it.

    Args:
        folder: It is filled.
        names: Of the modules to mutate, without a suffix, with folders where that tells them apart; all when there are
            none.
    """
    shutil.copytree(_RUNTIME, folder / "src" / _RUNTIME.name)
    shutil.copytree(_RUNTIME.parent / "doubles", folder / "doubles")
    for part in ("runtime", "faults"):
        shutil.copytree(ROOT / "tests" / part, folder / "tests" / part)
    for part in ("examples", "extensions"):
        (folder / part).symlink_to(ROOT / part)
    modules = {name.rpartition("/")[2] for name in names} or {r"\w+"}
    paths = [*_RUNTIME.rglob("*.py"), *_TESTS.glob("*.py")]
    importing = {path.stem for path in _that_import(paths, modules)}
    tests = [path for path in _that_import(paths, modules | importing) if path.match("runtime/test_*.py")]
    settings = _mutmut(
        [f"src/*/{name}.py" for name in names] or ["src/*"],
        [path.relative_to(ROOT).as_posix() for path in tests],
        ["conftest.py", "doubles", "examples", "extensions"],
    )
    (folder / "conftest.py").write_text(_CONFTEST, encoding="utf-8")
    (folder / "pyproject.toml").write_text(_SETTINGS + settings, encoding="utf-8")


def _that_import(paths: Sequence[Path], modules: set[str]) -> list[Path]:
    uses = re.compile(rf"^(from|import) (onex_node_runtime|tests\.runtime|\.).*\b({'|'.join(modules)})\b", re.MULTILINE)
    return sorted(path for path in paths if uses.search(path.read_text(encoding="utf-8")))


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


def sampled(folder: Path, size: int, seed: str) -> list[str]:
    """Draw mutants of each module, the same each time.

    Args:
        folder: What was laid out.
        size: How many of each module there are at most.
        seed: Another one draws others.

    Returns:
        Their names.
    """
    drawn: list[str] = []
    # mutmut looks for its settings where it is first used.
    with contextlib.chdir(folder):
        mutation, names = import_module("mutmut.mutation.file_mutation"), import_module("mutmut.utils.format_utils")
        for path in filter(
            import_module("mutmut.configuration").config().should_mutate, sorted(Path("src").rglob("*.py"))
        ):
            mutants = mutation.mutate_file_contents(str(path), path.read_text(encoding="utf-8")).mutant_names
            chosen = random.Random(seed + str(path)).sample(mutants, min(size, len(mutants)))  # noqa: S311 - draws tests
            drawn += [names.get_mutant_name(path, mutant) for mutant in chosen]
    return drawn


def main() -> int:
    """Mutate, run the tests, and print which mutants nobody noticed, and how many were.

    Returns:
        0, or 1 when mutmut could not run the tests.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="modules of the runtime, without a suffix; all when left out")
    parser.add_argument("--contract", type=Path, help="mutate the node of this contract in place of the runtime")
    parser.add_argument("--sample", type=int, help="so many mutants of each module, drawn; all when left out")
    parser.add_argument("--seed", default="", help="draws other ones")
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
    drawn = sampled(_FOLDER, arguments.sample, arguments.seed) if arguments.sample else []
    if subprocess.run([_BIN / "mutmut", "run", *drawn], cwd=_FOLDER, env=environment, check=False).returncode:
        return 1
    command = [str(_BIN / "mutmut"), "results", "--all", "true"]
    told = subprocess.run(command, cwd=_FOLDER, env=environment, capture_output=True, text=True, check=True).stdout
    results = {match["mutant"]: match["status"] for match in _RESULT.finditer(told)}
    found = {mutant: status for mutant, status in results.items() if status != "not checked"}
    for mutant, status in found.items():
        if status not in _NOTICED:
            print(f"{mutant}: {status}")
    counts = Counter(found.values())
    by_module = Counter((mutant.rpartition(".")[0], status in _NOTICED) for mutant, status in found.items())
    for module in sorted({module for module, _ in by_module}):
        print(f"{module}: {by_module[module, True]} of {by_module[module, True] + by_module[module, False]}")
    noticed = sum(count for status, count in counts.items() if status in _NOTICED)
    print(f"{noticed} of {len(found)} noticed: {dict(counts.most_common())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
