"""The generated project's own checks and tests pass."""

import re
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


# What these have is in the others, or is tested in this repository's own tests of the runtime.
FURTHER = {
    "codegen_metrics",
    "custom_mixins",
    "figures_everything",
    "figures_one_window",
    "lights",
    "refunds",
    "tickets",
}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.nightly) if name in FURTHER else name for name in CASES],
)
def project(
    request: pytest.FixtureRequest, generate_project: Generate, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    name: str = request.param
    # Nodes of other tests are validated when they are generated, and ONEX's checkers look at these.
    return generate_project(CASES[name] | {"validation_level": "none"}, tmp_path_factory.mktemp("project") / name)


# Nothing may depend on the time zone of the machine.
ZONE = "America/New_York"


def test_make_check(run: Run, project: Path) -> None:
    result = run("make", "check", cwd=project, TZ=ZONE)

    assert result.returncode == 0, result.stdout + result.stderr
    # ONEX's own checkers count what is no failure to them.
    assert not re.search(r"\b[1-9]\d* (issues?|errors?)\b", result.stdout), result.stdout
    assert "[8/8 checks]" in result.stdout, result.stdout
    assert list((project / "build" / "pack").glob("*.oncp"))
    # What they left in `build` is none of the project's code, in a repository or not.
    again = run("make", "lint", cwd=project)
    assert again.returncode == 0, again.stdout


def test_make_test(run: Run, project: Path) -> None:
    result = run("make", "test", cwd=project, TZ=ZONE)

    assert result.returncode == 0, result.stdout + result.stderr
