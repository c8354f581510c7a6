"""The generated project's own checks and tests pass."""

from pathlib import Path

import pytest

from examples.rendering import CONTRACTS
from tests.conftest import Generate, Run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["distributed_lock", "custom_greeting"])
def project(
    request: pytest.FixtureRequest, generate_project: Generate, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    name: str = request.param
    return generate_project(CONTRACTS / f"{name}.yaml", tmp_path_factory.mktemp("project") / name)


@pytest.mark.parametrize("target", ["check", "test"])
def test_make(run: Run, project: Path, target: str) -> None:
    result = run("make", target, cwd=project)

    assert result.returncode == 0, result.stdout + result.stderr
