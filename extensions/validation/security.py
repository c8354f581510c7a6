"""Stage security: ruff's rules of flake8-bandit, SQL with parameters alone, and no secrets."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ..text import credentials
from .findings import Finding
from .project import Project

# Tests assert, use words that look like passwords, and start the programs that they test.
_IN_TESTS = ["S101", "S105", "S106", "S107", "S311", "S603", "S607", "S608"]
_EXCEPTIONS = {
    "**/tests/**": _IN_TESTS,
    "**/conftest.py": _IN_TESTS,
    # Members of enums, and outputs, may be called after a password and are none.
    "**/models/enum_*.py": ["S105"],
    "**/computations/computation_*.py": ["S105"],
}
# Where a service listens and where files are is the contract's to say; SQL is looked at below, constants known.
_IGNORED = "S104,S108,S608"
_SQL = re.compile(
    r"^\s*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|MERGE\s+INTO\s|WITH\s+\w+\s+AS\s|TRUNCATE\s|"
    r"DROP\s+TABLE\s|ALTER\s+TABLE\s|CREATE\s+TABLE\s)",
    re.IGNORECASE,
)
_SQL_WORD = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|TRUNCATE|DROP|ALTER|CREATE)\s", re.IGNORECASE)
# ruff knows yaml.load alone.
_UNSAFE_YAML = frozenset({"unsafe_load", "unsafe_load_all", "full_load", "full_load_all"})
_TEXTS = (".py", ".yaml", ".yml", ".toml", ".json", ".sql", ".env", ".txt", ".md", ".ini", ".cfg", ".sh")


class Security:
    """Starts ruff at once and looks at the syntax trees meanwhile."""

    def __init__(self, project: Project, ruff: Path | None) -> None:
        """Start ruff.

        Args:
            project: The project.
            ruff: Its program; None when there is none.
        """
        self._project = project
        self.unchecked: list[str] = [] if ruff else ["flake8-bandit's rules, since there is no ruff here"]
        self._process: subprocess.Popen[str] | None = None
        paths = project.named(".py")
        if ruff and paths:
            exceptions = ", ".join(f"{json.dumps(glob)} = {json.dumps(rules)}" for glob, rules in _EXCEPTIONS.items())
            command = [str(ruff), "check", "--isolated", "--no-cache", "--exit-zero", "--quiet", "--select", "S"]
            command += ["--ignore", _IGNORED, "--output-format", "json"]
            command += ["--config", f"lint.per-file-ignores = {{ {exceptions} }}"]
            self._process = subprocess.Popen(
                [*command, "--", *paths],
                cwd=project.root,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
            )

    def check(self) -> Iterator[Finding]:
        """Look for what lets strangers in.

        Yields:
            Findings of ruff's and of these rules.
        """
        yield from self._queries()
        yield from self._unsafe_yaml()
        yield from self._texts_of()
        if self._process is None:
            return
        output, errors = self._process.communicate()
        try:
            reported = json.loads(output)
        except ValueError:
            self.unchecked.append(f"flake8-bandit's rules, since ruff says: {errors.strip().splitlines()[-1:]}")
            return
        for item in reported:
            path = Path(item["filename"]).relative_to(self._project.root.resolve()).as_posix()
            if item["code"] and item["code"].startswith("S"):
                yield Finding(path, item["location"]["row"], item["code"], item["message"].splitlines()[0])

    def _unsafe_yaml(self) -> Iterator[Finding]:
        for path, tree in self._project.trees.items():
            text = self._project.text(path)
            # A name that is written in other letters than those of ASCII may be one of these, too.
            named = not text.isascii() or any(name in text for name in _UNSAFE_YAML)
            for item in ast.walk(tree) if named and "yaml." in text else ():
                match item:
                    case ast.Call(func=ast.Attribute(value=ast.Name(id="yaml"), attr=name)) if name in _UNSAFE_YAML:
                        yield Finding(path, item.lineno, "unsafe-yaml", f"yaml.{name} makes objects of any class")

    def _queries(self) -> Iterator[Finding]:
        for path, tree in self._project.trees.items():
            # What the template wrote puts values into no statement; texts of a contract may begin like one.
            if (
                path.startswith("tests/")
                or path in self._project.untouched
                or not _SQL_WORD.search(self._project.text(path))
            ):
                continue
            for item in ast.walk(tree):
                if (value := _built(item)) and _SQL.match(value):
                    yield Finding(
                        path,
                        getattr(item, "lineno", 0),
                        "sql-parameters",
                        "a value is put into SQL; give it as a parameter",
                    )

    def _texts_of(self) -> Iterator[Finding]:
        for path in self._project.named(*_TEXTS):
            try:
                text = self._project.text(path)
            except (OSError, ValueError):
                continue
            for start, what in credentials.found_in(text, urls=not path.startswith("tests/")):
                yield Finding(path, text.count("\n", 0, start) + 1, "secret", what)


def _built(item: ast.AST) -> str | None:
    """Return the beginning of a text that is put together from more than constants; None for any other node."""
    match item:
        case ast.JoinedStr(values=[ast.Constant(value=str(start)), *rest]) if any(map(_varies, rest)):
            return start
        case ast.BinOp(left=ast.Constant(value=str(start)), op=ast.Add() | ast.Mod(), right=right) if _varies(right):
            return start
        case ast.BinOp(left=left, op=ast.Add(), right=right) if _varies(right) and isinstance(left, ast.BinOp):
            return _built_or_constant(left)
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str(start)), attr="format"), args=given, keywords=named
        ):
            return start if any(map(_varies, given)) or any(_varies(keyword.value) for keyword in named) else None
        case _:
            return None


def _built_or_constant(item: ast.expr) -> str | None:
    while isinstance(item, ast.BinOp):
        item = item.left
    return item.value if isinstance(item, ast.Constant) and isinstance(item.value, str) else None


def _varies(item: ast.AST) -> bool:
    """Tell whether a part of a text may hold what a caller gave: anything but literals and names of constants."""
    match item:
        case ast.FormattedValue():
            return _varies(item.value)
        case ast.Constant():
            return False
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return not name.lstrip("_").isupper()
        case ast.BinOp():
            return _varies(item.left) or _varies(item.right)
        case ast.Tuple() | ast.List():
            return any(map(_varies, item.elts))
        case _:
            return True
