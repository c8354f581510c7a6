"""Rules for values that are one of several models."""

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from ..language.contract import spell_out
from ..text.problems import Path, Problem, did_you_mean, show
from ..text.specs import Specs


class Rules(Protocol):
    """The part of the rules for whole contracts that is needed here."""

    raw: Specs
    models: dict[str, Specs]
    unions: dict[str, Specs]

    def clean(self, path: Path) -> bool:
        """Tell whether nothing at or below the path is wrong already."""

    def values(self, path: Path, value: object, fields: Specs) -> Iterator[Problem]:
        """Find what keeps a mapping from being a value of some fields."""


def check(rules: Rules) -> Iterator[Problem]:
    """Find what is wrong with models that are one of several.

    Args:
        rules: The rules for the whole contract.

    Yields:
        The problems.
    """
    models = rules.raw.get("models")
    for name, spec in models.items() if isinstance(models, Mapping) else ():
        path: Path = ("models", name)
        if not isinstance(spec, Mapping) or not rules.clean(path):
            continue
        if ("fields" in spec) == ("one_of" in spec):
            found = "fields and one_of" if "fields" in spec else "neither fields nor one_of"
            yield Problem(path, found, "one of them")
        elif "one_of" in spec and "discriminator" not in spec:
            yield Problem((*path, "discriminator"), "nothing", "the field that tells them apart")
        elif "one_of" in spec:
            yield from _union(rules, path, spec)
        elif "discriminator" in spec:
            yield Problem((*path, "discriminator"), "discriminator without one_of", "one_of beside it")


def _union(rules: Rules, path: Path, spec: Specs) -> Iterator[Problem]:
    taken: dict[object, str] = {}
    for index, name in enumerate(spec["one_of"]):
        place = (*path, "one_of", index)
        if name not in rules.models:
            yield Problem(place, show(name), "a model with fields", did_you_mean(name, rules.models))
            continue
        field = rules.models[name].get(spec["discriminator"])
        if not isinstance(field, (str, Mapping)):
            expected = f"a model with the field {spec['discriminator']}"
            yield Problem(place, f"{name}, without {spec['discriminator']}", expected)
            continue
        long = spell_out(field)
        if "const" not in long or long.get("type") != "string" or {"alias", "secret"} & long.keys():
            expected = "a required text with const, and neither alias nor secret"
            yield Problem(place, f"{name}, whose {spec['discriminator']} is none", expected)
        elif long.get("required", True) is False or "default" in long:
            yield Problem(place, f"{name}, whose {spec['discriminator']} may be left out", "a required text with const")
        elif taken.setdefault(long["const"], name) != name:
            found = f"{name}, with the {spec['discriminator']} of {taken[long['const']]}"
            yield Problem(place, found, "a value of its own in each")


def endless(needs: Mapping[str, Collection[str]], unions: Mapping[str, Specs]) -> Iterator[Problem]:
    """Find unions that no value ends: each of their models holds the union again.

    Args:
        needs: By model, the types that each of its values holds.
        unions: The unions.

    Yields:
        The problems.
    """
    ending: set[str] = set()
    waiting = {**needs, **unions}
    while found := {name for name in waiting if name not in ending and _ends(name, needs, unions, ending)}:
        ending |= found
    for name in unions:
        if name not in ending:
            yield Problem(
                ("models", name), "models that always contain each other", "one that ends, or required: false"
            )


def _ends(
    name: str, needs: Mapping[str, Collection[str]], unions: Mapping[str, Specs], ending: Collection[str]
) -> bool:
    if name in unions:
        return any(option in ending for option in unions[name].get("one_of") or ())
    return all(word in ending or (word not in needs and word not in unions) for word in needs[name])


def value(rules: Rules, path: Path, given: object, union: str) -> Iterator[Problem]:
    """Find what keeps a default or an example's value from being one of a union.

    Args:
        rules: The rules for the whole contract.
        path: Where the value is.
        given: The value.
        union: The union.

    Yields:
        The problems.
    """
    spec = rules.unions[union]
    key = str(spec.get("discriminator"))
    options = [name for name in spec.get("one_of") or () if name in rules.models]
    if not isinstance(given, Mapping):
        yield Problem(path, show(given), "a mapping of fields")
        return
    by_value = {spell_out(rules.models[name].get(key, "")).get("const"): name for name in options}
    name = by_value.get(given.get(key))
    if name is None:
        expected = f"one of {', '.join(map(str, by_value))}"
        yield Problem((*path, key), show(given.get(key)), expected)
    else:
        yield from rules.values(path, given, rules.models[name])
