"""Rules of the contract language that a schema can't say: what one part of a contract means for another."""

import keyword
from collections.abc import Callable, Collection, Iterator, Mapping

from packaging.version import InvalidVersion, Version

from ..deciding import deployment
from ..language import classify, filling, migrations, names, sql
from ..language.contract import spell_out
from ..language.publishing import SUCCESS, publications
from ..text import sql_text
from ..text.problems import Path, Problem, did_you_mean, show
from ..text.specs import Specs, list_of, mapping_of
from . import (
    caches,
    callers,
    computation,
    custom,
    given_values,
    idempotency,
    queries,
    reducers,
    statements,
    unions,
    workflow,
)
from . import integrations as effects
from .fields import TAKEN, FieldRules, comparable, is_needed

IMPLEMENTATIONS = (*(*computation.IO, "compute", "aggregate", "workflow", "handler"),)
# Where input and output that another node than an effect asks for belongs.
_ELSEWHERE = {
    "compute": "a compute node's results follow from its input alone: an effect node does this and gives it the answer",
    "reducer": "a reducer keeps its own state by subcontracts.state_management; an effect node does the rest",
    "orchestrator": "let an effect node do this, and call it in a step of a workflow",
}


def check(raw: Specs, blocked: Collection[Path]) -> Iterator[Problem]:
    """Find what is wrong beyond the schema.

    Args:
        raw: The contract; parts of it may not meet the schema.
        blocked: Paths at which the schema found something; rules say nothing about what lies there.

    Yields:
        The problems.
    """
    yield from _Rules(raw, blocked).all()


class _Rules(FieldRules):
    def __init__(self, raw: Specs, blocked: Collection[Path]) -> None:
        super().__init__(raw, blocked)
        self.operations = [mapping_of(spec) for spec in list_of(raw.get("operations"))]
        self.database_off = mapping_of(raw.get("integrations")).get("database") is False

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
        yield from callers.check(self)
        yield from caches.check(self)
        yield from effects.settings(self)

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
        features = [word for word in list_of(self.raw.get("features")) if isinstance(word, str)]
        if {"service_mode", "no_service_mode"} <= set(features):
            yield Problem(("features",), "service_mode and no_service_mode", "one of them")

    def operation(self, path: Path, operation: Specs) -> Iterator[Problem]:
        inputs, outputs = mapping_of(operation.get("input")), mapping_of(operation.get("output"))
        yield from self.fields((*path, "input"), inputs)
        yield from self.fields((*path, "output"), outputs)
        yield from self.implementation(path, operation)
        if "schedule" in operation and self.clean((*path, "input")):
            for name, spec in inputs.items():
                if is_needed(spec) and "default" not in spell_out(spec):
                    expected = "a default: a scheduled operation runs without input"
                    yield Problem((*path, "input", name), "no default", expected)
        for index, example in enumerate(list_of(operation.get("examples"))):
            for side, fields in (("input", inputs), ("output", outputs)):
                place = (*path, "examples", index, side)
                if side in mapping_of(example) and self.clean((*path, side)) and self.clean(place):
                    yield from self.values(place, example[side], fields)
        yield from _delays((*path, "retry"), mapping_of(operation.get("retry")))

    def archetype(self, path: Path, operation: Specs) -> Iterator[Problem]:
        kind = classify.node_type(self.raw)
        if kind not in _ELSEWHERE:
            return
        for key in computation.IO:
            if key in operation:
                yield Problem((*path, key), f"{key} in a node of type {kind}", "an effect node", _ELSEWHERE[kind])

    def implementation(self, path: Path, operation: Specs) -> Iterator[Problem]:
        yield from self.archetype(path, operation)
        if self.clean((*path, "database")):
            yield from idempotency.check(path, operation)
        given = [key for key in IMPLEMENTATIONS if key in operation]
        if "then" in operation:
            yield from computation.check_then(self, path, operation, given[0] if given else "")
            operation = computation.before(operation)
        if not given and not reducers.by_state_machine(self, operation):
            expected = f"exactly one of {', '.join(IMPLEMENTATIONS)}"
            yield Problem(path, "no implementation", expected, awaited=(path,))
        elif len(given) > 1:
            yield Problem(path, " and ".join(given), "exactly one implementation")
        for key in given:
            alone = {word: value for word, value in operation.items() if word == key or word not in IMPLEMENTATIONS}
            problems = self.implemented(path, alone, key)
            # What one of several leaves out, another may do.
            yield from problems if len(given) == 1 else (problem for problem in problems if not problem.awaited)

    def implemented(self, path: Path, operation: Specs, key: str) -> Iterator[Problem]:
        if key == "database" and isinstance(operation["database"], Mapping):
            yield from self.database((*path, "database"), operation)
        elif key == "aggregate":
            yield from reducers.check_aggregate(self, path, operation, TAKEN)
        elif key == "compute":
            if self.clean((*path, "compute")) or isinstance(operation["compute"], Mapping):
                yield from computation.check_compute(self, path, operation)
        elif key == "workflow":
            yield from workflow.check_workflow(self, path, operation)
        elif key != "handler" and isinstance(operation[key], Mapping):
            yield from effects.check(self, (*path, key), operation)

    def database(self, path: Path, operation: Specs) -> Iterator[Problem]:
        database = operation["database"]
        inputs, outputs = mapping_of(operation.get("input")), mapping_of(operation.get("output"))
        if self.database_off:
            yield Problem(path, "an SQL statement", "another implementation, since integrations.database is false")
        parameters = list_of(database.get("parameters"))
        for index, name in enumerate(parameters):
            if isinstance(name, str) and "${" in name:
                yield from effects.parameter(self, (*path, "parameters", index), name, inputs)
            elif isinstance(name, str) and name not in inputs:
                expected = "an input field of this operation"
                yield Problem((*path, "parameters", index), show(name), expected, did_you_mean(name, inputs))
        if "query" not in database and "statements" not in database:
            yield Problem((*path, "query"), "nothing", "a value: query is required, or statements")
        if isinstance(database.get("statements"), list):
            yield from statements.check(self, path, operation)
            return
        returns = mapping_of(database.get("returns"))
        mappings = [key for key in ("into", "count") if isinstance(returns.get(key), Mapping)]
        for key in mappings:
            place = (*path, "returns", key)
            yield Problem(place, "a mapping for one statement", "an output field; statements take a mapping")
        query = database.get("query")
        if isinstance(query, str) and self.clean((*path, "query")):
            wrong = list(queries.check((*path, "query"), query, parameters, inputs))
            yield from wrong
            if not mappings:
                returned = list(self.returns(path, operation, outputs))
                yield from returned
                if not (wrong or returned):
                    yield from queries.columns(path, operation, self.models, self.clean)
                    yield from given_values.counts(path[:-1], database, operation, self.raw, self.models)

    def returns(self, path: Path, operation: Specs, outputs: Specs) -> Iterator[Problem]:
        database = operation["database"]
        returns = mapping_of(database.get("returns"))
        rows = returns.get("rows") or ("one" if sql.returns_rows(database["query"]) else "none")
        place = (*path, "returns")
        if wrong := list(queries.rows((*place, "rows"), database["query"], rows)):
            yield from wrong
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
                sources += [(place, f"model_{name}_result", f"the result of {name}")] if "then" in operation else []
                for on in {item.on for item in publications(operation)}:
                    file, what = ("event", "event") if on == SUCCESS else ("failure_event", "event of failures")
                    sources.append((place, f"model_{name}_{file}", f"the {what} of {name}"))
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
        database = mapping_of(mapping_of(self.raw.get("integrations")).get("database"))
        seen: set[str] = set()
        for index, migration in enumerate(list_of(database.get("migrations"))):
            place = ("integrations", "database", "migrations", index, "sql")
            text = mapping_of(migration).get("sql")
            if isinstance(text, str) and self.clean(place) and (wrong := sql_text.fault(text)):
                yield Problem(place, f"what is no SQL in line {wrong[0]}: {wrong[1]}", "statements that parse")
            name = mapping_of(migration).get("id")
            if isinstance(name, str):
                if name in seen:
                    place = ("integrations", "database", "migrations", index, "id")
                    yield Problem(place, f"{show(name)} a second time", "an id of its own")
                seen.add(name)
            step = ("integrations", "database", "migrations", index)
            if self.clean(step):
                left = list(queries.references((*step, "sql"), migration["sql"]))
                yield from left or migrations.problems(
                    step, migration["sql"], transaction=migration.get("transaction", True)
                )
        pool = mapping_of(database.get("pool"))
        if comparable(pool.get("min_size"), pool.get("max_size")) and pool["min_size"] > pool["max_size"]:
            path = ("integrations", "database", "pool", "max_size")
            yield Problem(path, show(pool["max_size"]), f"at least min_size, which is {pool['min_size']}")

    def settings(self) -> Iterator[Problem]:
        advanced = mapping_of(self.raw.get("advanced_features"))
        yield from _delays(("advanced_features", "retry_policy"), mapping_of(advanced.get("retry_policy")))
        legacy = mapping_of(self.raw.get("error_handling"))
        yield from _delays(("error_handling", "retry_policy"), mapping_of(legacy.get("retry_policy")))
        scaling = mapping_of(mapping_of(self.raw.get("deployment")).get("autoscaling"))
        low, high = scaling.get("min_replicas"), scaling.get("max_replicas")
        if comparable(low, high) and scaling["min_replicas"] > scaling["max_replicas"]:
            path = ("deployment", "autoscaling", "max_replicas")
            yield Problem(path, show(high), f"at least min_replicas, which is {low}")
        replicas = mapping_of(self.raw.get("deployment")).get("replicas")
        if low is None and scaling.get("enabled") is not False and comparable(replicas, high) and replicas > high:  # type: ignore[operator]  # both are numbers
            path = ("deployment", "autoscaling", "max_replicas")
            yield Problem(path, show(high), f"at least replicas, which is {replicas}")
        yield from self.resources()
        yield from self.environment()

    def resources(self) -> Iterator[Problem]:
        amounts = mapping_of(mapping_of(self.raw.get("deployment")).get("resources"))
        for name in ("cpu", "memory"):
            low, high = mapping_of(amounts.get("requests")).get(name), mapping_of(amounts.get("limits")).get(name)
            path = ("deployment", "resources", "limits", name)
            if low is None or high is None or not self.clean(path) or not self.clean((*path[:2], "requests", name)):
                continue
            if deployment.quantity(str(low)) > deployment.quantity(str(high)):
                yield Problem(path, show(high), f"at least what requests.{name} says, which is {low}")

    def environment(self) -> Iterator[Problem]:
        spec = mapping_of(self.raw.get("deployment"))
        yield from _variables(("deployment", "env"), mapping_of(spec.get("env")))
        for name, there in mapping_of(spec.get("environments")).items():
            place: Path = ("deployment", "environments", name)
            variables = mapping_of(mapping_of(there).get("env"))
            yield from _variables((*place, "env"), variables)
            for variable, value in variables.items():
                if deployment.reference(value):
                    hint = "deployment.env, where references stand for all environments"
                    yield Problem((*place, "env", variable), show(value), "a value, and no reference", hint)


def _variables(place: Path, variables: Specs) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for name, value in variables.items():
        path = (*place, name)
        if objection := deployment.objection(name, value):
            found = "a value" if deployment.looks_secret(name, value) else show(value)
            yield Problem(path, found, *objection)
        # Settings don't tell upper from lower case.
        if seen.setdefault(name.upper(), name) != name:
            yield Problem(path, show(name), f"a name that differs from {seen[name.upper()]} in more than case")


def _delays(path: Path, policy: Specs) -> Iterator[Problem]:
    low, high = policy.get("initial_delay_ms"), policy.get("max_delay_ms")
    if comparable(low, high) and policy["initial_delay_ms"] > policy["max_delay_ms"]:
        yield Problem((*path, "max_delay_ms"), show(high), f"at least initial_delay_ms, which is {show(low)}")
