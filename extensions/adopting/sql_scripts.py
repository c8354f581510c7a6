"""SQL scripts as people keep them: statements with their places, migrations, and queries with names."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..language import sql
from ..reading.source import MAX_BYTES
from .reference import BrokenError
from .vocabulary import text, unique, word

_LONGEST_MIGRATION: Final = 100_000
# What undoes a migration, in the files of dbmate, goose, sql-migrate and others.
_DOWN: Final = re.compile(r"^--\s*(\+goose|\+migrate|migrate:)\s*down\b.*", re.IGNORECASE | re.MULTILINE | re.DOTALL)
_NAME: Final = re.compile(r"^[ \t]*(?:--|/\*)[ \t]*name:[ \t]*(\S+)[ \t]*(\S*)[ \t]*(?:\*/)?[ \t]*$", re.MULTILINE)
_KEPT: Final = frozenset({"create", "alter", "comment", "drop", "insert", "update", "delete"})
_LEFT_OUT: Final = frozenset(
    {"analyze", "begin", "commit", "end", "grant", "reset", "revoke", "security", "select", "set", "start", "vacuum"}
)
_SETTINGS: Final = ("alter system", "alter role", "alter user", "alter database", "create role", "create user")
_CONCURRENTLY: Final = re.compile(r"(create (unique )?|drop )index concurrently\b")
_COMMANDS: Final = ("one", "many", "exec", "execrows")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a script.

    Attributes:
        path: The script.
        line: Where its first word is, from 1.
        written: The statement as it stands, with the comments before it and without its semicolon.
        start: How many characters of it stand before its first word.
        words: Its words in lower case, with a space between two.
    """

    path: Path
    line: int
    written: str
    start: int
    words: str

    @property
    def sql(self) -> str:
        """The statement from its first word on."""
        return self.written[self.start :]

    def place(self, position: int = 0) -> str:
        """Return where a character of the statement is, as a file and a line."""
        return f"{self.path}:{self.line + self.sql.count('\n', 0, position)}"


@dataclass(frozen=True, slots=True)
class Query:
    """A query with a name.

    Attributes:
        name: As the file has it.
        command: What becomes of its rows: `one`, `many`, `exec` or `execrows`.
        words: What comments below its name say.
        statement: The query.
    """

    name: str
    command: str
    words: str
    statement: Statement


def scripts(path: Path) -> list[tuple[Path, str]]:
    """Return the SQL of a file, or of all files of a folder in the order of their names, without what undoes it.

    Raises:
        BrokenError: When there is none, or one can't be read.
        OSError: When there is no such file or folder.
    """
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.glob("*.sql") if not file.name.endswith(".down.sql"))
    if not files:
        raise BrokenError(f"{path}: found no file *.sql, expected at least one")
    found = []
    for file in files:
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise BrokenError(f"{file}: found a file without bounds, expected at most {MAX_BYTES} bytes")
        try:
            script = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BrokenError(f"{file}: byte {error.start} is no UTF-8") from error
        if "\0" in script:
            raise BrokenError(f"{file}:{script.count('\n', 0, script.index('\0')) + 1}: found the character U+0000")
        found.append((file, _DOWN.sub("", script.replace("\r\n", "\n"))))
    return found


def statements(path: Path, script: str, first: int = 1) -> list[Statement]:
    """Return the statements of a script, whose first line has this number."""
    found, end = [], 0
    for tokens in sql.placed(script):
        start, last = tokens[0][1], tokens[-1][2]
        before = script[end:start].lstrip("; \t\n")
        written = before + script[start:last]
        words = " ".join(script[one:two].lower() for kind, one, two in tokens[:40] if kind == "word")
        found.append(Statement(path, first + script.count("\n", 0, start), written, len(before), words))
        end = last
    return found


def sorted_out(path: Path, script: str) -> tuple[list[Statement], list[tuple[str, str]]]:
    """Return the statements that build a schema, and notes on what else a script holds.

    Raises:
        BrokenError: When it holds what is no SQL, or what would do more than build a schema.
    """
    kept, notes, problems = [], [], []
    for one in statements(path, script):
        verb = one.words.partition(" ")[0]
        if re.match(r"[a-z]", one.sql, re.IGNORECASE) is None:
            problems.append(f"{one.place()}: found {one.sql[:20]!r}, expected a statement of SQL")
        elif verb in _LEFT_OUT or one.words.startswith(_SETTINGS) or re.search(r"\bowner to\b", one.words):
            notes.append((one.place(), f"{one.words[:40]}: left out, as it builds nothing"))
        elif verb in _KEPT:
            kept.append(one)
        else:
            problems.append(f"{one.place()}: found {verb.upper()[:20]}, expected a statement that builds a schema")
    if problems:
        raise BrokenError("\n".join(problems))
    return kept, notes


def migrations(path: Path, found: list[Statement], taken: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield migrations of statements: as few as can be applied, each of a length that the language allows.

    Args:
        path: The script; migrations are called after it.
        found: Its statements.
        taken: Names that are taken, to which those of the migrations are added.
    """
    parts: list[tuple[list[str], bool]] = []
    for one in found:
        alone = _CONCURRENTLY.match(one.words) is not None
        fits = (
            parts
            and not alone
            and parts[-1][1]
            and sum(map(len, parts[-1][0])) + len(one.written) < _LONGEST_MIGRATION - 1_000
        )
        if fits:
            parts[-1][0].append(one.written)
        else:
            parts.append(([one.written], not alone))
    name = re.sub(r"[^0-9a-z]+", "_", path.name.removesuffix(".sql").removesuffix(".up").lower()).strip("_") or "schema"
    # Files of migrations have numbers of their own.
    name = name if name[0].isdigit() else f"{len(taken) + 1:04}_{name}"
    for written, transaction in parts:
        made = unique(name[:90].rstrip("_"), taken)
        taken[made] = True
        yield {"id": made, "sql": ";\n\n".join(written) + ";\n"} | ({} if transaction else {"transaction": False})


def queries(path: Path, script: str) -> list[Query]:
    """Return the queries of a script, each below a comment such as `-- name: GetAuthor :one`.

    Raises:
        BrokenError: When one has no name, or no command that is known, or is not one statement.
    """
    inside = [(one[0][1], one[-1][2]) for one in sql.placed(script)]
    strings = [(start, end) for kind, start, end in sql.scanned(script) if kind in {"quoted", "dollar"}]
    heads = [match for match in _NAME.finditer(script) if not _inside(strings, match.start())]
    problems, found = [], []
    if inside and (not heads or inside[0][0] < heads[0].start()):
        line = script.count("\n", 0, inside[0][0]) + 1
        problems.append(
            f"{path}:{line}: found a query without a name, expected a comment before it: -- name: GetIt :one"
        )
    ends = [*(head.start() for head in heads[1:]), len(script)]
    for head, end in zip(heads, ends if heads else (), strict=True):
        part = script[head.end() : end]
        line = script.count("\n", 0, head.start()) + 1
        ones = statements(path, part, script.count("\n", 0, head.end()) + 1)
        command = head[2].removeprefix(":")
        if not re.fullmatch(r"[A-Za-z_]\w*", head[1]):
            problems.append(f"{path}:{line}: found the name {head[1][:60]!r}, expected letters, digits and underscores")
        elif command not in _COMMANDS or not head[2].startswith(":"):
            expected = ", ".join(f":{one}" for one in _COMMANDS)
            problems.append(f"{path}:{line}: found {head[2][:30]!r} after {head[1][:60]}, expected one of {expected}")
        elif len(ones) != 1:
            problems.append(f"{path}:{line}: found {len(ones)} statements, expected one below the name {head[1][:60]}")
        else:
            comments = [row.strip().removeprefix("--").strip() for row in ones[0].written[: ones[0].start].splitlines()]
            found.append(Query(head[1], command, text(" ".join(filter(None, comments))), ones[0]))
    seen: dict[str, int] = {}
    for query in found:
        if (name := word(query.name, "query")) in seen:
            problems.append(f"{query.statement.place()}: found {query.name} again, expected another name")
        seen[name] = query.statement.line
    if problems:
        raise BrokenError("\n".join(problems))
    return found


def _inside(spans: Sequence[tuple[int, int]], position: int) -> bool:
    """Tell whether a position lies in one of these spans, which are in order."""
    index = bisect_left(spans, (position, 0)) - 1
    return index >= 0 and position < spans[index][1]
