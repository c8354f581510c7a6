"""What is read from SQL statements."""

import pytest

from extensions.language import sql


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT $1, $2", {1, 2}),
        ("SELECT '$1', \"$2\", $3", {3}),
        ("SELECT 'it''s $1', $2", {2}),
        ("SELECT 'a\\', $1, '$2'", {1}),
        (r"SELECT E'\' $1', $2", {2}),
        ("SELECT $$ $1 $$, $tag$ $2 $$ $3 $tag$, $4", {4}),
        ("SELECT 1 -- $1\n, $2", {2}),
        ("SELECT /* $1 /* $2 */ $3 */ $4", {4}),
        ("SELECT a$1, $2::text", {2}),
        ("SELECT 1", set()),
    ],
)
def test_placeholders_outside_of_strings_and_comments(query: str, expected: set[int]) -> None:
    assert sql.placeholders(query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 1", 1),
        ("SELECT 1;", 1),
        ("SELECT 1; -- done\n", 1),
        ("SELECT ';'", 1),
        ("SELECT 1; SELECT 2", 2),
        (r"SELECT '\'; DROP TABLE t --'", 2),
        ("/* a /* b */ ; */ SELECT 1", 1),
        ("-- nothing", 0),
        ("", 0),
        ("/* never closed", 0),
    ],
)
def test_statements_are_counted(query: str, expected: int) -> None:
    assert sql.statements(query) == expected


@pytest.mark.parametrize(
    ("query", "rows", "reads"),
    [
        ("SELECT 1", True, True),
        ("VALUES (1)", True, True),
        ("WITH a AS (SELECT 1) SELECT * FROM a", True, True),
        ("SELECT * FROM t FOR UPDATE", True, False),
        ("SELECT nextval('s')", True, False),
        ("WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a", True, False),
        ("WITH a AS (SELECT 1) DELETE FROM t", False, False),
        ("INSERT INTO t VALUES ($1) RETURNING id", True, False),
        ("INSERT INTO t VALUES ('returning')", False, False),
        ("UPDATE t SET a = 1", False, False),
        ("WITH m AS (SELECT id, share FROM holdings) SELECT share FROM m WHERE id = $1", True, True),
        ("WITH g AS (DELETE FROM t RETURNING *) INSERT INTO archive SELECT * FROM g", False, False),
        ("WITH g AS (DELETE FROM t RETURNING *) INSERT INTO archive SELECT * FROM g RETURNING id", True, False),
        ("WITH a AS (UPDATE t SET b = 1 RETURNING b), c AS (SELECT 1) SELECT * FROM a", True, False),
        ("WITH RECURSIVE n(i) AS (VALUES (1) UNION SELECT i + 1 FROM n) SELECT i FROM n", True, True),
        ("WITH update AS (SELECT 1) SELECT * FROM update", True, True),
        ("WITH merge (a) AS MATERIALIZED (SELECT 1) SELECT a FROM merge", True, True),
        ("with a as (select 1) table a", True, True),
        ("SELECT update, delete, share FROM words", True, True),
        ("SELECT (update) FROM words", True, True),
        ("SELECT count(update), max(delete ORDER BY 1) FROM words", True, True),
        ("SELECT (update IS NULL) FROM words", True, True),
        ('WITH a AS (UPDATE "t" SET b = 1 RETURNING b) TABLE a', True, False),
        ("SELECT 'for update', \"for\" FROM t", True, True),
        ("SELECT * FROM t FOR NO KEY UPDATE", True, False),
        ("SELECT * FROM t FOR KEY SHARE SKIP LOCKED", True, False),
        ("SELECT a INTO b FROM t", False, False),
        ("(SELECT 1) UNION (SELECT 2)", True, True),
        ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE RETURNING t.a", True, False),
        ("TABLE t", True, True),
        ("INSERT INTO t SELECT returning_at FROM s", False, False),
        ("DELETE FROM t WHERE a IN (SELECT 1)", False, False),
        ("TRUNCATE t", False, False),
        ("", False, False),
    ],
)
def test_whether_rows_come_back_and_whether_anything_changes(query: str, rows: bool, reads: bool) -> None:
    assert (sql.returns_rows(query), sql.reads_only(query)) == (rows, reads)
