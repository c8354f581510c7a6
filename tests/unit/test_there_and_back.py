"""A contract becomes ONEX's, and what is adopted from that is the contract, where ONEX's has room for it."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from examples.rendering import CONTRACTS, export_template, read_contract
from extensions.adopting.node import adopt
from extensions.language.contract import spell_out
from tests.contracts.render import Renderer

IMPLEMENTED = "ONEX says that there is an operation, and leaves to its handler how it works"
RUN = "ONEX leaves to whoever runs a node how it is run"
NO_ROOM = {
    "domain": "ONEX has no word for it",
    "features": RUN,
    "advanced_features.*": RUN,
    "integrations.*": "what a node depends on is told by its packages and settings alone",
    "dependencies.*": "they go into the distribution's metadata",
    "mixins": "they go into classes",
    "service.*": RUN,
    "operations.*.database.*": IMPLEMENTED,
    "operations.*.http.*": IMPLEMENTED,
    "operations.*.kafka.*": IMPLEMENTED,
    "operations.*.redis.*": IMPLEMENTED,
    "operations.*.compute.*": IMPLEMENTED,
    "operations.*.aggregate.*": IMPLEMENTED,
    "operations.*.workflow.*": IMPLEMENTED,
    "operations.*.handler": "what is implemented by a handler is adopted as one",
    "operations.*.publishes": "ONEX lists what a node publishes, and not which operation does",
    "operations.*.schedule.*": RUN,
    "operations.*.target.*": RUN,
    "operations.*.timeout_seconds": "what was left out is written down",
    "operations.*.examples": "they go into tests",
    "operations.aggregate.output.*": "the output of an aggregation is what it measures, in types of its own",
    "models.AggregateWindow*": "the output of an aggregation is what it measures, in types of its own",
    "models.AggregateIntent*": "the output of an aggregation is what it measures, in types of its own",
    "subcontracts.event_type.*": "ONEX lists topics of a node, and not which operation has them",
    "subcontracts.caching.*": RUN,
    "subcontracts.state_management.*": RUN,
    "subcontracts.fsm.on_undefined": RUN,
}


def told(contract: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a contract says, by path; fields are spelled out, and operations go by their names."""
    said: dict[str, Any] = dict(contract) | {"operations": {}}
    said["enums"] = {
        name: spec if isinstance(spec, dict) else {"values": spec} for name, spec in contract.get("enums", {}).items()
    }
    said["models"] = {
        name: model | {"fields": _spelled(model["fields"])} for name, model in contract.get("models", {}).items()
    }
    for operation in contract["operations"]:
        sides = {side: _spelled(operation[side]) for side in ("input", "output") if side in operation}
        said["operations"][operation["name"]] = operation | sides
    return dict(_leaves("", said))


def _spelled(fields: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, spec in fields.items():
        long = dict(spell_out(spec))
        for key in ("items", "values"):
            if key in long:
                long[key] = _spelled({key: long[key]})[key]
        made[name] = long
    return made


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any value of a contract
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), item)
    else:
        yield path, value


@pytest.fixture(scope="module")
def differences(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return the paths at which an example and what comes back differ, by the example's name."""
    folder = tmp_path_factory.mktemp("back")
    renderer = Renderer(export_template(folder / "template"))
    found: dict[str, list[str]] = {}
    for path in sorted(CONTRACTS.glob("*.yaml")):
        contract = read_contract(path)
        project = renderer.write(contract, folder / path.stem, "src/")
        (place,) = project.rglob("contract.yaml")
        before, after = told(contract), told(adopt(place.parent).contract)
        # Nothing is written down for an operation that takes or answers nothing.
        found[path.stem] = sorted(
            key for key in before.keys() | after.keys() if before.get(key, {}) != after.get(key, {})
        )
    return found


def test_what_comes_back_is_the_contract_but_for_what_has_no_room(differences: dict[str, list[str]]) -> None:
    lost = {
        name: rest
        for name, paths in differences.items()
        if (rest := [path for path in paths if not any(fnmatchcase(path, pattern) for pattern in NO_ROOM)])
    }
    assert lost == {}
    assert len(differences) == len(list(Path(CONTRACTS).glob("*.yaml")))


def test_what_has_no_room_is_used_by_an_example(differences: dict[str, list[str]]) -> None:
    every = [path for paths in differences.values() for path in paths]
    assert [pattern for pattern in NO_ROOM if not any(fnmatchcase(path, pattern) for path in every)] == []
