"""Stage imports: every module and name that the project imports exists where it will run."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from .findings import Finding
from .index import Index, Module, absolute, read
from .project import Project

_EDITABLE = re.compile(r"\"editable\":\s*true")
# What Python itself gives each module.
_GIVEN = frozenset({*dir(ModuleType("any")), "__file__", "__path__"})


class Imports:
    """The imports of a project, looked up in its own files and in the index of its environment."""

    def __init__(self, project: Project, index: Index) -> None:
        """Look at nothing yet.

        Args:
            project: The project.
            index: The packages of its environment.
        """
        self._project = project
        self._index = index
        self._known: dict[str, Module] = {}
        self._own: dict[str, str] = {}
        for path in (*project.trees, *project.conflicting):
            if path.endswith(".py"):
                for root in {project.source_root, ""}:
                    if path.startswith(root):
                        module = path.removeprefix(root).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
                        self._own[module] = path
        self._packages = {
            ".".join(module.split(".")[:depth]) for module in self._own for depth in range(1, module.count(".") + 1)
        }
        self.unchecked: dict[str, str] = {}

    def check(self) -> Iterator[Finding]:
        """Look up every import.

        Yields:
            Modules and names that do not exist; what can't be told ends up in `unchecked`.
        """
        for path, tree in self._project.trees.items():
            for statement in _imports(tree.body):
                yield from self._statement(path, statement)

    def _statement(self, path: str, statement: ast.Import | ast.ImportFrom) -> Iterator[Finding]:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                if problem := self._module(alias.name):
                    yield Finding(path, statement.lineno, "import-module", problem)
            return
        root = self._project.source_root
        inside = path.removeprefix(root) if path.startswith(root) else path
        module = absolute(statement, inside.rpartition("/")[0].replace("/", "."))
        if problem := self._module(module):
            yield Finding(path, statement.lineno, "import-module", problem)
            return
        for alias in statement.names:
            if alias.name != "*" and self._has(module, alias.name) is False:
                yield Finding(
                    path, alias.lineno, "import-name", f"{module} has no {alias.name}, and no such module is there"
                )

    def _module(self, module: str) -> str:
        """Say why a module can't be imported; empty when it can, or when that can't be told."""
        top = module.partition(".")[0]
        if module in self._own or module in self._packages:
            return ""
        if self._index.has_module(module):
            return ""
        if self._index.has_module(top):
            return f"there is no module {module}"
        if top == "omnibase_core" and self._index.shipped and not self._project.own_environment:
            self.unchecked[module] = f"{module}, which neither is installed nor in the template's index"
            return ""
        if any(name.partition(".")[0] == top for name in self._own):
            return f"the project has no module {module}"
        if not self._project.own_environment and (missing := self._missing(top)):
            self.unchecked[top] = f"{top}, since {missing} is not installed here"
            return ""
        return f"no package provides the module {module}"

    def _has(self, module: str, name: str) -> bool | None:
        if name in _GIVEN:
            return True
        if f"{module}.{name}" in self._own or f"{module}.{name}" in self._packages:
            return True
        if module in self._own:
            path = self._own[module]
            if path in self._project.conflicting:
                return None
            if module not in self._known:
                self._known[module] = read(self._project.trees[path], module)
            known = self._known[module]
            return True if name in known.names else (None if known.stars or known.dynamic else False)
        if module in self._packages:
            return False
        if module in self.unchecked or module.partition(".")[0] in self.unchecked:
            return None
        answer = self._index.has_name(module, name)
        if answer is None:
            self.unchecked.setdefault(f"{module}.{name}", f"{module}.{name}, which only running the module would tell")
        return answer

    def _missing(self, top: str) -> str:
        """Return the declared distribution that would bring a module and is not installed; empty for none."""
        wanted = _plain(top)
        # A distribution may bring a module by a longer name than its own, as pydantic does with pydantic_core.
        return next((name for name in self._absent if wanted in _plain(name) or wanted.startswith(_plain(name))), "")

    @property
    def _absent(self) -> list[str]:
        project = self._project.pyproject.get("project", {})
        # A node needs these, even one in a folder that declares nothing.
        declared = ["omnibase-core", "pydantic", *project.get("dependencies", ())]
        for extra in project.get("optional-dependencies", {}).values():
            declared += extra
        names = [re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in declared]
        # What is installed as a link to its sources has no files there to look into.
        installed = {
            _plain(path.name.partition("-")[0])
            for path in self._project.site_packages.glob("*.dist-info")
            if not _is_editable(path)
        }
        return [name for name in names if _plain(name) not in installed]


def _is_editable(distribution: Path) -> bool:
    try:
        return bool(_EDITABLE.search((distribution / "direct_url.json").read_text(encoding="utf-8")))
    except OSError:
        return False


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()


def _imports(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports in statements at any depth, without those that an `except ImportError` makes optional."""
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement
            continue
        optional = isinstance(statement, ast.Try) and any(
            "ImportError" in ast.unparse(handler.type) for handler in statement.handlers if handler.type
        )
        for field in ("orelse", "finalbody") if optional else ("body", "orelse", "finalbody"):
            yield from _imports(getattr(statement, field, []))
        for branch in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from _imports(branch.body)
