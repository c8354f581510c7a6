"""Stage syntax: every file parses as what its name says."""

import json
import re
import tomllib
import warnings
from collections.abc import Callable, Iterator

import yaml

from .findings import Finding
from .project import Project

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SQL_WORD = re.compile(
    r"--[^\n]*|/\*|\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\w*)\$|[()\[\];]|[^\s'\"()\[\];$/*-]+|.", re.DOTALL
)
_SQL_STARTS = frozenset(
    [
        "alter",
        "analyze",
        "begin",
        "call",
        "cluster",
        "comment",
        "commit",
        "copy",
        "create",
        "deallocate",
        "delete",
        "do",
        "drop",
        "end",
        "execute",
        "explain",
        "grant",
        "insert",
        "listen",
        "lock",
        "merge",
        "notify",
        "prepare",
        "refresh",
        "reindex",
        "release",
        "reset",
        "revoke",
        "rollback",
        "savepoint",
        "security",
        "select",
        "set",
        "start",
        "table",
        "truncate",
        "unlisten",
        "update",
        "vacuum",
        "values",
        "with",
    ]
)


def check(project: Project) -> Iterator[Finding]:
    """Parse every Python, YAML, TOML, JSON and SQL file.

    Args:
        project: The project.

    Yields:
        What does not parse, with the parser's line.
    """
    parsers: dict[tuple[str, ...], Callable[[str], Finding | None]] = {
        (".py",): lambda path: _python(project, path),
        (".yaml", ".yml"): lambda path: _yaml(project, path),
        (".toml",): lambda path: _toml(project, path),
        (".json",): lambda path: _json(project, path),
        (".sql",): lambda path: _sql(project, path),
    }
    for suffixes, parse in parsers.items():
        for path in project.named(*suffixes):
            try:
                found = parse(path)
            except (OSError, UnicodeDecodeError) as error:
                found = Finding(path, 0, "unreadable", str(error).splitlines()[0])
            if found:
                yield found


def _python(project: Project, path: str) -> Finding | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            project.tree(path)
    except SyntaxError as error:
        return Finding(path, error.lineno or 0, "python-syntax", error.msg)
    return None


def _yaml(project: Project, path: str) -> Finding | None:
    try:
        for _ in yaml.compose_all(project.text(path), Loader=_Loader):
            pass
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        return Finding(path, line, "yaml-syntax", error.problem or "not YAML")
    except yaml.YAMLError as error:
        return Finding(path, 0, "yaml-syntax", str(error).splitlines()[0])
    return None


def _toml(project: Project, path: str) -> Finding | None:
    try:
        tomllib.loads(project.text(path))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        return Finding(path, int(line[1]) if line else 0, "toml-syntax", str(error))
    return None


def _json(project: Project, path: str) -> Finding | None:
    try:
        json.loads(project.text(path))
    except json.JSONDecodeError as error:
        return Finding(path, error.lineno, "json-syntax", error.msg)
    return None


def _sql(project: Project, path: str) -> Finding | None:
    """Find what no dialect accepts: an open quote, comment or bracket, and a statement that no keyword begins."""
    text = project.text(path)
    open_brackets: list[tuple[str, int]] = []
    starts = True
    position = 0
    while match := _SQL_WORD.match(text, position):
        word, line = match[0], text.count("\n", 0, match.start()) + 1
        position = match.end()
        if word.isspace() or word.startswith("--"):
            continue
        if word in {"/*", "'", '"'} or (word[0] == "$" and match[1] is not None):
            closing = text.find({"/*": "*/"}.get(word, word), position)
            if closing < 0:
                return Finding(path, line, "sql-syntax", f"{word} is never closed")
            position = closing + len({"/*": "*/"}.get(word, word))
            if word == "/*":
                continue
        elif word in "([":
            open_brackets.append((word, line))
        elif word in ")]":
            if not open_brackets or open_brackets.pop()[0] + word not in {"()", "[]"}:
                return Finding(path, line, "sql-syntax", f"{word} closes nothing")
        elif word == ";":
            if open_brackets:
                return Finding(path, open_brackets[-1][1], "sql-syntax", f"{open_brackets[-1][0]} is never closed")
            starts = True
            continue
        if starts and word not in "([" and word.lower() not in _SQL_STARTS:
            return Finding(path, line, "sql-syntax", f"no statement begins with {word[:40]}")
        starts = False
    if open_brackets:
        return Finding(path, open_brackets[-1][1], "sql-syntax", f"{open_brackets[-1][0]} is never closed")
    return None
