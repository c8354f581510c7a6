"""The command that turns a schema of PostgreSQL, and queries of it, into a contract."""

from pathlib import Path
from typing import Any

import pytest

from extensions.adopting import postgres, sql_types
from extensions.adopting.postgres import always_there, one_row
from extensions.adopting.reference import BrokenError
from extensions.adopting.sql import adopt
from extensions.adopting.sql_parameters import Use, filled, name_of, numbered, uses
from extensions.adopting.sql_scripts import migrations, queries, scripts, sorted_out, statements
from extensions.commands import import_sql
from extensions.judging.judge import judge

SCHEMA = """\
SET client_encoding = 'UTF8';
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE DOMAIN percent AS integer CHECK (VALUE BETWEEN 0 AND 100);
CREATE TABLE owners (
    id bigserial PRIMARY KEY,
    name text NOT NULL CHECK (length(name) <= 80 AND name <> ''),
    note text
);
COMMENT ON TABLE owners IS 'Who has pets; it''s {{ 7 * 7 }}.';
COMMENT ON COLUMN owners.note IS 'What else is known.';
CREATE TABLE pets (
    pet_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id bigint NOT NULL REFERENCES owners,
    feels mood NOT NULL DEFAULT 'glad',
    health percent,
    weight numeric(6, 2) CHECK (weight > 0),
    kind varchar(20) NOT NULL CHECK (kind IN ('cat', 'dog')),
    tags text[],
    spot point,
    "bornAt" timestamptz,
    twice integer GENERATED ALWAYS AS (1 + 1) STORED
);
CREATE INDEX CONCURRENTLY pets_by_owner ON pets (owner_id);
CREATE TABLE pairs (a integer, b integer, PRIMARY KEY (a, b));
CREATE TABLE logged (line text);
"""
QUERIES = """\
-- name: GetOwner :one
-- One of them.
SELECT * FROM owners WHERE id = $1;

-- name: WithPets :many
SELECT o.name, p.kind, p.feels, count(*) OVER () AS total
  FROM owners o LEFT JOIN pets p ON p.owner_id = o.id WHERE o.name LIKE @name_like;

-- name: WithHeavyPets :many
SELECT o.name, p.kind FROM owners o LEFT JOIN pets p ON p.owner_id = o.id WHERE p.weight > $1;

-- name: CountPets :one
SELECT count(*) AS pets FROM pets WHERE feels = ANY($1::mood[]);

-- name: Rename :execrows
UPDATE owners SET name = $2, note = $3 WHERE id = $1;

-- name: AddPet :one
INSERT INTO pets (owner_id, health, kind) VALUES ($1, $2, sqlc.arg('kind')) RETURNING pet_id;

-- name: Kinds :many
SELECT kind FROM pets WHERE sqlc.narg(feels)::mood IS NULL OR feels = sqlc.narg(feels);
"""


def written(tmp_path: Path, schema: str = SCHEMA, asked: str = QUERIES) -> tuple[Path, Path]:
    """Write both scripts."""
    one, other = tmp_path / "shop.sql", tmp_path / "queries.sql"
    one.write_text(schema, encoding="utf-8")
    other.write_text(asked, encoding="utf-8")
    return one, other


def run(server: postgres.Server, script: str) -> None:
    """Run each statement of a script."""
    for one in statements(Path("s.sql"), script):
        server.run(one.sql)


def needs(spec: str | dict[str, Any]) -> bool:
    """Tell whether a field has to be there."""
    return isinstance(spec, str) or spec.get("required", True)


@pytest.mark.slow
def test_types_are_what_the_server_says(tmp_path: Path) -> None:
    adopted = adopt(*written(tmp_path), name="shop", package="shops")
    contract = adopted.contract
    assert judge(contract) == []
    made = {operation["name"]: operation for operation in contract["operations"]}
    pets, owners = contract["models"]["Pet"]["fields"], contract["models"]["Owner"]
    assert contract["enums"] == {"Mood": {"values": ["glad", "sad"]}}
    assert owners["description"] == "Who has pets; it's {{ 7 * 7 }}."
    assert owners["fields"]["name"] == {"type": "string", "minLength": 1, "maxLength": 80}
    assert owners["fields"]["note"] == {"type": "string", "description": "What else is known.", "required": False}
    assert pets["health"] == {"type": "integer", "minimum": 0, "maximum": 100, "required": False}
    assert pets["weight"] == {"type": "decimal", "exclusiveMinimum": 0, "required": False}
    assert pets["kind"] == {"type": "string", "maxLength": 20, "enum": ["cat", "dog"]}
    assert pets["tags"] == {"type": "array", "items": "string", "required": False}
    assert pets["born_at"] == {"type": "datetime", "required": False}
    created = made["create_pet"]
    assert [name for name, spec in created["input"].items() if needs(spec)] == ["owner_id", "kind"]
    assert "twice" not in created["input"]
    assert "spot::text AS spot" in created["database"]["query"]
    assert "coalesce($3::mood, 'glad'::mood)" in created["database"]["query"]
    assert "(a, b) > ($2::integer, $3::integer)" in made["list_pairs"]["database"]["query"]
    assert set(made) >= {"get_pet", "list_pets", "update_pet", "delete_pet", "create_logged", "list_loggeds"}
    assert not {"get_logged", "update_logged", "delete_logged", "update_pair"} & set(made)
    assert made["get_owner"]["description"] == "One of them."
    assert made["get_owner"]["output"]["owner"] == {"type": "Owner", "required": False}
    rows = {name: contract["models"][f"{name}Row"]["fields"] for name in ("WithPets", "WithHeavyPets")}
    assert {name: needs(spec) for name, spec in rows["WithPets"].items()} == {
        "name": True,
        "kind": False,
        "feels": False,
        "total": True,
    }
    # The condition leaves no row of an owner without pets, which PostgreSQL knows.
    assert all(map(needs, rows["WithHeavyPets"].values()))
    assert made["count_pets"]["input"] == {"feels": {"type": "array", "items": "Mood"}}
    assert made["count_pets"]["output"] == {"pets": "integer"}
    assert made["rename"]["input"]["note"]["required"] is False
    assert made["rename"]["output"] == {"affected": {"type": "integer", "minimum": 0}}
    assert made["add_pet"]["output"] == {"pet_id": "uuid"}
    assert made["add_pet"]["input"]["kind"] == {"type": "string", "maxLength": 20, "enum": ["cat", "dog"]}
    assert made["kinds"]["input"] == {"feels": {"type": "Mood", "required": False}}
    assert made["kinds"]["database"]["parameters"] == ["feels"]
    notes = dict(adopted.notes)
    assert "left out" in notes[f"{tmp_path / 'shop.sql'}:1"]
    assert "born_at" in notes['pets."bornAt"']
    assert [one.get("transaction", True) for one in contract["integrations"]["database"]["migrations"]] == [
        True,
        False,
        True,
    ]
    hostile = {
        "CREATE TABLE t (a text DEFAULT pg_read_file('/a'));\nINSERT INTO t DEFAULT VALUES": "permission denied",
        "CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/lib/x.so', 'f'": "permission denied",
        "CREATE TABLE u (a integer);\nCREATE TABLE u (a integer)": "already exists",
    }
    with postgres.started() as server:
        for script, message in hostile.items():
            with pytest.raises(postgres.RefusedError, match=message):
                run(server, script)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("CREATE TABLE a (b int);\nDO $$ BEGIN END $$;", "shop.sql:2: found DO"),
        ("COPY a TO PROGRAM 'touch /tmp/x';", "shop.sql:1: found COPY"),
        ("\\! touch /tmp/x\nCREATE TABLE a (b int);", "shop.sql:1: found '"),
        ("-- nothing\n", "found no statement"),
        ("CREATE TABLE a (b int);\n\0", "shop.sql:2: found the character U+0000"),
        ("CREATE TABLE a ();" + " " * 600_000, "without bounds"),
    ],
)
def test_what_builds_no_schema_is_told_before_a_server_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, schema: str, message: str
) -> None:
    monkeypatch.setattr("extensions.adopting.sql.started", lambda: pytest.fail("a server starts"))
    one, _ = written(tmp_path, schema)
    assert import_sql.main([str(one), "-o", str(tmp_path / "node.yaml")]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "node.yaml").exists()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("SELECT 1;", "queries.sql:1: found a query without a name"),
        ("-- name: A :one\nSELECT 1;\n\n-- name: B :batchone\nSELECT 2;", "queries.sql:4: found ':batchone' after B"),
        ("-- name: A :one\nSELECT 1; SELECT 2;", "queries.sql:1: found 2 statements"),
        ("-- name: A :one\n", "queries.sql:1: found 0 statements"),
        ("-- name: GetIt :one\nSELECT 1;\n-- name: get_it :one\nSELECT 2;", "queries.sql:4: found get_it again"),
        ("-- name: a-b :one\nSELECT 1;", "found the name 'a-b'"),
    ],
)
def test_problems_of_queries_are_told_with_their_place(tmp_path: Path, asked: str, message: str) -> None:
    _, other = written(tmp_path, asked=asked)
    with pytest.raises(BrokenError, match=message):
        queries(other, asked)


def test_a_missing_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert import_sql.main([str(tmp_path / "none.sql")]) == 1
    assert "No such file" in capsys.readouterr().err


def test_files_of_a_folder_are_taken_in_order_without_what_undoes_them(tmp_path: Path) -> None:
    for name, script in (
        ("2_b.sql", "CREATE TABLE b (a int);\n-- migrate:down\nDROP TABLE b;"),
        ("1_a.up.sql", "CREATE TABLE a (a int);"),
        ("1_a.down.sql", "DROP TABLE a;"),
    ):
        (tmp_path / name).write_text(script, encoding="utf-8")
    found = scripts(tmp_path)
    assert [path.name for path, _ in found] == ["1_a.up.sql", "2_b.sql"]
    assert "DROP" not in found[1][1]
    taken: dict[str, Any] = {}
    made = [one for path, script in found for one in migrations(path, sorted_out(path, script)[0], taken)]
    assert [one["id"] for one in made] == ["1_a", "2_b"]


def test_long_scripts_become_several_migrations() -> None:
    script = "".join(f"CREATE TABLE t{number} (note text DEFAULT '{'x' * 30_000}');\n" for number in range(10))
    made = list(migrations(Path("a.sql"), sorted_out(Path("a.sql"), script)[0], {}))
    assert [one["id"] for one in made] == [
        "0001_a",
        "0001_a_2",
        "0001_a_3",
        "0001_a_4",
    ]
    assert all(len(one["sql"]) < 100_000 for one in made)


@pytest.mark.parametrize(
    ("query", "sql", "named"),
    [
        ("SELECT @a, @b, @a", "SELECT $1, $2, $1", {1: "a", 2: "b"}),
        ("SELECT $1, sqlc.arg('it')", "SELECT $1, $2", {2: "it"}),
        ("SELECT a @> b, '@c', \"@d\", @-1, a <@b, $$@e$$ -- @f", None, {}),
        ("SELECT sqlc.narg(x)::int", "SELECT $1::int", {1: "x"}),
    ],
)
def test_named_parameters_get_numbers(query: str, sql: str | None, named: dict[int, str]) -> None:
    made = numbered(query)
    assert (made.sql, made.names) == (sql or query, named)


def test_what_sqlc_knows_besides_is_told() -> None:
    assert numbered("SELECT sqlc.embed(a)").problems == [(7, "sqlc.embed")]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("SELECT 1 FROM t WHERE a = $1 AND $2 < b AND lower(c) LIKE $3", ["a", "b", "c"]),
        ("SELECT 1 FROM t WHERE d BETWEEN $1 AND $2 LIMIT $3 OFFSET $4", ["d_from", "d_to", "limit", "offset"]),
        ("SELECT 1 FROM t WHERE e IN ($1, $2) AND f = ANY($3::int[])", ["e", "e", "f"]),
        ("INSERT INTO t (g, h) VALUES ($1, coalesce($2, 1))", ["g", "h"]),
        ("INSERT INTO t (g, h) SELECT $2, $1", ["h", "g"]),
        ("UPDATE t SET i = coalesce($1, i) WHERE j = $2", ["i", "j"]),
        ("SELECT $1 + 1", ["parameter_1"]),
        ("no SQL $1", ["parameter_1"]),
    ],
)
def test_parameters_are_called_after_their_columns(query: str, names: list[str]) -> None:
    known = uses(sql_types.parsed(query))
    assert [name_of(known.get(number, Use()), "", number) for number in range(1, len(names) + 1)] == names


@pytest.mark.parametrize(
    ("query", "optional"),
    [
        ("SELECT 1 FROM t WHERE a = $1", False),
        ("SELECT 1 FROM t WHERE $1 IS NULL OR a = $1", True),
        ("SELECT 1 FROM t WHERE a = coalesce($1, a)", True),
        ("SELECT 1 FROM t WHERE a = coalesce(a, $1)", False),
    ],
)
def test_parameters_may_be_left_out_where_the_query_says_what_null_means(query: str, optional: bool) -> None:
    assert uses(sql_types.parsed(query))[1].optional is optional


@pytest.mark.parametrize(
    ("check", "kind", "words"),
    [
        ("((a > 0) AND (a <= 10))", "integer", {"exclusiveMinimum": 0, "maximum": 10}),
        ("(a >= (- 1.5)::numeric)", "decimal", {"minimum": -1.5}),
        ("(a >= '-2'::integer)", "integer", {"minimum": -2}),
        ("(0 < a)", "integer", {"exclusiveMinimum": 0}),
        ("((length(a) >= 1) AND (char_length(a) < 9))", "string", {"minLength": 1, "maxLength": 8}),
        ("(a = ANY (ARRAY['x'::text, 'y'::text]))", "string", {"enum": ["x", "y"]}),
        ("((a)::text ~ '^[a-z]+$'::text)", "string", {"pattern": "^[a-z]+$"}),
        (r"(a ~ '\y'::text)", "string", {}),
        ("(a ~ '^[[:alpha:]]+$'::text)", "string", {}),
        ("((a > 0) OR (b > 0))", "integer", {}),
        ("(a > b)", "integer", {}),
        ("(b > 1)", "integer", {}),
        ("(a > 0)", "string", {}),
        ("(", "string", {}),
    ],
)
def test_checks_of_one_column_become_words_of_its_field(check: str, kind: str, words: dict[str, Any]) -> None:
    assert sql_types.limits(check, "a", kind) == words


SCAN = {"Node Type": "Seq Scan", "Relation Name": "a", "Alias": "a", "Parent Relationship": "Outer"}
OTHER = SCAN | {"Alias": "b", "Relation Name": "b", "Parent Relationship": "Inner"}


@pytest.mark.parametrize(
    ("plan", "always"),
    [
        ({"Output": ["id", "(x + 1)"]}, [True, False]),
        ({"Output": ["a.id", 'b."X y"'], "Join Type": "Inner", "Plans": [SCAN, OTHER]}, [True, True]),
        ({"Output": ["a.id", "b.x"], "Join Type": "Left", "Plans": [SCAN, OTHER]}, [True, False]),
        ({"Output": ["a.id", "b.x"], "Join Type": "Right", "Plans": [SCAN, OTHER]}, [False, True]),
        ({"Output": ["a.id", "b.x"], "Join Type": "Full", "Plans": [SCAN, OTHER]}, [False, False]),
        ({"Output": ["a.id", "c.x"], "Join Type": "Left", "Plans": [SCAN, OTHER]}, [True, False]),
        ({"Output": ["a.id", "NULL::text"], "Plans": [SCAN]}, [True, False]),
        ({"Output": ["a.id", "a.x"], "Grouping Sets": []}, [False, False]),
        ({}, [False, False]),
    ],
)
def test_outer_joins_make_columns_optional(plan: dict[str, Any], always: list[bool]) -> None:
    assert always_there(plan, 2) == always


@pytest.mark.parametrize(
    ("plan", "one"),
    [
        ({"Node Type": "Aggregate", "Strategy": "Plain"}, True),
        ({"Node Type": "Aggregate", "Strategy": "Plain", "Filter": "(count(*) > 1)"}, False),
        ({"Node Type": "Aggregate", "Strategy": "Hashed"}, False),
        ({"Node Type": "Result"}, True),
        ({"Node Type": "Result", "One-Time Filter": "false"}, False),
        ({"Node Type": "Seq Scan"}, False),
        (
            {
                "Node Type": "ModifyTable",
                "Operation": "Insert",
                "Plans": [{"Node Type": "Result", "Parent Relationship": "Outer"}],
            },
            True,
        ),
        (
            {
                "Node Type": "ModifyTable",
                "Operation": "Insert",
                "Conflict Resolution": "NOTHING",
                "Plans": [{"Node Type": "Result", "Parent Relationship": "Outer"}],
            },
            False,
        ),
    ],
)
def test_plans_tell_whether_there_is_one_row(plan: dict[str, Any], one: bool) -> None:
    assert one_row(plan) is one


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT count(*), a, coalesce(a, 1), coalesce(a, b), exists(SELECT 1), 1", [1, 0, 1, 0, 1, 1]),
        ("SELECT *, count(*) FROM t", [0, 0]),
        ("INSERT INTO t (a) VALUES (1) RETURNING 1, a", [1, 0]),
        ("SELECT 1 UNION SELECT NULL", [0]),
        ("no SQL", [0]),
    ],
)
def test_expressions_that_are_never_null_are_told(query: str, expected: list[int]) -> None:
    assert filled(sql_types.parsed(query), len(expected)) == [bool(one) for one in expected]
