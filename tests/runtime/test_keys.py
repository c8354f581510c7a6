"""Keys and paths that are made of values: distinct values give distinct ones."""

from collections.abc import Callable, Iterable

import pytest
from onex_node_runtime.keys import Fixed, Spanning, key_of, optional_key, path_of


def texts(alphabet: Iterable[str], longest: int) -> list[str]:
    """Return all texts of an alphabet up to a length."""
    found = [""]
    for _ in range(longest):
        found += [text + char for text in found for char in alphabet]
    return sorted(set(found))


@pytest.mark.parametrize("between", ["", ":", "-", ".", "/", "_", "~", "a", "2", "%", "2F", "%~", "-a", "{{", " ", "ä"])
@pytest.mark.parametrize("make", [key_of, path_of])
def test_distinct_values_have_distinct_keys(between: str, make: Callable[..., str]) -> None:
    values = texts(sorted(set("%2F~" + between.replace("{{", "{"))), 2)
    for template in (f"{{}}{between}{{}}", f"p:{{}}{between}{{}}.s"):
        made = {make(template, first, second) for first in values for second in values}
        assert len(made) == len(values) ** 2


@pytest.mark.parametrize("between", ["", "-", ".", "/", "/-", "-/", "~", "a", "%", "%~", "/a/"])
@pytest.mark.parametrize("first_spans", [True, False])
def test_a_value_that_spans_folders_leaves_distinct_paths(between: str, first_spans: bool) -> None:
    values = texts(sorted(set(f"/%~{between}")), 2)
    made = {
        path_of(f"{{}}{between}{{}}", *((Spanning(a), b) if first_spans else (a, Spanning(b))))
        for a in values
        for b in values
    }
    assert len(made) == len(values) ** 2


def test_folders_of_a_value_that_spans_them_are_folders() -> None:
    assert path_of("papers/{}/{}.txt", Spanning("2026/01"), "a/b") == "papers/2026/01/a%2Fb.txt"
    assert path_of("{}/{}", "a/b", Spanning("c/d")) == "a%2Fb/c/d"
    assert path_of("{}", Spanning("a/b")) == "a/b"


def test_keys_of_three_values() -> None:
    values = texts("%2-", 2)
    made = {key_of("{}-{}2{}", *three) for three in ((a, b, c) for a in values for b in values for c in values)}
    assert len(made) == len(values) ** 3


def test_keys_without_what_separates_stay_as_they_are() -> None:
    assert key_of("session:{}", "a-b_c.d@e f+100%") == "session:a-b_c.d@e f+100%"
    assert key_of("{}", "a:b/c%3A") == "a:b/c%3A"
    assert path_of("{}", "a/b") == "a/b"
    assert path_of("a/{}.txt", "b/c%2F") == "a/b/c%2F.txt"
    assert key_of("{}:{}", Fixed("a:b"), "c:d") == "a:b:c%3Ad"
    assert key_of("{}{}{}", "a", Fixed(":"), "b") != key_of("{}{}{}", "a:", Fixed(""), "b")


def test_no_value_has_no_key() -> None:
    assert (optional_key(None), optional_key(5), optional_key("a:b")) == (None, "5", "a:b")


@pytest.mark.parametrize(
    ("template", "values", "key", "path"),
    [
        ("{}{}", ("a:b/", "c%7Ed"), "a%3Ab%2F%~c%257Ed", "a:b%2F%~c%257Ed"),
        ("{}-{}", ("a-X", "c.d"), "a%2DX-c.d", "a%2DX-c.d"),
        ("{}a{}", ("banana", "x"), "b%61n%61n%61ax", "b%61n%61n%61ax"),
        ("{}-a{}", ("b-a", "x"), "b%2Da-ax", "b%2Da-ax"),
        ("{}2{}", ("2%~X", "3"), "2%25~X2%~3", "2%25~X2%~3"),
        ("t#{}:{}", ("a#b:c", "d"), "t#a%23b%3Ac:d", "t#a%23b%3Ac:d"),
        ("{{{}}}/{}", ("a}b{", "c"), "{a%7Db%7B}/c", "{a%7Db%7B}/c"),
        ("{}_{}", ("a_b", None), "a%5Fb_", "a%5Fb_"),
        ("ä{}/{}", ("ä€", "x"), "ä\u00e4\u20ac/x", "ä\u00e4\u20ac/x"),
        ("{}ä{}", ("xä€", "y"), "x%C3%A4€äy", "x%C3%A4€äy"),
    ],
)
def test_only_what_a_value_has_in_common_with_its_surroundings_is_encoded(
    template: str, values: tuple[object, ...], key: str, path: str
) -> None:
    assert (key_of(template, *values), path_of(template, *values)) == (key, path)


def test_values_are_as_many_as_their_places() -> None:
    for values in (("a",), ("a", "b", "c")):
        with pytest.raises(ValueError, match=r"zip\(\) argument"):
            key_of("{}:{}", *values)
