"""Write the reference pages: from the schema, and from the catalogues that decisions are made by.

`--check` writes nothing, and ends with status 1 when a page is not what it would be.
"""

import importlib
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import yaml

from extensions.deciding.decisions import INTEGRATIONS
from extensions.language.classify import NODE_TYPES, THRESHOLD
from extensions.language.contract import FEATURE_ALIASES
from extensions.language.functions import FUNCTIONS, LOOPS, Function, Loop
from extensions.language.mixins import CATALOGUE, Entry
from extensions.language.variants import DOMAIN_PARTS, INTEGRATION_PARTS
from extensions.reading.schema import parts
from extensions.terminal.command import Command
from extensions.terminal.status import MEANINGS
from extensions.text.encode import markdown as escaped
from scripts import for_tools, nodes_page, pictures

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
_NOTE = "<!-- Written by `make reference`; edit the schema or the catalogue instead. -->\n"
_MIXINS = "What `mixins` of a contract may name. A test holds this against the installed omnibase_core."
_COMPOSES = "They follow the base class, in the order of the contract. A `config` may have the keys that are listed."
_UNFIT = "Naming one is an error, unless the base class has it already, or it is not `enabled`."
_ABSENT = "Naming one is a warning. The node gets what serves instead."
_TOLD = """\
Every decision and its reasons are printed after the copy, and stand in the node's README. Words are whole words:
`capital` does not contain `api`."""
_INTEGRATIONS = """\
The first kind of evidence that there is settles an integration. `false` in `integrations` turns it off."""
_NODE_TYPE = f"""\
Where `node_type` is left out, what operations are implemented with settles it. Otherwise the evidence below is
weighed, and a type is chosen whose part of all evidence is at least {THRESHOLD:.0%}. Below that the
contract is refused, and the candidates are shown."""
_FEATURES = "These words of `features` mean others; each feature is named once."
_VARIANT = """\
The type of the node, and its parts, such as `effect_database_kafka`. `template_variant` overrides it, with or without
the type in front."""
_FUNCTIONS = """\
Expressions call these, and models of the contract by their names. The rest of the language is explained in
[Expressions](../explanation/expressions.md)."""
_LOOPS = "A loop may go over these, as in `[i * line.quantity for i, line in enumerate(input.lines, 1)]`."
_COMMANDS = """\
Every command has `--help` with examples, `--version`, `--json`, which prints one JSON document to standard output,
and `--completion SHELL`, which prints what makes bash, zsh or fish complete it:

```sh
for name in update-node update-nodes validate-contract; do $name --completion bash; done >> ~/.bash_completion
```

The result goes to standard output; progress, warnings and errors go to standard error. There are colours on
terminals alone, and none where `NO_COLOR` is set. `copier-onex` is Copier, with Copier's options, whose files are
checked first."""
_COMMON = {"--version", "--help", "-h, --help", "--completion [bash|zsh|fish]"}
# Functions of more arguments take as many as there are.
_FEW = 10
_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minProperties": "at least {} keys",
    "maxProperties": "at most {} keys",
    "default": "default {}",
}


def markdown(text: str) -> str:
    """Return prose of the schema or a catalogue, of which only code between backticks acts as markup."""
    return "".join(part if part.startswith("`") else _spaced(part) for part in re.split(r"(`[^`]+`)", text))


def _spaced(text: str) -> str:
    # What escapes also strips, and code between two words needs the spaces around it.
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{escaped(text)}{after}" if text.strip() else text


def code(text: object) -> str:
    """Return an inline code span that may stand in a table."""
    shown = text if isinstance(text, str) else json.dumps(text)
    return "`" + shown.replace("|", "\\|") + "`"


def target_of(reference: str, page: str, schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reference of a page's schema points at."""
    file, _, pointer = reference.partition("#")
    target: Mapping[str, Any] = schemas[file or f"{page}.schema.json"]
    for step in pointer.split("/")[1:]:
        target = target[step]
    return target


def link(reference: str, page: str, schemas: Mapping[str, Any]) -> str:
    """Return a link to what a reference of a page's schema points at."""
    title = target_of(reference, page, schemas)["title"]
    own = reference.partition("#")[0].partition(".")[0]
    return f"[{title}]({f'{own}.md' if own else ''}#{anchor(title)})"


def anchor(title: str) -> str:
    """Return the anchor of a heading."""
    return "".join(char for char in title.lower().replace(" ", "-") if char.isalnum() or char in "-_")


def kind(schema: Mapping[str, Any], page: str, schemas: Mapping[str, Any]) -> str:
    """Return the type of a schema's values for people."""
    if "$ref" in schema:
        return link(schema["$ref"], page, schemas)
    if "enum" in schema:
        return " \\| ".join(code(value) for value in schema["enum"])
    if "const" in schema:
        return code(schema["const"])
    types = schema.get("type", "anything")
    name = " or ".join(types if isinstance(types, list) else [types])
    if isinstance(schema.get("items"), Mapping):
        name += f" of {kind(schema['items'], page, schemas)}"
    return name


def limits(schema: Mapping[str, Any]) -> str:
    """Return the limits of a schema's values in brackets; nothing where there are none."""
    found = [text.format(code(schema[key])) for key, text in _LIMITS.items() if key in schema]
    found += [f"matches {code(schema['pattern'])}"] if "pattern" in schema else []
    return f"({', '.join(found)})" if found else ""


def meaning(schema: Mapping[str, Any], page: str, schemas: Mapping[str, Any]) -> str:
    """Return what a schema's values mean, and their limits."""
    words = schema.get("description")
    if words is None and "$ref" in schema:
        words = target_of(schema["$ref"], page, schemas).get("description")
    said = [markdown(words or schema.get("title") or ""), limits(schema)]
    said += ["**Legacy.**"] if schema.get("deprecated") else []
    return " ".join(word for word in said if word)


def section(title: str, schema: Mapping[str, Any], level: int, page: str, schemas: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a section: description, keys, examples, then the sections of what is inside."""
    yield from (f"{'#' * level} {title}", "")
    if "description" in schema and level > 1:
        yield from (markdown(schema["description"]), "")
    if "properties" not in schema and level > 1:
        yield from (
            f"{kind(schema, page, schemas)}. {limits(schema)}".strip(),
            "",
        )
    properties = schema.get("properties", {})
    if properties:
        yield from ("| key | type | meaning |", "|---|---|---|")
        for key, value in properties.items():
            name = f"**{code(key)}**" if key in schema.get("required", ()) else code(key)
            yield f"| {name} | {kind(value, page, schemas)} | {meaning(value, page, schemas)} |"
        yield ""
    for example in schema.get("examples", ()):
        shown = yaml.safe_dump(example, sort_keys=False, default_flow_style=isinstance(example, list), width=100)
        yield from ("```yaml", shown.removesuffix("...\n").rstrip("\n"), "```", "")
    for key, value in properties.items():
        for suffix, inner in inside(value):
            yield from section(f"{title}: {key}{suffix}" if level > 1 else f"{key}{suffix}", inner, 3, page, schemas)


def inside(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the mappings with keys of their own in a schema, each with what is written after its name."""
    if "properties" in schema:
        yield "", schema
    for key, suffix in (("items", "[]"), ("additionalProperties", ".<name>"), ("then", "")):
        inner = schema.get(key)
        if isinstance(inner, Mapping) and "properties" in inner:
            yield suffix, inner


def schema_page(name: str, schemas: Mapping[str, Any]) -> str:
    """Return the page of one part of the schema."""
    page = name.partition(".")[0]
    schema = schemas[name]
    lines = [f"# {schema['title']}", "", _NOTE]
    lines += [markdown(schema["description"]), ""] if "description" in schema else []
    lines += ["Keys in bold are required.", ""] if "properties" in schema else []
    lines += list(section("", schema, 1, page, schemas))[2:] if "properties" in schema else []
    for definition in schema.get("$defs", {}).values():
        lines += section(definition["title"], definition, 2, page, schemas)
    return "\n".join(lines).rstrip() + "\n"


def mixins_page() -> str:
    """Return the page of the catalogue of mixins."""
    by_status: dict[str, list[Entry]] = {}
    for entry in CATALOGUE.values():
        by_status.setdefault(entry.status, []).append(entry)
    lines = ["# Mixins", "", _NOTE, _MIXINS, "", "## Mixins that compose", "", _COMPOSES, ""]
    lines += _table("mixin", "purpose", "built into", "asked for by", "needs", "not beside")
    for entry in by_status["composes"]:
        beside = "; ".join(f"{code(other)}: {markdown(reason)}" for other, reason in entry.conflicts.items())
        needs = "; ".join(f"{code(other)} after it: {markdown(reason)}" for other, reason in entry.requires.items())
        feature = code(f"features: [{entry.feature}]") if entry.feature else ""
        lines.append(_row(code(entry.name), markdown(entry.purpose), _names(entry.built_into), feature, needs, beside))
    lines.append("")
    for entry in by_status["composes"]:
        if entry.config:
            lines += section(entry.name, {"properties": entry.config}, 3, "mixins", {})
    lines += ["## Mixins of no use on a node", "", _UNFIT, ""]
    lines += _table("mixin", "purpose", "built into", "why not", "instead")
    for entry in by_status["unfit"]:
        why, instead = markdown(entry.reason), markdown(entry.instead)
        lines.append(_row(code(entry.name), markdown(entry.purpose), _names(entry.built_into), why, instead))
    lines += ["", "## Mixins that omnibase_core does not have", "", _ABSENT, ""]
    lines += _table("mixin", "purpose", "instead")
    for entry in by_status["absent"]:
        lines.append(_row(code(entry.name), markdown(entry.purpose), markdown(entry.instead)))
    return "\n".join(lines).rstrip() + "\n"


def decisions_page() -> str:
    """Return the page of what is told from a contract, and by which words."""
    lines = ["# What is told from a contract", "", _NOTE, _TOLD, "", "## Integrations", "", _INTEGRATIONS, ""]
    lines += _table("integration", "1. operations", "2. integrations", "3. dependencies", "4. features", "5. domain")
    for told in INTEGRATIONS.values():
        words = (_names((told.implementation,)), _names((told.setting,)), _names(told.dependencies))
        lines.append(_row(told.title, *words, _names(told.features), _names(told.words)))
    lines += ["", "## Node type", "", _NODE_TYPE, "", *_table("evidence", *NODE_TYPES)]
    rows = {"implementations": "operations", "subcontracts": "subcontracts", "features": "features"}
    rows |= {"integrations": "integrations", "domains": "words of domain, dependencies"}
    rows |= {"verbs": "verbs in names and descriptions"}
    for key, title in rows.items():
        lines.append(_row(title, *(_names(words[key]) for words in NODE_TYPES.values())))
    lines += ["", "## Features", "", _FEATURES, "", *_table("word", "means")]
    lines += [_row(code(word), code(meant)) for word, meant in FEATURE_ALIASES.items()]
    lines += ["", "## Template variant", "", _VARIANT, "", *_table("part", "told from")]
    for part, (key, _, _) in INTEGRATION_PARTS.items():
        lines.append(_row(code(part), f"the integration {INTEGRATIONS[key].title}"))
    for part, known in DOMAIN_PARTS.items():
        lines.append(_row(code(part), f"words of domain: {_names(known)}"))
    return "\n".join(lines).rstrip() + "\n"


def functions_page() -> str:
    """Return the page of the functions of expressions."""
    lines = ["# Functions of expressions", "", _NOTE, _FUNCTIONS, "", *_table("function", "arguments", "gives")]
    for name, function in FUNCTIONS.items():
        lines.append(_row(code(name), _arguments(function), markdown(function.meaning)))
    lines += ["", "## In loops", "", _LOOPS, "", *_table("function", "arguments", "gives")]
    for name, loop in LOOPS.items():
        lines.append(_row(code(name), _arguments(loop), markdown(loop.meaning)))
    return "\n".join(lines).rstrip() + "\n"


def _arguments(function: Function | Loop) -> str:
    most = "or more" if function.most > _FEW else f"to {function.most}"
    count = str(function.least) if function.least == function.most else f"{function.least} {most}"
    return ", ".join((count, *(code(f"{word}=…") for word in function.keywords)))


def _table(*titles: str) -> list[str]:
    return [_row(*titles), "|" + "---|" * len(titles)]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _names(words: Iterable[str]) -> str:
    return ", ".join(code(word) for word in words)


def commands() -> Iterator[Command]:
    """Yield the commands."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    for name, place in scripts.items():
        module = importlib.import_module(place.removeprefix("copier_onex.").partition(":")[0])
        yield from (each for each in vars(module).values() if isinstance(each, Command) and each.name == name)


def options(command: Command) -> list[tuple[str, str]]:
    """Return a command's own arguments and options, each with what it does."""
    context = click.Context(command, info_name=command.name)
    records = [record for param in command.get_params(context) if (record := param.get_help_record(context))]
    return [(names, what) for names, what in records if names not in _COMMON]


def commands_page() -> str:
    """Return the page about the commands, their options and what their exit statuses say."""
    lines = [_NOTE, "# Commands", "", _COMMANDS, "", "## Exit statuses", "", "| status | meaning |", "|---|---|"]
    lines += [f"| {status.value} | {markdown(meaning)} |" for status, meaning in MEANINGS.items()]
    for made in commands():
        lines += ["", f"## {made.name}", "", markdown(str(made.help)), "", "```sh"]
        lines += [f"{line}    # {what}" for line, what in made.examples]
        lines += ["```", "", "| | |", "|---|---|"]
        lines += [f"| {code(names)} | {markdown(what)} |" for names, what in options(made)]
    return "\n".join(lines) + "\n"


def described() -> list[dict[str, Any]]:
    """Return the commands for programs."""
    return [
        {"name": made.name, "help": made.help, "examples": made.examples, "options": dict(options(made))}
        for made in commands()
    ]


def pages() -> dict[str, str]:
    """Return the content of every page by its file's name."""
    schemas = parts()
    found = {f"{name.partition('.')[0]}.md": schema_page(name, schemas) for name in schemas}
    further = {"mixins.md": mixins_page(), "decisions.md": decisions_page(), "functions.md": functions_page()}
    further["commands.md"] = commands_page()
    return found | further | {"nodes.md": _NOTE + nodes_page.page()}


def files() -> dict[str, str]:
    """Return the content of every file that is written, by its place below `docs/`."""
    found = {f"reference/{name}": text for name, text in pages().items()}
    found["reference.json"] = for_tools.document(parts(), described(), target_of)
    found["pictures/session.svg"] = pictures.terminal({str(made.name): made for made in commands()})
    return found | {"llms.txt": for_tools.llms(found)}


def main() -> int:
    """Write the files, or with `--check` compare them with those that there are."""
    wanted = files()
    known = {*wanted, *(f"reference/{path.name}" for path in (DOCS / "reference").glob("*.md"))}
    present = {name: (DOCS / name).read_text(encoding="utf-8") for name in known if (DOCS / name).is_file()}
    stale = sorted(name for name in known if wanted.get(name) != present.get(name))
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"stale: docs/{name}; run make reference")
        return 1 if stale else 0
    for name in stale:
        if name in wanted:
            (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
            (DOCS / name).write_text(wanted[name], encoding="utf-8")
        else:
            (DOCS / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
