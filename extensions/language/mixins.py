"""The catalogue of omnibase_core's mixins: what composes with a node, and what serves in place of the others.

The catalogue is data; a test holds it against the installed package.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from ..home import DATA
from ..text.exact import ExactValidator
from ..text.problems import Problem, did_you_mean, show
from .classify import node_type

NODE_TYPES: Final = ("effect", "compute", "reducer", "orchestrator")
DEFAULT_MIXINS: Final = ("MixinHealthCheck", "MixinMetrics")


@dataclass(frozen=True, slots=True)
class Entry:
    """What the catalogue says about a mixin.

    Attributes:
        name: The mixin.
        module: Where it is; empty where omnibase_core has it no more.
        purpose: What it is for.
        status: `composes`, `unfit` for what is broken or of no use on a node, or `absent`.
        composes: Whether a class that derives from `Node<Type>` and it can be built, for all four types.
        built_into: Base classes that have it already.
        reason: Why it is unfit.
        instead: What serves instead.
        feature: The feature that asks for it, or that serves instead.
        conflicts: Mixins that it can't be combined with, and why.
        requires: Mixins without which it has no effect, and why.
        before: Mixins that it has to stand before, and why.
        config: JSON Schema by key of its configuration, with defaults; empty where it has none.
    """

    name: str
    module: str
    purpose: str
    status: str
    composes: bool = True
    built_into: tuple[str, ...] = ()
    reason: str = ""
    instead: str = ""
    feature: str = ""
    conflicts: Mapping[str, str] = field(default_factory=dict)
    requires: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)


def _load() -> dict[str, Entry]:
    data = json.loads((DATA / "mixins.json").read_text(encoding="utf-8"))
    return {
        name: Entry(name=name, **(spec | {"built_into": tuple(spec.get("built_into", ()))}))
        for name, spec in data.items()
    }


CATALOGUE: Final = _load()


def base_class(raw: Mapping[str, Any]) -> str:
    """Return the name of ONEX's base class for a contract, which may have problems."""
    kind = node_type(raw)
    prefix = "ModelService" if "service_mode" in _words(raw) else "Node"
    return f"{prefix}{kind.capitalize()}"


def chosen(specs: object) -> tuple[str, ...]:
    """Return the mixins that a list of mixins adds to a node, in its order."""
    return tuple(name for _, name, spec in _listed(specs) if _is_on(spec) and CATALOGUE[name].status == "composes")


def served_features(specs: object) -> tuple[str, ...]:
    """Return the features that serve instead of mixins that omnibase_core has no more."""
    entries = [CATALOGUE[name] for _, name, spec in _listed(specs) if _is_on(spec)]
    return tuple(entry.feature for entry in entries if entry.status == "absent" and entry.feature)


def check(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Find mixins that can't become part of the node.

    Args:
        raw: The contract; parts of it may not meet the schema.

    Yields:
        Unknown names, unfit mixins, repeated ones, impossible combinations and orders, and wrong configurations.
    """
    specs = raw.get("mixins")
    for index, spec in enumerate(specs if isinstance(specs, list) else []):
        name = spec.get("name") if isinstance(spec, Mapping) else None
        if isinstance(name, str) and name not in CATALOGUE:
            usable = [entry.name for entry in CATALOGUE.values() if entry.status == "composes"]
            hint = did_you_mean(name, CATALOGUE) or f"those that compose are {', '.join(usable)}"
            yield Problem(("mixins", index, "name"), show(name), "a mixin of the catalogue", hint)
    seen: list[str] = []
    base = base_class(raw)
    for index, name, spec in _listed(specs):
        entry = CATALOGUE[name]
        if name in seen:
            yield Problem(("mixins", index, "name"), f"{name} a second time", "each mixin once")
        seen.append(name)
        if _is_on(spec) and entry.status == "unfit" and base not in entry.built_into:
            found = f"{name}, which is of no use on a {base}: {entry.reason}"
            yield Problem(("mixins", index, "name"), found, f"instead of it {entry.instead}")
        if entry.status == "composes":
            yield from _config(index, entry, spec.get("config", {}))
    yield from _conflicts(raw, base)


def _config(index: int, entry: Entry, config: object) -> Iterator[Problem]:
    if not isinstance(config, Mapping):
        return
    for key in config:
        if key not in entry.config:
            expected = f"one of {', '.join(sorted(entry.config))}" if entry.config else "no configuration of this mixin"
            hint = did_you_mean(key, entry.config)
            yield Problem(("mixins", index, "config", key), f"the unknown key {show(key)}", expected, hint)
    places = set()
    for error in sorted(_validator(entry.name).iter_errors(config), key=lambda error: list(map(str, error.path))):
        if error.path and error.json_path in places:
            continue
        places.add(error.json_path)
        path = ("mixins", index, "config", *error.absolute_path)
        limit = ", ".join(map(str, error.validator_value)) if error.validator == "required" else error.validator_value
        expected = f"{error.validator}: {limit}" if not isinstance(limit, (dict, bool)) else "a key of the catalogue"
        yield Problem(path, show(error.instance), f"a value that meets {expected}")
    buckets = config.get("histogram_buckets")
    rising = not isinstance(buckets, list) or all(low < high for low, high in itertools.pairwise(_numbers(buckets)))
    if not rising:
        yield Problem(("mixins", index, "config", "histogram_buckets"), show(buckets), "numbers that rise")


def _numbers(values: list[Any]) -> list[float]:
    return [value for value in values if isinstance(value, (int, float))]


@cache
def _validator(name: str) -> Any:
    return ExactValidator({"type": "object", "properties": dict(CATALOGUE[name].config)})


def _conflicts(raw: Mapping[str, Any], base: str) -> Iterator[Problem]:
    listed = {name: index for index, name, spec in _listed(raw.get("mixins")) if _is_on(spec)}
    present = {name for name, entry in CATALOGUE.items() if base in entry.built_into} | listed.keys()
    if "custom_mixins" not in _words(raw):
        present |= set(DEFAULT_MIXINS)
    for name, index in listed.items():
        for other, reason in CATALOGUE[name].before.items():
            if listed.get(other, index) < index:
                found = f"{name} after {other}: {reason}"
                yield Problem(("mixins", index, "name"), found, f"{name} before {other}")
        for other, reason in CATALOGUE[name].conflicts.items():
            if other in present:
                hint = f"under features: [custom_mixins] the node has no {other}" if other not in listed else ""
                yield Problem(("mixins", index, "name"), f"{name} beside {other}: {reason}", "one of them", hint)


def warnings(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Find mixins that a contract names without effect.

    Args:
        raw: A contract without problems.

    Yields:
        Those that are built into the base class, those that something else serves for today, and those that have no
        effect without another one.
    """
    base = base_class(raw)
    present = {name for _, name, spec in _listed(raw.get("mixins")) if _is_on(spec)}
    for index, name, spec in _listed(raw.get("mixins")):
        entry = CATALOGUE[name]
        path = ("mixins", index, "name")
        if not _is_on(spec):
            continue
        if entry.status == "absent":
            found = f"{name}, which omnibase_core does not have"
            yield Problem(path, found, f"what serves instead: {entry.instead}")
        elif base in entry.built_into and not spec.get("config"):
            yield Problem(path, f"{name}, which is built into {base}", "no mention of it")
        for other, reason in entry.requires.items():
            if other not in present and base not in CATALOGUE[other].built_into:
                yield Problem(path, f"{name} without {other}: {reason}", f"{other} after it")


def _words(raw: Mapping[str, Any]) -> list[Any]:
    words = raw.get("features")
    return words if isinstance(words, list) else []


def _listed(specs: object) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    for index, spec in enumerate(specs if isinstance(specs, list) else []):
        name = spec.get("name") if isinstance(spec, Mapping) else None
        if isinstance(name, str) and name in CATALOGUE:
            yield index, name, spec


def _is_on(spec: Mapping[str, Any]) -> bool:
    return spec.get("enabled", True) is not False
