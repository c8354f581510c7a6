"""What templates are handed about any call of an integration."""

import re
from dataclasses import dataclass

from ..language.contract import MISSING, Field, Operation
from ..language.filling import copied
from ..language.references import GIVEN
from ..text import encode


@dataclass(frozen=True, slots=True)
class CallView:
    """The call that an operation makes, as code.

    Attributes:
        kind: `http`, `kafka`, `redis` or `filesystem`.
        arguments: Pairs of name and code, in order.
        paths: JSONPaths: constant, path, output field, whether it is required, and whether it takes all matches.
        results: Pairs of output field and code of its value.
        reply: Name of what the call returns; empty when nothing uses it.
        missing: Code of the condition under which a required output has no value; empty for none.
        idempotent: Whether it may be made twice.
        answer: An answer of the other side that makes the operation succeed, or None when none can be worked out.
        topic: The topic of a Kafka message.
        command: The command of Redis, or the action on a file.
        words: The words of the Redis command as code.
        expiry: The words of the Redis command that sets when the key goes away; empty for none.
        needs: The settings that the code takes from variables called `env_` and the setting's name.
        status: A status of HTTP that is a success.
        tombstone: Whether the message of Kafka that the sample input makes has no value.
        document: Whether results are taken of the answer's JSON, beside others of its parts.
        asks: The method of the adapter that makes the call; empty where the handler's template says it.
        headers: Headers that a successful answer has to have.
        not_found: The output field that tells whether there was something, where an answer says that there is not.
        paging: Code of how pages of an answer follow each other, and further arguments; empty for no pages.
        route: A regular expression of the path of HTTP, without the base URL.
        adapter: The key of the adapter of an API.
    """

    kind: str
    arguments: tuple[tuple[str, str], ...]
    paths: tuple[tuple[str, str, str, bool, bool], ...]
    results: tuple[tuple[str, str], ...]
    reply: str
    missing: str
    idempotent: bool
    answer: object
    topic: str
    command: str
    words: tuple[str, ...] = ()
    expiry: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    status: int = 200
    tombstone: bool = False
    route: str = ""
    adapter: str = ""
    document: bool = False
    asks: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    not_found: str = ""
    paging: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """All code of it, for searches."""
        codes = (code for _, code in (*self.arguments, *self.results))
        return "\n".join((*codes, *self.words, *self.expiry, *self.paging))

    @property
    def expects(self) -> bool:
        """Whether there are answers without what it takes of them."""
        return any(required for _, _, _, required, _ in self.paths) or any(
            ".header(" in code for _, code in self.results
        )

    @property
    def uses_request(self) -> bool:
        """Whether it looks at the input."""
        return re.search(r"\brequest\b", self.code) is not None

    @property
    def given(self) -> tuple[tuple[str, str], ...]:
        """What it takes of the run, beside the input: pairs of how that is referred to, and the function of it."""
        return given_in(self.code)

    def uses(self, *names: str) -> tuple[str, ...]:
        """Return those of the functions that its code calls."""
        return tuple(name for name in names if re.search(rf"\b{name}\(", self.code))


def given_in(code: str) -> tuple[tuple[str, str], ...]:
    """Return what code takes of the run of its operation: pairs of how that is referred to, and the function of it."""
    return tuple((name, function) for name, (_, function) in GIVEN.items() if re.search(rf"\bgiven_{name}\b", code))


def block(value: object) -> str:
    """Return the code of a value as an argument of a call in a handler."""
    return encode.py_block(value, 16)


def needed(field: Field) -> bool:
    """Tell whether an output field has to have a value."""
    return field.required and field.default is MISSING


def others(operation: Operation, filled: set[str], *, silent: bool) -> tuple[tuple[str, str], ...]:
    """Return what fills the outputs that the call does not: an input of the same name and type, or success itself."""
    results: list[tuple[str, str]] = []
    for field in operation.output:
        if field.name in filled:
            continue
        if copied(operation.input, field):
            results.append((field.name, f"request.{field.name}"))
        elif silent and field.kind == "boolean":
            results.append((field.name, "True"))
    return tuple(results)
