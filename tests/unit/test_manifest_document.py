"""A manifest is JSON, and one line of it speaks of one file."""

import json

from hypothesis import given
from hypothesis import strategies as st

from extensions.project.ownership import document

VALUES = st.none() | st.booleans() | st.text() | st.lists(st.text(), max_size=3)
MANIFESTS = st.dictionaries(
    st.text(),
    VALUES | st.dictionaries(st.text(), st.dictionaries(st.text(), VALUES, max_size=3), max_size=4),
    max_size=5,
)


@given(MANIFESTS)
def test_it_is_read_back_as_it_was(manifest: dict[str, object]) -> None:
    text = document(manifest)

    assert json.loads(text) == manifest
    assert document(json.loads(text)) == text


def test_each_file_has_a_line() -> None:
    text = document({"format": 1, "files": {"b": {"owner": "yours"}, "a": {"owner": "generated", "sha256": "0"}}})

    lines = (
        "{",
        '  "files": {',
        '    "a": {"owner": "generated", "sha256": "0"},',
        '    "b": {"owner": "yours"}',
        "  },",
    )
    assert text.splitlines() == [*lines, '  "format": 1', "}"]
