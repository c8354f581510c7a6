"""Names that follow from a contract's words: what ONEX's checkers ask of classes, and members of enums."""

import ast
import keyword

from hypothesis import given
from hypothesis import strategies as st
from omnibase_core.validation.checker_naming_convention import NamingConventionChecker

from extensions.language import names
from extensions.text import encode, markers

FORBIDDEN = ["Manager", "Handler", "Helper", "Utility", "Util", "Service", "Controller", "Processor", "Worker"]
PARTS = st.sampled_from([*FORBIDDEN, *map(str.upper, FORBIDDEN), *map(str.lower, FORBIDDEN), "Task", "a", "R", "Cpu"])
TABLE = {
    "NodeCacheManagerEffect": "NodeCacheMgrEffect",
    "ModelDataProcessorInput": "ModelDataProcInput",
    "ModelCpuUtilization": "ModelCpuUtlization",
    "ModelWORKER": "ModelWRKR",
    "EnumAnager": "Enumgr",
    "ModelHandleRequest": "ModelHdlRequest",
    "ModelOrder": "ModelOrder",
}


def objections(name: str) -> list[str]:
    checker = NamingConventionChecker("src/acme/models/a.py")
    checker.visit(ast.parse(f"class {name}:\n    pass"))
    return checker.issues


def test_forbidden_words_get_their_short_forms() -> None:
    made = {name: names.class_name(name) for name in TABLE}
    assert made == TABLE
    assert not any(objections(name) for name in made.values())


@given(st.lists(PARTS, min_size=1, max_size=5))
def test_onex_accepts_every_class(parts: list[str]) -> None:
    made = names.model_class(names.pascal("_".join(parts)))
    assert objections(made) == []
    assert names.class_name(made) == made


@given(st.lists(st.text(max_size=12), unique=True, max_size=8))
def test_members_of_an_enum_are_identifiers_of_their_own(values: list[str]) -> None:
    made = names.members(values)
    assert list(made) == values
    assert len(set(made.values())) == len(values)
    for name in made.values():
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert not markers.MARKERS.search(name)


def test_members_say_what_their_values_differ_in() -> None:
    assert names.members(["+1", "-1"]) == {"+1": "PLUS_1", "-1": "MINUS_1"}
    assert names.members(["a", "A", "b"]) == {"a": "A", "A": "A_2", "b": "B"}
    assert names.members(["a_2", "a", "A"]) == {"a_2": "A_2", "a": "A", "A": "A_3"}
    assert names.members(["TODO", "DONE"]) == {"TODO": "VALUE_TODO", "DONE": "DONE"}
    assert names.members(["new", "in-progress"]) == {"new": "NEW", "in-progress": "IN_PROGRESS"}


@given(st.lists(st.sampled_from(["TODO", "FIXME", "HACK", "XXX", " ", "a", '"', "'", "\\", "\n", "{", "é"])))
def test_literals_keep_their_text_without_markers(parts: list[str]) -> None:
    text = "".join(parts)
    for literal in (encode.py_string(text), encode.py_fstring([text])):
        assert not markers.MARKERS.search(literal)
        assert ast.literal_eval(literal.removeprefix("f").replace("{{", "{") if literal[0] == "f" else literal) == text
    block = encode.py_triple(text)
    assert not markers.MARKERS.search(block)
    assert ast.literal_eval(block) == text.rstrip("\n") + "\n"
    assert not markers.MARKERS.search(encode.docstring(text, "TODO"))
    assert not markers.MARKERS.search(encode.yaml_string(text))
