"""The generated node fits its values to the columns, whatever their types and whatever the time zones."""

import json
import sys
from pathlib import Path

import pytest

from tests.conftest import Generate, Run

HERE = Path(__file__).parent
REFUSED = "ONEX_CORE_006_VALIDATION_ERROR"


@pytest.mark.slow
def test_values_and_columns(run: Run, generate_project: Generate, tmp_path: Path) -> None:
    project = generate_project(HERE / "column_types.yaml", tmp_path / "project")

    # The server that is made takes its time zone from the process.
    surroundings = {"PYTHONPATH": str(project / "src"), "TZ": "America/New_York"}
    result = run(sys.executable, HERE / "column_scenarios.py", cwd=tmp_path, **surroundings)

    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    codes = {name: answer["code"] for name, answer in found.items() if isinstance(answer, dict) and "code" in answer}
    assert codes == {
        "twice": "ONEX_CORE_064_DUPLICATE_REGISTRATION",
        "check": REFUSED,
        "negative_limit": REFUSED,
        "large_limit": REFUSED,
        "too_late": REFUSED,
        "nothing_by_zero": REFUSED,
        "too_large": REFUSED,
    }
    assert found["twice"]["says"] == "The database refused the values: unique violation, constraint kept_key_key."
    assert (found["large_limit"]["where"], found["too_late"]["where"]) == (["limit"], ["from_time"])
    assert found["kept"] == {
        "id": 1,
        "plain_time": "2026-01-31T10:00:00Z",
        "zoned_time": "2026-01-31T12:00:00Z",
        "day": "2026-01-31",
        "span": "P1DT2H",
        "price": 19.99,
        "exact": "12345678901234567890.0123456789",
        "mood": "sad",
        "key": "12345678-1234-5678-1234-567812345678",
        "key_text": "12345678-1234-5678-1234-567812345678",
        "raw": "+/+/",
        "address": "fe80::1",
        "moments": ["2026-01-31T12:00:00Z", "2026-01-31T17:00:00Z"],
        "moods": ["happy", "sad"],
        "figures": [19.99, 0.1],
        "parts": [{"label": "a", "at": "2026-01-31T12:00:00Z", "weight": "1.50"}],
        "notes": {"a": [1, 2.5, None]},
    }
    assert found["stored"] == {
        "plain_time": "2026-01-31 10:00:00",
        "price": "19.99",
        "figures": "{19.99,0.1}",
        "key_text": "12345678-1234-5678-1234-567812345678",
    }
    assert found["listed"] == {
        "plain_time": "2026-01-31T10:00:00Z",
        "price": "19.99",
        "raw": "+/+/",
        "extra": "/wA=",
    }
    assert found["shown"] | {"made_at": ""} == {
        "key": "12345678-1234-5678-1234-567812345678",
        "day": "2026-01-31",
        "exact": "12345678901234567890.0123456789",
        "made_at": "",
        "found": True,
    }
    assert found["odd"]["pair"] == {"amount": "19.99", "label": "a"}
    assert (found["odd"]["costs"], found["odd"]["none"]) == ("[1.5,2.5]", "NaN")
    assert found["made_now"]
    assert found["index_is_valid"]
    assert found["after_another_column"]
