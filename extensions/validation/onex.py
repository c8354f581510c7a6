"""Stage ONEX: what ONEX's checkers, packers and runtimes ask of a node, without importing them."""

import ast
import importlib.util
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from .findings import Finding
from .index import Index
from .project import Node, Project
from .structure import classes_of

_TYPES = ("EFFECT_GENERIC", "COMPUTE_GENERIC", "REDUCER_GENERIC", "ORCHESTRATOR_GENERIC")
_TOPIC = re.compile(r"onex\.(cmd|evt|intent)\.[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*\.v\d+")
_MARKER = re.compile(r"\b(TODO|FIXME)\b")
_CHECKERS = {
    "checker_generic_pattern": "GenericPatternChecker",
    "checker_pydantic_pattern": "PydanticPatternChecker",
    "checker_naming_convention": "NamingConventionChecker",
}
# What both of ONEX's runtimes give to a handler whose constructor asks for it by this name.
_GIVEN = frozenset({"event_bus"})
_PREFIXES = ("Model", "Enum", "Protocol")
_VISITS_OF_STATEMENTS = frozenset(f"visit_{kind.__name__}" for kind in ast.stmt.__subclasses__())


class Onex:
    """ONEX's rules, applied to each node of a project."""

    def __init__(self, project: Project, index: Index) -> None:
        """Look at nothing yet.

        Args:
            project: The project.
            index: The packages of its environment, in which ONEX's own rules lie.
        """
        self._project = project
        self._index = index
        self.unchecked: list[str] = []

    def check(self) -> Iterator[Finding]:
        """Apply the rules.

        Yields:
            What ONEX would refuse, quarantine or ignore.
        """
        if not self._project.nodes:
            yield Finding("contract.yaml", 0, "onex-contract", "there is no node: no contract.yaml with a node_type")
        profiles = self._profiles()
        for node in self._project.nodes:
            yield from self._contract(node)
            yield from self._descriptor(node, profiles)
            yield from self._topics(node)
            yield from self._names(node)
            yield from self._routing(node)
            yield from self._models(node)
        yield from self._patterns()
        yield from self._error_codes()

    def _contract(self, node: Node) -> Iterator[Finding]:
        contract = node.contract

        if contract.get("node_type") not in _TYPES:
            yield _finding(
                node, "node_type", f"node_type is {contract.get('node_type')!r}, not one of {', '.join(_TYPES)}"
            )
        # What arrives and leaves by no bus needs neither topics nor a last event.
        of_the_bus = ("terminal_event",) if "event_bus" in contract else ()
        for key in ("name", "description", *of_the_bus):
            if not contract.get(key) or not isinstance(contract[key], str):
                yield _finding(node, key, f"{key} has to be text")
        for key in ("input_model", "output_model"):
            if not _is_model(contract.get(key)):
                yield _finding(node, key, f"{key} has to be <module>.<class>, or a map of name and module")
        places = ("contract_version", "node_version", "handler_routing.version", "event_bus.version")
        for place in (place for place in places if "." not in place or place.split(".")[0] in contract):
            version = _at(contract, place)
            if not isinstance(version, dict) or {"major", "minor", "patch"} - version.keys():
                yield _finding(node, place.split(".")[0], f"{place} has to be a map of major, minor and patch")

    def _descriptor(self, node: Node, profiles: frozenset[str] | None) -> Iterator[Finding]:
        contract = node.contract
        declared = _at(contract, "descriptor.runtime_profiles") or contract.get("runtime_profiles") or []
        if not isinstance(declared, list) or not declared:
            yield _finding(
                node, "descriptor", "descriptor.runtime_profiles names no profile: no runtime loads the node"
            )
        elif profiles is not None and (unknown := [name for name in declared if name not in profiles]):
            yield _finding(
                node, "descriptor", f"the runtime profile {unknown[0]} is not registered: the kernel skips the node"
            )
        if not isinstance(_at(contract, "performance.single_operation_max_ms"), int):
            yield _finding(node, "performance", "performance.single_operation_max_ms has to be a whole number")

    def _topics(self, node: Node) -> Iterator[Finding]:
        contract = node.contract
        subscribed, published = (_texts(_at(contract, f"event_bus.{key}_topics")) for key in ("subscribe", "publish"))
        for topic in (*subscribed, *published):
            if not _TOPIC.fullmatch(topic):
                yield _finding(
                    node,
                    "event_bus",
                    f"the topic {topic} is not onex.<cmd or evt>.<producer>.<name>.v<n> in kebab-case",
                )
        if contract.get("terminal_event") and contract["terminal_event"] not in published:
            yield _finding(node, "terminal_event", "terminal_event is not among event_bus.publish_topics")
        routes = _at(contract, "handler_routing.handlers")
        for route in routes if isinstance(routes, list) else []:
            routed = route.get("subscribe_topic") if isinstance(route, dict) else None
            if routed and routed not in subscribed:
                yield _finding(node, "handler_routing", f"the topic {routed} is routed, and not among subscribe_topics")
        if contract.get("node_type") == "REDUCER_GENERIC" and not contract.get("published_events"):
            yield _finding(node, "node_type", "a reducer without published_events publishes nothing")

    def _names(self, node: Node) -> Iterator[Finding]:
        folder = node.folder.rpartition("/")[2]
        kind = str(node.contract.get("node_type")).partition("_")[0].lower()
        if not re.fullmatch(rf"node_[a-z][a-z0-9_]*_{kind}", folder):
            yield Finding(node.contract_path, 1, "onex-name", f"the folder {folder} is not node_<name>_{kind}")
        if node.contract.get("name") != folder:
            yield Finding(
                node.contract_path, node.line("name"), "onex-name", f"name is not that of the folder, {folder}"
            )
        entry_points = self._project.pyproject.get("project", {}).get("entry-points", {}).get("onex.nodes", {})
        if self._project.pyproject and entry_points.get(folder) != node.module:
            message = f'there is no entry point {folder} = "{node.module}" in the group onex.nodes'
            yield Finding("pyproject.toml", 0, "onex-entry-point", message)
        for path in self._project.named(".yaml", ".yml"):
            if path.startswith(f"{node.folder}/") and path != node.contract_path:
                yield Finding(path, 0, "onex-yaml", "ONEX takes every YAML file below the sources for a contract")

    def _routing(self, node: Node) -> Iterator[Finding]:
        line = node.line("handler_routing")
        default = _at(node.contract, "handler_routing.default_handler")
        if not isinstance(default, str) or default.count(":") != 1:
            message = "handler_routing.default_handler has to be <file>:<class>, such as handler:HandlerX"
            yield Finding(node.contract_path, line, "onex-routing", message)
            return
        file, _, name = default.partition(":")
        path = f"{node.folder}/{file.replace('.', '/')}.py"
        if path not in self._project.files:
            yield Finding(node.contract_path, line, "onex-routing", f"default_handler: there is no {path}")
            return
        if path in self._project.trees:
            bound = {
                alias.asname or alias.name
                for item in self._project.trees[path].body
                if isinstance(item, ast.Import | ast.ImportFrom)
                for alias in item.names
            } | classes_of(self._project.trees[path]).keys()
            if name not in bound:
                yield Finding(path, 0, "onex-routing", f"it does not hand out {name}, which is the default handler")
        yield from self._constructor(name)

    def _constructor(self, handler: str) -> Iterator[Finding]:
        for path, tree in self._project.trees.items():
            definition = classes_of(tree).get(handler)
            for item in definition.body if definition else ():
                if isinstance(item, ast.FunctionDef) and item.name == "__init__":
                    arguments = item.args
                    required = arguments.args[1 : len(arguments.args) - len(arguments.defaults)]
                    required += [
                        argument
                        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
                        if default is None
                    ]
                    for argument in required:
                        if argument.arg not in _GIVEN:
                            message = f"{handler} needs {argument.arg}, without which the kernel quarantines it"
                            yield Finding(path, argument.lineno, "onex-constructor", message)

    def _models(self, node: Node) -> Iterator[Finding]:
        for path, tree in self._project.trees.items():
            if not path.startswith(f"{node.folder}/"):
                continue
            public = [item for item in classes_of(tree).values() if item.name.startswith(_PREFIXES)]
            if "/models/" in path and len(public) > 1:
                message = f"{public[1].name} is a second type; ONEX wants one model, enum or protocol per file"
                yield Finding(path, public[1].lineno, "onex-one-per-file", message)
            for item in tree.body:
                if isinstance(item, ast.Assign) and ast.unparse(item.targets[0]) == "__version__":
                    yield Finding(path, item.lineno, "onex-version", "the version belongs into contract.yaml alone")
            for number, text in enumerate(self._project.text(path).splitlines(), start=1):
                if marker := _MARKER.search(text):
                    yield Finding(path, number, "onex-marker", f"{marker[0]} is left")

    def _patterns(self) -> Iterator[Finding]:
        """Run those of ONEX's checkers that stand alone, from the files in which they are installed."""
        for file, name in _CHECKERS.items():
            module = self._module(f"omnibase_core.validation.{file}")
            checker = getattr(module, name, None)
            if checker is None:
                self.unchecked.append(f"{name}, since omnibase_core has none here")
                continue
            checker = _without_detours(checker)
            for path, tree in self._project.trees.items():
                if any(path.startswith(f"{node.folder}/") for node in self._project.nodes):
                    visitor = checker(str(self._project.root / path))
                    visitor.visit(tree)
                    for issue in visitor.issues:
                        line, _, message = str(issue).removeprefix("Line ").partition(": ")
                        yield Finding(path, int(line) if line.isdigit() else 0, "onex-pattern", message or str(issue))

    def _profiles(self) -> frozenset[str] | None:
        module = self._module("omnibase_core.constants.constants_runtime_profiles")
        registered = getattr(module, "REGISTERED_RUNTIME_PROFILES", None)
        if registered is None and self._index.shipped:
            return frozenset(self._index.shipped["profiles"])
        if registered is None:
            self.unchecked.append("runtime profiles, since omnibase_core has no list of them here")
        return registered

    def _module(self, name: str) -> ModuleType | None:
        """Load one file of ONEX's own, which imports nothing but the standard library, without its package."""
        # What lies in a project's environment is the project's code.
        own = self._project.trusted or not self._project.own_environment
        index = self._index if own else Index(Path(sysconfig.get_path("purelib")))
        path = index.file_of(name)
        spec = importlib.util.spec_from_file_location(f"_onex_{name.rpartition('.')[2]}", path) if path else None
        if spec is None or spec.loader is None:
            return None
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except (ImportError, OSError, SyntaxError):
            return None
        return module

    def _error_codes(self) -> Iterator[Finding]:
        for path, tree in self._project.trees.items():
            text = self._project.text(path)
            if "EnumCoreErrorCode." not in text:
                continue
            source = next(
                (
                    item.module
                    for item in tree.body
                    if isinstance(item, ast.ImportFrom)
                    and any(alias.name == "EnumCoreErrorCode" for alias in item.names)
                ),
                None,
            )
            codes = self._index.members(source, "EnumCoreErrorCode") if source else None
            if codes is None:
                self.unchecked.append(f"error codes in {path}, since EnumCoreErrorCode can't be read here")
                continue
            for match in re.finditer(r"\bEnumCoreErrorCode\.([A-Z][A-Z0-9_]*)\b", text):
                if match[1] not in codes:
                    line = text.count("\n", 0, match.start()) + 1
                    yield Finding(path, line, "onex-error-code", f"EnumCoreErrorCode has no {match[1]}")


def _without_detours(checker: type[Any]) -> type[Any]:
    """Return a checker that leaves expressions out, where it asks for statements alone: no expression holds one."""
    plain = ast.NodeVisitor
    asked = {name for name in dir(checker) if name.startswith("visit_") and not hasattr(plain, name)}
    if checker.generic_visit is not plain.generic_visit or not asked <= _VISITS_OF_STATEMENTS:
        return checker
    return type(checker.__name__, (checker,), {"generic_visit": _visit_statements})


def _visit_statements(visitor: ast.NodeVisitor, node: ast.AST) -> None:
    for name in node._fields:
        parts = getattr(node, name, None)
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, (ast.stmt, ast.excepthandler, ast.match_case)):
                visitor.visit(part)


def _finding(node: Node, key: str, message: str) -> Finding:
    return Finding(node.contract_path, node.line(key), "onex-contract", message)


def _at(values: Any, place: str) -> Any:
    for key in place.split("."):
        values = values.get(key) if isinstance(values, dict) else None
    return values


def _is_model(value: Any) -> bool:
    if isinstance(value, str):
        return "." in value
    return isinstance(value, dict) and {"name", "module"} <= value.keys()


def _texts(values: Any) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
