"""Puts hostile text wherever the schema allows any text, and looks at what becomes of it in generated files."""

import ast
import copy
import io
import json
import re
import tokenize
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

import yaml

from extensions.judging.judge import judge
from extensions.language import patterns
from extensions.text import encode
from extensions.text.problems import Path
from tests.contracts.fields import SCHEMA, resolved
from tests.contracts.walk import parts, put

CANARY = "canary"
KINDS = {
    "python": f'"""\nimport pathlib; pathlib.Path("{CANARY}").touch()\n"""',
    "backslash": f'\\"""\nopen("{CANARY}", "w")\n\\',
    "single": f"''' + __import__('pathlib').Path('{CANARY}').touch() + '''",
    "expression": f"__import__('os').system('touch {CANARY}')",
    "jinja": "{{ 7 * 7 }} {% raw %} {# note #} {%- endraw -%}",
    "shell": f"$(touch {CANARY}) `touch {CANARY}` ; touch {CANARY} \n\ttouch {CANARY}",
    "yaml": 'a: [b, {c: "d"}]\n---\n- &x *x !!python/object/apply:os.system ["true"] # end',
    "toml": '"\n[project]\nname = "other"\n',
    "dockerfile": f"\nUSER root\nRUN touch {CANARY}\n# escape=`\n",
    "make": f"$(shell touch {CANARY})\n\ttouch {CANARY}\n%: ; touch {CANARY}",
    "sql": f"'; DROP TABLE a; -- $$ \\! touch {CANARY}\n/*",
    "markdown": "```\n</code><script>alert(1)</script> | **b** [l](javascript:x) <!-- -->",
    "formats": "%s %(a)s {0} {a!r} {{b}} \\N{DASH} \\x41 \\",
    "separators": "a\u2028b\u2029c\u00a0d\ufeffe 🔒 \u202e \u200b",
    "marker": "TODO: FIXME, HACK (XXX) todo",
    "temporary": "/tmp/x",  # noqa: S108 - it is text
    "loader": "yaml.unsafe_load(x)",
    "statement": "DELETE FROM a WHERE b = ",
    "comment": "# noqa\n# type: ignore\n# fmt: off\n# ruff: noqa",
    "quotes": "\" ' ` \u201d \u2019 \u00ab \"' '\"",
    "long": "word " * 1500,
    "one long word": "x" * 1500,
    "empty": "",
    "blank": " \t\n ",
}
REFUSED = {"control": "a\x00\x07\x1b[31mb\x7f\x85", "surrogates": "a\ud800b\udfff"}
_INVISIBLE = re.compile(r"\W|_", re.ASCII)


def spots(schema: Mapping[str, Any] = SCHEMA, path: Path = (), around: tuple[int, ...] = ()) -> Iterator[Path]:
    """Find where the schema allows any text.

    Args:
        schema: A part of the schema.
        path: Where it is; `[]` and `{}` stand for any index and any key.
        around: The parts around it.

    Yields:
        The paths.
    """
    schema = resolved(schema)
    if around.count(id(schema)) > 1:
        return
    around = (*around, id(schema))
    if takes_text(schema):
        yield path
    for key, part in schema.get("properties", {}).items():
        yield from spots(part, (*path, key), around)
    for key, part in (("{}", schema.get("additionalProperties")), ("[]", schema.get("items"))):
        if isinstance(part, Mapping):
            yield from spots(part, (*path, key), around)
    for key in ("then", "else"):
        if key in schema:
            yield from spots(schema[key], path, around)


def takes_text(schema: Mapping[str, Any]) -> bool:
    """Tell whether a part of the schema allows any text."""
    if {"pattern", "enum", "const", "if", "items"} & schema.keys():
        return False
    return "string" in schema["type"] if "type" in schema else "properties" not in schema


def places(contract: Mapping[str, Any]) -> dict[Path, tuple[Path, int]]:
    """Find where a contract holds text that may be any, with the part of the language and the longest length."""
    found: dict[Path, tuple[Path, int]] = {}
    for path, value, schema in parts(contract):
        if isinstance(value, str) and takes_text(schema):
            found[path] = _generic(path), schema.get("maxLength", 100_000)
    return found


def _generic(path: Path) -> Path:
    schema: Mapping[str, Any] = SCHEMA
    found: list[str] = []
    for step in path:
        schema = resolved(schema)
        for branch in ("then", "else"):
            inner = resolved(schema.get(branch, {}))
            schema = {**inner, **schema} if ("items" in inner) == isinstance(step, int) and inner else schema
        if isinstance(step, int):
            found.append("[]")
            schema = schema.get("items", {})
        elif step in schema.get("properties", {}):
            found.append(step)
            schema = schema["properties"][step]
        else:
            found.append("{}")
            schema = schema.get("additionalProperties", {})
    return tuple(found)


def laid_out(contract: dict[str, Any], turn: int) -> tuple[dict[str, Any], dict[Path, str], dict[Path, str]]:
    """Put hostile text into every place, another kind in each, and take back what is refused.

    Args:
        contract: A valid contract.
        turn: Which kind goes into the first place.

    Returns:
        A valid contract, the texts in it by their places, and those that were refused at their places.

    Raises:
        AssertionError: When text is refused, and not where it is.
    """
    kinds = list(KINDS.values())
    changed = copy.deepcopy(contract)
    texts: dict[Path, str] = {}
    for number, (path, (_, longest)) in enumerate(places(contract).items()):
        text = kinds[(number + turn) % len(kinds)]
        # What is at the start matters as much as what is at the end.
        mark = f"q{number}q"
        text = (f"{text}{mark}" if (number + turn) % 2 else f"{mark}{text}") if text.strip() else text
        texts[path] = text[:longest]
        changed = put(changed, path, texts[path])
    refused: dict[Path, str] = {}
    for _ in range(40):
        problems = judge(changed)
        if not problems:
            return changed, texts, refused
        before = len(refused)
        for problem in problems:
            at = [path for path in texts if problem.path[: len(path)] == path]
            # A field, an operation or a setting may be refused for one of its parts.
            around = [path for path in texts if path[: len(problem.path)] == problem.path]
            whole = len(problem.path) < (3 if problem.path[:1] == ("operations",) else 2)
            # Where no value is found for a field, its pattern may leave none.
            patterns = [path for path in texts if path[-1] == "pattern" and path[:2] == problem.path[:2]]
            # What a statement does decides what it may fill, and whether it may be kept.
            statements = [path for path in texts if path[-1] == "query" and path[:2] == problem.path[:2]]
            for path in at or (() if whole else around or patterns or statements):
                refused[path] = texts.pop(path)
                original: Any = contract
                for step in path:
                    original = original[step]
                changed = put(changed, path, original)
        assert len(refused) > before, "\n".join(map(str, problems))
    raise AssertionError


def bare(text: str) -> str:
    """Return the letters and digits of a text alone, which every encoding keeps."""
    return _INVISIBLE.sub("", text)


def carried(project: FilePath, texts: Mapping[Path, str]) -> tuple[set[Path], list[str]]:
    """Look for texts in the files of a project.

    Args:
        project: Its folder.
        texts: Texts by the places where they stand in the contract.

    Returns:
        The places whose texts some file carries, and the files that carry one mangled.
    """
    marks = {path: mark[0] for path, text in texts.items() if (mark := re.findall(r"q\d+q", text))}
    found: set[Path] = set()
    mangled: list[str] = []
    for file in sorted(file for file in project.rglob("*") if file.is_file()):
        content = file.read_text(encoding="utf-8")
        values: list[str] | None = None
        for path, mark in marks.items():
            if mark not in content:
                continue
            values = _values(file, content) if values is None else values
            found.add(path)
            # The README shows values as Python writes them, and an annotation of Kubernetes holds JSON.
            text = texts[path]
            escaped = (encode.py(text), repr(text), json.dumps(text), json.dumps(text, ensure_ascii=False))
            forms = {bare(form) for form in (text, *escaped)}
            forms = forms if file.name in {"README.md", "service.yaml"} else {bare(texts[path])}
            # Tests have a text that matches a pattern, and often not the pattern itself.
            sample = patterns.example(text, 0, len(text)) if path[-1] == "pattern" else None
            forms |= {bare(sample)} if sample and "tests" in file.relative_to(project).parts else set()
            if not any(form in value for value in values for form in forms):
                mangled.append(f"{file.relative_to(project)}: {path} {texts[path][:60]!r}")
    return found, mangled


def _values(file: FilePath, content: str) -> list[str]:
    match file.suffix:
        case ".py":
            nodes = [node for node in ast.walk(ast.parse(content)) if isinstance(node, ast.Constant)]
            texts = [node.value for node in nodes if isinstance(node.value, str)]
            # Texts with references are put together of several constants.
            together = [
                "".join(
                    part.value for part in node.values if isinstance(part, ast.Constant) and isinstance(part.value, str)
                )
                for node in ast.walk(ast.parse(content))
                if isinstance(node, ast.JoinedStr)
            ]
            tokens = tokenize.generate_tokens(io.StringIO(content).readline)
            comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
            return [bare(text) for text in (*texts, *together, *comments)]
        case ".yaml" | ".yml":
            return [bare(text) for document in yaml.safe_load_all(content) for text in _texts(document)]
        case ".toml":
            return [bare(text) for text in _texts(tomllib.loads(content))]
        case ".json":
            return [bare(text) for text in _texts(json.loads(content))]
        case _:
            return [bare(content)]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            # A patch of kustomize is a document in a document.
            yield from _texts(yaml.safe_load(item) if key == "patch" and isinstance(item, str) else item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
