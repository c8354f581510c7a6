"""What the text of a contract says, and where."""

import json
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from examples.rendering import CONTRACTS
from extensions.reading.keys import named
from extensions.reading.source import MAX_BYTES, MAX_DEPTH, Document, Place, read_bytes, read_text
from extensions.text.problems import BIDIRECTIONAL

# Characters that make a text look like another one are refused.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters=BIDIRECTIONAL))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXT | st.dates(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)

PIECES = (
    *(
        "a",
        "b: ",
        "- ",
        "\n",
        "\n  ",
        "  ",
        "\t",
        ", ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        "? ",
        "| ",
        "> ",
        "# ",
        "'",
        '"',
        "%",
    ),
    *("&x ", "*x", "<<: ", "<<", "=", "! ", "!!str ", "!!int ", "!!map ", "!!seq ", "!!merge ", "!!binary ", "!!set "),
    *(
        "1",
        "0x",
        "0b_",
        "1:60",
        "08",
        "1e5",
        ".inf",
        "~",
        "yes",
        "2026-13-01",
        "2026-01-01T25:00:00Z",
        "---",
        "...",
        "@",
    ),
)


def only_problem(document: Document) -> tuple[str, Place]:
    assert len(document.problems) == 1
    problem, place = document.problems[0]
    return f"{problem.place}: {problem.found}", place


@given(PLAIN.filter(lambda value: value not in (None, "")))
@settings(max_examples=150, deadline=None)
def test_says_what_yaml_says(value: object) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)

    document = read_text(text)

    assert document.problems == ()
    assert document.value == yaml.safe_load(text)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@example("? yes")
@settings(max_examples=400, deadline=None)
def test_what_is_read_without_problems_is_read_by_copier_as_well(text: str) -> None:
    document = read_text(text)

    if not document.problems:
        assert document.value == named(yaml.safe_load(text))


@pytest.mark.parametrize("path", sorted(CONTRACTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_contracts(path: Path) -> None:
    assert read_bytes(path.read_bytes()).value == yaml.safe_load(path.read_text())


def test_json_is_yaml() -> None:
    value = {"a": [1, 2.5, None, True, {"b": "\u2028"}]}

    assert read_text(json.dumps(value)).value == value


def test_merge_and_aliases() -> None:
    text = "base: &base {a: 1, b: 2}\nother: {<<: *base, b: 3}\nmany: {<<: [{a: 4}, *base]}\nquoted: {'<<': 1}\n"

    document = read_text(text)

    assert document.problems == ()
    assert document.value == yaml.safe_load(text)
    assert document.locate(("other", "a")) == Place(1, 14)


def test_places() -> None:
    document = read_text("name: x\noperations:\n  - name: é\n    input: {é: string, b: 1}\n")

    assert document.locate(()) == Place(1, 1)
    assert document.locate(("operations", 0)) == Place(3, 5)
    assert document.locate(("operations", 0, "input", "b")) == Place(4, 24)
    assert document.locate(("operations", 0, "output", "c")) == Place(3, 5)
    assert document.locate(("package",)) == Place(1, 1)


@pytest.mark.parametrize(
    ("content", "what", "place"),
    [
        (b"", "contract: an empty file", Place(1, 1)),
        (b"# nothing\n", "contract: an empty file", Place(1, 1)),
        (b"a: 1\nb: \xff", "contract: the byte 0xff", Place(2, 4)),
        (b"a: 1\nb: \x00 c", "contract: the character '\\x00'", Place(2, 4)),
        (b"a: [b", "contract: broken YAML: expected ',' or ']', but got '<stream end>'", Place(1, 6)),
        (b"a: &a [*a]", "contract: *a inside of what it names", Place(1, 8)),
        (b"a: *b", "contract: *b, which names nothing", Place(1, 4)),
        (b"a: 1\n---\nb: 2\n", "contract: a second document", Place(2, 1)),
        (b"a: 1\n? [b]\n: 2\n", "contract: a key that is a mapping or a list", Place(2, 3)),
        (b"a: 1\nb: {c: 1, c: 2}", "b.c: 'c' a second time", Place(2, 11)),
        (b"b: {1: 2}", "b: the key 1", Place(1, 5)),
        (b"b: {off: 2}", "b: the key false", Place(1, 5)),
        (b"a: !!python/object:os.system x", "a: the tag 'tag:yaml.org,2002:python/object:os.system'", Place(1, 4)),
        (b"a: 2026-13-45", "a: '2026-13-45', which is no timestamp", Place(1, 4)),
        (b"a: !!int x", "a: 'x', which is no int", Place(1, 4)),
        (b"a: {<<: 1}", "a: <<: 1", Place(1, 9)),
        (b"a: " + b"9" * 100_000, "a: a huge number", Place(1, 4)),
        (b"[" * 100_000, f"{'[0]' * 5}: endless nesting", Place(1, MAX_DEPTH + 1)),
        (b"- " * 100_000, f"{'[0]' * 5}: endless nesting", Place(1, 2 * MAX_DEPTH + 1)),
        (b"a: &x 1\nb: &x 2", "contract: &x a second time", Place(2, 4)),
        (b"a: !!map [1]", "a: the tag 'tag:yaml.org,2002:map'", Place(1, 4)),
        (b"a: [b,\tc]", "contract: broken YAML: found character '\\t' that cannot start any token", Place(1, 7)),
        (
            "a: b # \u202e c".encode(),
            "contract: the character '\\u202e', which makes text look like another",
            Place(1, 8),
        ),
        ("a: 1".encode("utf-16"), "contract: the byte 0xff", Place(1, 1)),
        (b"a" * (MAX_BYTES + 1), "contract: a file without bounds", Place(1, 1)),
    ],
    ids=lambda value: str(value[:20]) if isinstance(value, bytes) else "",
)
def test_bad_text(content: bytes, what: str, place: Place) -> None:
    assert only_problem(read_bytes(content)) == (what, place)


def test_alias_bomb_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]

    what, place = only_problem(read_text("\n".join(lines)))

    assert what.endswith("a document without bounds")
    assert place.line == 5


def test_aliases_that_nest_without_end_are_refused() -> None:
    lines = ["a0: &a0 [x]", *(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 60))]

    what, place = only_problem(read_text("\n".join(lines)))

    assert what.endswith("a document without bounds")
    assert place.line == MAX_DEPTH


def test_what_can_be_read_is_read_despite_problems() -> None:
    document = read_text("a: 1\na: 2\nb: 2026-13-45\nc: !x d\nwhen: 2026-01-02\n")

    assert document.value == {"a": 2, "b": None, "c": "d", "when": date(2026, 1, 2)}
    assert document.unread == {("b",)}
    assert [place.line for _, place in document.problems] == [2, 3, 4]


@given(st.binary(max_size=200) | st.text(alphabet="[]{}&*!|>-:?,#%@`\"' \n\tab<", max_size=60).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_no_text_is_a_traceback(content: bytes) -> None:
    document = read_bytes(content)

    assert document.problems or document.value is None or document.locate(("a", 0)) >= Place(1, 1)
