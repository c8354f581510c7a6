"""Rules for a statement of SQL: what PostgreSQL takes as it stands, its parameters, and the columns of its rows."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from ..language import filling, spelled, sql, sql_words
from ..language.contract import spell_out
from ..text import sql_text
from ..text.problems import Path, Problem, did_you_mean, show
from ..text.specs import Specs, mapping_of

_CHANGES = ("insert", "update", "delete", "merge")
_TYPED = ("object", "array")


def check(path: Path, query: str, parameters: Sequence[object], inputs: Collection[str]) -> Iterator[Problem]:
    """Find what is wrong with a statement beyond its schema.

    Args:
        path: Where it is.
        query: The statement.
        parameters: Its parameters.
        inputs: The names of the operation's input fields.

    Yields:
        The problems.
    """
    if (count_of := sql.statements(query)) != 1:
        hint = "several in one transaction are `statements`" if count_of else ""
        yield Problem(path, f"{count_of} statements", "exactly one statement", hint)
        return
    names = {*inputs, *(name for name in parameters if isinstance(name, str))}
    left = list(references(path, query))
    yield from left
    if not left and (placeholder := next(sql_words.foreign(query, names), None)):
        hint = "the first of `parameters` is $1, the second is $2"
        yield Problem(path, f"{show(placeholder)}, which PostgreSQL does not know", "placeholders such as $1", hint)
        return
    if left:
        return
    if wrong := sql_text.fault(query):
        yield Problem(path, f"what is no SQL in line {wrong[0]}: {wrong[1]}", "a statement that parses")
        return
    if sql.controls_transaction(query):
        hint = "`statements` run in one, and `savepoint` undoes one of them alone"
        yield Problem(path, "a statement about transactions", "one that reads or changes rows", hint)
        return
    if sql.copies_over_connection(query):
        hint = "SELECT and INSERT do it; INSERT … SELECT FROM unnest($1::text[]) writes many rows at once"
        yield Problem(path, "COPY with data over the connection", "a statement with parameters and rows", hint)
        return
    yield from _placeholders(path, query, len(parameters))


def references(path: Path, script: str) -> Iterator[Problem]:
    """Find references in SQL, where they stay as they are written: in texts, too.

    Args:
        path: Where it is.
        script: A statement, or those of a migration.

    Yields:
        At most one problem.
    """
    if (found := next(spelled.references(script), None)) is not None:
        hint = (
            "a value comes by `parameters` and $1, also within a text, as in 'a' || $1; meant as it stands: '$' || '{'"
        )
        yield Problem(path, f"{show(found)}, which stays text", "SQL without references", hint)


def _placeholders(path: Path, query: str, count: int) -> Iterator[Problem]:
    used = sql.placeholders(query)
    if used != set(range(1, count + 1)):
        found = ", ".join(f"${number}" for number in sorted(used)) or "no placeholders"
        expected = f"$1 to ${count}, one for each of the parameters" if count else "none, since there are no parameters"
        quoted = next(sql_words.quoted_placeholders(query, max(count, 1)), None)
        yield Problem(path, found, expected, f"{show(quoted)} is a text: write 'a' || $1" if quoted else "")
    elif used and not sql.takes_parameters(query):
        found = f"$1 in {sql.verb(query).upper()}"
        expected = (
            "a statement that PostgreSQL takes parameters for: SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES, CALL"
        )
        yield Problem(path, found, expected)
    else:
        for text in sql_words.quoted_placeholders(query, count):
            hint = "write '%' || $1 || '%', or format('%s', $1)"
            yield Problem(path, f"{show(text)}, a text in which nothing is put", "placeholders outside of texts", hint)


def rows(path: Path, query: str, said: object) -> Iterator[Problem]:
    """Find a statement that is said to return rows and returns none.

    Args:
        path: Where that is said.
        query: The statement.
        said: What is said: `none`, `one` or `many`; None where nothing is.

    Yields:
        At most one problem.
    """
    if said in {None, "none"} or sql.may_return_rows(query):
        return
    verb = sql.verb(query)
    hint = "SELECT INTO makes a table of its rows" if verb == "select" else ""
    hint = "RETURNING returns them" if verb in _CHANGES else hint
    yield Problem(path, show(said), "none, since the statement returns no rows", hint)


def columns(
    path: Path, operation: Specs, models: Mapping[str, Specs], clean: Callable[[Path], bool]
) -> Iterator[Problem]:
    """Find output fields whose columns the rows of an operation's one statement don't have.

    Args:
        path: Where the implementation is.
        operation: The operation; nothing else is wrong with its statement.
        models: The fields of the contract's models.
        clean: Tells whether nothing at or below a path is wrong already.

    Yields:
        The problems.
    """
    database, returns = operation["database"], mapping_of(operation["database"].get("returns"))
    known = sql.columns(database["query"])
    if known is None or returns.get("rows") == "none" or not sql.returns_rows(database["query"]):
        return
    inputs, into, many = mapping_of(operation.get("input")), returns.get("into"), returns.get("rows") == "many"
    for name, spec in mapping_of(operation.get("output")).items():
        place = (*path[:-1], "output", name)
        if name in {returns.get("found"), returns.get("count")} or not clean(place):
            continue
        if name == into:
            yield from taken((*path, "returns", "into"), spell_out(spec), known, models)
        elif not (many or into or "" in known or name in known or filling.passes(inputs, name, spec)):
            yield Problem(place, f"{name}, which is no column of the rows", _among(known), did_you_mean(name, known))


def taken(path: Path, spec: Specs, known: Sequence[str], models: Mapping[str, Specs]) -> Iterator[Problem]:
    """Find what keeps an output field from taking rows.

    Args:
        path: Where it says that it does.
        spec: The field in its long form: an array where there may be many rows.
        known: The columns, as far as they have names.
        models: The fields of the contract's models.

    Yields:
        The problems.
    """
    many = spec.get("type") == "array"
    holder = spell_out(spec.get("items", "object")) if many else spec
    kind = str(holder.get("type"))
    if many and kind not in models and kind not in _TYPED and len(known) != 1:
        found = f"{len(known)} columns{': ' if any(known) else ''}{', '.join(filter(None, known))}"
        expected = f"one column, since the field is an array of {kind}"
        yield Problem(path, found, expected, "an array of a model or of objects takes whole rows")
    elif kind in models and "" not in known:
        for field, inner in models[kind].items():
            if not filling.may_be_left_out(inner) and not {field, spell_out(inner).get("alias")} & set(known):
                found = f"{kind}, whose field {field} is no column of the rows"
                yield Problem(path, found, _among(known), did_you_mean(field, known))


def column(path: Path, name: str, query: object) -> Iterator[Problem]:
    """Find a column that the rows of a statement don't have."""
    known = sql.columns(query) if isinstance(query, str) else None
    if known is not None and "" not in known and name not in known:
        yield Problem(path, f"the column {name}", _among(known), did_you_mean(name, known))


def _among(known: Sequence[str]) -> str:
    return f"a column of the statement, which are: {', '.join(known)}"
