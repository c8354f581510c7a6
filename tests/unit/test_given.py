"""What Copier is left to read, and what is said of a file where a contract stands."""

from pathlib import Path

import pytest

from extensions.reading.given import explain, unreadable

GOOD = "name: greet\npackage: acme\nnode_type: effect\noperations:\n  - {name: greet, handler: custom}\n"
_BOMB = ["a0: &a0 {k: v}"] + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], k{n}: v}}" for n in range(1, 24)]
ODD = {
    "empty": (b"", "an empty file"),
    "a comment": (b"# nothing\n", "an empty file"),
    "nothing": (b"null\n", "nothing"),
    "a list": (b"- a\n", "a list of 1"),
    "a text": (b"hello\n", "'hello'"),
    "nested too deep": (b"a: " + b"[" * 2000 + b"]" * 2000, "endless nesting"),
    "digits too many": (b"a: " + b"9" * 5000, "a huge number"),
    "UTF-16": (GOOD.encode("utf-16"), "the byte 0xff"),
    "UTF-16 without a mark": (GOOD.encode("utf-16-le"), "the character '\\x00'"),
    "UTF-32": (GOOD.encode("utf-32"), "the byte 0xff"),
    "Latin-1": ("a: caf\u00e9\n".encode("latin-1"), "the byte 0xe9"),
    "a key twice": (f"{GOOD}name: x\n".encode(), "'name' a second time"),
    "an anchor twice": (b"a: &x 1\nb: &x 2\n", "&x a second time"),
    "a tag": (b"a: !!python/object/apply:os.system [x]\n", "the tag"),
    "a set": (b"a: !!set {b}\n", "the tag"),
    "NUL": (b"a: b\0c\n", "the character '\\x00'"),
    "an order of writing": ("a: b # \u202e\n".encode(), "the character '\\u202e'"),
    "two documents": (b"a: 1\n---\nb: 2\n", "a second document"),
    "an alias of nothing": (b"a: *b\n", "names nothing"),
    "itself": (b"a: &a [*a]\n", "inside of what it names"),
    "no date": (b"a: 2026-13-45\n", "which is no timestamp"),
    "a key that is no text": (b"no: 1\n", "the key false"),
    "a key that is a list": (b"? [a]\n: 1\n", "a key that is a mapping or a list"),
    "a tab": (b"a: [b,\tc]\n", "broken YAML"),
    "merged mappings": ("\n".join(_BOMB).encode(), "a document without bounds"),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "contract.yaml"


@pytest.mark.parametrize("name", ODD)
def test_odd_files_are_kept_from_copier(file: Path, name: str) -> None:
    content, found = ODD[name]
    file.write_bytes(content)

    lines = unreadable(["copy", "--data-file", str(file), "a", "b"]).splitlines()

    assert len(lines) == 2
    assert f"({file}, line:column):" in lines[0]
    assert found in lines[1]


def test_good_files_and_what_is_no_file_are_left_to_copier(file: Path) -> None:
    file.write_text(GOOD, encoding="utf-8-sig")

    assert unreadable(["copy", f"--data-file={file}", "a", "b"]) == ""
    assert unreadable(["copy", "--data-file", str(file.parent), "a", "b"]) == ""
    assert unreadable(["copy", "--data-file"]) == ""


@pytest.mark.parametrize(
    "name", [name for name in ODD if ODD[name][1] in {"endless nesting", "a document without bounds"}]
)
@pytest.mark.parametrize(
    ("answers", "arguments"),
    [
        (".copier-answers.yml", ["update"]),
        (".copier-answers.yml", ["update", "--trust", "."]),
        (".copier-answers.yml", ["recopy", "-d", "a=b"]),
        (".copier-answers.yml", ["copy", "gh:a/b", "."]),
        (".copier-answers.node.yml", ["update", "-a", ".copier-answers.node.yml"]),
        (".copier-answers.node.yml", ["update", "--answers-file=.copier-answers.node.yml", "."]),
    ],
)
def test_odd_answers_are_kept_from_copier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, answers: str, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / answers).write_bytes(ODD[name][0])
    (tmp_path / "good.yml").write_text("_commit: a\n", encoding="utf-8")

    assert ODD[name][1] in unreadable(arguments)
    assert answers in unreadable(arguments)
    assert unreadable(["update", "-a", "good.yml"]) == ""
    assert unreadable(["copy", "a", "b"]) == ""


def test_a_file_that_can_not_be_read_is_said_where_copier_read_it(file: Path) -> None:
    file.write_text(GOOD, encoding="utf-16")

    said = explain({"name": "greet"}, (), ["copy", "--data-file", str(file)])

    assert "the byte 0xff" in said


def test_keys_that_copier_takes_for_its_own_are_unknown(file: Path) -> None:
    file.write_text(f"{GOOD}_tasks: [x]\n", encoding="utf-8")
    contract = {"name": "greet", "package": "acme", "node_type": "effect"}

    said = explain(contract | {"operations": [{"name": "greet", "handler": "custom"}]}, (), ["--data-file", str(file)])

    assert "6:1: _tasks: found the unknown key '_tasks'" in said
