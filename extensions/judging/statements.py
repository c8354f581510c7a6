"""Rules for the statements of one transaction."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..language import filling, sql
from ..language.contract import spell_out
from ..text.problems import Path, Problem, did_you_mean, show
from ..text.specs import Specs, list_of, mapping_of
from . import given_values, queries
from . import integrations as effects
from .fields import is_needed

_COLUMN = re.compile(r"(?P<statement>[a-z][a-z0-9_]*)\.(?P<column>[A-Za-z_][A-Za-z0-9_]*)")
_OPTIONAL = "an output field with required: false"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a statement: how many rows it returns, whether the transaction needs one, and its SQL."""

    rows: str
    required: bool
    query: object = None


def check(rules: effects.Rules, path: Path, operation: Specs) -> Iterator[Problem]:
    """Find what is wrong with the statements of a transaction beyond their schema.

    Args:
        rules: The rules for the whole contract.
        path: Where the implementation is.
        operation: The operation.

    Yields:
        The problems.
    """
    database = operation["database"]
    for key in ("query", "parameters"):
        if key in database:
            yield Problem((*path, key), f"{key} beside statements", f"the {key} of each statement, or no statements")
    if "transaction" in database:
        expected = "no transaction: statements always run in one"
        yield Problem((*path, "transaction"), show(database["transaction"]), expected)
    known: dict[str, Known] = {}
    for index, spec in enumerate(list_of(database["statements"])):
        place = (*path, "statements", index)
        if isinstance(spec, Mapping):
            yield from _statement(rules, place, spec, operation, known)
            name = spec.get("name")
            if isinstance(name, str):
                if name in known:
                    yield Problem((*place, "name"), f"{show(name)} a second time", "a name of its own")
                known[name] = Known(_rows(spec), "require" in spec, spec.get("query"))
    if rules.clean((*path, "statements")) and rules.clean((*path[:-1], "output")):
        yield from _returns(rules, path, operation, known)


def _rows(spec: Specs) -> str:
    query = spec.get("query")
    return str(spec.get("rows") or ("one" if isinstance(query, str) and sql.returns_rows(query) else "none"))


def _statement(
    rules: effects.Rules, path: Path, spec: Specs, operation: Specs, known: Mapping[str, Known]
) -> Iterator[Problem]:
    inputs, parameters = mapping_of(operation.get("input")), list_of(spec.get("parameters"))
    for index, text in enumerate(parameters):
        place = (*path, "parameters", index)
        if not isinstance(text, str):
            continue
        if "${" in text:
            yield from effects.parameter(rules, place, text, inputs)
        elif "." in text:
            yield from _column(place, text, known)
        elif text not in inputs:
            expected = "an input field of this operation, or statement.column of a statement before"
            yield Problem(place, show(text), expected, did_you_mean(text, inputs))
    query = spec.get("query")
    if isinstance(query, str) and rules.clean((*path, "query")):
        wrong = list(queries.check((*path, "query"), query, parameters, inputs))
        yield from wrong or queries.rows((*path, "rows"), query, spec.get("rows"))
        if not wrong:
            yield from given_values.counts(path[:2], spec, operation, rules.raw, rules.models)


def _column(path: Path, text: str, known: Mapping[str, Known], *, many: bool = False) -> Iterator[Problem]:
    """Find what keeps a text from naming a column of a statement."""
    found = _COLUMN.fullmatch(text)
    before = ", ".join(known) or "none"
    if not found:
        yield Problem(path, show(text), "statement.column")
    elif found["statement"] not in known:
        hint = did_you_mean(found["statement"], known)
        expected = f"a statement{'' if many else ' before this one'}, which are: {before}"
        yield Problem(path, f"the statement {show(found['statement'])}", expected, hint)
    elif known[found["statement"]].rows == "none":
        yield Problem(path, show(text), "a statement that returns rows", "RETURNING returns what was changed")
    elif known[found["statement"]].rows == "many" and not many:
        yield Problem(path, show(text), "a statement of one row; this one has many")
    else:
        yield from queries.column(path, found["column"], known[found["statement"]].query)


def _returns(rules: effects.Rules, path: Path, operation: Specs, known: Mapping[str, Known]) -> Iterator[Problem]:
    returns, outputs = mapping_of(operation["database"].get("returns")), mapping_of(operation.get("output"))
    place = (*path, "returns")
    if "rows" in returns:
        yield Problem((*place, "rows"), show(returns["rows"]), "no rows here: each statement has its own")
    required = any(statement.required for statement in known.values())
    found = returns.get("found")
    if isinstance(found, str):
        if found not in outputs or spell_out(outputs[found]).get("type") != "boolean":
            yield Problem((*place, "found"), show(found), "a boolean output field", did_you_mean(found, outputs))
        elif not required:
            yield Problem((*place, "found"), show(found), "no found, since no statement has `require: found`")
    for key in ("into", "count"):
        value = returns.get(key)
        if isinstance(value, str):
            example = "{balance: debit.balance}" if key == "into" else "{moved: debit}"
            yield Problem((*place, key), show(value), f"a mapping of output fields to statements, as in {example}")
        for name, source in mapping_of(value).items():
            if name not in outputs:
                expected = "an output field of this operation"
                yield Problem((*place, key, name), show(name), expected, did_you_mean(name, outputs))
            elif isinstance(source, str) and rules.clean((*path[:-1], "output", name)):
                spec = spell_out(outputs[name])
                target = _into if key == "into" else _count
                wrong = list(target(rules, (*place, key, name), source, spec, known))
                yield from wrong
                if key == "into" and not wrong:
                    undone = isinstance(found, str) and required
                    yield from _sure((*place, key, name), source, spec, known, undone=undone)
    counted = mapping_of(returns.get("count"))
    into = mapping_of(returns.get("into"))
    if len({found, *counted, *into}) != 1 + len(counted) + len(into):
        yield Problem(place, "one output field for two things", "an output field for each")
    elif rules.clean(place):
        silent = "found" not in returns
        filler = filling.Filler(
            {found, *counted, *into},
            "database.returns.into, found or count",
            lambda spec: silent and spec.get("type") == "boolean",
        )
        yield from filling.unfilled(path[:-1], operation, filler, rules.clean)


def _into(rules: effects.Rules, path: Path, source: str, spec: Specs, known: Mapping[str, Known]) -> Iterator[Problem]:
    """Find what keeps an output field from taking a column, a row or rows."""
    name, dot, _ = source.partition(".")
    if dot:
        wrong = list(_column(path, source, known, many=True))
        yield from wrong
        if not wrong and known[name].rows == "many" and spec.get("type") != "array":
            yield Problem(path, show(source), "an output field that is an array, since the statement has many rows")
        return
    if name not in known:
        yield Problem(path, show(source), f"a statement, which are: {', '.join(known)}", did_you_mean(name, known))
    elif known[name].rows == "none":
        yield Problem(path, show(source), "a statement that returns rows", "count takes how many it affected")
    elif known[name].rows == "one" and not _takes_row(rules, spec):
        yield Problem(path, show(source), "an output field that is a model or an object, or statement.column")
    elif known[name].rows == "many" and not (
        spec.get("type") == "array" and _takes_row(rules, spell_out(spec.get("items", "object")))
    ):
        expected = "an output field that is an array of a model or of objects, or statement.column"
        yield Problem(path, show(source), expected)
    elif (columns := sql.columns(str(known[name].query))) is not None:
        yield from queries.taken(path, spec, columns, rules.models)


def _takes_row(rules: effects.Rules, spec: Specs) -> bool:
    kind = str(spec.get("type"))
    return kind == "object" or kind in rules.models


def _count(
    _rules: effects.Rules, path: Path, source: str, spec: Specs, known: Mapping[str, Known]
) -> Iterator[Problem]:
    if source not in known:
        yield Problem(path, show(source), f"a statement, which are: {', '.join(known)}", did_you_mean(source, known))
    elif spec.get("type") != "integer":
        yield Problem(path, show(source), "an integer output field")


def _sure(path: Path, source: str, spec: Specs, known: Mapping[str, Known], *, undone: bool) -> Iterator[Problem]:
    """Find an output field that needs a value which a transaction may not have."""
    name = source.partition(".")[0]
    if known[name].rows == "many" or not is_needed(spec):
        return
    if not known[name].required:
        yield Problem(path, f"{source}, which may not be there", _OPTIONAL, f"or `require: found` at {name}")
    elif undone:
        yield Problem(path, f"{source}, which is not there where the transaction is undone", _OPTIONAL)
