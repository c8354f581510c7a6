"""What PostgreSQL refuses in a transaction is a mistake with a way out, and what it builds outside of one is known."""

import pytest

from extensions.judging.judge import judge
from extensions.judging.legacy import warnings
from extensions.language import migrations, sql

PATH = ("integrations", "database", "migrations", 0)


def found(script: str, *, transaction: bool = True) -> list[str]:
    problems = migrations.problems(PATH, script, transaction=transaction)
    assert all(problem.path == (*PATH, "sql") and problem.hint for problem in problems)
    return [str(problem) for problem in migrations.problems(PATH, script, transaction=transaction)]


@pytest.mark.parametrize(
    "script",
    [
        "CREATE INDEX CONCURRENTLY a ON b (c)",
        "create unique index concurrently if not exists a on b (c);",
        "CREATE TABLE b (c int); CREATE INDEX CONCURRENTLY a ON b (c)",
        "/* why */ CREATE -- now\nINDEX CONCURRENTLY a ON b (c)",
        "DROP INDEX CONCURRENTLY a",
        "REINDEX INDEX CONCURRENTLY a",
        "REINDEX (VERBOSE) TABLE CONCURRENTLY b",
        "REINDEX SYSTEM shop",
        "VACUUM (ANALYZE) b",
        "CREATE DATABASE shop",
        "DROP TABLESPACE fast",
        "ALTER SYSTEM SET work_mem = '1GB'",
        "ALTER TABLE b DETACH PARTITION c CONCURRENTLY",
        "ALTER DATABASE shop SET TABLESPACE fast",
        "CREATE SUBSCRIPTION a CONNECTION 'host=b' PUBLICATION c",
        "DROP SUBSCRIPTION a",
        "ALTER SUBSCRIPTION a REFRESH PUBLICATION",
        "REINDEX SCHEMA public",
        "CLUSTER",
        "COMMIT PREPARED 'a'",
        "DISCARD ALL",
    ],
)
def test_what_needs_to_run_outside(script: str) -> None:
    (problem,) = found(script)
    assert "transaction: false" in problem


@pytest.mark.parametrize(
    "script",
    [
        "CREATE INDEX a ON b (c)",
        "CREATE TABLE concurrently (vacuum text); COMMENT ON TABLE concurrently IS 'CREATE INDEX CONCURRENTLY'",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY a",
        "CLUSTER b USING c; ALTER DATABASE shop SET work_mem = '1GB'",
        "INSERT INTO a VALUES ('$1', ':b', '?', '%s', '{c}'); SELECT b::text, c ? 'd', e[1:2], 7 % 2 FROM a",
        "CREATE OPERATOR ? (LEFTARG = a, RIGHTARG = b, FUNCTION = c)",
        "PREPARE a AS SELECT $1::int; EXECUTE a (1); DEALLOCATE a",
        "CREATE FUNCTION f(int) RETURNS int BEGIN ATOMIC SELECT $1; END",
        "COPY a FROM '/tmp/a'",
        "ALTER TYPE mood ADD VALUE 'meh'",
        "ALTER TYPE mood ADD VALUE 'meh'; ALTER TYPE mood ADD VALUE 'bah' AFTER 'meh'",
        "CREATE TYPE mood AS ENUM ('ok'); ALTER TYPE mood ADD VALUE 'meh'; SELECT 'meh'::mood",
        "DO $$ BEGIN CREATE TABLE a (b int); END $$; DO $x$BEGIN PERFORM 'VACUUM'; END;$x$",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN; RETURN NEW; END; $$;",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 1",
    ],
)
def test_what_runs_in_a_transaction(script: str) -> None:
    assert found(script) == []


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        ("SELECT 1; INSERT INTO a VALUES ($1)", "'$1', which nothing fills in"),
        ("INSERT INTO a VALUES (:b)", "':b', which nothing fills in"),
        ("INSERT INTO a VALUES (?)", "'?', which nothing fills in"),
        ("INSERT INTO a VALUES (%s)", "'%s', which nothing fills in"),
        ("CREATE TABLE {{ schema }}.a (b int)", "'{{ schema }}', which nothing fills in"),
        ("SELECT 1; COPY a (b) FROM STDIN", "COPY with data over the connection"),
    ],
)
@pytest.mark.parametrize("transaction", [True, False])
def test_what_needs_something_else(script: str, shown: str, *, transaction: bool) -> None:
    if not transaction:
        script = script.removeprefix("SELECT 1; ")
    made = [problem.found for problem in migrations.problems(PATH, script, transaction=transaction)]
    assert made == [shown]


@pytest.mark.parametrize(
    "use", ["INSERT INTO b VALUES ('meh')", "SELECT 'meh'::mood", "ALTER TABLE b ALTER c SET DEFAULT 'meh'"]
)
def test_a_new_value_is_used_in_the_next_migration(use: str) -> None:
    (problem,) = found(f"ALTER TYPE mood ADD VALUE IF NOT EXISTS 'meh' BEFORE 'ok'; {use}")
    assert "next migration" in problem
    assert found(f"ALTER TYPE mood ADD VALUE 'bah'; {use}") == []


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("CREATE INDEX CONCURRENTLY a ON b (c)", "a"),
        ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS Upper ON ONLY b USING gin (c) WHERE c > ';'", "upper"),
        ('create index concurrently "A b" on "S".b (c)', '"S"."A b"'),
        ("CREATE INDEX CONCURRENTLY a /* here */ ON shop.b (c);", "shop.a"),
        ("CREATE INDEX CONCURRENTLY ON b (c)", ""),
        ("CREATE INDEX CONCURRENTLY on ON b (c)", "on"),
        ("DROP INDEX CONCURRENTLY a", ""),
        ("VACUUM", ""),
    ],
)
def test_the_index_that_is_built(script: str, expected: str) -> None:
    assert migrations.index(script) == expected


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("VACUUM a; VACUUM b", "2 statements"),
        ("-- nothing", "0 statements"),
        ("CREATE INDEX CONCURRENTLY ON b (c)", "an index without a name"),
    ],
)
def test_one_statement_that_can_be_told_from_itself(script: str, fault: str) -> None:
    (problem,) = found(script, transaction=False)
    assert fault in problem
    assert found("ALTER TYPE mood ADD VALUE 'meh';", transaction=False) == []


ENDING = [
    ("DO $$ BEGIN COMMIT; END $$", "COMMIT in DO"),
    (
        "SELECT 1; do language plpgsql $x$ declare n int; begin update a set b = 1; rollback and chain; end $x$",
        "ROLLBACK",
    ),
    ("CREATE PROCEDURE s.p(n int) LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$; CALL s.p(1)", "CALL of 'p'"),
    ("PREPARE TRANSACTION 'a'", "PREPARE TRANSACTION"),
]
GOING_ON = [
    "DO $$ BEGIN IF false THEN COMMIT; END IF; END $$",
    "DO $$ BEGIN UPDATE a SET b = 1; END $$; DO $$ BEGIN PERFORM 'COMMIT'; END $$",
    "DO $$ BEGIN COMMIT; EXCEPTION WHEN OTHERS THEN NULL; END $$",
    "DO $$ BEGIN RETURN; COMMIT; END $$",
    "DO LANGUAGE plv8 $$ commit; $$",
    "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$; CALL other()",
    "PREPARE transactions AS SELECT 1",
]


@pytest.mark.parametrize(("script", "shown"), ENDING)
def test_what_ends_its_own_transaction(script: str, shown: str) -> None:
    (problem,) = found(script)
    assert shown in problem
    assert "leave its end to it" in problem


@pytest.mark.parametrize("script", GOING_ON)
def test_what_may_go_on(script: str) -> None:
    assert found(script) == []


@pytest.mark.parametrize("script", [script for script, _ in ENDING if script.startswith("DO")])
def test_without_a_transaction_it_may_be_ended(script: str) -> None:
    assert found(script, transaction=False) == []


@pytest.mark.parametrize("transaction", [True, False])
@pytest.mark.parametrize(
    "script", ["DROP INDEX IF EXISTS CONCURRENTLY a", "CREATE UNIQUE INDEX IF NOT EXISTS CONCURRENTLY a ON b (c)"]
)
def test_concurrently_comes_first(script: str, *, transaction: bool) -> None:
    problem = found(script, transaction=transaction)[0]
    assert "CONCURRENTLY before IF" in problem
    assert found('DROP INDEX IF EXISTS "concurrently"') == []


def test_the_judge_says_so_beside_other_mistakes() -> None:
    steps = [{"id": "0001", "sql": "VACUUM"}, {"id": "0002", "sql": 7}, {"id": "0001", "sql": "VACUUM;VACUUM"}]
    contract = {"name": "n", "package": "p", "operations": [], "integrations": {"database": {"migrations": steps}}}
    places = {problem.place for problem in judge(contract)}
    inside = ("[0].sql", "[1].sql", "[2].sql", "[2].id")
    assert {f"integrations.database.migrations{place}" for place in inside} <= places


def test_a_script_that_ends_its_transaction_is_a_warning() -> None:
    steps = [{"id": "0001", "sql": "BEGIN; CREATE TABLE a (b int); COMMIT"}]
    contract = {
        "name": "n",
        "package": "p",
        "operations": [{"name": "a", "handler": "custom"}],
        "integrations": {"database": {"migrations": steps}},
    }
    assert [problem.place for problem in warnings(contract)] == ["integrations.database.migrations[0].sql"] * 2


def test_statements_end_where_postgresql_ends_them() -> None:
    script = "SELECT ';'; SELECT $$;$$; /* ; */ SELECT 1 -- ;\n; CREATE FUNCTION f() BEGIN ATOMIC SELECT 1; END;"
    assert sql.statements(script) == len(sql.split(script)) == 4
