"""The contract of a project is the file that a person wrote."""

from pathlib import Path

import pytest
import yaml

from extensions.reading.own_file import own_file, owned

SCHEMA = "# yaml-language-server: $schema=contract.schema.json\n"
OWNED = (
    "# The contract of this node. This file is yours, and the source of truth: change it and run `make regenerate`.\n"
)
TEXT = """\
# Prices: ask Ann.

version: 1.0.0      # not first, on purpose
name:   price_quote
operations: [ {name: quote, input: {a: float}} ]  # on one line
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TEXT, SCHEMA + OWNED + TEXT),
        (SCHEMA + OWNED + TEXT, SCHEMA + OWNED + TEXT),
        ("# yaml-language-server: $schema=../schemas/contract.json\n" + TEXT, SCHEMA + OWNED + TEXT),
        (
            "# yaml-language-server: $schema=https://example.org/contract.json\n" + TEXT,
            "# yaml-language-server: $schema=https://example.org/contract.json\n" + OWNED + TEXT,
        ),
        (OWNED.replace("make regenerate", "update-node --node x") + TEXT, SCHEMA + OWNED + TEXT),
        ("\ufeff" + TEXT.replace("\n", "\r\n"), SCHEMA + OWNED + TEXT),
        (TEXT.rstrip("\n"), SCHEMA + OWNED + TEXT),
        ("---\n" + TEXT, SCHEMA + OWNED + "---\n" + TEXT),
        ("%YAML 1.1\n---\na: 1\n", SCHEMA + OWNED + "%YAML 1.1\n---\na: 1\n"),
        ('{"name": "x"}', SCHEMA + OWNED + '{"name": "x"}\n'),
        # A text that looks like the lines above stays what it is.
        (f'description: "a\n{SCHEMA}"\n', f'{SCHEMA}{OWNED}description: "a\n{SCHEMA}"\n'),
    ],
)
def test_what_stands_above_is_the_projects_and_all_else_is_as_it_was(text: str, expected: str) -> None:
    assert owned(text, "make regenerate") == expected
    assert yaml.safe_load(owned(text, "make regenerate")) == yaml.safe_load(text)


def test_file_is_taken_where_it_says_what_counts(tmp_path: Path) -> None:
    file = tmp_path / "price.yaml"
    file.write_text(TEXT, encoding="utf-8")
    contract = yaml.safe_load(TEXT)

    assert own_file(contract, "make regenerate", ["copier", "--data-file", str(file)]) == SCHEMA + OWNED + TEXT
    for arguments, other in ((["copier"], contract), (["copier", f"--data-file={file}"], contract | {"name": "other"})):
        text = own_file(other, "make regenerate", arguments)
        assert text.startswith(SCHEMA + OWNED)
        assert "Ann" not in text
        assert yaml.safe_load(text) == other
