"""Values that the contract gives to a field fit every place that the field is used in."""

import json
from typing import Any

import pytest

from extensions.judging.judge import ContractError, read
from extensions.viewing.build import view

PATH = {"http": {"method": "GET", "path": "/things/${input.id}/parts"}}
KEY = {"redis": {"command": "get", "key": "thing:${input.id}", "returns": {"into": "found_text"}}}
FILE = {"filesystem": {"action": "read", "path": "things/${input.id}", "returns": {"into": "found_text"}}}


def contract_of(implementation: dict[str, Any], field: dict[str, Any], **more: object) -> dict[str, Any]:
    return {
        "name": "things",
        "node_type": "effect",
        "version": "1.0.0",
        "package": "shop_nodes",
        "description": "Look things up.",
        "domain": "shop",
        "operations": [
            {
                "name": "look_up",
                "description": "Look a thing up.",
                "input": {"id": {"type": "string", **field}, "like": {"type": "string", "default": ""}},
                "output": {"found_text": {"type": "string", "required": False}},
                **implementation,
                **more,
            }
        ],
    } | ({"integrations": {"api_client": {"base_url": "http://localhost"}}} if "http" in implementation else {})


@pytest.mark.parametrize("implementation", [PATH, KEY, FILE], ids=["http", "redis", "filesystem"])
@pytest.mark.parametrize(
    ("field", "more", "place"),
    [
        ({"default": ""}, {}, "input.id.default"),
        ({"const": ""}, {}, "input.id.const"),
        ({"maxLength": 0}, {}, "input.id.maxLength"),
        ({"enum": ["a", ""]}, {}, r"input.id.enum\[1\]"),
        (
            {},
            {"examples": [{"input": {"id": "a"}, "output": {}}, {"input": {"id": ""}, "output": {}}]},
            r"examples\[1\].input.id",
        ),
    ],
)
def test_values_that_a_place_does_not_take_are_mistakes(
    implementation: dict[str, Any], field: dict[str, Any], more: dict[str, Any], place: str
) -> None:
    with pytest.raises(ContractError, match=rf"operations\[0\]\.{place}: .* can be made of") as caught:
        read(contract_of(implementation, field, **more))
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("implementation", [PATH, FILE], ids=["http", "filesystem"])
def test_paths_take_no_dots(implementation: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match="can be made of"):
        read(contract_of(implementation, {"default": ".."}))


@pytest.mark.parametrize("implementation", [PATH, KEY, FILE], ids=["http", "redis", "filesystem"])
def test_values_that_the_place_takes_are_fine(implementation: dict[str, Any]) -> None:
    read(contract_of(implementation, {"default": "a"}, examples=[{"input": {"id": "b..", "like": ""}, "output": {}}]))


def test_last_segment_may_be_empty_where_that_is_the_default() -> None:
    listing = {"http": {"method": "GET", "path": "/things/${input.id}"}}
    made = view(read(contract_of(listing, {"default": ""}))).operations[0]
    assert made.calls is not None
    assert "segment(request.id, may_be_empty=True)" in dict(made.calls.arguments)["path"]
    with pytest.raises(ContractError, match="can be made of"):
        read(contract_of(listing, {"maxLength": 0}))


@pytest.mark.parametrize("implementation", [PATH, KEY, FILE], ids=["http", "redis", "filesystem"])
@pytest.mark.parametrize(
    ("field", "enums", "place"),
    [
        ({"default": ""}, [], r"models\.ModelThing\.fields\.id\.default"),
        ({"maxLength": 0}, [], r"models\.ModelThing\.fields\.id\.maxLength"),
        ({"enum": ["a", ""]}, [], r"models\.ModelThing\.fields\.id\.enum\[1\]"),
        ({"type": "Kind"}, ["a", ""], r"enums\.Kind\[1\]"),
    ],
)
def test_fields_of_models_are_no_exception(
    implementation: dict[str, Any], field: dict[str, Any], enums: list[str], place: str
) -> None:
    contract = contract_of(implementation, {})
    operation = json.loads(json.dumps(contract["operations"][0]).replace("input.id", "input.thing.id"))
    operation["input"] = {"thing": "ModelThing"}
    contract["operations"] = [operation]
    contract["models"] = {"ModelThing": {"fields": {"id": {"type": "string"} | field}}}
    contract |= {"enums": {"Kind": enums}} if enums else {}
    with pytest.raises(ContractError, match=f"^.*\n?.*{place}: .* can be made of") as caught:
        read(contract)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("value", ["a\nb", "é", "\u2028"])
def test_headers_take_printable_ascii(value: str) -> None:
    headed = {"http": {"method": "GET", "path": "/", "headers": {"X-Id": "a ${input.id}"}}}
    with pytest.raises(ContractError, match=r"input\.id\.default: .*printable ASCII"):
        read(contract_of(headed, {"default": value}))


def test_names_of_files_have_a_length() -> None:
    with pytest.raises(ContractError, match="at most 255 bytes"):
        read(contract_of(FILE, {"default": "é" * 130}))
    read(contract_of(PATH, {"default": "é" * 130}))


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ({"default": 0}, "default"),
        ({"default": -1}, "default"),
        ({"const": 0}, "const"),
        ({"enum": [60, 0]}, r"enum\[1\]"),
        ({"maximum": 0}, "maximum"),
    ],
)
def test_keys_live_for_a_second_at_least(field: dict[str, Any], place: str) -> None:
    stored = {"command": "set", "key": "k", "value": "${input.id}", "ttl_seconds": "${input.id}"}
    output: dict[str, Any] = {"output": {"ok": "boolean"}}
    made = contract_of({"redis": stored} | output, {"type": "integer"} | field)
    with pytest.raises(ContractError, match=rf"input\.id\.{place}: .*at least 1"):
        read(made)
    read(contract_of({"redis": stored} | output, {"type": "integer", "default": 60, "maximum": 3600}))


@pytest.mark.parametrize(
    "query", ["SELECT $1 AS n LIMIT $1", "SELECT 1 AS n OFFSET $1", "SELECT 1 AS n FETCH FIRST $1 ROWS ONLY"]
)
@pytest.mark.parametrize("parameter", ["id", "${input.id}"])
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(("field", "place"), [({"default": -1}, "default"), ({"enum": [5, -5]}, r"enum\[1\]")])
def test_rows_are_counted_from_none(
    query: str, parameter: str, several: bool, field: dict[str, Any], place: str
) -> None:
    statement = {"query": query, "parameters": [parameter]}
    database = {"statements": [{"name": "first"} | statement]} if several else statement
    output = {"output": {"done": "boolean"} if several else {"n": {"type": "integer", "required": False}}}
    with pytest.raises(ContractError, match=rf"input\.id\.{place}: .*at least 0"):
        read(contract_of({"database": database} | output, {"type": "integer"} | field))
    read(contract_of({"database": database} | output, {"type": "integer", "default": 0}))


HEADER = {"http": {"method": "GET", "path": "/", "headers": {"X-Thing": "${input.id}"}}}


@pytest.mark.parametrize(
    ("implementation", "patterns"),
    [
        (PATH, ["^$", r"^\.\.$", r"^\.$", "^[.]{1,2}$", "^(|/)$"]),
        (KEY, ["^$", "^(|zz)$"]),
        (FILE, ["^$", r"^\.\.$", "^[.]{1,2}$", "^/+$", "^[a-z]+/$", r"^\.\./etc$"]),
        (HEADER, ["^ +$", r"^\s+$", r"^\n$", "^é$"]),
    ],
    ids=["http", "redis", "filesystem", "headers"],
)
def test_patterns_whose_texts_a_place_does_not_take_are_mistakes(
    implementation: dict[str, Any], patterns: list[str]
) -> None:
    for pattern in patterns:
        with pytest.raises(ContractError, match=r"operations\[0\]\.input\.id\.pattern: .* as what fits it") as caught:
            read(contract_of(implementation, {"pattern": pattern}))
        assert len(caught.value.problems) == 1, pattern


@pytest.mark.parametrize("implementation", [PATH, KEY, FILE, HEADER], ids=["http", "redis", "filesystem", "headers"])
@pytest.mark.parametrize("pattern", ["^x*$", "^[a-z/]+$", "^.*$", r"^[\w.-]+$"])
def test_patterns_with_a_text_that_the_place_takes_are_fine(implementation: dict[str, Any], pattern: str) -> None:
    read(contract_of(implementation, {"pattern": pattern}))


def test_a_format_whose_texts_are_no_names_of_files_is_a_mistake() -> None:
    with pytest.raises(ContractError, match=r"operations\[0\]\.input\.id\.format: .* as what fits it") as caught:
        read(contract_of(FILE, {"format": "uri"}))
    assert len(caught.value.problems) == 1
    for form in ("email", "hostname", "ipv4", "ipv6"):
        read(contract_of(FILE, {"format": form}))
    for implementation in (PATH, KEY, HEADER):
        read(contract_of(implementation, {"format": "uri"}))


def test_an_example_says_what_a_pattern_does_not() -> None:
    examples = [{"input": {"id": "b", "like": ""}, "output": {}}]
    read(contract_of(PATH, {"pattern": "^(|b)$"}, examples=examples))
