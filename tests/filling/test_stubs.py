"""Bodies are put into stubs, and every line that is not a stub's own stays as it is."""

import difflib
import textwrap

import pytest

from extensions.filling.answer import AnswerError, body_of, code_in, parsed
from extensions.filling.screen import Screen
from extensions.filling.stubs import Stub, filled, lines, unmarked

PLAIN = '''\
"""The operation greet. This file is yours: an update never touches it."""

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

from people.models.model_greet_input import ModelGreetInput
from people.models.model_greet_output import ModelGreetOutput


class HandlerGreet:
    """Say hello."""

    async def handle(self, request: ModelGreetInput) -> ModelGreetOutput:
        """Run greet.

        Args:
            request: The operation's input, already validated.

        Returns:
            The operation's output.

        Raises:
            ModelOnexError: METHOD_NOT_IMPLEMENTED until this method is written.
        """
        raise ModelOnexError(
            message="greet is still to be written.",
            error_code=EnumCoreErrorCode.METHOD_NOT_IMPLEMENTED,
            input_model=type(request).__name__,
        )
'''
WITH_ADAPTERS = PLAIN.replace(
    '    """Say hello."""\n',
    '    """Say hello."""\n\n    def __init__(self, adapters: Adapters) -> None:\n        self._adapters = adapters\n',
).replace(
    "from people.models.model_greet_input", "from people.adapters import Adapters\nfrom people.models.model_greet_input"
)
STUBS = {
    "plain": PLAIN,
    "adapters": WITH_ADAPTERS,
    "ends of lines": PLAIN.replace("\n", "\r\n"),
    "a form feed": PLAIN.replace("Say hello.", "Say hello.\x0c\u2028 And \u00fc\U0001f600."),
    "its own code": PLAIN.replace(
        "\n\nclass", "\n\ndef shared( x ):\n    raise ModelOnexError(message=x)  # odd\n\n\nclass"
    ),
    "another docstring": PLAIN.replace("Run greet.", "Greet, as people do.").replace(
        "\n        Raises:\n            ModelOnexError: METHOD_NOT_IMPLEMENTED until this method is written.\n", ""
    ),
    "no end": PLAIN.rstrip(),
    "a comment after it": PLAIN + "\n\n# The end.\n",
}
ANSWERS = {
    "one line": "async def handle(self, request: ModelGreetInput) -> ModelGreetOutput:\n    return ModelGreetOutput()",
    "a whole class": '''
        from people.models.model_greet_output import ModelGreetOutput

        class HandlerGreet:
            """Greets."""

            async def handle(self, request: ModelGreetInput) -> ModelGreetOutput:
                """Greet."""
                # First of all.
                text = """a
              b
            c"""
                return ModelGreetOutput(text=text)
        ''',
    "helpers": '''
        import re
        from collections.abc import Iterable
        from omnibase_core.enums import EnumCoreErrorCode
        from omnibase_core.errors import ModelOnexError

        _WORD: re.Pattern[str] = re.compile(r"\\w+")

        def _words(texts: Iterable[str]) -> list[str]:
            """Return words."""
            return [word for text in texts for word in _WORD.findall(text)]

        async def handle(self, request: ModelGreetInput) -> ModelGreetOutput:
            if not _words([request.person]):
                raise ModelOnexError(message="nobody", error_code=EnumCoreErrorCode.OPERATION_FAILED)
            return ModelGreetOutput(text=f"""x
            {request.person}
        y""")
        ''',
}


def stub(text: str) -> Stub:
    return Stub({"name": "greet"}, "handler_greet.py", None, text, "", "HandlerGreet")


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("name", STUBS)
def test_all_other_lines_stay(name: str, answer: str) -> None:
    code = textwrap.dedent(ANSWERS[answer])
    before = STUBS[name]
    body = body_of(code, stub(before), Screen(("people.models",)))
    after, _ = filled(stub(before), body)

    parsed(after)
    changes = list(difflib.ndiff(lines(before), lines(after)))
    gone = [line[2:].strip() for line in changes if line.startswith("- ")]
    new = [line[2:].rstrip("\r\n") for line in changes if line.startswith("+ ")]
    own = [line.strip() for line in lines(PLAIN[PLAIN.index("        Raises:") :])]
    assert set(gone) <= {*own, "", *(line.strip() for line in lines(PLAIN) if "omnibase_core" in line)}
    given = {*body.rows, *body.imports, *(line for helper in body.helpers for line in helper.splitlines()), ""}
    assert {line.strip() for line in new} <= {line.strip() for line in given} | {'"""', ")"}
    assert "METHOD_NOT_IMPLEMENTED" not in after
    assert ("ModelOnexError" in after) == (answer == "helpers" or name == "its own code")
    assert len({line.endswith("\r\n") for line in lines(after)[:-1]}) == 1
    if answer == "a whole class":
        assert "\n      b\n    c" in "\n".join(body.rows)


def test_literals_keep_their_lines() -> None:
    body = body_of(textwrap.dedent(ANSWERS["helpers"]), stub(PLAIN), Screen(("people.models",)))

    assert body.rows[-2:] == ("            {request.person}".removeprefix("        "), 'y""")')


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_marks_of_tests_go(end: str) -> None:
    text = textwrap.dedent('''\
        """Tests."""

        import pytest
        from omnibase_core.errors import ModelOnexError

        TO_BE_WRITTEN = pytest.mark.xfail(
            reason="later", raises=ModelOnexError
        )


        @TO_BE_WRITTEN
        @pytest.mark.parametrize("a", [1])
        async def test_a(a: int) -> None: ...


        @pytest.mark.skip
        @TO_BE_WRITTEN
        def test_b() -> None: ...
        ''').replace("\n", end)  # fmt: skip
    after = unmarked(text)

    assert "TO_BE_WRITTEN" not in after
    assert "ModelOnexError" not in after
    assert set(lines(after)) <= set(lines(text))
    assert f"{end}{end}{end}{end}" not in after
    assert unmarked(after) == after
    assert "ModelOnexError" in unmarked(text.replace("async def test_a(a: int)", "def test_a(a: ModelOnexError)"))


@pytest.mark.parametrize("text", ["def (", "x = 1\n", ""])
def test_tests_without_marks_stay(text: str) -> None:
    assert unmarked(text) == text


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("", "no code"),
        ("```python\n```", "no code"),
        ("```\nx\n```\n```\ny\n```", "2 blocks"),
        ("x" * 50_000, "expected at most"),
    ],
)
def test_answers_without_code(answer: str, told: str) -> None:
    with pytest.raises(AnswerError, match=told):
        code_in(answer)
