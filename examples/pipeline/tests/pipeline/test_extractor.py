"""The stub extractor: what is a stub, and what is known of it."""

import ast
from textwrap import dedent

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

from omninode_codegen.nodes.node_codegen_stub_extractor_effect.handlers.custom.handler_extract_stubs import (
    HandlerExtractStubs,
)
from omninode_codegen.nodes.node_codegen_stub_extractor_effect.models.model_extract_stubs_input import (
    ModelExtractStubsInput,
)
from omninode_codegen.nodes.node_codegen_stub_extractor_effect.models.model_method_stub import ModelMethodStub


async def extracted(content: str, *patterns: str) -> list[ModelMethodStub]:
    values: dict[str, object] = {"node_file_content": content}
    if patterns:
        values["extraction_patterns"] = list(patterns)
    output = await HandlerExtractStubs().handle(ModelExtractStubsInput.model_validate(values))
    assert output.total_stubs_found == len(output.stubs)
    return output.stubs


async def only(content: str, *patterns: str) -> ModelMethodStub:
    (stub,) = await extracted(dedent(content), *patterns)
    return stub


@pytest.mark.parametrize(
    "body",
    [
        "raise NotImplementedError",
        "raise NotImplementedError('later')",
        "pass  # IMPLEMENTATION REQUIRED",
        "...  # STUB:REQUIRED",
        "# IMPLEMENTATION REQUIRED\n    pass",
        "pass\n    # IMPLEMENTATION REQUIRED",
        '"""Do it."""\n    # IMPLEMENTATION REQUIRED',
        "raise ModelOnexError(error_code=Codes.METHOD_NOT_IMPLEMENTED)",
        'raise ModelOnexError(\n        message="later",\n        error_code=Codes.METHOD_NOT_IMPLEMENTED,\n    )',
    ],
)
async def test_a_method_that_does_nothing_and_is_marked_is_a_stub(body: str) -> None:
    stub = await only(f"def run():\n    {body}\n")
    assert (stub.method_name, stub.line_start, stub.line_end) == ("run", 1, 1 + len(body.splitlines()))


@pytest.mark.parametrize(
    "body",
    [
        "return 1",
        "pass",
        "...",
        "value = 1\n    raise NotImplementedError",
        "if value:\n        raise NotImplementedError",
        "return 'NotImplementedError'",
        '"""Raises NotImplementedError."""\n    return 1',
        '"""Is no stub, though it says METHOD_NOT_IMPLEMENTED."""',
        "raise ValueError",
    ],
)
async def test_what_does_something_or_has_no_mark_is_none(body: str) -> None:
    assert await extracted(f"def run(value):\n    {body}\n") == []


async def test_types_of_a_signature_stay() -> None:
    stub = await only("""
        class Node:
            async def execute(self, rows: list[dict[str, int]], *, limit: int | None = None) -> "Result[int]":
                raise NotImplementedError
    """)
    expected = "async def execute(self, rows: list[dict[str, int]], *, limit: int | None=None) -> 'Result[int]'"
    assert (stub.signature, stub.is_async, stub.return_type) == (expected, True, "'Result[int]'")
    assert ast.parse(f"{stub.signature}: ...")


async def test_a_docstring_is_given_without_its_indentation() -> None:
    stub = await only('''
        def run():
            """Do it.

            At once.
            """
            raise NotImplementedError
    ''')
    assert stub.docstring == "Do it.\n\nAt once."


async def test_lines_begin_with_the_signature_and_not_with_a_decorator() -> None:
    stub = await only("""\
        class Node:
            @cached
            @traced(
                level=1,
            )
            def run(
                self,
            ) -> None:
                raise NotImplementedError
    """)
    assert (stub.line_start, stub.line_end, stub.indentation) == (6, 9, 4)


async def test_several_are_listed_in_the_order_of_the_file() -> None:
    stubs = await extracted(
        dedent("""
        def last_of_all() -> int:
            raise NotImplementedError

        class A:
            def one(self): raise NotImplementedError
            def two(self): return 2
            class B:
                def three(self): ...  # STUB:REQUIRED

        def around():
            def within(): raise NotImplementedError
            return within
    """)
    )
    assert [(stub.class_name, stub.method_name) for stub in stubs] == [
        (None, "last_of_all"),
        ("A", "one"),
        ("A.B", "three"),
        (None, "within"),
    ]


async def test_methods_behind_a_condition_are_found() -> None:
    stub = await only("if True:\n    def run(): raise NotImplementedError\n")
    assert stub.method_name == "run"


async def test_the_caller_says_what_marks_a_stub() -> None:
    content = "def run():\n    pass  # WRITE ME\n\ndef other():\n    raise NotImplementedError\n"
    assert [stub.marker for stub in await extracted(content, "# WRITE ME")] == ["# WRITE ME"]


async def test_letters_of_any_script_and_other_ends_of_lines() -> None:
    content = "def grüße():\r\n    '''Ünïcode\x0c'''\r\n    raise NotImplementedError\r\n"
    (stub,) = await extracted(content)
    assert (stub.method_name, stub.line_end) == ("grüße", 3)


@pytest.mark.parametrize("content", ["", "# nothing\n", "x = 1\n"])
async def test_a_file_without_methods_has_no_stubs(content: str) -> None:
    assert await extracted(content) == []


@pytest.mark.parametrize("content", ["def run(:\n", "x = '\0'", "(" * 500 + ")" * 500])
async def test_what_is_no_python_is_refused(content: str) -> None:
    with pytest.raises(ModelOnexError, match="no Python") as caught:
        await extracted(content)
    assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR
