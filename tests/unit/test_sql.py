"""What is read from SQL statements."""

import pytest

from extensions import sql


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
    ],
)
def test_whether_rows_come_back_and_whether_anything_changes(query: str, rows: bool, reads: bool) -> None:
    assert (sql.returns_rows(query), sql.reads_only(query)) == (rows, reads)
