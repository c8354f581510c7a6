"""The code injector: bodies take the place of stubs, and every other byte stays."""

import ast
from textwrap import dedent
from typing import Any

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

from omninode_codegen.nodes.node_codegen_code_injector_effect.handlers.custom.handler_inject_code import (
    HandlerInjectCode,
)
from omninode_codegen.nodes.node_codegen_code_injector_effect.models.model_inject_code_input import (
    ModelInjectCodeInput,
)
from omninode_codegen.nodes.node_codegen_code_injector_effect.models.model_inject_code_output import (
    ModelInjectCodeOutput,
)


async def injected(content: str, *implementations: dict[str, Any]) -> ModelInjectCodeOutput:
    values = {"original_content": content, "implementations": list(implementations)}
    output = await HandlerInjectCode().handle(ModelInjectCodeInput.model_validate(values))
    assert output.injected_count + len(output.failures) == len(implementations)
    ast.parse(output.updated_content)
    return output


async def text(content: str, *implementations: dict[str, Any]) -> str:
    output = await injected(content, *implementations)
    assert output.failures == []
    return output.updated_content


def body(text: str, name: str = "run", **values: object) -> dict[str, Any]:
    return {"method_name": name, "body": text, **values}


async def test_a_body_takes_the_place_of_a_stub() -> None:
    content = "# Head.\nclass A:\n    def run(self) -> int:\n        raise NotImplementedError\n\n    x   =  1  # odd\n"
    expected = (
        "# Head.\nclass A:\n    def run(self) -> int:\n        total = 1\n        return total\n\n    x   =  1  # odd\n"
    )
    assert await text(content, body("total = 1\nreturn total")) == expected


async def test_docstring_decorators_and_signature_stay() -> None:
    content = dedent('''\
        class A:
            @traced(
                level=1,
            )
            async def run(
                self, odd: dict[str, int] = {":": 1},  # a colon
            ) -> int:  # what it gives
                """Do it.

                At once.
                """
                # IMPLEMENTATION REQUIRED
                raise NotImplementedError
                # and this
            y = 2
    ''')
    head, _, rest = content.partition("        # IMPLEMENTATION REQUIRED\n")
    expected = f"{head}        return 1\n{rest.partition('# and this' + chr(10))[2]}"
    assert await text(content, body("return 1")) == expected


async def test_several_bodies_in_any_order() -> None:
    content = "class A:\n    def run(self): ...\n    def two(self):\n        ...\n\ndef three():\n    pass\n"
    expected = (
        "class A:\n    def run(self):\n        return 1\n    def two(self):\n        return 2\n\n"
        "def three():\n    return 3\n"
    )
    assert await text(content, body("return 3", "three"), body("return 1"), body("return 2", "two")) == expected


async def test_methods_of_the_same_name_are_told_apart_by_their_class() -> None:
    content = "class A:\n    def run(self): ...\n\nclass B:\n    class C:\n        def run(self): ...\n"
    expected = (
        "class A:\n    def run(self): ...\n\nclass B:\n    class C:\n        def run(self):\n            return 1\n"
    )
    assert await text(content, body("return 1", class_name="B.C")) == expected
    output = await injected(content, body("return 1"))
    assert [(each.method_name, each.reason) for each in output.failures] == [
        ("run", "There are 2 methods of this name: name the class.")
    ]
    assert output.updated_content == content


async def test_a_function_within_another_is_found() -> None:
    content = "def around():\n    def run(): raise NotImplementedError\n    return run\n"
    assert await text(content, body("return 1")) == "def around():\n    def run():\n        return 1\n    return run\n"


async def test_lines_inside_of_literals_stay_as_they_are() -> None:
    written = 'text = """\nleft\n    deeper\n"""\nmore = f"""\n{\ntext}\n"""\nreturn text + more'
    content = "class A:\n    def run(self):\n        ...\n"
    values: dict[str, Any] = {}
    exec(await text(content, body(written)), values)
    assert values["A"]().run() == "\nleft\n    deeper\n\n\nleft\n    deeper\n\n"


async def test_blank_lines_hold_no_blanks() -> None:
    content = "def run():\n    ...\n"
    assert await text(content, body("x = 1\n   \n\nreturn x\n")) == "def run():\n    x = 1\n\n\n    return x\n"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
async def test_ends_of_lines_are_those_of_the_file(end: str, last: bool) -> None:
    content = f"def run():{end}    raise NotImplementedError{end if last else ''}"
    assert await text(content, body("x = 1\nreturn x")) == f"def run():{end}    x = 1{end}    return x{end}"


async def test_letters_of_any_script_shift_nothing() -> None:
    content = "def run(grüße='ü'): raise NotImplementedError  # ö\nx = 'ä\x0c'\n"
    assert await text(content, body("return 'ß'")) == "def run(grüße='ü'):\n    return 'ß'\nx = 'ä\x0c'\n"


async def test_imports_go_below_those_that_there_are_once() -> None:
    content = '"""Doc."""\nimport json\n\ndef run():\n    ...\n\ndef two():\n    ...\n'
    found = await text(
        content,
        body("return 1", imports=["import math", "import json"]),
        body("return 2", "two", imports=["import math", "from re import compile as make"]),
    )
    assert found.startswith('"""Doc."""\nimport json\nimport math\nfrom re import compile as make\n\ndef run')
    assert (await text('"""Doc."""\ndef run(): ...\n', body("return 1", imports=["import math"]))).startswith(
        '"""Doc."""\nimport math\ndef run():\n'
    )


@pytest.mark.parametrize(
    ("implementation", "reason"),
    [
        (body("return 1", "absent"), "There is no such method."),
        (body("return 1", class_name="B"), "There is no such method."),
        (body("return ("), "The body is no statements: "),
        (body("# a comment alone"), "The body holds no statement."),
        (body("return 1", imports=["print(1)"]), "'print(1)' is no import."),
    ],
)
async def test_what_does_not_fit_is_named_and_the_others_are_put_in(
    implementation: dict[str, Any], reason: str
) -> None:
    content = "class A:\n    def run(self): ...\n    def two(self): ...\n"
    output = await injected(content, implementation, body("return 2", "two"))
    assert output.updated_content == "class A:\n    def run(self): ...\n    def two(self):\n        return 2\n"
    assert [each.reason.startswith(reason) for each in output.failures] == [True]


async def test_the_second_body_of_a_method_is_refused() -> None:
    output = await injected("def run(): ...\n", body("return 1"), body("return 2"))
    assert output.updated_content == "def run():\n    return 1\n"
    assert [each.reason for each in output.failures] == ["There is an implementation of it already."]


async def test_a_file_that_is_no_python_is_refused() -> None:
    with pytest.raises(ModelOnexError, match="no Python") as caught:
        await injected("def run(:\n", body("return 1"))
    assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR
