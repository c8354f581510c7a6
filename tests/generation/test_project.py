"""The generated project's own checks and tests pass."""

from pathlib import Path

import pytest

from examples.rendering import CONTRACTS, read_contract
from tests.conftest import Generate, Run
from tests.generation.reducers import AGGREGATIONS, STATE_MACHINES
from tests.generation.workflows import WORKFLOWS

pytestmark = pytest.mark.slow


LOCK = read_contract(CONTRACTS / "distributed_lock.yaml")
PRICES = read_contract(CONTRACTS / "price_quote.yaml")
GREETING = read_contract(CONTRACTS / "custom_greeting.yaml")
CASES = {
    "distributed_lock": LOCK,
    "llm_completion": read_contract(CONTRACTS / "llm_completion.yaml"),
    "order_events": read_contract(CONTRACTS / "order_events.yaml"),
    "session_cache": read_contract(CONTRACTS / "session_cache.yaml"),
    # custom_greeting.yaml as it is has nothing that these two have not.
    "service_mode": GREETING | {"features": ["service_mode", "service_discovery", "fail_fast", "cli"]},
    "custom_mixins": GREETING | {"features": ["custom_mixins"], "mixins": [{"name": "MixinFailFast"}]},
    "order_state": read_contract(CONTRACTS / "order_state.yaml"),
    "codegen_metrics": read_contract(CONTRACTS / "codegen_metrics.yaml"),
    "order_workflow": read_contract(CONTRACTS / "order_workflow.yaml"),
    # Nor has price_quote.yaml, beside these two.
    "parcel_rates": read_contract(Path(__file__).with_name("parcel_rates.yaml")),
    "computing_service": PRICES | {"features": ["service_mode"], "subcontracts": {}},
    **STATE_MACHINES,
    **WORKFLOWS,
    **{f"figures_{name}": contract for name, contract in AGGREGATIONS.items()},
    "everything": read_contract(Path(__file__).with_name("send_email.yaml")),
}


@pytest.fixture(scope="module", params=CASES)
def project(
    request: pytest.FixtureRequest, generate_project: Generate, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    name: str = request.param
    return generate_project(CASES[name], tmp_path_factory.mktemp("project") / name)


@pytest.mark.parametrize("target", ["check", "test"])
def test_make(run: Run, project: Path, target: str) -> None:
    # Nothing may depend on the time zone of the machine.
    result = run("make", target, cwd=project, TZ="America/New_York")

    assert result.returncode == 0, result.stdout + result.stderr
