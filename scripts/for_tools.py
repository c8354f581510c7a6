"""What programs read of the documentation: `docs/llms.txt`, and the reference as JSON, `docs/reference.json`.

`make reference` writes both. The first follows https://llmstxt.org: a list of pages, each with its first sentence.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from examples.rendering import ROOT, read_contract
from extensions.deciding.decisions import INTEGRATIONS, decide_integrations
from extensions.judging.judge import read
from extensions.language.contract import FEATURE_ALIASES
from extensions.language.functions import FUNCTIONS, LOOPS
from extensions.language.mixins import CATALOGUE
from extensions.terminal.status import MEANINGS
from scripts import nodes_page
from scripts.notes import version

_DOCS = ROOT / "docs"
_SUMMARY = """\
A Copier template that turns one contract, a YAML file, into a complete Python project: an ONEX node that runs, with
its tests, settings, migrations and documentation. `node.yaml` in a generated project is the contract and the source;
all else follows by `update-node`. Every command has `--help` and `--json`."""
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_NO_PROSE = ("#", "|", "<!--", "```", "!", "===", "    ", "- ", "1. ")
_LIMITS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems",
    "minProperties", "maxProperties", "pattern", "default",
)  # fmt: skip


def llms(written: Mapping[str, str]) -> str:
    """Return the list of pages.

    Args:
        written: The pages that are not read from files, by their places below `docs/`.
    """
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    lines = ["# copier-onex", "", *(f"> {line}" for line in _SUMMARY.splitlines())]
    for part in nav:
        ((title, entries),) = part.items()
        pages = [line for entry in entries if (line := _page(entry, written))]
        lines += ["", f"## {title}", "", *pages] if pages else []
    data = "- [Reference as JSON](reference.json): keys, commands, exit statuses, functions, mixins and contracts."
    return "\n".join([*lines, "", "## For programs", "", data]) + "\n"


def _page(entry: str | Mapping[str, str], written: Mapping[str, str]) -> str:
    title, uri = ("", entry) if isinstance(entry, str) else next(iter(entry.items()))
    # Pages from elsewhere in the repository have their place in the site alone.
    if uri not in written and not (_DOCS / uri).is_file():
        return ""
    text = written.get(uri) or (_DOCS / uri).read_text(encoding="utf-8")
    sentence = sentence_of(text)
    return f"- [{title or heading_of(text)}]({uri})" + (f": {sentence}" if sentence else "")


def heading_of(text: str) -> str:
    """Return the title of a page."""
    return next(line[2:] for line in text.splitlines() if line.startswith("# "))


def sentence_of(text: str) -> str:
    """Return the first sentence of a page; nothing where it has none before its tables and code."""
    for paragraph in text.split("\n\n"):
        prose = " ".join(line for line in paragraph.splitlines() if not line.startswith(("#", "<!--")))
        if prose and not prose.startswith(_NO_PROSE):
            return re.split(r"(?<=[.?]) ", _LINK.sub(r"\1", prose), maxsplit=1)[0].rstrip(":")
    return ""


def document(schemas: Mapping[str, Any], commands: list[dict[str, Any]], target_of: Callable[..., Any]) -> str:
    """Return the reference as JSON.

    Args:
        schemas: The parts of the schema by their files.
        commands: The commands, with their options.
        target_of: Gives what a reference in a part points at.
    """
    found = {
        "version": version(),
        "keys": list(_keys(schemas, target_of)),
        "commands": commands,
        "exit_statuses": {str(status.value): meaning for status, meaning in MEANINGS.items()},
        "functions": [_function(name, each) for name, each in FUNCTIONS.items()],
        "loops": [_function(name, each) for name, each in LOOPS.items()],
        "mixins": [asdict(entry) for entry in CATALOGUE.values()],
        "integrations": {name: told.title for name, told in INTEGRATIONS.items()},
        "features": FEATURE_ALIASES,
        "contracts": [_contract(path) for path in nodes_page.contracts()],
    }
    return json.dumps(found, indent=1, default=list, ensure_ascii=False) + "\n"


def _function(name: str, function: Any) -> dict[str, Any]:  # noqa: ANN401 -- functions and loops have these alike
    return {
        "name": name, "least": function.least, "most": function.most,
        "keywords": list(function.keywords), "gives": function.meaning,
    }  # fmt: skip


def _contract(path: Path) -> dict[str, Any]:
    contract = read(read_contract(path))
    return {
        "file": path.relative_to(ROOT).as_posix(),
        "node_type": contract.node_type,
        "description": contract.description,
        "operations": {operation.name: nodes_page.kind_of(operation) for operation in contract.operations},
        "talks_to": [decision.choice for decision in decide_integrations(contract).values()],
    }


def _keys(schemas: Mapping[str, Any], target_of: Callable[..., Any]) -> Iterator[dict[str, Any]]:
    for name, schema in schemas.items():
        page = name.partition(".")[0]
        whole = [(schema["title"], schema), *((each["title"], each) for each in schema.get("$defs", {}).values())]
        for title, part in whole:
            yield from _of(title, part, page, schemas, target_of)


def _of(
    place: str, schema: Mapping[str, Any], page: str, schemas: Mapping[str, Any], target_of: Callable[..., Any]
) -> Iterator[dict[str, Any]]:
    for key, value in schema.get("properties", {}).items():
        target = target_of(value["$ref"], page, schemas) if "$ref" in value else value
        said = {
            "in": place,
            "key": key,
            "page": f"reference/{page}.md",
            "required": key in schema.get("required", ()),
            "description": value.get("description") or target.get("description") or target.get("title", ""),
            "is": target.get("title") if "$ref" in value else None,
            "type": target.get("type"),
            "values": target.get("enum"),
            **{limit: target[limit] for limit in _LIMITS if limit in target},
        }
        yield {word: meant for word, meant in said.items() if meant is not None}
        for suffix, inner in (("", value), ("[]", value.get("items")), (".<name>", value.get("additionalProperties"))):
            if isinstance(inner, Mapping) and "properties" in inner:
                yield from _of(f"{place}: {key}{suffix}", inner, page, schemas, target_of)
