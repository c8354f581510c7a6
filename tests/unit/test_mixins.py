"""The catalogue of mixins, held against the installed omnibase_core, and what it says about contracts."""

import importlib
import inspect
import itertools
import pkgutil
from pathlib import Path
from typing import Any, get_type_hints

import omnibase_core.mixins
import omnibase_core.nodes
import pytest
from jsonschema import Draft202012Validator
from mypy import api
from omnibase_core.infrastructure import infra_bases
from omnibase_core.models.container import ModelONEXContainer

from extensions.deciding.decisions import decide_base_class
from extensions.judging.judge import judge, read
from extensions.judging.legacy import warnings
from extensions.language.mixins import CATALOGUE, DEFAULT_MIXINS, NODE_TYPES, Entry

BARE: dict[str, Any] = {
    "name": "greet",
    "package": "acme",
    "node_type": "effect",
    "operations": [{"name": "greet", "handler": "custom"}],
}
PRESENT = [entry for entry in CATALOGUE.values() if entry.status != "absent"]
USABLE = [entry for entry in PRESENT if entry.status == "composes"]
BASES = {
    f"{prefix}{kind.capitalize()}": getattr(module, f"{prefix}{kind.capitalize()}")
    for prefix, module in (("Node", omnibase_core.nodes), ("ModelService", infra_bases))
    for kind in NODE_TYPES
}


def mixin_class(name: str) -> type:
    found: type = getattr(importlib.import_module(CATALOGUE[name].module), name)
    return found


def build(*bases: type) -> object:
    kind = type("Composed", bases, {})
    return kind(ModelONEXContainer())


def contract(*mixins: str | dict[str, Any], **keys: object) -> dict[str, Any]:
    return BARE | {"mixins": [{"name": mixin} if isinstance(mixin, str) else mixin for mixin in mixins]} | keys


def test_catalogue_has_every_mixin_of_the_package_and_no_other() -> None:
    installed = set()
    for module in pkgutil.iter_modules(omnibase_core.mixins.__path__):
        loaded = importlib.import_module(f"omnibase_core.mixins.{module.name}")
        installed |= {
            name
            for name, value in vars(loaded).items()
            if inspect.isclass(value) and value.__module__ == loaded.__name__ and name.startswith("Mixin")
        }
    elsewhere = {name for kind in BASES.values() for name in (base.__name__ for base in kind.__mro__)}
    installed |= {name for name in elsewhere if name.startswith("Mixin")}

    assert installed == {entry.name for entry in PRESENT}


@pytest.mark.parametrize("entry", PRESENT, ids=lambda entry: entry.name)
def test_entry(entry: Entry) -> None:
    mixin = mixin_class(entry.name)

    assert {name for name, base in BASES.items() if mixin in base.__mro__} == set(entry.built_into)
    assert entry.purpose.endswith(".")
    assert entry.status == "composes" or (entry.reason and entry.instead)


@pytest.mark.parametrize("entry", PRESENT, ids=lambda entry: entry.name)
def test_composition(entry: Entry) -> None:
    mixin = mixin_class(entry.name)

    for kind in NODE_TYPES:
        base = BASES[f"Node{kind.capitalize()}"]
        if mixin in base.__mro__:
            continue
        if entry.composes:
            assert mixin in type(build(base, mixin)).__mro__
        else:
            with pytest.raises((TypeError, AttributeError)):
                build(base, mixin)


def test_usable_mixins_compose_in_any_order() -> None:
    for first, second in itertools.permutations(USABLE, 2):
        if second.name not in first.conflicts and first.name not in second.conflicts:
            build(BASES["NodeEffect"], mixin_class(first.name), mixin_class(second.name))


def test_conflicts_are_methods_with_different_results() -> None:
    shared = {}
    for first, second in itertools.combinations(USABLE, 2):
        one, other = mixin_class(first.name), mixin_class(second.name)
        for method in (set(vars(one)) & set(vars(other))) - {"__init__"}:
            if inspect.isfunction(vars(one)[method]):
                results = [get_type_hints(vars(kind)[method]).get("return") for kind in (one, other)]
                if results[0] != results[1]:
                    shared[first.name, second.name] = method

    known = {tuple(sorted((entry.name, other))) for entry in USABLE for other in entry.conflicts}
    assert set(shared) == known == {("MixinDiscoveryResponder", "MixinHealthCheck")}


@pytest.mark.parametrize("entry", [entry for entry in PRESENT if entry.config], ids=lambda entry: entry.name)
def test_configuration_schema(entry: Entry) -> None:
    for schema in entry.config.values():
        Draft202012Validator.check_schema(schema)
        assert schema["description"].endswith(".")
        if "default" in schema:
            Draft202012Validator(schema).validate(schema["default"])


@pytest.mark.parametrize("entry", [e for e in CATALOGUE.values() if e.status == "absent"], ids=lambda e: e.name)
def test_absent_mixin_gets_what_serves_instead(entry: Entry) -> None:
    raw = contract({"name": entry.name, "config": {"any": 1}})

    assert judge(raw) == []
    (warning,) = [found for found in warnings(raw) if found.place.startswith("mixins")]
    assert entry.instead in str(warning)
    assert read(raw).features == ((entry.feature,) if entry.feature else ())
    assert decide_base_class(read(raw)).mixins == DEFAULT_MIXINS


@pytest.mark.parametrize("entry", [e for e in PRESENT if e.status == "unfit"], ids=lambda e: e.name)
def test_unfit_mixin(entry: Entry) -> None:
    if "NodeEffect" in entry.built_into:
        assert judge(contract(entry.name)) == []
        assert [warning.place for warning in warnings(contract(entry.name))] == ["mixins[0].name"]
    else:
        (problem,) = judge(contract(entry.name))
        assert problem.place == "mixins[0].name"
        assert entry.instead in problem.expected
    assert judge(contract({"name": entry.name, "enabled": False})) == []
    assert decide_base_class(read(contract({"name": entry.name, "enabled": False}))).mixins == DEFAULT_MIXINS


@pytest.mark.parametrize("entry", USABLE, ids=lambda e: e.name)
def test_usable_mixin_becomes_a_base(entry: Entry) -> None:
    raw = contract(entry.name, features=["custom_mixins"])

    assert judge(raw) == []
    assert len(warnings(raw)) == len(entry.requires)
    assert decide_base_class(read(raw)).mixins == (entry.name,)


@pytest.mark.parametrize(
    ("mixins", "keys", "place"),
    [
        (["MixinMetricz"], {}, "mixins[0].name"),
        (["MixinCaching", "MixinCaching"], {}, "mixins[1].name"),
        (["MixinDiscoveryResponder"], {}, "mixins[0].name"),
        (["MixinDiscoveryResponder", "MixinHealthCheck"], {"features": ["custom_mixins"]}, "mixins[0].name"),
        (["MixinDiscoveryResponder"], {"features": ["custom_mixins", "service_mode"]}, "mixins[0].name"),
        (["MixinRequestResponseIntrospection", "MixinDebugDiscoveryLogging"], {}, "mixins[1].name"),
        ([{"name": "MixinCaching", "config": {"ttl": 1}}], {}, "mixins[0].config.ttl"),
        ([{"name": "MixinMetrics", "config": {"collect_latencie": True}}], {}, "mixins[0].config.collect_latencie"),
        ([{"name": "MixinMetrics", "config": {"collect_cost": "yes"}}], {}, "mixins[0].config.collect_cost"),
        ([{"name": "MixinMetrics", "config": {"histogram_buckets": [5, 1]}}], {}, "mixins[0].config.histogram_buckets"),
        (
            [{"name": "MixinHealthCheck", "config": {"components": [{"name": "db", "timeout_seconds": 0}]}}],
            {},
            "mixins[0].config.components[0].timeout_seconds",
        ),
        ([{"name": "MixinHealthCheck", "config": {"components": [{}]}}], {}, "mixins[0].config.components[0]"),
    ],
)
def test_mixin_that_is_refused(mixins: list[str | dict[str, Any]], keys: dict[str, object], place: str) -> None:
    assert [problem.place for problem in judge(contract(*mixins, **keys))] == [place]


def test_mixin_without_what_it_needs_is_a_warning() -> None:
    (warning,) = warnings(contract("MixinDebugDiscoveryLogging"))

    assert "without MixinRequestResponseIntrospection" in warning.found
    assert list(warnings(contract("MixinDebugDiscoveryLogging", "MixinRequestResponseIntrospection"))) == []


@pytest.mark.slow
def test_types_of_mixins_fit_together_unless_the_catalogue_says_otherwise(tmp_path: Path) -> None:
    clashes = {(entry.name, other) for entry in USABLE for other in entry.conflicts}
    clashes |= {(other, name) for name, other in clashes}
    clashes |= {(other, entry.name) for entry in USABLE for other in entry.before}
    pairs = list(itertools.permutations((entry.name for entry in USABLE), 2))
    lines = ["from omnibase_core.nodes import NodeEffect"]
    lines += [f"from {entry.module} import {entry.name}" for entry in USABLE]
    first = len(lines) + 1
    lines += [f"class Of{index}(NodeEffect, {one}, {other}): ..." for index, (one, other) in enumerate(pairs)]
    source = tmp_path / "pairs.py"
    source.write_text("\n".join(lines) + "\n")

    output, _, _ = api.run(["--strict", "--no-incremental", "--no-error-summary", str(source)])

    found = {pairs[int(line.split(":")[1]) - first] for line in output.splitlines()}
    assert found == clashes


def test_unknown_mixin_names_the_nearest_known_one() -> None:
    (problem,) = judge(contract("MixinHelthCheck"))

    assert "MixinHealthCheck" in problem.hint


def test_feature_that_asks_for_a_mixin() -> None:
    base = decide_base_class(read(BARE | {"features": ["strict"]}))

    assert base.mixins == (*DEFAULT_MIXINS, "MixinFailFast")
    assert "features: fail_fast" in base.decision.reasons


def test_mixin_that_is_turned_off() -> None:
    base = decide_base_class(read(contract({"name": "MixinMetrics", "enabled": False})))

    assert base.mixins == ("MixinHealthCheck",)


def test_service_mode_has_mixins_of_its_own() -> None:
    raw = contract("MixinNodeService", "MixinHealthCheck", "MixinCaching", features=["service_mode"])

    assert judge(raw) == []
    assert [warning.place for warning in warnings(raw)] == ["mixins[0].name", "mixins[1].name"]
    assert decide_base_class(read(raw)).mixins == ("MixinCaching",)


@pytest.mark.parametrize("value", [3, "x", None, [3], [None], [{"name": 3}], [{"name": "MixinMetrics", "config": 3}]])
def test_mixins_of_the_wrong_form_are_one_problem(value: object) -> None:
    assert len(judge(BARE | {"mixins": value})) == 1
