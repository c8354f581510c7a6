"""Versions and hashes of what is installed for a node."""

import itertools
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from examples.rendering import CONTRACTS, read_contract
from extensions.judging.judge import ContractError, read
from extensions.viewing.build import view
from extensions.viewing.packages import pinned
from scripts.pin import BUILD, CLOSURES, INFRA, LOCKED
from tests.unit.test_view import node


def names(lines: Iterable[str]) -> set[str]:
    return {re.split(r"[\[=]", line)[0] for line in lines}


def test_files_of_all_that_is_installed_have_hashes() -> None:
    packages = view(read(read_contract(CONTRACTS / "distributed_lock.yaml"))).packages
    run, dev = names(packages.run_lock), names(packages.dev_lock)
    assert {re.split("[<>]", name)[0] for name in packages.requirements} <= run
    assert {re.split("[<>]", name)[0] for name in packages.dev_requirements} <= dev
    assert {"asyncpg", "pydantic-core"} <= run
    assert not run & dev
    assert "omnibase-infra" in names(packages.infra_lock)
    assert {"hatchling", "editables"} <= names(packages.build_lock)
    locks = (packages.run_lock, packages.dev_lock, packages.infra_lock, packages.build_lock)
    for entry in itertools.chain(*locks):
        assert re.fullmatch(
            r"[a-z0-9-]+(\[[a-z0-9,]+\])?==\S+( ; [^\\\n]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+", entry
        ), entry
    assert packages.unlocked == ()


@pytest.mark.parametrize(
    ("requirement", "locked", "unlocked"),
    [
        ("hypothesis>=6", {"hypothesis", "sortedcontainers"}, ()),
        ("PYTHON_JsonPath", {"python-jsonpath"}, ()),
        ("aiokafka<0.1", set(), ("aiokafka",)),
        ("redis[hiredis]>=6", {"redis"}, ("redis",)),
        ("pyjwt[crypto]>=2", {"pyjwt"}, ()),
        ("certifi", set(), ()),
        ("Nothing.Known>=1", set(), ("nothing-known",)),
    ],
)
def test_what_a_contract_names_has_hashes_where_the_template_knows_it(
    requirement: str, locked: set[str], unlocked: tuple[str, ...]
) -> None:
    plain = names(node({"handler": "custom"}).packages.run_lock)
    packages = node({"handler": "custom", "requirements": [requirement]}).packages
    assert names(packages.run_lock) - plain >= locked
    assert bool(locked) == (names(packages.run_lock) > plain)
    assert packages.unlocked == unlocked


def test_distribution_of_the_runtime_has_no_hashes_and_what_it_needs_has() -> None:
    packages = node({"handler": "custom"}, runtime="package").packages
    assert packages.unlocked == ("onex-node-runtime",)
    assert "prometheus-client" in names(packages.run_lock)


def test_marker_stands_where_all_who_need_a_distribution_have_one() -> None:
    lines = pinned(["pytest", "uvicorn", "hypothesis"])
    assert [line for line in lines if line.startswith("colorama")] == ['colorama==0.4.6 ; (sys_platform == "win32")']
    assert all(" ; " not in line for line in pinned(["pydantic"]) if line.startswith("pydantic"))


@pytest.mark.parametrize("requirement", ["pydantic<2", "HTTPX==0.1", "omnibase_core>=1", "pytest!=9.2.0,<1"])
def test_version_that_no_node_can_run_with_is_a_mistake(requirement: str) -> None:
    with pytest.raises(ContractError, match=r"operations\[0\]\.requirements\[0\].*every node"):
        node({"handler": "custom", "requirements": [requirement]})


@pytest.fixture(scope="module")
def closures() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(CLOSURES.read_text(encoding="utf-8"))
    return found


def test_each_requirement_is_pinned_within_its_bounds(root: Path, closures: dict[str, list[str]]) -> None:
    groups = json.loads((root / "extensions" / "data" / "requirements.json").read_text(encoding="utf-8"))
    wanted = {text for group in groups.values() for part in group.values() for text in part}
    for requirement in map(Requirement, wanted | {INFRA, *BUILD}):
        (line,) = (one for one in map(Requirement, closures[requirement.name]) if one.name == requirement.name)
        (pin,) = line.specifier
        assert requirement.specifier.contains(pin.version), requirement


def test_versions_are_those_of_the_lock_with_its_hashes(root: Path, closures: dict[str, list[str]]) -> None:
    lock, locked = (hashes((root / path).read_text(encoding="utf-8")) for path in ("requirements.lock", LOCKED))
    lines = [Requirement(line) for closure in closures.values() for line in closure]
    # What this machine does not need is not in the lock, and has a marker.
    here = {f"{line.name}{line.specifier}" for line in lines if line.marker is None and line.name != "editables"}
    assert here <= lock.keys()
    assert {f"{line.name}{line.specifier}" for line in lines} == locked.keys()
    assert {version: locked[version] for version in locked.keys() & lock.keys()} == {
        version: lock[version] for version in locked.keys() & lock.keys()
    }


def hashes(text: str) -> dict[str, list[str]]:
    entries = re.split(r"\n(?=[a-z0-9])", text)
    return {entry.partition(" ")[0]: re.findall(r"--hash=(\S+)", entry) for entry in entries}


def test_the_extra_is_what_is_pinned(root: Path) -> None:
    assert f'infra = ["{INFRA}"]' in (root / "template" / "pyproject.toml.j2").read_text(encoding="utf-8")


def test_the_makefile_names_files_that_there_are(root: Path) -> None:
    named = re.findall(r"\b[\w/]+\.txt\b", (root / "template" / "Makefile.j2").read_text(encoding="utf-8"))
    there = {f"requirements/{path.name.removesuffix('.j2')}" for path in (root / "template/requirements").iterdir()}
    assert set(named) <= there | {"venv/pinned.txt"}
