"""The generated lock node locks: fifty callers, leases that run out, and events about what happened."""

import json
import sys
from pathlib import Path

import pytest

from examples.rendering import CONTRACTS
from tests.conftest import Generate, Run


@pytest.mark.slow
def test_lock_node(run: Run, generate_project: Generate, tmp_path: Path) -> None:
    project = generate_project(CONTRACTS / "distributed_lock.yaml", tmp_path / "project")
    scenarios = Path(__file__).with_name("lock_scenarios.py")

    result = run(sys.executable, scenarios, cwd=tmp_path, PYTHONPATH=str(project / "src"))

    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {
        "winners": 1,
        "winner_is_stored": True,
        "held_lease_is_refused": True,
        "expired_lease_is_taken": True,
        "lost_lease_is_not_extended": True,
        "foreign_lock_is_not_released": True,
        "own_lock_is_released": True,
        "cleaned": ["lease"],
        "events": {"lock-acquired": 3, "lock-expired": 1, "lock-released": 1},
    }
