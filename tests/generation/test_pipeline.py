"""The pipeline of `examples/pipeline`: its own tests, and that it judges bodies as `fill-node` does."""

import ast
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from examples.pipeline_package import PACKAGE, WRITTEN, build
from examples.rendering import CONTRACTS, generate, read_contract
from extensions.filling.answer import AnswerError, body_of, code_in, parsed
from extensions.filling.screen import Screen
from extensions.filling.stubs import Stub, filled
from tests.conftest import Run
from tests.contracts.render import Renderer
from tests.filling import hostile

pytestmark = pytest.mark.slow
NODES = f"{PACKAGE}.nodes"
GOOD = {
    "a result": hostile.Body(("return ModelGreetOutput(greeting=request.person)",)),
    "a loop": hostile.Body(("text = ''", "for each in request.person:", "    text += each", "return text")),
    "a literal of several lines": hostile.Body(('text = """', "left", '    deeper"""', "return text")),
    "a text in a text": hostile.Body(('return f"""', "{request.person}", '"""')),
    "modules that compute": hostile.Body(("return re.sub('a', 'b', request.person)",), ahead="import re"),
    "a name of a module": hostile.Body(("return floor(1.5)",), ahead="from math import floor"),
    "a module by another name": hostile.Body(("return js.dumps([request.person])",), ahead="import json as js"),
    "a function within": hostile.Body(("def inner(x: int) -> int:", "    return x", "return inner(1)")),
    "a coroutine": hostile.Body(("await sleep(0)", "return 1"), ahead="from asyncio import sleep"),
    "adapters": hostile.Body(("return await self._adapters.api.call(request)",)),
    "a comment": hostile.Body(("# Why, and never what.", "return 1  # at last")),
    "a word that is only a word": hostile.Body(("return 'import os  # noqa'",)),
    "an error of ONEX": hostile.Body(
        ("raise ModelOnexError(message='no', error_code=EnumCoreErrorCode.VALIDATION_ERROR)",),
        ahead="from omnibase_core.enums import EnumCoreErrorCode\nfrom omnibase_core.errors import ModelOnexError",
    ),
}
JUDGE = f"""
import asyncio, json, sys
from {NODES}.node_codegen_code_validator_effect.handlers.custom.handler_validate_code import HandlerValidateCode
from {NODES}.node_codegen_code_validator_effect.models.model_validate_code_input import ModelValidateCodeInput

async def verdict(given):
    return (await HandlerValidateCode().handle(ModelValidateCodeInput.model_validate(given))).is_valid

print(json.dumps([asyncio.run(verdict(given)) for given in json.load(sys.stdin)]))
"""
PUT_IN = f"""
import asyncio, json, sys
from {NODES}.node_codegen_code_injector_effect.handlers.custom.handler_inject_code import HandlerInjectCode
from {NODES}.node_codegen_code_injector_effect.models.model_inject_code_input import ModelInjectCodeInput

async def put_in(given):
    return (await HandlerInjectCode().handle(ModelInjectCodeInput.model_validate(given))).updated_content

print(json.dumps([asyncio.run(put_in(given)) for given in json.load(sys.stdin)]))
"""


@pytest.fixture(scope="module")
def package(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    def unvalidated(contract: Mapping[str, object], folder: Path) -> Path:
        # Other tests validate nodes.
        return generate(template, {**contract, "validation_level": "none"}, folder)

    return build(unvalidated, tmp_path_factory.mktemp("pipeline") / "package")


@pytest.fixture(scope="module")
def stub(template: Path) -> Stub:
    """The stub of a generated handler."""
    contract = read_contract(CONTRACTS / "custom_greeting.yaml")
    path = f"src/{contract['package']}/nodes/node_greeting_effect/handlers/custom/handler_greet.py"
    text = Renderer(template).texts(contract, path)[path]
    return Stub({"name": "greet"}, path, None, text, "", "HandlerGreet")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, hostile.Body]:
    return {**GOOD, **hostile.bodies(str(tmp_path_factory.mktemp("home")), 9)}


def statements(body: hostile.Body) -> str:
    """Return a body as the pipeline takes it: what stands before the method stands in it."""
    return "\n".join((*body.ahead.splitlines(), *body.lines))


def called(run: Run, package: Path, program: str, given: object, folder: Path) -> list[object]:
    script, data = folder / "program.py", folder / "given.json"
    script.write_text(program.replace("sys.stdin", f"open({str(data)!r})"), encoding="utf-8")
    data.write_text(json.dumps(given), encoding="utf-8")
    result = run(sys.executable, script, cwd=package, PYTHONPATH=str(package / "src"))
    assert result.returncode == 0, result.stderr
    found: list[object] = json.loads(result.stdout)
    return found


def test_what_is_written_by_hand_is_tidy(run: Run, package: Path) -> None:
    written = [str(path.relative_to(WRITTEN)) for path in WRITTEN.rglob("*.py")]
    for command in (("ruff", "check"), ("ruff", "format", "--check")):
        result = run(*command, *written, cwd=package)
        assert result.returncode == 0, result.stdout


def test_its_own_tests_pass_and_the_contracts_examples_come_out(run: Run, package: Path) -> None:
    folders = ("tests/pipeline", *sorted(str(path) for path in (package / "tests" / "nodes").glob("*/custom")))
    result = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *folders, cwd=package)
    assert result.returncode == 0, result.stdout[-4000:]


def test_the_pipeline_and_fill_node_judge_the_same_bodies_alike(
    run: Run, package: Path, stub: Stub, corpus: dict[str, hostile.Body], tmp_path: Path
) -> None:
    signature = f"async def handle(self, {ast.unparse(stub.method.args.args[1])}) -> {ast.unparse(stub.method.returns)}"  # type: ignore[arg-type] # it says what it returns
    given = [{"code": statements(body), "signature": signature, "level": "standard"} for body in corpus.values()]
    pipeline = dict(zip(corpus, called(run, package, JUDGE, given, tmp_path), strict=True))

    assert pipeline == {name: accepted(stub, body) for name, body in corpus.items()}
    assert {name for name, valid in pipeline.items() if valid} == GOOD.keys() | hostile.BY_TRIAL_ALONE


def accepted(stub: Stub, body: hostile.Body) -> bool:
    """Tell whether `fill-node` takes a body, before it is tried."""
    code = hostile.method(stub, *body.lines, ahead=body.ahead)
    try:
        parsed(code_in(code))
        body_of(code, stub, Screen())
    except AnswerError:
        return False
    return True


def test_the_pipeline_and_fill_node_put_the_same_statements_in(
    run: Run, package: Path, stub: Stub, tmp_path: Path
) -> None:
    given = [
        {
            "original_content": stub.text,
            "implementations": [
                {
                    "method_name": "handle",
                    "class_name": stub.class_name,
                    "body": "\n".join(body.lines),
                    "imports": body.ahead.splitlines(),
                }
            ],
        }
        for body in GOOD.values()
    ]
    for name, text in zip(GOOD, called(run, package, PUT_IN, given, tmp_path), strict=True):
        body = GOOD[name]
        # As it reads once its literals are on one line, which an indentation would change.
        lines = ast.unparse(ast.parse("\n".join(body.lines))).splitlines()
        code = hostile.method(stub, *lines, ahead=body.ahead)
        expected, _ = filled(stub, body_of(code, stub, Screen()))
        assert written(str(text)) == written(expected), name
        assert set(body.ahead.splitlines()) <= set(str(text).splitlines()), name


def written(text: str) -> list[str]:
    """Return the statements of the method handle, its docstring aside."""
    method = next(item for item in ast.walk(ast.parse(text)) if isinstance(item, ast.AsyncFunctionDef))
    return [ast.unparse(item) for item in method.body[1:]]
