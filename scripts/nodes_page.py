"""The page that lists the catalogue's contracts: what each uses, and what of it a person writes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from examples.pipeline_package import PACKAGE, WRITTEN
from examples.rendering import CONTRACTS, ROOT, read_contract
from extensions.deciding.decisions import decide_base_class, decide_integrations
from extensions.judging.judge import read
from extensions.language.contract import Contract, Operation
from extensions.text.encode import markdown

FURTHER: Final = ROOT / "examples" / "catalogue"
NAMED: Final = ROOT / "tests" / "contracts" / "seeds"
"""Contracts of the nodes that the ecosystem's documents name, as they were first written."""

IMPLEMENTATIONS: Final = ("database", "http", "kafka", "redis", "filesystem", "compute", "aggregate", "workflow")
_INTRODUCTION = """\
Every contract below is generated, checked by ONEX's own tools and tested on embedded servers by `make catalogue`. Start
from the one that is nearest to what you need. [A pipeline](../../examples/pipeline/README.md) puts seven of them
together, with the bodies that a person writes."""
_WRITTEN = """\
Handlers that are for a person to write, with their lines where [the pipeline](../../examples/pipeline/README.md)
has them; {shared} more lines are shared by two of them."""
# What documents say of the same nodes, where people or models wrote every line: of the node's module alone, or of all.
BY_HAND: Final[Mapping[str, tuple[int, str]]] = {
    "database_adapter": (523, "its module"),
    "distributed_lock": (4270, "all files"),
}
SHARED: Final = WRITTEN / "src" / PACKAGE / "functions.py"
_OPERATION_WORDS = ("publishes", "cache", "invalidates", "then", "schedule", "scopes", "idempotency_key")
_STEP_WORDS = ("when", "require", "for_each", "repeat", "intents", "compensate")


def contracts() -> list[Path]:
    """Return the contract files of the catalogue."""
    return sorted((*CONTRACTS.glob("*.yaml"), *FURTHER.glob("*.yaml")), key=lambda path: path.stem)


def kind_of(operation: Operation) -> str:
    """Return the key that says what an operation is implemented with; `fsm` for a state machine."""
    if operation.by_state_machine:
        return "fsm"
    return next((key for key in IMPLEMENTATIONS if getattr(operation, key) is not None), "custom")


def is_custom(operation: Operation) -> bool:
    """Tell whether an operation is for a person to write."""
    return kind_of(operation) == "custom"


def lines_of(path: Path) -> int:
    """Return how many lines a file has."""
    return path.read_bytes().count(b"\n")


def sizes(project: Path) -> Iterator[tuple[str, int]]:
    """Yield the kind of each file of a project, the runtime aside, with its lines."""
    for path in project.rglob("*"):
        parts = path.relative_to(project).parts
        if not path.is_file() or "runtime" in parts or parts[0] == "build":
            continue
        if "custom" in parts and path.name != "__init__.py" and parts[0] == "src":
            yield "custom", lines_of(path)
        else:
            yield {"src": "source", "tests": "tests"}.get(parts[0], "others"), lines_of(path)


def page() -> str:
    """Return the page that lists the contracts by type."""
    lines = ["# Nodes", "", _INTRODUCTION]
    read_ones = [(path, read_contract(path)) for path in contracts()]
    typed = [(path, raw, read(raw)) for path, raw in read_ones]
    for node_type in ("effect", "compute", "reducer", "orchestrator"):
        lines += ["", f"## {node_type.title()}", ""]
        lines += [
            "| contract | what it does | operations | features | talks to | made of | left to write |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [_row(path, raw, contract) for path, raw, contract in typed if contract.node_type == node_type]
    return "\n".join([*lines, *_left(typed)]) + "\n"


def _row(path: Path, raw: Mapping[str, Any], contract: Contract) -> str:
    kinds = [kind_of(operation) for operation in contract.operations]
    base = decide_base_class(contract)
    custom = [f"`{operation.name}`" for operation in contract.operations if is_custom(operation)]
    cells = (
        f"[{path.stem}](../../{path.relative_to(ROOT).as_posix()})",
        markdown(contract.description.partition("\n")[0]).replace("|", "\\|"),
        ", ".join(f"{count} {kind}" for kind, count in Counter(kinds).items()),
        ", ".join(f"`{word}`" for word in features(raw)),
        ", ".join(decision.choice for decision in decide_integrations(contract).values()) or "nothing",
        ", ".join(f"`{name}`" for name in (base.name, *base.mixins)),
        ", ".join(custom) or "nothing",
    )
    return f"| {' | '.join(cells)} |"


def features(raw: Mapping[str, Any]) -> list[str]:
    """Return the words of a contract that ask for more than operations, in alphabetical order."""
    found = {*raw.get("features", ()), *raw.get("advanced_features", ()), *raw.get("subcontracts", ())}
    for operation in raw["operations"]:
        found |= operation.keys() & set(_OPERATION_WORDS)
        waiting = [*operation.get("workflow", {}).get("steps", ())]
        while waiting:
            step = waiting.pop()
            found |= step.keys() & set(_STEP_WORDS)
            waiting += step.get("steps", ())
    found |= {"auth"} if "auth" in raw.get("service", {}) else set()
    return sorted(found)


def _left(typed: Sequence[tuple[Path, Mapping[str, Any], Contract]]) -> Iterator[str]:
    """Yield the lines about what a person writes."""
    written = {path.stem: lines_of(path) for path in WRITTEN.rglob("handlers/custom/handler_*.py")}
    own = {path.stem: lines_of(path) for path, _, _ in typed}
    custom = {
        path.stem: [operation.name for operation in contract.operations if is_custom(operation)]
        for path, _, contract in typed
    }
    yield from ("", "## What is written by hand", "", _WRITTEN.format(shared=lines_of(SHARED)), "")
    yield "| contract | its lines | handlers to write | lines of them |"
    yield "|---|---|---|---|"
    for name, operations in custom.items():
        if operations:
            counted = [str(written[f"handler_{each}"]) for each in operations if f"handler_{each}" in written]
            names = ", ".join(f"`{each}`" for each in operations)
            yield f"| {name} | {own[name]} | {names} | {', '.join(counted) or 'not written here'} |"
    named = named_nodes()
    free = sum(not custom[name] for name in named)
    yield from ("", f"Of {len(named)} nodes that documents of the ecosystem name, {free} leave nothing to write.")
    yield from ("", "Where a document says how many lines a node took by hand:", "")
    yield "| node | by hand | now: the contract, and nothing else | fewer |"
    yield "|---|---|---|---|"
    for name, (lines, what) in BY_HAND.items():
        yield f"| {name} | {lines}, {what} | {own[name]} | {1 - own[name] / lines:.0%} |"


def named_nodes() -> list[str]:
    """Return the names of the catalogue's contracts for nodes that documents of the ecosystem name."""
    return sorted(path.stem.replace("codegen_metrics_reducer", "codegen_metrics") for path in NAMED.glob("*.yaml"))
