"""Text lands in each output format as what it was, and as nothing else."""

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from extensions.text import encode
from tests.conftest import Run

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
HOSTILE = [
    "",
    '"',
    "'",
    '"""',
    "'''",
    "\\",
    '\\"""',
    'ends with "',
    "ends with \\",
    "two\nlines",
    "carriage\rreturn",
    "line\u2028separator\u2029",
    "form\x0cfeed\x0b\x00\x7f\x85",
    "{{ 7 * 7 }} {% raw %}",
    "${IFS}`id`$(id)",
    "# comment\nimport os",
    "🔒 \U000e0001 \ufeff",
    "x" * 500,
    " padded ",
]


def hostile(argument: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(argument, HOSTILE)


@hostile("text")
def test_python_string_is_the_text(text: str) -> None:
    assert ast.literal_eval(encode.py_string(text)) == text
    assert encode.py_string(text).isprintable()


def test_a_long_text_of_one_character_is_short_code() -> None:
    values = {"a": "x" * 200, "b": ["\n" * 40, "x" * 39, "xy" * 100, 5, "🔒" * 41]}
    code = encode.py_block(encode.repeated(values), 0)
    assert eval(code) == values  # noqa: S307 - code that was made here
    assert '"x" * 200' in code
    assert '"\\n" * 40' in code


@given(TEXT)
def test_python_string_is_any_text(text: str) -> None:
    assert ast.literal_eval(encode.py_string(text)) == text


@given(TEXT)
@example('"""')
@example("trailing \\")
def test_triple_quoted_string_is_the_text_with_a_line_end(text: str) -> None:
    assert ast.literal_eval(encode.py_triple(text)) == text.rstrip("\n") + "\n"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(JSON_VALUES)
def test_literals_are_the_value(value: object) -> None:
    assert (
        ast.literal_eval(encode.py(value).replace('float("inf")', "1e999").replace('float("-inf")', "-1e999")) == value
    )
    assert json.loads(encode.json_value(value)) == value


@hostile("text")
def test_docstring_keeps_to_itself(text: str) -> None:
    for indent in (0, 4):
        source = (
            "class A:\n    " + encode.docstring(text, "A title", 4) if indent else encode.docstring(text, "A title")
        )
        tree = ast.parse(source)
        body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else tree.body
        assert len(body) == 1
        shown = ast.get_docstring(tree.body[0] if isinstance(tree.body[0], ast.ClassDef) else tree)
        assert shown is not None
        assert "".join(encode.one_line(text).split()) in "".join(shown.split())


ODD_ENDS = [*("", ".", "…", "?", "!", ":", ";", ",", "\\", '"', "'", "`", ")", "。", "\u0301"), *("-", "#", "é", "🔒")]
ODD_DOCSTRINGS = [
    *(f"{start}{end}" for start in ("", "a", "Two words", "x" * 112, "word " * 40) for end in ODD_ENDS),
    *("Args:", "Returns: x", "Raises", "Example", "Todo: x", "# noqa", "# fmt: off", ">>> a", "endless nesting"),
    *("See:\n\n  - a\n  - b", "Parameters\n-----", "\\" * 200, '"q' * 100, '" ' * 100, "y" * 500 + " z"),
]


def test_docstrings_are_as_ruff_wants_them(tmp_path: Path, run: Run) -> None:
    classes = (
        f"\n\nclass A{number}:\n    {encode.docstring(text, 'A title', 4)}\n"
        for number, text in enumerate([*ODD_DOCSTRINGS, *HOSTILE])
    )
    (tmp_path / "texts.py").write_text('"""Texts."""\n' + "".join(classes), encoding="utf-8")
    settings = 'line-length = 120\nlint.select = ["D", "E", "RUF1", "W"]\nlint.ignore = ["D301", "E501"]\n'
    (tmp_path / "ruff.toml").write_text(f'{settings}lint.pydocstyle.convention = "google"\n', encoding="utf-8")

    assert run("ruff", "check", ".", "--no-cache", cwd=tmp_path).stdout == "All checks passed!\n"
    assert run("ruff", "format", "--diff", ".", cwd=tmp_path).stdout == ""


@hostile("text")
def test_yaml_and_toml_strings_are_the_text(text: str) -> None:
    assert yaml.safe_load(f"a: {encode.yaml_string(text)}\nb: 1") == {"a": text, "b": 1}
    assert tomllib.loads(f"a = {encode.toml_string(text)}\nb = 1") == {"a": text, "b": 1}


@given(TEXT)
def test_yaml_and_toml_strings_are_any_text(text: str) -> None:
    assert yaml.safe_load(f"a: {encode.yaml_string(text)}") == {"a": text}
    assert tomllib.loads(f"a = {encode.toml_string(text)}") == {"a": text}


@hostile("text")
def test_markdown_code_span_can_not_be_left(text: str) -> None:
    span = encode.markdown_code(text)
    fence = span[: len(span) - len(span.lstrip("`"))]
    assert fence not in span[len(fence) : -len(fence)]
    assert "\n" not in span


def test_markdown_escapes_what_acts_as_markup() -> None:
    assert encode.markdown("a | <b> *c* [d](e) `f`") == r"a \| \<b\> \*c\* \[d\]\(e\) \`f\`"


@pytest.mark.parametrize(
    ("number", "text"), [(30.0, "30"), (0.25, "0.25"), (86400, "86400"), (1e15, "1000000000000000")]
)
def test_numbers_are_as_people_write_them(number: float, text: str) -> None:
    assert encode.markdown_number(number) == text


def test_imports_are_sorted_and_spread_where_too_long() -> None:
    long = "A" * 110
    assert encode.imports([("b", "two"), ("a.b", "C"), ("b", "ONE"), ("b", "One"), ("a", long)]) == (
        f"from a import (\n    {long},\n)\nfrom a.b import C\nfrom b import ONE, One, two"
    )
    fits = "A" * (encode.LINE_LENGTH - len("from a import "))
    assert encode.imports([("a", fits)]) == f"from a import {fits}"
    assert encode.imports([("a", fits)], 4) == f"from a import (\n    {fits},\n)"


def unformatted(source: str, folder: Path) -> str:
    """Return what ruff would change in code."""
    file = folder / "a.py"
    file.write_text(source + "\n", encoding="utf-8")
    ruff = Path(sys.executable).with_name("ruff")
    command: list[str | Path] = [ruff, "format", "--diff", "--isolated", "--line-length", "120", file]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("name", ["a", "n" * 60, "n" * 110])
def test_layout_is_what_ruff_leaves_as_it_is(name: str, tmp_path: Path) -> None:
    source = "\n\n\n".join(
        [
            f"NAMES = {encode.py_tuple([name, name])}",
            f"{encode.signature([f'{name}: int', 'other: str'], 'def f', 'None')}\n    return None",
            f"class A:\n    {encode.assignment(name, 'a: int', 4)}",
            f"A.b = {encode.py_block({'a': [name, {'b': 1}], 'c': []}, 0)}",
        ]
    )
    assert unformatted(source, tmp_path) == ""


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "é",
        "e\u0301",
        "日本語",
        "한국어",
        "🔒",
        "👩\u200d👧",
        "👍🏽",
        "❤\ufe0f",
        "हिन्दी",
        "ﷺ",
        "\u3000",
        "ｱＡ",
        "\u00ad",
        "…",
    ],
)
def test_width_of_a_text_is_that_of_the_formatter(text: str, tmp_path: Path) -> None:
    room = encode.LINE_LENGTH - encode.width(f'a = b("{text}", c)')

    assert unformatted(f'a = b("{text}{"x" * room}", c)', tmp_path) == ""
    assert unformatted(f'a = b("{text}{"x" * (room + 1)}", c)', tmp_path) != ""


@pytest.mark.parametrize("values", [(), ("A",), tuple(f"VARIABLE_{number}" for number in range(30))])
def test_set_is_the_values(values: tuple[str, ...]) -> None:
    code = encode.py_set(values)
    assert eval(code, {}) == set(values)  # noqa: S307 - of this repository's own making
    assert all(len(line) <= encode.LINE_LENGTH for line in code.splitlines())


@pytest.mark.parametrize("name", ["LOG_LEVEL", "no", "Y", "null", "True", "on", "_", "e5"])
def test_yaml_key_is_the_name(name: str) -> None:
    assert yaml.safe_load(f"{encode.yaml_key(name)}: 1") == {name: 1}
