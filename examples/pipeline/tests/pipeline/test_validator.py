"""The code validator: what is wrong with code, what is doubtful, and where."""

from typing import Any

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

from omninode_codegen.nodes.node_codegen_code_validator_effect.handlers.custom.handler_validate_code import (
    HandlerValidateCode,
)
from omninode_codegen.nodes.node_codegen_code_validator_effect.models.model_validate_code_input import (
    ModelValidateCodeInput,
)
from omninode_codegen.nodes.node_codegen_code_validator_effect.models.model_validate_code_output import (
    ModelValidateCodeOutput,
)

SIGNATURE = "async def run(self, rows: list[int]) -> int"


async def judged(code: str, **values: object) -> ModelValidateCodeOutput:
    return await HandlerValidateCode().handle(ModelValidateCodeInput.model_validate({"code": code, **values}))


async def rules(code: str, **values: object) -> set[str]:
    return {str(issue.rule.value) for issue in (await judged(code, **values)).errors}


@pytest.mark.parametrize("level", ["none", "basic", "standard", "strict"])
@pytest.mark.parametrize(
    "code",
    [
        "return sum(rows)",
        "import math\nreturn math.floor(sum(rows) / len(rows))",
        "total = 0\nfor row in rows:\n    total += row\nreturn total",
        "from asyncio import sleep\nawait sleep(0)\nreturn 1",
        'text = """\nhere\n"""\nreturn len(text)',
        "return await self._adapters.api.count(rows)",
        "raise ModelOnexError(message='empty', error_code=EnumCoreErrorCode.VALIDATION_ERROR)",
    ],
)
async def test_good_bodies_pass_all_checks(code: str, level: str) -> None:
    output = await judged(code, signature=SIGNATURE, level=level)
    assert (output.is_valid, output.errors, output.warnings) == (True, [], [])


async def test_a_module_passes_all_checks() -> None:
    code = (
        "from typing import Final\n\nLIMIT: Final = 3\n\n\ndef most(rows: list[int]) -> int:\n    return rows[LIMIT]\n"
    )
    assert (await judged(code, level="strict")).is_valid


@pytest.mark.parametrize(
    ("level", "stages"),
    [
        ("none", []),
        ("basic", ["syntax", "ast"]),
        ("standard", ["syntax", "ast", "imports", "type_hints", "onex_compliance", "security"]),
        ("strict", ["syntax", "ast", "imports", "type_hints", "onex_compliance", "security"]),
    ],
)
async def test_a_level_says_which_stages_run(level: str, stages: list[str]) -> None:
    output = await judged("x = 1\n", level=level)
    assert [stage.value for stage in output.stages_run] == stages


async def test_the_caller_may_pick_stages() -> None:
    output = await judged("import os\neval('1')\n", rules=["security"])
    assert [stage.value for stage in output.stages_run] == ["syntax", "security"]
    assert [error.message for error in output.errors] == ["eval may not be used"]


@pytest.mark.parametrize(
    ("code", "line", "column"),
    [
        ("return (", 1, 8),
        ("x = 1\n  y = 2", 2, None),
        ("x = 1\nreturn [", 2, 8),
        ("nonlocal rows", 1, None),
        ("yield 1\nreturn 2", 2, None),
        ("    return 1\nreturn 2", None, None),
    ],
)
async def test_what_does_not_parse_ends_the_judgement_at_its_place(
    code: str, line: int | None, column: int | None
) -> None:
    output = await judged(code, signature=SIGNATURE)
    (error,) = output.errors
    assert (output.is_valid, [stage.value for stage in output.stages_run]) == (False, ["syntax"])
    assert line is None or error.line == line
    assert column is None or error.column == column


async def test_a_body_that_waits_needs_a_coroutine() -> None:
    assert await rules("return await self.x()", signature="def run(self) -> int") == {"syntax"}
    assert await rules("return await self.x()", signature="async def run(self) -> int") == set()


@pytest.mark.parametrize(
    "code",
    ["pass", "...", '"""Later."""', "raise NotImplementedError", "raise X(Codes.METHOD_NOT_IMPLEMENTED)"],
)
async def test_a_stub_is_no_body(code: str) -> None:
    assert "ast" in await rules(code, signature=SIGNATURE)


@pytest.mark.parametrize("comment", ["# noqa", "#noqa: S101", "# type: ignore[misc]", "# ruff: noqa", "# nosec"])
async def test_checks_may_not_be_switched_off(comment: str) -> None:
    output = await judged(f"x = 1\nreturn x  {comment}", signature=SIGNATURE)
    assert [(error.rule.value, error.line) for error in output.errors] == [("ast", 2)]
    assert await rules(f"return '{comment}'", signature=SIGNATURE) == set()


async def test_code_that_is_nested_without_end_is_refused() -> None:
    assert await rules(f"return {'-' * 100}1", signature=SIGNATURE) == {"ast"}
    assert await rules(f"return {'(' * 3000}1", signature=SIGNATURE) == {"syntax"}


@pytest.mark.parametrize(
    "code",
    [
        "import os",
        "import os.path as path",
        "from subprocess import run",
        "from . import handler",
        "from logging import os",
        "import logging\nlogging.os.system('true')",
        "import logging\nfound = logging",
        "from asyncio import create_subprocess_shell",
    ],
)
async def test_what_leads_outside_may_not_be_imported(code: str) -> None:
    assert "imports" in await rules(f"{code}\nreturn 1", signature=SIGNATURE)


async def test_all_names_of_a_module_may_not_be_imported() -> None:
    assert await rules("from json import *\n") == {"imports"}
    assert await rules("from json import *\nreturn 1", signature=SIGNATURE) == {"syntax"}


@pytest.mark.parametrize(
    "code",
    [
        "eval('1')",
        "open('/etc/passwd')",
        "getattr(self, 'x')",
        "self.run.__globals__",
        "().__class__.__base__",
        "self._secret",
        "x = self.run.gi_frame",
        "global rows",
        "class Inner:\n    pass",
        "match rows:\n    case list(_private=1):\n        pass",
    ],
)
async def test_what_leads_into_the_interpreter_may_not_be_used(code: str) -> None:
    assert "security" in await rules(f"{code}\nreturn 1", signature="def run(self) -> int")


@pytest.mark.parametrize(
    "code",
    [
        "password = 'hunter2'",
        "API_KEY: str = 'abc'",
        "connect(token='abc')",
        "query = f'SELECT name FROM users WHERE id = {rows}'",
        "query = 'DELETE FROM users WHERE id = ' + rows",
        "query = 'INSERT INTO users VALUES (%s)' % rows",
        "query = 'UPDATE users SET name = {}'.format(rows)",
    ],
)
async def test_secrets_and_sql_of_texts_are_found(code: str) -> None:
    assert await rules(f"{code}\nreturn 1", signature=SIGNATURE) == {"security"}


@pytest.mark.parametrize(
    "code",
    [
        "password = settings.password",
        "token = ''",
        "query = 'SELECT name FROM users WHERE id = $1'",
        "x = f'{rows} from'",
    ],
)
async def test_what_only_looks_like_them_is_not(code: str) -> None:
    assert await rules(f"{code}\nreturn 1", signature=SIGNATURE) == set()


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("raise ValueError('x')", "onex_compliance"),
        ("try:\n    x = 1\nexcept:\n    return 2", "onex_compliance"),
        ("try:\n    x = 1\nexcept KeyError:\n    pass", "onex_compliance"),
        ("def inner(x):\n    return x", "type_hints"),
        ("def inner(x: int):\n    return x", "type_hints"),
    ],
)
async def test_what_is_doubtful_is_wrong_at_the_level_strict(code: str, rule: str) -> None:
    body = f"{code}\nreturn 1"
    lenient = await judged(body, signature=SIGNATURE)
    assert (lenient.is_valid, {issue.rule.value for issue in lenient.warnings}) == (True, {rule})
    assert await rules(body, signature=SIGNATURE, level="strict") == {rule}


async def test_places_are_those_of_the_body() -> None:
    output = await judged("x = 1\nreturn eval('x')", signature=SIGNATURE)
    assert [(error.line, error.column) for error in output.errors] == [(2, 7)]


async def test_all_that_is_wrong_is_told_at_once() -> None:
    output = await judged("import os\neval('1')\nreturn open('x')  # noqa", signature=SIGNATURE)
    assert [error.line for error in output.errors] == [3, 1, 2, 3]


@pytest.mark.parametrize("signature", ["", "run()", "def run(:", "def run(): pass\ndef other()", "x = 1; def run()"])
async def test_a_signature_that_is_none_is_the_callers_mistake(signature: Any) -> None:
    with pytest.raises(ModelOnexError, match="no signature") as caught:
        await judged("return 1", signature=signature)
    assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR


async def test_a_body_can_not_leave_its_method() -> None:
    # What ends a line for some ends none for Python.
    assert await rules("return 1\ndef other():\n    pass\nimport os", signature=SIGNATURE) == {"imports"}
    assert await rules("return '\x0c\x1c\u2028'", signature=SIGNATURE) == set()
