# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""What a node's ONEX contract declares, held against what there is."""

import tomllib
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from omnibase_core.models.contracts.model_yaml_contract import ModelYamlContract


class Declared:
    """Tests of a node's ONEX contract; those of a node derive from this, and say what is its own.

    Attributes:
        ROOT: The project.
        MODULE: The node's package.
        NODE_YAML: The contract that the node was generated from, below the project.
        NODE_TYPE: ONEX's name of its type.
        REQUEST: The model of requests.
        RESPONSE: The model of answers.
        OPERATIONS: Names of operations, in order.
    """

    ROOT: ClassVar[Path]
    MODULE: ClassVar[str]
    NODE_YAML: ClassVar[str] = "node.yaml"
    NODE_TYPE: ClassVar[str]
    REQUEST: ClassVar[type[object]]
    RESPONSE: ClassVar[type[object]]
    OPERATIONS: ClassVar[type[Any]]

    @pytest.fixture
    def contract(self) -> dict[str, Any]:
        """ONEX's contract."""
        values: dict[str, Any] = yaml.safe_load(self._file().read_text(encoding="utf-8"))
        return values

    def _file(self) -> Path:
        return self.ROOT / "src" / Path(*self.MODULE.split(".")) / "contract.yaml"

    def test_onex_loads_it(self, contract: dict[str, Any]) -> None:
        assert ModelYamlContract.model_validate(contract).node_type.name == self.NODE_TYPE

    def test_models_and_handler_exist(self, contract: dict[str, Any]) -> None:
        handler = named(f"{contract['handler']['module']}.{contract['handler']['class']}")
        assert named(contract["input_model"]) is self.REQUEST
        assert named(contract["output_model"]) is self.RESPONSE
        file, name = contract["handler_routing"]["default_handler"].split(":")
        assert named(f"{self.MODULE}.{file}.{name}") is handler
        parameters = signature(handler).parameters.values()
        # ONEX's kernel gives an event bus only to a parameter that needs a value.
        assert handler(**{one.name: None for one in parameters if one.default is one.empty}).handle

    def test_topics_agree(self, contract: dict[str, Any]) -> None:
        (route,) = contract["handler_routing"]["handlers"]
        assert contract["event_bus"]["subscribe_topics"] == [route["subscribe_topic"]]
        assert contract["terminal_event"] in contract["event_bus"]["publish_topics"]

    def test_operations_are_those_of_node_yaml(self) -> None:
        node = yaml.safe_load((self.ROOT / self.NODE_YAML).read_text(encoding="utf-8"))
        names = [operation.value for operation in self.OPERATIONS]
        assert [operation["name"] for operation in node["operations"]] == names

    def test_entry_point_leads_to_the_node(self) -> None:
        project = tomllib.loads((self.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        file = self._file()
        assert project["entry-points"]["onex.nodes"][file.parent.name] == self.MODULE
        assert import_module(self.MODULE).__file__ == str(file.with_name("__init__.py"))


def named(path: str) -> Any:
    """Return what a dotted path leads to."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)
