"""What the index of modules knows from their text."""

import ast

import pytest

from extensions.validation.index import read


@pytest.mark.parametrize(
    ("text", "dynamic"),
    [
        ("a = 1", False),
        ("def __getattr__(name): ...", True),
        ("__all__ = ['a']\ndef __getattr__(name): ...", False),
        # As hashlib binds its algorithms, whatever it lists.
        ("__all__ = ['a'] + MORE\nfor name in MORE:\n    globals()[name] = 1", True),
        ("def later():\n    globals()['a'] = 1", False),
        ("x = globals()['a']", False),
    ],
)
def test_what_only_running_a_module_would_tell_is_known_as_such(text: str, dynamic: bool) -> None:
    assert read(ast.parse(text), "p").dynamic is dynamic
