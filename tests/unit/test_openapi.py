"""The document of a service's interface says what the service takes and gives."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from examples.rendering import ROOT, read_contract
from extensions.judging.judge import ContractError, read
from extensions.language import samples
from extensions.language.contract import Operation
from extensions.viewing.build import view
from extensions.viewing.json_types import side
from extensions.viewing.node import NodeView

CONTRACTS = sorted((ROOT / "examples").glob("c*/*.yaml"))
TYPES: dict[str, Any] = {
    "name": "all_types",
    "package": "acme",
    "description": "Every type.",
    "node_type": "compute",
    "enums": {"Colour": ["red", "green"], "EchoInput": ["one"]},
    "models": {
        "Circle": {"fields": {"shape": {"type": "string", "const": "circle"}, "radius": "number"}},
        "Square": {"fields": {"shape": {"type": "string", "const": "square"}, "side": {"type": "integer"}}},
        "Shape": {"one_of": ["Circle", "Square"], "discriminator": "shape"},
        "Tree": {"fields": {"name": "string", "below": {"type": "array", "items": "Tree"}}},
    },
    "operations": [
        {
            "name": "echo",
            "handler": "custom",
            "input": {
                "text": {"type": "string", "minLength": 2, "maxLength": 5, "pattern": "^a"},
                "mail": {"type": "string", "format": "email", "alias": "e-mail"},
                "whole": {"type": "integer", "minimum": 3},
                "number": {"type": "number", "exclusiveMaximum": 4.5},
                "exact": {"type": "decimal", "minimum": 1},
                "sure": "boolean",
                "id": "uuid",
                "moment": "datetime",
                "day": "date",
                "clock": "time",
                "span": "duration",
                "data": "bytes",
                "anything": "object",
                "counts": {"type": "object", "values": "integer"},
                "tags": {"type": "array", "items": "string", "uniqueItems": True, "maxItems": 3},
                "colour": {"type": "Colour", "default": "red"},
                "shape": "Shape",
                "tree": {"type": "Tree", "required": False},
                "level": {"type": "string", "enum": ["low", "high"], "required": False},
                "token": {"type": "string", "secret": True},
            },
            "output": {"one": {"type": "EchoInput"}},
        }
    ],
}


def document(raw: dict[str, Any]) -> tuple[NodeView, dict[str, Any]]:
    node = view(read(raw))
    found: dict[str, Any] = json.loads(node.openapi)
    return node, found


def judge(found: dict[str, Any], name: str) -> Draft202012Validator:
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": found["components"]},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def inputs(node: NodeView, operation: Operation) -> dict[str, object]:
    made = samples.sample(node.contract, operation)
    return samples.outside(node.contract, operation.input, made or {})


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)
def test_documents_are_valid_and_fit_samples(path: Path) -> None:
    node, found = document(read_contract(path))
    OpenAPIV31SpecValidator(found).validate()
    for operation in node.contract.operations:
        assert f"/operations/{operation.name}" in found["paths"]
        if samples.sample(node.contract, operation) is None:
            continue
        good = inputs(node, operation)
        judged = judge(found, side(operation.name, "Input"))
        judged.validate(good)
        body = found["paths"][f"/operations/{operation.name}"]["post"]["requestBody"]["content"]["application/json"]
        for example in body["examples"].values():
            judged.validate(example["value"])


def test_every_type_is_told() -> None:
    node, found = document(TYPES)
    OpenAPIV31SpecValidator(found).validate()
    (operation,) = node.contract.operations
    good, judged = inputs(node, operation), judge(found, "EchoInput")
    judged.validate(good)
    assert "e-mail" in good
    for label, left_out, changed in samples.bad_inputs(node.contract, operation):
        wrong = {name: value for name, value in {**good, **changed}.items() if name != left_out}
        if label.removesuffix("_missing") != "mail":
            assert not judged.is_valid(wrong), label
    assert judged.is_valid(good | {"tree": {"name": "a", "below": [{"name": "b", "below": []}]}, "level": None})
    assert not judged.is_valid(good | {"shape": {"shape": "circle", "side": 3}})
    assert not judged.is_valid(good | {"tree": {"name": "a", "below": [{}]}})
    assert judged.is_valid(good | {"exact": "1.50"})


def test_an_enum_that_is_called_like_an_input_has_another_name() -> None:
    _, found = document(TYPES)
    assert found["components"]["schemas"]["EnumEchoInput"]["enum"] == ["one"]
    assert found["components"]["schemas"]["EchoOutput"]["properties"]["one"] == {
        "$ref": "#/components/schemas/EnumEchoInput"
    }


def test_secrets_are_marked_and_their_defaults_are_not_told() -> None:
    _, found = document(TYPES)
    token = found["components"]["schemas"]["EchoInput"]["properties"]["token"]
    assert token["x-secret"] is True


@pytest.mark.parametrize(
    ("service", "openapi", "docs"),
    [({}, True, True), ({"docs": False}, True, False), ({"openapi": False}, False, False)],
)
def test_documents_can_be_left_out(service: dict[str, bool], openapi: bool, docs: bool) -> None:
    node = view(read({**TYPES, "service": {"asyncapi": False, **service}}))
    assert ("/src/acme/nodes/node_all_types_compute/openapi.json" in node.left_out) is not openapi
    assert ("serving/documents" in node.runtime_modules, "serving/page" in node.runtime_modules) == (openapi, docs)
    assert any(line.startswith("swagger-ui-py") for line in node.packages.requirements) is docs


def test_a_page_needs_a_document() -> None:
    with pytest.raises(ContractError) as caught:
        read({**TYPES, "service": {"openapi": False, "docs": True}})
    assert [problem.path for problem in caught.value.problems] == [("service", "docs")]


def test_what_callers_need_is_told() -> None:
    raw = {**TYPES, "service": {"auth": {"api_keys": {"header": "X-Key"}, "metrics_scopes": ["m"]}}}
    raw["operations"] = [
        {**TYPES["operations"][0], "scopes": ["a:b"]},
        {"name": "free", "handler": "custom", "input": {}, "output": {}},
    ]
    _, found = document(raw)
    OpenAPIV31SpecValidator(found).validate()
    assert found["components"]["securitySchemes"] == {"api_key": {"type": "apiKey", "in": "header", "name": "X-Key"}}
    echo, free = (found["paths"][f"/operations/{name}"]["post"] for name in ("echo", "free"))
    assert (echo["security"], free["security"]) == ([{"api_key": ["a:b"]}], [{"api_key": []}])
    assert {"401", "403"} <= echo["responses"].keys()
    assert "WWW-Authenticate" in found["components"]["responses"]["Unauthorized"]["headers"]
    metrics = found["paths"]["/metrics"]["get"]
    assert (metrics["security"], "401" in metrics["responses"]) == ([{"api_key": ["m"]}], True)
    assert "security" not in found["paths"]["/health"]["get"]


def test_one_way_of_several_is_enough() -> None:
    bearer = {"issuer": "https://a.example/", "audience": "n", "jwks_url": "https://a.example/keys"}
    _, found = document({**TYPES, "service": {"auth": {"api_keys": True, "bearer": bearer}}})
    OpenAPIV31SpecValidator(found).validate()
    assert found["components"]["securitySchemes"]["bearer"] == {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
    }
    assert found["paths"]["/operations/echo"]["post"]["security"] == [{"bearer": []}, {"api_key": []}]


def test_nothing_is_asked_where_callers_are_unknown() -> None:
    _, found = document(TYPES)
    assert "securitySchemes" not in found["components"]
    assert "401" not in found["paths"]["/operations/echo"]["post"]["responses"]
