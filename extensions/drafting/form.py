"""The flat form of a draft that a model fills in, and the contract that it comes to."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator

from ..home import DATA
from ..judging.judge import judge
from ..language import names
from . import bodies
from .draft import PACKAGE, Draft
from .fields import Field, short
from .guess import Guess
from .operations import MOST, Entity

FORM: Final[Mapping[str, Any]] = json.loads((DATA / "draft_form.schema.json").read_text(encoding="utf-8"))
"""Its JSON Schema: flat lists of named items, every key required, null for what does not apply."""

_VALIDATOR: Final = Draft202012Validator(FORM)
_MOST_PROBLEMS = 20
_QUOTED, _UNQUOTED = 0.8, 0.5


class FormError(Exception):
    """A form that no contract can be made of.

    Attributes:
        problems: What is wrong with it, a line each.
    """

    def __init__(self, problems: list[str]) -> None:
        """Keep the first problems."""
        super().__init__("\n".join(problems))
        self.problems = problems[:_MOST_PROBLEMS]


def drafted(answer: str, text: str, *, package: str | None, node_type: str | None) -> Draft:
    """Return the draft that a filled in form comes to.

    Args:
        answer: The form as JSON.
        text: The description that it was filled in from.
        package: The node's package, where it is known.
        node_type: The node's type, where it is known.

    Raises:
        FormError: It is no such form, or its contract has mistakes.
    """
    form = _read(answer)
    if node_type and form["node_type"] != node_type:
        raise FormError([f"node_type: found {form['node_type']}, expected {node_type}"])
    made = _contract(form, text, package)
    if problems := list(map(str, judge(made.contract))):
        raise FormError(problems)
    return made


def _read(answer: str) -> dict[str, Any]:
    try:
        form: dict[str, Any] = json.loads(answer)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, ValueError) else "nested too deeply"
        raise FormError([f"The answer is no JSON: {reason}"]) from None
    found = [f"{'.'.join(map(str, error.path)) or 'form'}: {error.message[:300]}" for error in _errors(form)]
    found += [f"{key}: the name {name!r} stands there twice" for key, name in _doubles(form)] if not found else []
    if found:
        raise FormError(found)
    if len(form["operations"]) > MOST:
        raise FormError([f"operations: found {len(form['operations'])}, expected at most {MOST}"])
    return form


def _errors(form: object) -> Iterator[Any]:
    yield from sorted(_VALIDATOR.iter_errors(form), key=lambda error: list(map(str, error.path)))


def _doubles(form: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in ("enums", "models", "operations"):
        listed = [item["name"] for item in form[key]]
        yield from ((key, name) for name in dict.fromkeys(listed) if listed.count(name) > 1)


def _contract(form: Mapping[str, Any], text: str, package: str | None) -> Draft:
    kind = form["node_type"]
    name = form["name"].removeprefix("node_").removesuffix(f"_{kind}") or form["name"]
    made = Draft({"name": name, "node_type": kind, "version": "1.0.0", "package": package or PACKAGE})
    made.guesses += [Guess("name", name, _UNQUOTED), Guess("node_type", kind, _UNQUOTED)]
    if not package:
        made.guesses.append(Guess("package", PACKAGE, 0.1))
    contract = made.contract
    contract["description"] = form["description"]
    if form["features"]:
        contract["features"] = list(dict.fromkeys(form["features"]))
    if kind == "effect" and form["integrations"]:
        contract["dependencies"] = dict.fromkeys(form["integrations"], "*")
    if form["enums"]:
        contract["enums"] = {each["name"]: each["values"] for each in form["enums"]}
    models = {each["name"]: list(map(_field, each["fields"])) for each in form["models"]}
    if models:
        contract["models"] = {
            model: {"fields": {field.name: short(field.spec) for field in fields}} for model, fields in models.items()
        }
    made.guesses += [Guess("features", feature, _UNQUOTED) for feature in contract.get("features", ())]
    made.guesses += [Guess(f"dependencies.{key}", "*", _UNQUOTED) for key in contract.get("dependencies", ())]
    made.guesses += [
        Guess(f"enums.{key}", ", ".join(values), _UNQUOTED) for key, values in contract.get("enums", {}).items()
    ]
    made.guesses += [
        Guess(f"models.{model}", ", ".join(field.name for field in fields), _UNQUOTED)
        for model, fields in models.items()
    ]
    tables: dict[str, bodies.Table] = {}
    contract["operations"] = [_operation(operation, form, models, tables) for operation in form["operations"]]
    for table in tables.values():
        contract["models"][table.model] = {"fields": table.fields}
    if tables:
        migrations = [table.migration() for table in tables.values()]
        contract["integrations"] = {"database": {"migrations": _numbered(migrations)}}
    if kind == "reducer" and form["transitions"]:
        moves = [(move["trigger"], move["from"], move["to"]) for move in form["transitions"]]
        moved, contract["subcontracts"] = bodies.machine(moves, name)
        contract["operations"] = [{"name": "apply_event"} | moved]
    for operation in form["operations"]:
        said = operation["words"] if _is_said(operation["words"], text) else ""
        how = "SQL" if operation["crud"] else "a handler of your own"
        made.guesses.append(Guess(f"operations.{operation['name']}", how, _QUOTED if said else _UNQUOTED, said))
    return made


def _operation(
    operation: Mapping[str, Any],
    form: Mapping[str, Any],
    models: Mapping[str, list[Field]],
    tables: dict[str, bodies.Table],
) -> dict[str, Any]:
    described = {"name": operation["name"], "description": operation["description"]}
    model = operation["model"]
    entity = Entity(names.snake(model), models[model], "") if model in models else None
    is_stored = form["node_type"] == "effect" and "postgres" in form["integrations"]
    if operation["crud"] and is_stored and entity and bodies.fits_a_table(entity):
        table = tables.setdefault(model, bodies.Table(entity))
        if table.model == model:
            return described | table.operation(operation["crud"])
        del tables[model]
    inputs, outputs = ({field.name: short(field.spec) for field in map(_field, operation[side])} for side in _SIDES)
    return described | {
        "input": inputs or {"payload": {"type": "object", "default": {}}},
        "output": outputs or {"done": "boolean"},
        "handler": "custom",
    }


_SIDES: Final = ("input", "output")


def _field(item: Mapping[str, Any]) -> Field:
    spec: dict[str, Any] = {"type": item["type"]}
    if item["items"] is not None:
        spec["items"] = item["items"]
    elif item["type"] == "array":
        spec["items"] = "object"
    if not item["required"]:
        spec["required"] = False
    return Field(item["name"], spec, said=True)


def _numbered(migrations: list[dict[str, str]]) -> list[dict[str, str]]:
    return [
        migration | {"id": f"{number:04}{migration['id'][4:]}"} for number, migration in enumerate(migrations, start=1)
    ]


def _is_said(words: str, text: str) -> bool:
    return bool(words.strip()) and " ".join(words.split()) in " ".join(text.split())
