"""The command that turns a description of an HTTP API into a contract."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions.adopting.adopted import Adopted
from extensions.adopting.openapi import adopt
from extensions.commands import import_openapi
from extensions.judging.judge import judge

API = """\
openapi: 3.0.3
info: {title: Pet Shop, version: 2.1.0, description: Sells pets.}
servers: [{url: "https://{region}.pets.example/v1", variables: {region: {default: eu}}}]
security: [{key: []}]
paths:
  /pets/{petId}:
    parameters:
      - {name: petId, in: path, required: true, schema: {type: string, format: uuid}}
    get:
      operationId: showPet
      tags: [pets]
      summary: Show one.
      parameters:
        - {name: class, in: query, schema: {type: string, enum: [short, long], default: short}}
        - {name: X-Trace, in: header, schema: {type: string}}
        - {name: session, in: cookie, schema: {type: string}}
      responses:
        "200": {description: It., content: {application/json: {schema: {$ref: "#/components/schemas/Animal"}}}}
        "404": {description: None such.}
    delete:
      operationId: pets.delete
      responses: {"204": {description: Gone.}}
  /pets:
    get:
      parameters: [{$ref: "#/components/parameters/Limit"}]
      responses:
        "200":
          description: Them.
          content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Pet"}}}}
    post:
      operationId: addPet
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}
      responses:
        "201": {description: It., content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}}
  /pets/{petId}/photo:
    put:
      operationId: putPhoto
      parameters: [{name: petId, in: path, required: true, schema: {type: string}}]
      requestBody: {content: {image/png: {schema: {type: string, format: binary}}}}
      responses: {"204": {description: Kept.}}
components:
  parameters:
    Limit: {name: limit, in: query, schema: {type: integer, minimum: 0, exclusiveMinimum: true, maximum: 100}}
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Api-Key}
    unused: {type: http, scheme: bearer}
  schemas:
    Base:
      type: object
      required: [id]
      properties:
        id: {type: integer}
        note: {type: string, nullable: true, maxLength: 9}
    Pet:
      description: A pet.
      allOf:
        - {$ref: "#/components/schemas/Base"}
        - type: object
          required: [name, bornAt]
          properties:
            name: {type: string, minLength: 1}
            bornAt: {type: string, format: date-time}
            mother: {$ref: "#/components/schemas/Pet"}
            tags: {type: object, additionalProperties: {type: string}}
    Cat: {type: object, required: [kind], properties: {kind: {type: string}, lives: {type: integer}}}
    Dog: {type: object, required: [kind], properties: {kind: {type: string}, tricks: {type: array, items: {}}}}
    Animal:
      oneOf: [{$ref: "#/components/schemas/Cat"}, {$ref: "#/components/schemas/Dog"}]
      discriminator: {propertyName: kind, mapping: {cat: "#/components/schemas/Cat"}}
"""


def spec(folder: Path, text: str = API) -> Path:
    path = folder / "api.yaml"
    path.write_text(text)
    return path


@pytest.fixture
def adopted(tmp_path: Path) -> Adopted:
    return adopt(spec(tmp_path))


def operation(adopted: Adopted, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in adopted.contract["operations"] if one["name"] == name)
    return found


def test_what_it_is(adopted: Adopted) -> None:
    contract = adopted.contract
    assert judge(contract) == []
    assert yaml.safe_load(adopted.document()) == contract
    assert (contract["name"], contract["version"], contract["package"]) == ("pet_shop", "2.1.0", "pet_shop_nodes")
    names = [one["name"] for one in contract["operations"]]
    assert names == ["show_pet", "pets_delete", "get_pets", "add_pet", "put_photo"]
    assert contract["integrations"]["api_client"] == {
        "base_url": "https://eu.pets.example/v1",
        "headers": {"X-Api-Key": "${secret.PET_SHOP_KEY}"},
    }


def test_parameters(adopted: Adopted) -> None:
    show = operation(adopted, "show_pet")
    kind = show["input"]["class_value"]["type"]
    assert show["input"]["pet_id"] == "uuid"
    assert show["input"]["x_trace"] == {"type": "string", "required": False}
    assert adopted.contract["enums"][kind]["values"] == ["short", "long"]
    assert show["http"] == {
        "method": "GET",
        "path": "/pets/${input.pet_id}",
        "query": {"class": "${input.class_value}"},
        "headers": {"X-Trace": "${input.x_trace}"},
        "success": [200],
        "extract": {"result": "$"},
    }
    limit = operation(adopted, "get_pets")["input"]["limit"]
    assert limit == {"type": "integer", "exclusiveMinimum": 0, "maximum": 100, "required": False}
    assert "# cookie session" in adopted.document()
    assert "None such." in adopted.document()


def test_models(adopted: Adopted) -> None:
    models = adopted.contract["models"]
    assert models["Pet"] == {
        "description": "A pet.",
        "fields": {
            "id": "integer",
            "note": {"type": "string", "required": False, "maxLength": 9},
            "name": {"type": "string", "minLength": 1},
            "born_at": {"type": "datetime", "alias": "bornAt"},
            "mother": {"type": "Pet", "required": False},
            "tags": {"type": "object", "values": "string", "required": False},
        },
    }
    assert models["Animal"] == {"one_of": ["Cat", "Dog"], "discriminator": "kind"}
    assert models["Cat"]["fields"]["kind"] == {"type": "string", "const": "cat"}
    assert models["Dog"]["fields"]["kind"] == {"type": "string", "const": "Dog"}


def test_bodies_and_answers(adopted: Adopted) -> None:
    add = operation(adopted, "add_pet")
    assert (add["input"], add["output"]) == ({"body": "Pet"}, {"result": "Pet"})
    assert (add["http"]["body"], add["http"]["omit_null"], add["http"]["success"]) == ("${input.body}", True, [201])
    assert operation(adopted, "get_pets")["output"] == {"items": {"type": "array", "items": "Pet"}}
    assert operation(adopted, "get_pets")["http"]["extract"] == {"items": "$[*]"}
    assert "output" not in operation(adopted, "pets_delete")


def test_what_the_language_can_not_say_is_a_handlers(tmp_path: Path) -> None:
    adopted = adopt(spec(tmp_path, API.replace("image/png", "message/http")))
    put = operation(adopted, "put_photo")
    assert put["handler"] == "custom"
    assert ("operations.put_photo", "its body is message/http; its handler is yours to write") in adopted.notes
    assert "# http:" in adopted.document()


def test_some_operations(tmp_path: Path) -> None:
    path = spec(tmp_path)
    chosen = adopt(path, operations=["showPet", "get_pets"]).contract
    assert [one["name"] for one in chosen["operations"]] == ["show_pet", "get_pets"]
    tagged = adopt(path, tag="pets").contract
    assert [one["name"] for one in tagged["operations"]] == ["show_pet"]
    assert set(tagged["models"]) == {"Animal", "Cat", "Dog"}


def test_the_newer_version(tmp_path: Path) -> None:
    newer = (
        API.replace("3.0.3", "3.1.0")
        .replace("nullable: true, ", "")
        .replace("{type: string, maxLength: 9}", "{type: [string, 'null'], maxLength: 9}")
    )
    newer = newer.replace("minimum: 0, exclusiveMinimum: true", "exclusiveMinimum: 0")
    assert adopt(spec(tmp_path, newer)).contract == adopt(spec(tmp_path)).contract


def test_references_over_files(tmp_path: Path) -> None:
    document = yaml.safe_load(API)
    parts = copy.deepcopy(document["components"]["schemas"])
    document["components"]["schemas"] = {name: {"$ref": f"parts.json#/{name}"} for name in parts}
    moved = json.dumps(parts).replace("#/components/schemas/", "#/")
    (tmp_path / "parts.json").write_text(moved)
    assert adopt(spec(tmp_path, yaml.safe_dump(document, sort_keys=False))).contract == adopt(spec(tmp_path)).contract


def test_types_of_one_name_are_numbered(tmp_path: Path) -> None:
    text = API.replace("    Cat:", "    pet: {type: object, properties: {x: {type: integer}}}\n    Cat:")
    text = text.replace(
        "properties: {kind: {type: string}, lives",
        'properties: {kind: {type: string}, owner: {$ref: "#/components/schemas/pet"}, lives',
    )
    contract = adopt(spec(tmp_path, text)).contract
    assert {"Pet", "Pet2"} <= set(contract["models"])
    assert judge(contract) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("openapi: 3.0.3", "swagger: '2.0'", "found no OpenAPI 3.0 or 3.1"),
        ("openapi: 3.0.3", "openapi: [", "broken YAML"),
        ("#/components/schemas/Base", "#/components/schemas/Absent", "found nothing there"),
        ("#/components/schemas/Base", "absent.yaml#/x", "No such file"),
        ("#/components/schemas/Base", "../outside.yaml#/x", "found a place elsewhere"),
        ("#/components/schemas/Base", "http://127.0.0.1:9/x", "found a place elsewhere"),
        ("    Base:\n", '    Base: {$ref: "#/components/schemas/Base"}\n    Other:\n', "found references in a circle"),
        ("  /pets", "  x-none", ""),
    ],
)
def test_bad_input(tmp_path: Path, old: str, new: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "node.yaml"
    assert import_openapi.main([str(spec(tmp_path, API.replace(old, new))), "-o", str(output)]) == (1 if message else 0)
    assert message in capsys.readouterr().err
    assert output.exists() == (not message)


def test_operations_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert import_openapi.main([str(spec(tmp_path)), "--operations", "a,showPet,b"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_too_many_operations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths: dict[str, Any] = {f"/p{number}": {"get": {"responses": {}}} for number in range(301)}
    path = tmp_path / "many.json"
    path.write_text(json.dumps({"openapi": "3.0.0", "info": {"title": "x"}, "paths": paths}))
    assert import_openapi.main([str(path)]) == 1
    assert "found 301 operations, expected at most 300" in capsys.readouterr().err
