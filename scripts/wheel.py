"""Puts what the commands work with, and the template, below the one package that the distribution installs."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PARTS = ("copier.yml", "extensions", "schemas", "runtime/onex_node_runtime", "runtime/doubles", "template")


class Rooms(BuildHookInterface[Any]):
    """Maps folders of the repository into the wheel; an editable install finds them where they are."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Say what goes where.

        Args:
            version: `standard`, or `editable`.
            build_data: What the wheel's builder is told.
        """
        if version == "standard":
            build_data["force_include"].update({part: f"copier_onex/{part}" for part in PARTS})
