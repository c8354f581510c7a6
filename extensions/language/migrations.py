"""What can be told from the SQL of a migration: whether PostgreSQL runs it in a transaction, and what it builds."""

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Final

from ..text.problems import Path, Problem, show
from . import sql, sql_words
from .contract import Contract

type Statement = Sequence[tuple[str, str]]

_CONTROL: Final = ("abort", "begin", "commit", "end", "release", "rollback", "savepoint", "start")
# The words that statements begin with which PostgreSQL refuses in a transaction, however they go on.
_OUTSIDE: Final = (
    r"alter database .*\bset tablespace\b",
    r"alter subscription .*\b(refresh|add|drop|set) publication\b",
    r"alter system\b",
    r"alter table .*\bdetach partition .*\bconcurrently\b",
    r"(commit|rollback) prepared\b",
    r"(create|drop) (database|subscription|tablespace)\b",
    r"cluster( verbose)?$",
    r"create (unique )?index concurrently\b",
    r"drop index concurrently\b",
    r"discard all\b",
    r"reindex (database|schema|system)\b",
    r"reindex .*\bconcurrently\b",
    r"vacuum\b",
)
_MEANS: Final = re.compile("|".join(_OUTSIDE))
_LATE: Final = re.compile(r"(create (?:unique )?index|drop index) (if(?: not)? exists) concurrently\b")
_ENDS: Final = re.compile(r"(?:declare .*)?(?:begin )*(commit|rollback)(?: work| transaction)?(?: and(?: no)? chain)?")
# What decides whether the statements behind it run at all.
_DECIDES: Final = re.compile(r"(?:begin )*(?:if|case|loop|while|for|foreach|return|raise|exit|continue)\b")
_NAMES: Final = ("word", "quoted")


def outside(script: str) -> str:
    """Return the words of a statement that PostgreSQL refuses in a transaction; empty where there are none."""
    found = (_MEANS.match(_words(statement)) for statement in sql.split(script))
    return next((match[0].upper() for match in found if match), "")


def problems(path: Path, script: str, *, transaction: bool) -> Iterator[Problem]:
    """Find what can't be applied as it stands.

    Args:
        path: Where the migration is.
        script: Its SQL.
        transaction: Whether it runs in a transaction.

    Yields:
        A problem for each statement that does not fit.
    """
    statements = sql.split(script)
    place = (*path, "sql")
    yield from _unfilled(place, script)
    for words in map(_words, statements):
        if transaction and (match := _MEANS.match(words)):
            hint = "PostgreSQL refuses it in a transaction: give it a migration of its own, with transaction: false"
            yield Problem(place, show(match[0].upper()), "SQL that runs in a transaction", hint)
        if match := _LATE.match(words):
            what, when = match[1].upper(), match[2].upper()
            hint = f"as in {what} CONCURRENTLY {when}"
            yield Problem(place, f"{what} {when} CONCURRENTLY", f"CONCURRENTLY before {when}", hint)
    if transaction:
        yield from _new_values(place, statements)
        for found in _endings(statements):
            hint = "PostgreSQL refuses it in a transaction, and this migration is one: leave its end to it"
            yield Problem(place, found, "SQL that leaves the transaction alone", hint)
    elif len(statements) != 1:
        hint = "what is applied in part could not be told from what is not; write a migration for each"
        yield Problem(place, f"{len(statements)} statements", "one statement, as transaction is false", hint)
    elif re.match("create (unique )?index", _words(statements[0])) and not index(script):
        hint = "as in CREATE INDEX CONCURRENTLY things_by_name ON things (name)"
        yield Problem(place, "an index without a name", "a name, by which it is known when it was begun before", hint)


def _unfilled(place: Path, script: str) -> Iterator[Problem]:
    """Find what a migration would have to be given: values for placeholders, and data for COPY."""
    for tokens in sql.placed(script):
        text = script[tokens[0][1] : tokens[-1][2]]
        words = {script[start:end].lower() for kind, start, end in tokens if kind == "word"}
        if sql.copies_over_connection(text):
            hint = "INSERT … VALUES brings rows along"
            yield Problem(place, "COPY with data over the connection", "SQL that needs nothing else", hint)
        # Operators may be named, and the parameters of a prepared statement or of a function are its own.
        elif not words & {"operator", "prepare", "atomic"}:
            foreign = next(sql_words.foreign(text), None)
            found = foreign or next((f"${number}" for number in sorted(sql.placeholders(text))), None)
            if found:
                yield Problem(place, f"{show(found)}, which nothing fills in", "SQL that needs nothing else")


def warnings(contract: Contract) -> Iterator[Problem]:
    """Find what is applied, and makes a migration that fails leave a part of it behind."""
    for number, migration in enumerate(contract.database.migrations if contract.database else ()):
        for words in map(_words, sql.split(migration.sql)):
            if words.split(" ")[0] in _CONTROL:
                hint = "each migration has a transaction of its own; transaction: false runs one statement without"
                path = ("integrations", "database", "migrations", number, "sql")
                yield Problem(path, show(words[:40].upper()), "SQL that leaves the transaction alone", hint)


def index(script: str) -> str:
    """Return the index that a script of one statement builds, as SQL, with the schema of its table; empty for none."""
    (statement, *_) = sql.split(script) or [[]]
    tokens = [(kind, text if kind == "quoted" else text.lower()) for kind, text in statement]
    texts = [text for _, text in tokens]
    if not re.match("create (unique )?index ", " ".join(texts)):
        return ""
    start = texts.index("index") + 1
    for skipped in ("concurrently", "if", "not", "exists"):
        start += texts[start : start + 1] == [skipped]
    if texts[start + 1 : start + 2] != ["on"]:
        return ""
    table = start + 2 + (texts[start + 2 : start + 3] == ["only"])
    qualified = texts[table + 1 : table + 2] == ["."] and tokens[table][0] in _NAMES
    return f"{texts[table]}.{texts[start]}" if qualified else texts[start]


def _words(statement: Statement) -> str:
    return " ".join(text.lower() for kind, text in statement if kind == "word")


def _endings(statements: Sequence[Statement]) -> Iterator[str]:
    """Say what ends the transaction that it runs in, whatever happens: in DO or a procedure, or prepared."""
    ending: dict[str, str] = {}
    for statement in statements:
        words = _words(statement)
        word = _ended_by(statement)
        if re.match(r"prepare transaction\b", words):
            yield "'PREPARE TRANSACTION'"
        elif words.startswith("do") and word:
            yield f"{word} in DO"
        elif re.match(r"create (or replace )?procedure\b", words) and word:
            ending[_called(statement)] = word
        elif words.startswith("call ") and _called(statement) in ending:
            yield f"CALL of {show(_called(statement))}, which holds {ending[_called(statement)]}"


def _called(statement: Statement) -> str:
    """Return the name before the first bracket, without its schema."""
    names = itertools.takewhile(lambda token: token[1] != "(", statement)
    return [text if kind == "quoted" else text.lower() for kind, text in names][-1]


def _ended_by(statement: Statement) -> str:
    """Return the word by which the PL/pgSQL in a statement ends its transaction whatever happens; empty for none."""
    words = _words(statement).split(" ")
    language = words[words.index("language") + 1] if "language" in words[:-1] else "plpgsql"
    body = next((text for kind, text in statement if kind == "dollar"), None)
    if body is None or language != "plpgsql":
        return ""
    inner = [_words(inner) for inner in sql.split(body.split("$", 2)[2].rpartition("$")[0].rpartition("$")[0])]
    if any("exception" in text.split(" ") for text in inner):
        return ""
    sure = itertools.takewhile(lambda text: not _DECIDES.match(text), inner)
    found = (_ENDS.fullmatch(text) for text in sure)
    return next((match[1].upper() for match in found if match), "")


def _new_values(place: Path, statements: Sequence[Statement]) -> Iterator[Problem]:
    """Find values of enum types that are used in the transaction that adds them, which PostgreSQL refuses."""
    added: set[str] = set()
    if any(_words(statement).startswith("create type") for statement in statements):
        # Values of a type that the transaction makes can be used at once.
        return
    for statement in statements:
        quoted = [text for kind, text in statement if kind == "quoted" and text.startswith("'")]
        adds = re.match(r"alter type .*\badd value\b", _words(statement))
        for value in () if adds else quoted:
            if value in added:
                hint = "a new value of an enum can be used once its transaction has ended: use it in the next migration"
                found = f"{show(value.strip("'"))} in the migration that adds it"
                yield Problem(place, found, "a value that is there already", hint)
                added.discard(value)
        if adds and quoted:
            added.add(quoted[0])
