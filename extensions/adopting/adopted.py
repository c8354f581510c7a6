"""What is handed back when something was taken in: a contract, what of it people have to look at, and its text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..reading.effective import yaml_document
from .vocabulary import text

_LIST_INDENT = 2


@dataclass(slots=True)
class Adopted:
    """A contract that was made of something.

    Attributes:
        contract: The contract.
        kept: What the language has no place for, as it was: by the name of the operation beside which it is kept, or
            by an empty text for what belongs to the whole.
        notes: What was changed or lost: the place, and what a person should know.
        head: Comments at the top.
    """

    contract: dict[str, Any]
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)
    head: tuple[str, ...] = ()

    def keep(self, operation: str, key: str, value: object) -> None:
        """Keep a value as a comment beside an operation, or beside the whole."""
        self.kept.setdefault(operation, {})[key] = value

    def document(self) -> str:
        """Return the contract as YAML, with what has no place in it as comments beside what it belongs to."""
        lines = [_comment(line) for line in self.head]
        for key, value in self.contract.items():
            if key == "operations" and isinstance(value, list) and value:
                lines.append("operations:\n")
                for operation in value:
                    lines.append(_indented(yaml_document([operation])))
                    name = operation.get("name") if isinstance(operation, Mapping) else None
                    lines.append(_comments(self.kept.get(name, {}) if isinstance(name, str) else {}, "    "))
            else:
                lines.append(yaml_document({key: value}))
        if whole := self.kept.get(""):
            lines += ["\n", _comment("Without a place in this language:"), _comments(whole)]
        return "".join(lines)

    def report(self) -> str:
        """Return what was done, and what a person has to look at, as Markdown."""
        operations = self.contract.get("operations", [])
        custom = [operation["name"] for operation in operations if "handler" in operation]
        lines = [
            f"# {self.contract.get('name', 'node')}",
            "",
            "| | |",
            "|---|---|",
            f"| type | {self.contract.get('node_type', 'effect')} |",
            f"| operations | {len(operations)} |",
            f"| of these with a handler of your own | {len(custom)} |",
            f"| models | {len(self.contract.get('models', {}))} |",
            f"| enums | {len(self.contract.get('enums', {}))} |",
            "",
        ]
        if custom:
            lines += ["## Handlers to write", "", *(f"- [ ] `{name}`" for name in custom), ""]
        if self.notes:
            lines += [
                "## To be looked at",
                "",
                *(f"- [ ] {_cell(place)}: {_cell(what)}" for place, what in self.notes),
                "",
            ]
        if self.kept:
            lines += ["## Without a place in the language", ""]
            for operation, values in self.kept.items():
                lines += [f"- {f'`{operation}`: ' if operation else ''}`{_cell(key)}`" for key in values]
            lines.append("")
        return "\n".join(lines)


def _cell(words: str) -> str:
    return text(words, 300).replace("\n", " ").replace("|", "\\|")


def _indented(document: str) -> str:
    return "".join(
        f"{' ' * _LIST_INDENT}{line}" if line.strip() else line for line in document.splitlines(keepends=True)
    )


def _comment(line: str) -> str:
    return f"# {line}".rstrip() + "\n"


def _comments(values: Mapping[str, Any], indent: str = "") -> str:
    if not values:
        return ""
    document = yaml_document(_plain(dict(values)))
    return "".join(f"{indent}{_comment(line)}" for line in document.splitlines())


def _plain(value: Any) -> Any:
    """Return a value of texts, numbers, lists and mappings alone, and no text that a comment could not hold."""
    if isinstance(value, Mapping):
        return {text(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float)) else text(value)
