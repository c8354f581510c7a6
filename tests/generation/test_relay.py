"""What goes out comes back: the tests of `relay_scenarios.py` and its own run in a project of `relay.yaml`."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import Generate, Run


@pytest.mark.slow
def test_relay(run: Run, generate_project: Generate, tmp_path: Path) -> None:
    here = Path(__file__).parent
    project = generate_project(here / "relay.yaml", tmp_path / "relay")
    for command in (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)):
        checked = run(*command, cwd=project)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    shutil.copy(here / "relay_scenarios.py", project / "tests" / "integration" / "test_relay.py")
    result = run(sys.executable, "-m", "pytest", "-q", "--no-cov", "-p", "no:cacheprovider", "tests", cwd=project)
    assert result.returncode == 0, result.stdout[-4000:]
