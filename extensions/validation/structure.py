"""Stage structure: the classes, bases, methods and signatures that were promised are there."""

import ast
from collections.abc import Generator, Iterator, Mapping
from typing import Any

from .findings import Finding
from .project import Node, Project

_BASES = {
    "EFFECT_GENERIC": ("NodeEffect", "ModelServiceEffect"),
    "COMPUTE_GENERIC": ("NodeCompute", "ModelServiceCompute"),
    "REDUCER_GENERIC": ("NodeReducer", "ModelServiceReducer"),
    "ORCHESTRATOR_GENERIC": ("NodeOrchestrator", "ModelServiceOrchestrator"),
}
type Function = ast.FunctionDef | ast.AsyncFunctionDef


def check(project: Project) -> Iterator[Finding]:
    """Compare syntax trees with the manifest of a generated project, and with the ONEX contract of any.

    Args:
        project: The project.

    Yields:
        What is promised and is not there.
    """
    promises = (item for manifest in project.manifests for item in manifest.get("classes", {}).items())
    for path, classes in promises:
        if path in project.conflicting or (path in project.files and path not in project.trees):
            continue
        for name, promised in classes.items():
            if path in project.files:
                yield from _class(project, path, name, promised)
    for node in project.nodes:
        yield from _node(project, node)


def classes_of(tree: ast.Module) -> dict[str, ast.ClassDef]:
    """Return the classes of a module, by name."""
    return {item.name: item for item in tree.body if isinstance(item, ast.ClassDef)}


def functions_of(definition: ast.ClassDef) -> dict[str, Function]:
    """Return the methods of a class, by name."""
    return {item.name: item for item in definition.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)}


def bases_of(definition: ast.ClassDef) -> list[str]:
    """Return the last parts of the names of a class's bases."""
    return [ast.unparse(base).split("[")[0].rpartition(".")[2] for base in definition.bases]


def _class(project: Project, path: str, name: str, promised: Mapping[str, Any]) -> Iterator[Finding]:
    definition = classes_of(project.trees[path]).get(name)
    if definition is None:
        yield Finding(path, 0, "class-missing", f"there is no class {name}")
        return
    there = bases_of(definition)
    for base in promised.get("bases", ()):
        if base not in there:
            yield Finding(path, definition.lineno, "base-missing", f"{name} does not derive from {base}")
    methods = functions_of(definition)
    for method, arguments in promised.get("methods", {}).items():
        if method not in methods:
            yield Finding(path, definition.lineno, "method-missing", f"{name} has no method {method}")
        elif problem := _signature(methods[method], arguments, awaited=method in promised.get("awaited", ())):
            yield Finding(path, methods[method].lineno, "signature", f"{name}.{method} {problem}")
    members = {
        target.id
        for item in definition.body
        for target in (item.targets if isinstance(item, ast.Assign) else [getattr(item, "target", None)])
        if isinstance(target, ast.Name)
    }
    for member in promised.get("members", ()):
        if member not in members:
            yield Finding(path, definition.lineno, "member-missing", f"{name} does not define {member}")


def _signature(function: Function, promised: list[str], *, awaited: bool) -> str:
    """Say what keeps a method from being called with the promised arguments; empty for nothing."""
    if awaited and not isinstance(function, ast.AsyncFunctionDef):
        return "is not async"
    arguments = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    # An argument that a method has no use for is marked by an underscore.
    given = [argument.lstrip("_") for argument in arguments[: len(promised)]]
    if given != promised:
        return f"takes ({', '.join(arguments)}), not ({', '.join(promised)})"
    if len(arguments) - len(function.args.defaults) > len(promised):
        return f"needs more than ({', '.join(promised)})"
    return ""


def _node(project: Project, node: Node) -> Iterator[Finding]:
    """Check what ONEX promises of any node: the classes that its contract names."""
    contract, path = node.contract, node.contract_path
    handler = contract.get("handler")
    if isinstance(handler, dict):
        found = yield from _named(project, node, f"{handler.get('module')}.{handler.get('class')}", "handler")
        if found and "handle" not in functions_of(found[1]) and not found[1].bases:
            yield Finding(found[0], found[1].lineno, "method-missing", f"{found[1].name} has no method handle")
    for key in ("input_model", "output_model"):
        model = contract.get(key)
        if isinstance(model, dict):
            model = f"{model.get('module')}.{model.get('name')}"
        if isinstance(model, str):
            yield from _named(project, node, model, key)
    node_file = f"{node.folder}/node.py"
    bases = _BASES.get(str(contract.get("node_type")), ())
    if bases and node_file in project.trees:
        classes = classes_of(project.trees[node_file])
        if not any(set(bases) & set(_all_bases(project, item)) for item in classes.values()):
            expected = " or ".join(bases)
            yield Finding(node_file, 0, "base-missing", f"no class derives from {expected}, as {path} says")


def _all_bases(project: Project, definition: ast.ClassDef) -> Iterator[str]:
    waiting, seen = [definition], set[str]()
    while waiting:
        for base in bases_of(waiting.pop()):
            yield base
            if base not in seen:
                seen.add(base)
                waiting += [there[base] for there in map(classes_of, project.trees.values()) if base in there]


def _named(
    project: Project, node: Node, symbol: str, key: str
) -> Generator[Finding, None, tuple[str, ast.ClassDef] | None]:
    module, _, name = symbol.rpartition(".")
    if module.split(".")[0] != node.module.split(".")[0]:
        return None
    stem = f"{project.source_root}{module.replace('.', '/')}"
    path = f"{stem}/__init__.py" if f"{stem}/__init__.py" in project.files else f"{stem}.py"
    if path in project.conflicting or (path in project.files and path not in project.trees):
        return None
    if path not in project.files:
        yield Finding(node.contract_path, node.line(key), "module-missing", f"{key}: there is no module {module}")
        return None
    definition = classes_of(project.trees[path]).get(name)
    if definition is None:
        if not _hands_out(project.trees[path], name):
            yield Finding(node.contract_path, node.line(key), "class-missing", f"{key}: {path} has no class {name}")
        return None
    return path, definition


def _hands_out(tree: ast.Module, name: str) -> bool:
    """Tell whether a module imports a name, for others to import it from there."""
    imports = (item for item in tree.body if isinstance(item, ast.ImportFrom))
    return any((alias.asname or alias.name) in {name, "*"} for item in imports for alias in item.names)
