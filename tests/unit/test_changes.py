"""What callers and consumers notice of a changed contract, and the version that it asks for."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.rendering import ROOT, read_contract
from extensions.commands.validate_contract import main
from extensions.judging.judge import read
from extensions.language.changes import Effect, asked_version, changes, effect_of, is_enough

BASE: dict[str, Any] = {
    "name": "shelf",
    "package": "acme",
    "node_type": "effect",
    "version": "1.2.3",
    "enums": {"Colour": ["red", "green"]},
    "models": {
        "Box": {"fields": {"size": {"type": "integer", "minimum": 1}, "colour": "Colour"}},
        "Tree": {"fields": {"name": "string", "below": {"type": "array", "items": "Tree"}}},
    },
    "operations": [
        {
            "name": "put",
            "handler": "custom",
            "idempotent": True,
            "input": {
                "box": "Box",
                "note": {"type": "string", "maxLength": 10, "required": False},
                "count": {"type": "integer", "minimum": 0, "default": 1},
                "tree": "Tree",
            },
            "output": {
                "kept": "boolean",
                "box": {"type": "Box", "required": False},
                "level": {"type": "number", "maximum": 9},
                "names": {"type": "array", "items": {"type": "string", "pattern": "^a"}},
            },
        },
        {
            "name": "take",
            "handler": "custom",
            "publishes": "taken",
            "input": {"id": "uuid"},
            "output": {"ok": "boolean"},
        },
    ],
}
MAJOR, MINOR, PATCH = Effect.MAJOR, Effect.MINOR, Effect.PATCH


def put(raw: dict[str, Any], side: str) -> dict[str, Any]:
    found: dict[str, Any] = raw["operations"][0][side]
    return found


CASES: list[tuple[str, Callable[[dict[str, Any]], object], Effect, str]] = [
    ("nothing", lambda raw: raw.update(version="1.2.4"), PATCH, ""),
    ("description", lambda raw: raw.update(description="Other."), PATCH, ""),
    ("operation gone", lambda raw: raw["operations"].pop(1), MAJOR, "operations"),
    (
        "operation new",
        lambda raw: raw["operations"].append({**raw["operations"][0], "name": "look"}),
        MINOR,
        "operations[2]",
    ),
    ("package", lambda raw: raw.update(package="other"), MAJOR, "package"),
    ("callers unknown", lambda raw: raw.update(service={"auth": "none"}), PATCH, ""),
    ("callers known", lambda raw: raw.update(service={"auth": {"api_keys": True}}), MAJOR, "service.auth"),
    ("input gone", lambda raw: put(raw, "input").pop("note"), MAJOR, "operations[0].input"),
    (
        "input new",
        lambda raw: put(raw, "input").update(x={"type": "string", "default": ""}),
        MINOR,
        "operations[0].input.x",
    ),
    ("input new, needed", lambda raw: put(raw, "input").update(x="string"), MAJOR, "operations[0].input.x"),
    ("input default", lambda raw: put(raw, "input")["count"].update(default=2), MINOR, "operations[0].input.count"),
    ("input needed now", lambda raw: put(raw, "input")["count"].pop("default"), MAJOR, "operations[0].input.count"),
    ("input longer", lambda raw: put(raw, "input")["note"].update(maxLength=11), MINOR, "operations[0].input.note"),
    ("input shorter", lambda raw: put(raw, "input")["note"].update(maxLength=9), MAJOR, "operations[0].input.note"),
    ("input without limit", lambda raw: put(raw, "input")["note"].pop("maxLength"), MINOR, "operations[0].input.note"),
    (
        "input with pattern",
        lambda raw: put(raw, "input")["note"].update(pattern="^b"),
        MAJOR,
        "operations[0].input.note",
    ),
    (
        "input minimum from zero",
        lambda raw: put(raw, "input")["count"].update(minimum=1),
        MAJOR,
        "operations[0].input.count",
    ),
    (
        "input minimum dropped",
        lambda raw: put(raw, "input")["count"].pop("minimum"),
        MINOR,
        "operations[0].input.count",
    ),
    (
        "input to number",
        lambda raw: put(raw, "input")["count"].update(type="number"),
        MINOR,
        "operations[0].input.count",
    ),
    ("input to text", lambda raw: put(raw, "input").update(count="string"), MAJOR, "operations[0].input.count"),
    ("input alias", lambda raw: put(raw, "input")["note"].update(alias="Note"), MAJOR, "operations[0].input.note"),
    ("output gone", lambda raw: put(raw, "output").pop("kept"), MAJOR, "operations[0].output"),
    ("output new", lambda raw: put(raw, "output").update(x="string"), MINOR, "operations[0].output.x"),
    ("output wider", lambda raw: put(raw, "output")["level"].update(maximum=10), MAJOR, "operations[0].output.level"),
    ("output narrower", lambda raw: put(raw, "output")["level"].update(maximum=8), MINOR, "operations[0].output.level"),
    (
        "output whole",
        lambda raw: put(raw, "output")["level"].update(type="integer"),
        MINOR,
        "operations[0].output.level",
    ),
    ("output sure", lambda raw: put(raw, "output")["box"].update(required=True), MINOR, "operations[0].output.box"),
    (
        "output may be null",
        lambda raw: put(raw, "output")["level"].update(required=False),
        MAJOR,
        "operations[0].output.level",
    ),
    (
        "items",
        lambda raw: put(raw, "output")["names"]["items"].pop("pattern"),
        MAJOR,
        "operations[0].output.names.items",
    ),
    ("enum longer", lambda raw: raw["enums"]["Colour"].append("blue"), MAJOR, "operations[0].output.box.colour"),
    ("enum shorter", lambda raw: raw["enums"]["Colour"].pop(), MAJOR, "operations[0].input.box.colour"),
    (
        "model field",
        lambda raw: raw["models"]["Box"]["fields"]["size"].update(minimum=2),
        MAJOR,
        "operations[0].input.box.size",
    ),
    (
        "model in itself",
        lambda raw: raw["models"]["Tree"]["fields"].update(age={"type": "integer", "required": False}),
        MINOR,
        "operations[0].input.tree.age",
    ),
    ("not idempotent", lambda raw: raw["operations"][0].update(idempotent=False), MAJOR, "operations[0].idempotent"),
    ("event gone", lambda raw: raw["operations"][1].pop("publishes"), MAJOR, "operations[1].publishes"),
    ("event renamed", lambda raw: raw["operations"][1].update(publishes="moved"), MAJOR, "operations[1].publishes"),
    ("event's input", lambda raw: raw["operations"][1].update(input={"id": "string"}), MAJOR, "operations[1].input.id"),
]


def renamed_model(raw: dict[str, Any]) -> None:
    raw["models"]["Crate"] = raw["models"].pop("Box")
    put(raw, "input")["box"] = "Crate"
    put(raw, "output")["box"]["type"] = "Crate"


@pytest.mark.parametrize(("change", "effect", "place"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_change_has_its_effect(change: Callable[[dict[str, Any]], object], effect: Effect, place: str) -> None:
    raw = copy.deepcopy(BASE)
    change(raw)
    found = changes(read(BASE), read(raw))
    assert effect_of(found) is effect
    assert bool(found) is bool(place)
    assert not place or place in {one.place for one in found if one.effect is effect}


def test_a_model_may_be_renamed() -> None:
    raw = copy.deepcopy(BASE)
    renamed_model(raw)
    assert changes(read(BASE), read(raw)) == ()


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("c*/*.yaml")), ids=lambda path: path.stem)
def test_a_contract_does_not_differ_from_itself(path: Path) -> None:
    contract = read(read_contract(path))
    assert changes(contract, contract) == ()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(range(1, len(CASES))), max_size=3, unique=True))
def test_changes_that_are_undone_are_seen_from_both_sides(chosen: list[int]) -> None:
    raw = copy.deepcopy(BASE)
    for index in chosen:
        try:
            CASES[index][1](raw)
        except (LookupError, AttributeError):
            return  # another of them took away what it changes, or made text of it
    there, back = changes(read(BASE), read(raw)), changes(read(raw), read(BASE))
    assert bool(there) is bool(back)


@pytest.mark.parametrize(
    ("old", "effect", "asked"),
    [
        ("1.2.3", MAJOR, "2.0.0"),
        ("1.2.3", MINOR, "1.3.0"),
        ("1.2.3", PATCH, "1.2.3"),
        ("0.2.3", MAJOR, "0.3.0"),
        ("0.2.3", MINOR, "0.3.0"),
    ],
)
def test_versions(old: str, effect: Effect, asked: str) -> None:
    assert asked_version(old, effect) == asked
    assert is_enough(asked, asked)
    assert not is_enough("0.1.0", asked)


def test_the_command_tells_and_refuses_only_when_it_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    raw = copy.deepcopy(BASE)
    raw["operations"].pop(1)
    old.write_text(yaml.safe_dump(BASE), encoding="utf-8")
    new.write_text(yaml.safe_dump(raw), encoding="utf-8")
    assert main([str(new), "--against", str(old)]) == 0
    told = capsys.readouterr().out
    assert "breaking: operation take is gone" in told
    assert "warning: version: found 1.2.3, expected 2.0.0 or later" in told
    assert main([str(new), "--against", str(old), "--strict"]) == 1
    capsys.readouterr()
    new.write_text(yaml.safe_dump({**raw, "version": "2.0.0"}), encoding="utf-8")
    assert main([str(new), "--against", str(old), "--strict"]) == 0
    capsys.readouterr()
    assert main([str(new), "--against", str(tmp_path / "none.yaml")]) == 1
    assert "none.yaml" in capsys.readouterr().out


BEARER = {"issuer": "https://a.example/", "audience": "shelf", "jwks_url": "https://a.example/keys"}
KNOWN: dict[str, Any] = {"api_keys": True, "metrics_scopes": ["m"]}


@pytest.mark.parametrize(
    ("auth", "scopes", "effect", "place"),
    [
        (KNOWN, ["a", "b"], PATCH, ""),
        (KNOWN, ["b", "a"], PATCH, ""),
        (KNOWN, ["a", "b", "c"], MAJOR, "operations[0].scopes"),
        (KNOWN, ["a"], MINOR, "operations[0].scopes"),
        ({"api_keys": True}, ["a", "b"], MINOR, "service.auth.metrics_scopes"),
        ({**KNOWN, "metrics_scopes": []}, ["a", "b"], MINOR, "service.auth.metrics_scopes"),
        ({**KNOWN, "metrics_scopes": ["n"]}, ["a", "b"], MAJOR, "service.auth.metrics_scopes"),
        ({**KNOWN, "bearer": BEARER}, ["a", "b"], MINOR, "service.auth.bearer"),
        ({"bearer": BEARER, "metrics_scopes": ["m"]}, ["a", "b"], MAJOR, "service.auth.api_keys"),
        ({**KNOWN, "api_keys": {"header": "X-Key"}}, ["a", "b"], MAJOR, "service.auth.api_keys.header"),
    ],
)
def test_what_callers_need_is_compared(auth: dict[str, Any], scopes: list[str], effect: Effect, place: str) -> None:
    old, new = copy.deepcopy(BASE), copy.deepcopy(BASE)
    for raw, known, needed in ((old, KNOWN, ["a", "b"]), (new, auth, scopes)):
        raw["service"] = {"auth": known}
        raw["operations"][0]["scopes"] = needed
    found = changes(read(old), read(new))
    assert effect_of(found) is effect
    assert not place or place in [change.place for change in found]
    back = changes(read(new), read(old))
    assert bool(back) is bool(found)


@pytest.mark.parametrize(
    ("changed", "effect"),
    [
        ({"jwks_url": "https://b.example/keys", "clock_skew_seconds": 5}, PATCH),
        ({"audience": ["shelf"]}, PATCH),
        ({"audience": ["shelf", "more"]}, MINOR),
        ({"audience": "other"}, MAJOR),
        ({"algorithms": ["RS256", "ES256", "PS256"]}, MINOR),
        ({"algorithms": ["RS256"]}, MAJOR),
        ({"issuer": "https://b.example/"}, MAJOR),
        ({"scopes_claim": "scp"}, MAJOR),
    ],
)
def test_what_tokens_have_to_be_is_compared(changed: dict[str, Any], effect: Effect) -> None:
    old, new = (copy.deepcopy(BASE) | {"service": {"auth": {"bearer": BEARER | more}}} for more in ({}, changed))
    assert effect_of(changes(read(old), read(new))) is effect
