"""Stage syntax: every file parses as what its name says."""

import json
import re
import tomllib
import warnings
from collections.abc import Callable, Iterator

import yaml

from ..text import sql_text
from .findings import Finding
from .project import Project

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
    wrong = sql_text.fault(project.text(path))
    return Finding(path, wrong[0], "sql-syntax", wrong[1]) if wrong else None
