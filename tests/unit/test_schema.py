"""The schema of the contract language: complete, documented, and the same as one document."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from examples.rendering import CONTRACTS
from extensions.commands import validate_contract
from extensions.language.contract import BASE_TYPES
from extensions.reading.schema import ROOT, bundle, parts
from tests.conftest import Run

PARTS = parts()
NO_SCHEMA = ("examples", "enum", "const", "default")


def schemas_in(value: object, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from schemas_in(item, f"{path}/{index}")
    elif isinstance(value, dict):
        yield path, value
        for key, item in value.items():
            if key not in NO_SCHEMA:
                yield from schemas_in(item, f"{path}/{key}")


@pytest.mark.parametrize("name", PARTS)
def test_every_key_says_what_it_means(name: str) -> None:
    silent = [
        f"{path}/properties/{key}"
        for path, schema in schemas_in(PARTS[name], name)
        if isinstance(schema.get("properties"), dict)
        for key, value in schema["properties"].items()
        if isinstance(value, dict) and not {"description", "title", "$ref"} & value.keys()
    ]

    assert silent == []


@pytest.mark.parametrize("name", PARTS)
def test_every_part_has_a_title_and_says_what_it_is(name: str) -> None:
    schema = PARTS[name]

    assert schema["title"]
    assert schema["description"]
    assert [key for key, value in schema.get("$defs", {}).items() if "title" not in value] == []


def test_examples_are_valid() -> None:
    registry: Registry[Any] = Registry().with_resources(
        (name, Resource.from_contents(schema, default_specification=DRAFT202012)) for name, schema in PARTS.items()
    )
    tried = 0
    for name, part in PARTS.items():
        for path, schema in schemas_in(part, "#"):
            for example in schema.get("examples", []) if isinstance(schema.get("examples"), list) else []:
                reference = {"$ref": f"{name}{path if path != '#' else ''}"}
                Draft202012Validator(reference, registry=registry).validate(example)
                tried += 1
    assert tried > 10


def test_bundle_refers_to_itself_alone() -> None:
    whole = bundle()

    Draft202012Validator.check_schema(whole)
    references = [schema["$ref"] for _, schema in schemas_in(whole, "") if isinstance(schema.get("$ref"), str)]
    assert references
    for reference in references:
        value: Any = whole
        assert reference.startswith("#/")
        for step in reference.split("/")[1:]:
            value = value[step]
        assert isinstance(value, dict)


@pytest.mark.parametrize("path", sorted(CONTRACTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_bundle_says_what_the_parts_say(path: Path) -> None:
    contract = yaml.safe_load(path.read_text())
    registry: Registry[Any] = Registry().with_resources(
        (name, Resource.from_contents(schema, default_specification=DRAFT202012)) for name, schema in PARTS.items()
    )
    contract["operations"][0]["nmae"] = 3

    said = [
        sorted(str(list(error.absolute_path)) + error.message for error in validator.iter_errors(contract))
        for validator in (Draft202012Validator(PARTS[ROOT], registry=registry), Draft202012Validator(bundle()))
    ]

    assert said[0]
    assert said[0] == said[1]


def test_schema_for_editors(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert validate_contract.main(["--schema"]) == 0
    schema = tmp_path / "contract.schema.json"
    schema.write_text(capsys.readouterr().out)
    assert json.loads(schema.read_text()) == bundle()
    contract = tmp_path / "contract.yaml"
    contract.write_text((CONTRACTS / "distributed_lock.yaml").read_text() + "pakage: x\n")

    # It reads schemas as editors do.
    good = run("check-jsonschema", "--schemafile", schema, CONTRACTS / "distributed_lock.yaml")
    bad = run("check-jsonschema", "--schemafile", schema, contract)

    assert good.returncode == 0, good.stdout
    assert bad.returncode == 1
    assert "pakage" in bad.stdout


def test_no_file_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as caught:
        validate_contract.main([])
    assert caught.value.code == 2


@pytest.mark.parametrize("wrong", ["str", "int", "float", "bool", "list", "lockInfo"])
def test_editors_flag_types_that_there_are_not(wrong: str) -> None:
    contract = yaml.safe_load((CONTRACTS / "distributed_lock.yaml").read_text(encoding="utf-8"))
    validator = Draft202012Validator(bundle())
    assert list(validator.iter_errors(contract)) == []

    for field in (wrong, {"type": wrong}, {"type": "array", "items": wrong}):
        changed = {**contract, "models": {**contract["models"], "Odd": {"fields": {"a": field}}}}
        assert not validator.is_valid(changed), field


def test_editors_know_the_types_that_there_are() -> None:
    (named, _) = PARTS["field.schema.json"]["$defs"]["typeName"]["anyOf"]

    assert tuple(named["enum"]) == BASE_TYPES
