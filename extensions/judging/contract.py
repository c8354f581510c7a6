"""Rules of the contract language that a schema can't say: what one part of a contract means for another."""

import keyword
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from packaging.version import InvalidVersion, Version

from ..deciding import deployment
from ..language import classify, filling, migrations, names, patterns, sql
from ..language.contract import BASE_TYPES, spell_out
from ..text import sql_text
from ..text.problems import Path, Problem, did_you_mean, show
from . import computation, constraints, custom, reducers, unions, workflow
from . import integrations as effects

type Specs = Mapping[str, Any]

_CONSTRAINTS_OF = {
    "string": ("minLength", "maxLength", "pattern", "enum", "const", "format"),
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "enum", "const"),
    "boolean": ("const",),
    "datetime": ("format",),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "decimal": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "bytes": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems", "items", "uniqueItems"),
    "object": ("minProperties", "maxProperties", "values"),
}
_IO = ("database", "http", "kafka", "redis", "filesystem")
IMPLEMENTATIONS = (
    *("database", "http", "kafka", "redis", "filesystem", "compute", "aggregate", "workflow", "handler"),
)
# Where input and output that another node than an effect asks for belongs.
_ELSEWHERE = {
    "compute": "a compute node's results follow from its input alone: an effect node does this and gives it the answer",
    "reducer": "a reducer keeps its own state by subcontracts.state_management; an effect node does the rest",
    "orchestrator": "let an effect node do this, and call it in a step of a workflow",
}
_GENERAL = ("type", "description", "required", "default", "alias", "secret")
_ORDERED = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
)
# Attributes of pydantic's BaseModel, which a field of the same name would hide.
_TAKEN = frozenset(
    {"construct", "copy", "dict", "from_orm", "json", "parse_file", "parse_obj", "parse_raw", "schema", "schema_json"}
    | {"update_forward_refs", "validate", "model_computed_fields", "model_config", "model_construct", "model_copy"}
    | {"model_dump", "model_dump_json", "model_extra", "model_fields", "model_fields_set", "model_json_schema"}
    | {"model_parametrized_name", "model_post_init", "model_rebuild", "model_validate", "model_validate_json"}
    | {"model_validate_strings"}
)


def check(raw: Specs, blocked: Collection[Path]) -> Iterator[Problem]:
    """Find what is wrong beyond the schema.

    Args:
        raw: The contract; parts of it may not meet the schema.
        blocked: Paths at which the schema found something; rules say nothing about what lies there.

    Yields:
        The problems.
    """
    yield from _Rules(raw, blocked).all()


def _mapping(value: object) -> Specs:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


class _Rules:
    def __init__(self, raw: Specs, blocked: Collection[Path]) -> None:
        self.raw = raw
        # Every place at or above one at which the schema found something.
        self.unclean = {other[:length] for other in blocked for length in range(len(other) + 1)}
        self.enums = {
            name: [
                item
                for item in _list(spec if isinstance(spec, list) else _mapping(spec).get("values"))
                if isinstance(item, str)
            ]
            for name, spec in _mapping(raw.get("enums")).items()
        }
        models = {name: _mapping(spec) for name, spec in _mapping(raw.get("models")).items()}
        self.unions = {name: spec for name, spec in models.items() if "one_of" in spec}
        self.models = {name: _mapping(spec.get("fields")) for name, spec in models.items() if name not in self.unions}
        self.operations = [_mapping(spec) for spec in _list(raw.get("operations"))]
        self.database_off = _mapping(raw.get("integrations")).get("database") is False

    def all(self) -> Iterator[Problem]:
        yield from self.words()
        yield from self.version()
        yield from self.model_fields()
        yield from unions.check(self)
        yield from self.cycles()
        for index, operation in enumerate(self.operations):
            yield from self.operation(("operations", index), operation)
        yield from reducers.check_state_machine(self)
        yield from computation.check_caching(self)
        yield from self.generated_names()
        yield from self.integrations()
        yield from self.settings()
        yield from custom.check(self)
        yield from effects.settings(self)

    def clean(self, path: Path) -> bool:
        """Tell whether nothing at or below the path is wrong already."""
        return path not in self.unclean

    def version(self) -> Iterator[Problem]:
        version = self.raw.get("version")
        if not isinstance(version, str) or not self.clean(("version",)):
            return
        try:
            Version(version)
        except InvalidVersion:
            expected = "a version that Python packages may have; pre-releases end in -alpha.1, -beta.1, -rc.1 or -dev.1"
            yield Problem(("version",), show(version), expected)

    def words(self) -> Iterator[Problem]:
        places: list[tuple[Path, object]] = [(("name",), self.raw.get("name")), (("package",), self.raw.get("package"))]
        places += [(("operations", i, "name"), operation.get("name")) for i, operation in enumerate(self.operations)]
        for path, value in places:
            if isinstance(value, str) and any(keyword.iskeyword(part) for part in value.split(".")):
                yield Problem(path, show(value), "a name that is no keyword of Python")
        package = self.raw.get("package")
        if isinstance(package, str) and self.clean(("package",)) and (owner := names.taken(package)):
            first = package.partition(".")[0]
            hint = f"such as {first}_nodes, or a package of yours around it, as in acme.{first}"
            yield Problem(("package",), f"{show(first)}, the name {owner}", "a name of its own", hint)
        seen: set[str] = set()
        for i, operation in enumerate(self.operations):
            name = operation.get("name")
            if isinstance(name, str):
                if name in seen:
                    yield Problem(("operations", i, "name"), f"{show(name)} a second time", "a name of its own")
                seen.add(name)
        features = [word for word in _list(self.raw.get("features")) if isinstance(word, str)]
        if {"service_mode", "no_service_mode"} <= set(features):
            yield Problem(("features",), "service_mode and no_service_mode", "one of them")

    def model_fields(self) -> Iterator[Problem]:
        for name, fields in self.models.items():
            yield from self.fields(("models", name, "fields"), fields)
        for name in (self.models.keys() | self.unions.keys()) & self.enums.keys():
            yield Problem(("models", name), f"the name of an enum, {name}", "a name of its own")

    def cycles(self) -> Iterator[Problem]:
        needs = {
            name: {word for spec in fields.values() if _is_needed(spec) for word in _types_needed(spec)}
            & (self.models.keys() | self.unions.keys())
            for name, fields in self.models.items()
        }
        direct = {name: words & self.models.keys() for name, words in needs.items()}
        cyclic = [name for name in self.models if name in _reached(name, direct)]
        for name in cyclic:
            yield Problem(("models", name), "a model that always contains itself", "required: false on the way")
        if not cyclic:
            yield from unions.endless(needs, self.unions)

    def fields(self, path: Path, fields: Specs) -> Iterator[Problem]:
        for name, spec in fields.items():
            if keyword.iskeyword(name) or name in _TAKEN:
                yield Problem((*path, name), f"the name {show(name)}", "a name that Python and pydantic leave free")
            yield from self.field((*path, name), spec)
        yield from constraints.outside_names(path, fields)

    def field(self, path: Path, spec: object) -> Iterator[Problem]:
        if not isinstance(spec, (str, Mapping)):
            return
        long = spell_out(spec)
        kind = long.get("type")
        type_path = path if isinstance(spec, str) else (*path, "type")
        if not isinstance(kind, str) or not self.clean(type_path):
            return
        known = (*BASE_TYPES, *self.enums, *self.models, *self.unions)
        if kind not in known:
            yield Problem(
                type_path,
                f"the unknown type {show(kind)}",
                "a type of the language, an enum or a model",
                did_you_mean(kind, known),
            )
            return
        yield from self.held(path, long)
        allowed = (*_GENERAL, *_CONSTRAINTS_OF.get(kind, ()))
        fitting = True
        for key in long:
            if key not in allowed and self.clean((*path, key)):
                fitting = False
                yield Problem((*path, key), f"{key} on a field of type {kind}", f"one of {', '.join(allowed)}")
        for low, high in _ORDERED:
            if low in long and high in long and _comparable(long[low], long[high]) and long[low] > long[high]:
                fitting = False
                yield Problem((*path, high), show(long[high]), f"at least {low}, which is {show(long[low])}")
        yield from self.pattern((*path, "pattern"), long.get("pattern"))
        if fitting:
            yield from constraints.of_field(path, kind, long)
        if (
            "default" in long
            and fitting
            and self.clean(path)
            and not (long["default"] is None and not long.get("required", True))
        ):
            yield from self.value((*path, "default"), long["default"], long)

    def held(self, path: Path, long: Specs) -> Iterator[Problem]:
        for key in sorted({"items", "values"} & long.keys()):
            yield from self.field((*path, key), long[key])
            for word in sorted({"alias", "secret"} & _mapping(long[key]).keys()):
                yield Problem((*path, key, word), f"{word} of what has no name", f"{word} of the field that holds it")

    def pattern(self, path: Path, pattern: object) -> Iterator[Problem]:
        if not isinstance(pattern, str):
            return
        if objection := patterns.objection(pattern):
            yield Problem(path, show(pattern), *objection)

    def value(self, path: Path, value: object, spec: object) -> Iterator[Problem]:
        """Find what keeps a default or an example's value from being one of a field."""
        if not isinstance(spec, (str, Mapping)):
            return
        long = spell_out(spec)
        kind = long.get("type")
        if not isinstance(kind, str) or (value is None and long.get("required", True) is False):
            return
        if kind in self.enums:
            if value not in self.enums[kind]:
                yield Problem(
                    path, show(value), f"one of {', '.join(self.enums[kind])}", did_you_mean(value, self.enums[kind])
                )
        elif kind in self.models or kind in self.unions:
            yield from (
                self.values(path, value, self.models[kind])
                if kind in self.models
                else unions.value(self, path, value, kind)
            )
        elif kind == "array" and isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.value((*path, index), item, long["items"]) if "items" in long else ()
            yield from constraints.limits(path, value, long)
        elif kind == "object" and isinstance(value, Mapping):
            for key, item in value.items():
                yield from self.value((*path, key), item, long["values"]) if "values" in long else ()
            yield from constraints.limits(path, value, long)
        elif kind in constraints.FITS:
            if not constraints.FITS[kind](value):
                yield Problem(path, show(value), f"a value of type {kind}")
            else:
                yield from constraints.limits(path, value, long)

    def values(self, path: Path, value: object, fields: Specs) -> Iterator[Problem]:
        """Find what keeps a mapping from being a value of these fields."""
        if not isinstance(value, Mapping):
            yield Problem(path, show(value), "a mapping of fields")
            return
        for key, item in value.items():
            if key in fields:
                yield from self.value((*path, key), item, fields[key])
            else:
                yield Problem(
                    (*path, key),
                    f"the unknown field {show(key)}",
                    f"one of {', '.join(fields)}",
                    did_you_mean(key, fields),
                )
        for name, spec in fields.items():
            if name not in value and _is_needed(spec) and "default" not in spell_out(spec):
                yield Problem((*path, name), "nothing", f"a value: {name} is required")

    def operation(self, path: Path, operation: Specs) -> Iterator[Problem]:
        inputs, outputs = _mapping(operation.get("input")), _mapping(operation.get("output"))
        yield from self.fields((*path, "input"), inputs)
        yield from self.fields((*path, "output"), outputs)
        yield from self.implementation(path, operation)
        if "schedule" in operation and self.clean((*path, "input")):
            for name, spec in inputs.items():
                if _is_needed(spec) and "default" not in spell_out(spec):
                    expected = "a default: a scheduled operation runs without input"
                    yield Problem((*path, "input", name), "no default", expected)
        for index, example in enumerate(_list(operation.get("examples"))):
            for side, fields in (("input", inputs), ("output", outputs)):
                place = (*path, "examples", index, side)
                if side in _mapping(example) and self.clean((*path, side)) and self.clean(place):
                    yield from self.values(place, example[side], fields)
        yield from _delays((*path, "retry"), _mapping(operation.get("retry")))

    def archetype(self, path: Path, operation: Specs) -> Iterator[Problem]:
        kind = classify.node_type(self.raw)
        if kind not in _ELSEWHERE:
            return
        for key in _IO:
            if key in operation:
                yield Problem((*path, key), f"{key} in a node of type {kind}", "an effect node", _ELSEWHERE[kind])

    def implementation(self, path: Path, operation: Specs) -> Iterator[Problem]:
        yield from self.archetype(path, operation)
        given = [key for key in IMPLEMENTATIONS if key in operation]
        if not given and not reducers.by_state_machine(self, operation):
            expected = f"exactly one of {', '.join(IMPLEMENTATIONS)}"
            yield Problem(path, "no implementation", expected, awaited=(path,))
        elif len(given) > 1:
            yield Problem(path, " and ".join(given), "exactly one implementation")
        elif "database" in operation and isinstance(operation["database"], Mapping):
            yield from self.database((*path, "database"), operation)
        elif given == ["aggregate"]:
            yield from reducers.check_aggregate(self, path, operation, _TAKEN)
        elif given == ["compute"]:
            if self.clean((*path, "compute")) or isinstance(operation["compute"], Mapping):
                yield from computation.check_compute(self, path, operation)
        elif given == ["workflow"]:
            yield from workflow.check_workflow(self, path, operation)
        elif given and given != ["handler"] and isinstance(operation[given[0]], Mapping):
            yield from effects.check(self, (*path, given[0]), operation)

    def database(self, path: Path, operation: Specs) -> Iterator[Problem]:
        database = operation["database"]
        inputs, outputs = _mapping(operation.get("input")), _mapping(operation.get("output"))
        if self.database_off:
            yield Problem(path, "an SQL statement", "another implementation, since integrations.database is false")
        parameters = _list(database.get("parameters"))
        for index, name in enumerate(parameters):
            if isinstance(name, str) and "${" in name:
                yield from effects.parameter(self, (*path, "parameters", index), name, inputs)
            elif isinstance(name, str) and name not in inputs:
                expected = "an input field of this operation"
                yield Problem((*path, "parameters", index), show(name), expected, did_you_mean(name, inputs))
        query = database.get("query")
        if isinstance(query, str) and self.clean((*path, "query")):
            yield from self.query(path, query, len(parameters))
            yield from self.returns(path, operation, outputs)

    def query(self, path: Path, query: str, count: int) -> Iterator[Problem]:
        if (statements := sql.statements(query)) != 1:
            yield Problem((*path, "query"), f"{statements} statements", "exactly one statement")
            return
        used = sql.placeholders(query)
        if used != set(range(1, count + 1)):
            found = ", ".join(f"${number}" for number in sorted(used)) or "no placeholders"
            expected = (
                f"$1 to ${count}, one for each of the parameters" if count else "none, since there are no parameters"
            )
            yield Problem((*path, "query"), found, expected)

    def returns(self, path: Path, operation: Specs, outputs: Specs) -> Iterator[Problem]:
        database = operation["database"]
        returns = _mapping(database.get("returns"))
        rows = returns.get("rows") or ("one" if sql.returns_rows(database["query"]) else "none")
        place = (*path, "returns")
        if rows != "none" and sql.drops_rows(database["query"]):
            yield Problem(
                (*place, "rows"), show(rows), "none, since the statement returns no rows", "RETURNING returns them"
            )
            return
        wanted: dict[str, tuple[str, Callable[[Specs], bool]]] = {
            "found": ("a boolean output field", lambda spec: spec.get("type") == "boolean"),
            "count": ("an integer output field", lambda spec: spec.get("type") == "integer"),
            "into": self.into(rows),
        }
        sound = True
        for key, (expected, fits) in wanted.items():
            name = returns.get(key)
            if not isinstance(name, str):
                continue
            if name not in outputs:
                sound = False
                yield Problem((*place, key), show(name), expected, did_you_mean(name, outputs))
            elif rows == "none" and key == "into":
                sound = False
                yield Problem((*place, key), show(name), "no into, since the statement returns no rows")
            elif self.clean((*path[:-1], "output", name)) and not fits(spell_out(outputs[name])):
                sound = False
                yield Problem((*place, key), show(name), expected)
        targets = [name for name in (returns.get(key) for key in wanted) if isinstance(name, str)]
        if len(targets) != len(set(targets)):
            yield Problem(place, "one output field for two things", "an output field for each")
        elif sound and self.clean(place):
            yield from self.filled(path, rows, returns, operation)

    def into(self, rows: str) -> tuple[str, Callable[[Specs], bool]]:
        def takes_row(spec: Specs) -> bool:
            return spec.get("type") == "object" or spec.get("type") in self.models

        if rows == "many":
            return (
                "an output field that is an array: of a model, of objects, or of what a single column holds",
                lambda spec: (
                    spec.get("type") == "array" and spell_out(spec.get("items", "object")).get("type") != "array"
                ),
            )
        return "an output field that is a model or an object", takes_row

    def filled(self, path: Path, rows: str, returns: Specs, operation: Specs) -> Iterator[Problem]:
        filled = {returns.get(key) for key in ("into", "found", "count")}

        def takes(spec: Specs) -> bool:
            return (rows == "one" and "into" not in returns) or (rows == "none" and spec.get("type") == "boolean")

        filler = filling.Filler(filled, "returns.into, found or count", takes)
        yield from filling.unfilled(path[:-1], operation, filler, self.clean)

    def generated_names(self) -> Iterator[Problem]:
        node = self.raw.get("name")
        taken: dict[str, str] = {}
        sources: list[tuple[Path, str, str]] = []
        if isinstance(node, str):
            sources += [
                ((), f"model_{node}_request", "the node's request"),
                ((), f"model_{node}_response", "the node's response"),
                ((), f"model_{node}_settings", "the node's settings"),
                ((), f"enum_{node}_operation", "the node's operations"),
                ((), f"handler_{node}_{self.raw.get('node_type', 'effect')}", "the node's handler"),
            ]
        if isinstance(node, str) and any("workflow" in operation for operation in self.operations):
            sources.append(((), f"model_{node}_step_event", "the node's event of steps"))
        sources += [(("enums", name), f"enum_{names.snake(name)}", f"the enum {name}") for name in self.enums]
        known = (*self.models, *self.unions)
        sources += [(("models", name), f"model_{names.snake(name)}", f"the model {name}") for name in known]
        seen: set[str] = set()
        for index, operation in enumerate(self.operations):
            name = operation.get("name")
            if isinstance(name, str) and name not in seen:
                seen.add(name)
                place = ("operations", index, "name")
                sources.append((place, f"handler_{name}", f"the operation {name}"))
                sources += [(place, f"model_{name}_{part}", f"the {part} of {name}") for part in ("input", "output")]
                if "publishes" in operation:
                    sources.append((place, f"model_{name}_event", f"the event of {name}"))
        sources += reducers.generated_types(self)
        wrong: set[Path] = set()
        for path, file, what in sources:
            made = names.class_name(names.pascal(file))
            for word, kind in ((file, "file"), (made, "class")):
                if word in taken and path not in wrong:
                    wrong.add(path)
                    yield Problem(path, what, f"a name that does not lead to the same {kind} as {taken[word]}")
            taken.setdefault(file, what)
            taken.setdefault(made, what)

    def integrations(self) -> Iterator[Problem]:
        database = _mapping(_mapping(self.raw.get("integrations")).get("database"))
        seen: set[str] = set()
        for index, migration in enumerate(_list(database.get("migrations"))):
            place = ("integrations", "database", "migrations", index, "sql")
            text = _mapping(migration).get("sql")
            if isinstance(text, str) and self.clean(place) and (wrong := sql_text.fault(text)):
                yield Problem(place, f"what is no SQL in line {wrong[0]}: {wrong[1]}", "statements that parse")
            name = _mapping(migration).get("id")
            if isinstance(name, str):
                if name in seen:
                    place = ("integrations", "database", "migrations", index, "id")
                    yield Problem(place, f"{show(name)} a second time", "an id of its own")
                seen.add(name)
            step = ("integrations", "database", "migrations", index)
            if self.clean(step):
                yield from migrations.problems(step, migration["sql"], transaction=migration.get("transaction", True))
        pool = _mapping(database.get("pool"))
        if _comparable(pool.get("min_size"), pool.get("max_size")) and pool["min_size"] > pool["max_size"]:
            path = ("integrations", "database", "pool", "max_size")
            yield Problem(path, show(pool["max_size"]), f"at least min_size, which is {pool['min_size']}")

    def settings(self) -> Iterator[Problem]:
        advanced = _mapping(self.raw.get("advanced_features"))
        yield from _delays(("advanced_features", "retry_policy"), _mapping(advanced.get("retry_policy")))
        legacy = _mapping(self.raw.get("error_handling"))
        yield from _delays(("error_handling", "retry_policy"), _mapping(legacy.get("retry_policy")))
        scaling = _mapping(_mapping(self.raw.get("deployment")).get("autoscaling"))
        low, high = scaling.get("min_replicas"), scaling.get("max_replicas")
        if _comparable(low, high) and scaling["min_replicas"] > scaling["max_replicas"]:
            path = ("deployment", "autoscaling", "max_replicas")
            yield Problem(path, show(high), f"at least min_replicas, which is {low}")
        replicas = _mapping(self.raw.get("deployment")).get("replicas")
        if low is None and scaling.get("enabled") is not False and _comparable(replicas, high) and replicas > high:  # type: ignore[operator]  # both are numbers
            path = ("deployment", "autoscaling", "max_replicas")
            yield Problem(path, show(high), f"at least replicas, which is {replicas}")
        yield from self.resources()
        yield from self.environment()

    def resources(self) -> Iterator[Problem]:
        amounts = _mapping(_mapping(self.raw.get("deployment")).get("resources"))
        for name in ("cpu", "memory"):
            low, high = _mapping(amounts.get("requests")).get(name), _mapping(amounts.get("limits")).get(name)
            path = ("deployment", "resources", "limits", name)
            if low is None or high is None or not self.clean(path) or not self.clean((*path[:2], "requests", name)):
                continue
            if deployment.quantity(str(low)) > deployment.quantity(str(high)):
                yield Problem(path, show(high), f"at least what requests.{name} says, which is {low}")

    def environment(self) -> Iterator[Problem]:
        seen: dict[str, str] = {}
        for name, value in _mapping(_mapping(self.raw.get("deployment")).get("env")).items():
            path = ("deployment", "env", name)
            if objection := deployment.objection(name, value):
                found = "a value" if deployment.looks_secret(name, value) else show(value)
                yield Problem(path, found, *objection)
            # Settings don't tell upper from lower case.
            if seen.setdefault(name.upper(), name) != name:
                yield Problem(path, show(name), f"a name that differs from {seen[name.upper()]} in more than case")


def _reached(start: str, steps: Mapping[str, Collection[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(steps[start])
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += steps[name]
    return reached


def _types_needed(spec: object) -> Iterator[str]:
    """Yield the types that a value always holds: those of items, too, where there has to be one."""
    if isinstance(spec, (str, Mapping)):
        long = spell_out(spec)
        yield str(long.get("type"))
        for held, least in (("items", "minItems"), ("values", "minProperties")):
            if long.get(least):
                yield from _types_needed(long.get(held))


def _is_needed(spec: object) -> bool:
    return isinstance(spec, str) or (isinstance(spec, Mapping) and spec.get("required", True) is not False)


def _comparable(low: object, high: object) -> bool:
    return isinstance(low, (int, float)) and isinstance(high, (int, float))


def _delays(path: Path, policy: Specs) -> Iterator[Problem]:
    low, high = policy.get("initial_delay_ms"), policy.get("max_delay_ms")
    if _comparable(low, high) and policy["initial_delay_ms"] > policy["max_delay_ms"]:
        yield Problem((*path, "max_delay_ms"), show(high), f"at least initial_delay_ms, which is {show(low)}")
