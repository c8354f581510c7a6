"""What PostgreSQL would not take as it stands is a mistake of the contract, and what it takes is none."""

from typing import Any

import pytest

from extensions.judging.judge import judge
from extensions.language import spelled, sql, sql_words
from extensions.language.references import GIVEN
from extensions.text import sql_text

OPTIONAL = {"type": "string", "required": False}
LIST = {"type": "array", "items": "string"}
ROWS_WHERE = "SELECT name FROM t WHERE "
ROWS = {"type": "array", "items": "object"}


def contract(database: dict[str, Any], output: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any type
    operation = {"name": "go", "input": {"s": "string", "n": "integer"}, "output": output, "database": database}
    models = {"Row": {"fields": {"name": "string", "note": {"type": "string", "required": False}}}}
    return {
        "name": "ledger",
        "package": "acme",
        "node_type": "effect",
        "models": models,
        "operations": [operation],
    } | more


def found(query: str, *parameters: str, returns: dict[str, Any] | None = None, **output: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - any type
    database: dict[str, Any] = {"query": query, "parameters": list(parameters)}
    database |= {"returns": returns} if returns else {}
    place = "operations[0]."
    return [
        (problem.place.removeprefix(place), problem.found)
        for problem in judge(contract(database, output or {"name": OPTIONAL}))
    ]


def where(condition: str) -> str:
    return ROWS_WHERE + condition


FOREIGN = {
    ":s": ["name = :s", "name=:s", "name IN (:s)", "n > :s::int"],
    ":1": ["name = :1"],
    "%s": ["name = %s", "name=%s", "name LIKE %s", "name IN (%s, %s)", "a AND %s", "n BETWEEN %s AND 3"],
    "%(s)s": ["name = %(s)s", "name=%(s)s"],
    "%%": ["n %% 2 = 0"],
    "?": ["name = ?", "name=?", "name IN (?, ?)", "n = ?::int", "a ||?", "name = ? ORDER BY n", "at > INTERVAL ?"],
    "??": ["data ?? 'a'"],
    "@s": ["name = @s", "name=@s"],
    "$s": ["name = $s"],
    "{s}": ["name = {s}"],
    "{{ s }}": ["name = {{ s }}"],
    "#{s}": ["name = #{s}"],
    "${s}": ["name = ${s}"],
}


@pytest.mark.parametrize(("shown", "condition"), [(shown, text) for shown, texts in FOREIGN.items() for text in texts])
def test_placeholder_of_another_driver(shown: str, condition: str) -> None:
    query = where(condition)

    assert next(sql_words.foreign(query, {"s"})) == shown
    assert found(query, "s") == [("database.query", f"{shown!r}, which PostgreSQL does not know")]


def test_placeholder_of_another_driver_in_one_of_several_statements() -> None:
    statements = [{"name": "first", "query": "SELECT name FROM t WHERE n = ?", "parameters": ["n"]}]
    (problem,) = judge(contract({"statements": statements}, {"done": "boolean"}))

    assert problem.place == "operations[0].database.statements[0].query"


@pytest.mark.parametrize(
    "condition",
    [
        "n::text = $1",
        "n :: text = $1",
        "CAST($1 AS text) = name",
        "$1 = ANY(a[1:2])",
        "$1 = ANY(a[:n])",
        "data ? $1",
        "data->'a' ? $1",
        "(data -> 'a') ? $1 AND data ? 'b'",
        "NOT data ? $1",
        "data ?| ARRAY[$1] OR data ?& ARRAY['x']",
        "data @? $1::jsonpath OR data @@ '$.a == 1'",
        "data @> $1::jsonb AND tags <@ s",
        "name % $1 AND $1 <% name AND name %> 's'",
        "n % 2 = length($1)",
        "n %s = length($1)",
        "(n + 1)%s = length($1)",
        "a[1] % s = length($1)",
        "name = $1 || '? %s %(s)s :s {s} $s @s'",
        'name = $1 || "? :s"',
        "name = $1 || $tag$ ? :s %s ${s} $tag$",
        "name = $1 -- ? :s %s\n",
        "name = $1 /* ? /* :s */ %s */",
        r"name = E'\'? :s' || $1",
        "name = format('%s', $1)",
        "at > make_interval(days := length($1))",
        "@ n = length($1) AND @size > 1",
        "p ?-| q AND ?- l AND name = $1",
        "data #> '{a,b}' ? $1",
        "name ~* $1 AND name !~ 'a{2,3}?'",
        "CASE WHEN data ? $1 THEN true END",
        "name = CONCAT($1, $2)",
    ],
)
def test_operators_casts_and_texts_are_no_placeholders(condition: str) -> None:
    query = where(condition)

    assert list(sql_words.foreign(query, {"s"})) == []
    assert found(query, *["s"] * len(sql.placeholders(query))) == []


@pytest.mark.parametrize(
    "text", ["${input.s}", "$${input.s}", "{input.s}", "$input.s", "${env.A}", "${now}", "${ secret.A }"]
)
@pytest.mark.parametrize("around", ["'{}'", "'%{}%'", "$${}$$", '"{}"', "{}", "E'{}'"])
def test_references_are_not_filled_in_sql(text: str, around: str) -> None:
    query = where(f"name = {around.replace('{}', text)} AND n = $1")
    ((place, shown),) = found(query, "n")

    assert place == "database.query"
    assert "which stays text" in shown


def test_references_are_not_filled_in_migrations() -> None:
    migration = {"id": "0001", "sql": "CREATE TABLE ${env.SCHEMA}_t (a text DEFAULT '${env.A}')"}
    integrations = {"database": {"migrations": [migration]}}
    made = contract({"query": "SELECT name FROM t"}, {"name": OPTIONAL}, integrations=integrations)
    (problem,) = judge(made)

    assert problem.place == "integrations.database.migrations[0].sql"


@pytest.mark.parametrize(
    "text", ["'{s}'", "'$s'", "'${s}'", "'{a,input}'", "'$.a ? (@ > $min)'", "'{\"input\": 1}'", "'${'"]
)
def test_texts_that_refer_to_nothing_stay(text: str) -> None:
    assert found(where(f"name = {text}")) == []


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("SELEC name FROM t", "what is no SQL in line 1: no statement begins with SELEC"),
        ("SELECT name\nFROM t WHERE (n = 1", "what is no SQL in line 2: ( is never closed"),
        ("SELECT name FROM t WHERE name = 'a", "what is no SQL in line 1: ' is never closed"),
        ("SELECT name FROM t)", "what is no SQL in line 1: ) closes nothing"),
        ("COPY t TO STDOUT", "COPY with data over the connection"),
        ("COPY t (name) FROM STDIN WITH (FORMAT csv)", "COPY with data over the connection"),
    ],
)
def test_what_is_no_statement_with_rows_and_parameters(query: str, shown: str) -> None:
    assert ("database.query", shown) in found(query, ok="boolean")


@pytest.mark.parametrize(
    "query", ["TRUNCATE $1", "SET a = $1", "DROP TABLE $1", "NOTIFY c, $1", "ALTER TABLE t ADD $1 int"]
)
def test_statements_without_parameters(query: str) -> None:
    ((place, shown),) = found(query, "s", ok="boolean")

    assert place == "database.query"
    assert shown == f"$1 in {query.split(maxsplit=1)[0]}"


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("SELECT name FROM t WHERE name LIKE '%$1%'", ["s"]),
        ("SELECT name FROM t WHERE name LIKE '%$1%' AND n = $1", ["n"]),
    ],
)
def test_placeholders_within_texts(query: str, parameters: list[str]) -> None:
    ((place, _),) = found(query, *parameters)

    assert place == "database.query"


@pytest.mark.parametrize(
    "query",
    [
        "COPY t TO '/tmp/a'",
        "CREATE TABLE a AS SELECT name FROM t",
        "SELECT name INTO a FROM t",
        "TRUNCATE t",
        "INSERT INTO t SELECT name FROM a",
        "UPDATE t SET name = 'a'",
        "NOTIFY c",
        "REFRESH MATERIALIZED VIEW v",
        "LOCK TABLE t",
        "DO $$ BEGIN END $$",
        "WITH a AS (SELECT 1) DELETE FROM t",
    ],
)
@pytest.mark.parametrize("rows", ["one", "many"])
def test_statement_that_is_said_to_return_rows(query: str, rows: str) -> None:
    returns = {"rows": rows} | ({"into": "list"} if rows == "many" else {})
    output: dict[str, Any] = {"list": ROWS} if rows == "many" else {"name": OPTIONAL}

    assert found(query, returns=returns, **output) == [("database.returns.rows", repr(rows))]
    assert found(query, ok="boolean") == []
    statements = [{"name": "first", "query": query, "rows": rows}]
    (problem,) = judge(contract({"statements": statements}, {"done": "boolean"}))
    assert problem.place == "operations[0].database.statements[0].rows"


@pytest.mark.parametrize(
    "query",
    ["SELECT name FROM t", "VALUES (1)", "TABLE t", "SHOW a", "CALL p()", "EXPLAIN INSERT INTO t SELECT 1", "FETCH c"],
)
def test_statement_that_may_return_rows(query: str) -> None:
    assert sql.may_return_rows(query)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT name, id FROM t", ["name", "id"]),
        ('SELECT t.name, s.t.id, "Mixed""Case", UPPER FROM t', ["name", "id", 'Mixed"Case', "upper"]),
        ("SELECT count(*) AS n, a[1:2], (SELECT b, c FROM d), 'x, y' FROM t", ["n", "", "", ""]),
        ("SELECT DISTINCT name FROM t", ["name"]),
        ("SELECT a IS DISTINCT FROM b AS x, c FROM t", ["x", "c"]),
        ("SELECT mode() WITHIN GROUP (ORDER BY a) AS m, n FROM t GROUP BY n", ["m", "n"]),
        ("SELECT a AS from_, b LIMIT 1", ["from_", "b"]),
        ("WITH x AS (SELECT 1, 2, 3) SELECT a, b FROM x", ["a", "b"]),
        ("SELECT a FROM x UNION SELECT b FROM y", ["a"]),
        ("INSERT INTO t (a, b) SELECT a, b FROM s RETURNING a, b AS c", ["a", "c"]),
        ("WITH g AS (DELETE FROM t RETURNING a, b) SELECT b FROM g", ["b"]),
        ("SELECT a::text, null, $1, b c", ["", "", "", ""]),
        ("SELECT *, a FROM t", None),
        ("SELECT t.* FROM t", None),
        ("SELECT DISTINCT ON (a) a, b FROM t", None),
        ("VALUES (1, 2)", None),
        ("TABLE t", None),
        ("(SELECT a FROM t)", None),
    ],
)
def test_columns_that_are_to_be_seen(query: str, expected: list[str] | None) -> None:
    assert sql.columns(query) == expected


MANY = {"rows": "many", "into": "list"}


@pytest.mark.parametrize(
    ("query", "returns", "output", "place"),
    [
        ("SELECT name, id FROM t", MANY, {"list": LIST}, "database.returns.into"),
        ("UPDATE t SET a = 1 RETURNING a, b", MANY, {"list": LIST}, "database.returns.into"),
        ("SELECT title FROM t", {}, {"name": OPTIONAL}, "output.name"),
        ("SELECT name, id FROM t", {}, {"name": OPTIONAL, "size": OPTIONAL}, "output.size"),
        ("SELECT title FROM t", MANY, {"list": {"type": "array", "items": "Row"}}, "database.returns.into"),
        ("SELECT title FROM t", {"into": "row"}, {"row": {"type": "Row", "required": False}}, "database.returns.into"),
    ],
)
def test_columns_that_outputs_do_without(
    query: str, returns: dict[str, Any], output: dict[str, Any], place: str
) -> None:
    assert [where for where, _ in found(query, returns=returns, **output)] == [place]


@pytest.mark.parametrize(
    ("query", "returns", "output"),
    [
        ("SELECT name FROM t", MANY, {"list": LIST}),
        ("SELECT lower(name) FROM t", MANY, {"list": LIST}),
        ("SELECT name, id FROM t", MANY, {"list": ROWS}),
        ("SELECT * FROM t", MANY, {"list": LIST}),
        ("SELECT name, id FROM t", MANY, {"list": {"type": "array", "items": "Row"}}),
        ("SELECT count(*), name FROM t", {}, {"name": OPTIONAL}),
        ("SELECT title FROM t", {"found": "there"}, {"there": "boolean", "s": "string", "title": OPTIONAL}),
        ("SELECT name, id FROM t", {"into": "row"}, {"row": {"type": "object", "required": False}}),
    ],
)
def test_columns_that_fill_outputs(query: str, returns: dict[str, Any], output: dict[str, Any]) -> None:
    assert found(query, returns=returns, **output) == []


@pytest.mark.parametrize(
    ("second", "into", "place"),
    [
        ("first.id", {}, "statements[1].parameters[0]"),
        ("first.name", {"name": "first.id"}, "returns.into.name"),
        ("first.name", {"row": "first"}, "returns.into.row"),
        ("first.name", {"name": "first.name"}, ""),
    ],
)
def test_columns_of_statements_before(second: str, into: dict[str, str], place: str) -> None:
    statements = [
        {"name": "first", "query": "SELECT name, size FROM t WHERE n = $1", "parameters": ["n"]},
        {"name": "second", "query": "UPDATE t SET a = $1", "parameters": [second]},
    ]
    models = {"Row": {"fields": {"title": "string"}}}
    output = {name: {"type": "Row" if name == "row" else "string", "required": False} for name in into}
    returns = {"returns": {"into": into}} if into else {}
    made = contract({"statements": statements} | returns, output | {"done": "boolean"}, models=models)

    assert [problem.place.removeprefix("operations[0].database.") for problem in judge(made)] == [place] * bool(place)


@pytest.mark.parametrize("name", GIVEN)
def test_what_is_given_is_no_reference_in_sql(name: str) -> None:
    assert list(spelled.references(f"SELECT '${{{name}}}'")) == [f"${{{name}}}"]


@pytest.mark.parametrize("script", [r"SELECT E'it\'s'", "SELECT 'a' -- '", "SHOW a", "SELECT note'a'"])
def test_sql_that_parses(script: str) -> None:
    assert sql_text.fault(script) is None
