"""What templates are handed about an operation's call of an integration."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ..language import answers, names, samples
from ..language.contract import MISSING, Contract, Field, Operation
from ..language.filling import copied
from ..language.integrations import Http, Redis
from ..language.references import GIVEN, Reference, Resolver, parts
from ..text import bodies, encode
from ..text.encode import Call, Code
from . import topics
from .integrations import Environment, texts_of

KEY_HELPERS = ("key_of", "path_of", "optional_key", "Fixed")
_IDEMPOTENT_METHODS = ("GET", "HEAD", "PUT", "DELETE")
_REPEATABLE_COMMANDS = (
    *("get", "set", "delete", "exists", "expire", "ttl", "hget", "hset", "hdel", "hgetall"),
    *("lrange", "llen", "sadd", "srem", "smembers", "sismember"),
)


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

    @property
    def code(self) -> str:
        """All code of it, for searches."""
        codes = (code for _, code in (*self.arguments, *self.results))
        return "\n".join((*codes, *self.words, *self.expiry))

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


def call(contract: Contract, operation: Operation, environment: Environment) -> CallView | None:
    """Return the call that an operation makes, or None when it makes none of these.

    Args:
        contract: The contract.
        operation: One of its operations.
        environment: The contract's environment variables.

    Returns:
        The call.
    """
    for kind, build in _BUILDERS.items():
        if getattr(operation, kind) is not None:
            resolver = Resolver(operation.input, contract.models, environment.setting)
            return replace(build(contract, operation, resolver), needs=resolver.needs(texts_of(operation)))
    return None


def _http(contract: Contract, operation: Operation, resolver: Resolver) -> CallView:
    spec = operation.http
    assert spec is not None  # noqa: S101 - the caller looked
    idempotent = operation.idempotent if operation.idempotent is not None else spec.method in _IDEMPOTENT_METHODS
    arguments = [("method", encode.py(spec.method)), ("path", resolver.text(spec.path, "segment"))]
    for name, values in (("query", spec.query), ("headers", spec.headers)):
        if values:
            arguments.append((name, _block({key: resolver.value(value) for key, value in values.items()})))
    if spec.body is not MISSING:
        arguments.append(("body", _block(_body(contract, spec, resolver))))
    if spec.success:
        arguments.append(("success", f"frozenset({{{', '.join(str(code) for code in sorted(spec.success))}}})"))
    if not spec.extract:
        arguments.append(("reads", "False"))
    if idempotent:
        arguments.append(("idempotent", "True"))
    fields = {field.name: field for field in operation.output}
    paths = tuple(
        (names.constant(f"{name}_path"), path, name, _needed(fields[name]), _takes_all(path, fields[name]))
        for name, path in spec.extract.items()
    )
    results = tuple(
        (name, _extracted(name, f"{'every' if many else 'first'}{'' if required else '_or_none'}", constant))
        for constant, _, name, required, many in paths
    )
    others = _copied(operation, {name for name, _ in results}, silent=not spec.extract)
    return CallView(
        kind="http",
        adapter=spec.adapter,
        arguments=tuple(arguments),
        paths=paths,
        results=(*results, *others),
        reply="answer" if results else "",
        missing="",
        idempotent=idempotent,
        answer=answers.answer(contract, operation),
        topic="",
        command=spec.method,
        status=min(spec.success, default=200),
        route="".join("[^/]+" if isinstance(part, Reference) else re.escape(part) for part in parts(spec.path)),
    )


def _body(contract: Contract, spec: Http, resolver: Resolver) -> object:
    stated = bodies.content_type(contract.clients[spec.adapter].headers, spec.headers)
    if isinstance(spec.body, str) and not bodies.is_json(stated):
        whole = parts(spec.body)
        if len(whole) == 1 and isinstance(whole[0], Reference):
            return resolver.value(spec.body)
        return Code(resolver.text(spec.body, "form" if bodies.is_form(stated) else "text"))
    body = resolver.value(spec.body)
    if not spec.omit_null:
        return body
    return Call("given", body) if isinstance(body, Code) else _given(body)


def _given(value: object) -> object:
    """Return a body whose mappings leave out what has no value."""
    if isinstance(value, Mapping):
        return Call("given", {name: _given(item) for name, item in value.items()})
    return [_given(item) for item in value] if isinstance(value, list) else value


def _kafka(contract: Contract, operation: Operation, resolver: Resolver) -> CallView:
    spec = operation.kafka
    assert spec is not None  # noqa: S101 - the caller looked
    topic = topics.of_message(contract, spec.topic)
    arguments = [("topic", f'topic_of("{topics.key(topic, topics.published(contract))}")')]
    if spec.key is not None:
        arguments.append(("key", resolver.key(spec.key, "key_of", 16, len("key=,"))))
    whole = "public(request)" if samples.has_secrets(contract, operation.input) else "request"
    payload = whole if spec.payload is MISSING else _block(resolver.value(spec.payload))
    arguments.append(("payload", payload))
    if spec.headers:
        arguments.append(("headers", _block({key: resolver.value(value) for key, value in spec.headers.items()})))
    return CallView(
        kind="kafka",
        arguments=tuple(arguments),
        paths=(),
        results=_copied(operation, set(), silent=True),
        reply="",
        missing="",
        idempotent=bool(operation.idempotent),
        answer=None,
        topic=topic,
        command="",
        tombstone=_is_missing(spec.payload, samples.sample(contract, operation)),
    )


def _is_missing(payload: object, sample: object) -> bool:
    """Tell whether a payload is null, or one reference to nothing in the sample."""
    whole = parts(payload) if isinstance(payload, str) else []
    if len(whole) != 1 or not isinstance(whole[0], Reference) or whole[0].source != "input":
        return payload is None
    for word in whole[0].name.split("."):
        sample = sample.get(word) if isinstance(sample, Mapping) else None
    return sample is None


def _redis(_contract: Contract, operation: Operation, resolver: Resolver) -> CallView:
    spec = operation.redis
    assert spec is not None  # noqa: S101 - the caller looked
    key = resolver.key(spec.key, "key_of", 16)
    expiry: tuple[str, ...] = ()
    if spec.ttl_seconds is not None and spec.command not in {"set", "expire"}:
        expiry = ('"EXPIRE"', key, encode.py(resolver.value(spec.ttl_seconds)))
    results, missing = _redis_results(operation, spec)
    used = any("reply" in code for _, code in results) or bool(missing)
    idempotent = operation.idempotent if operation.idempotent is not None else spec.command in _REPEATABLE_COMMANDS
    others = _copied(operation, {name for name, _ in results}, silent=not spec.returns)
    return CallView(
        kind="redis",
        arguments=(),
        words=_redis_words(spec, key, resolver),
        expiry=expiry,
        paths=(),
        results=(*results, *others),
        reply="reply" if used else "",
        missing=missing,
        idempotent=idempotent,
        answer=None,
        topic="",
        command=spec.command,
    )


def _redis_words(spec: Redis, key: str, resolver: Resolver) -> tuple[str, ...]:
    command = {"incr": "INCRBY", "decr": "DECRBY", "delete": "DEL"}.get(spec.command, spec.command.upper())
    words = [encode.py(command), key]
    if spec.field is not None:
        words.append(resolver.key(spec.field, "key_of", 16))
    if spec.command in {"incr", "decr"}:
        words.append(encode.py(resolver.value(1 if spec.amount is None else spec.amount)))
    elif spec.command == "hset" and spec.field is None:
        for name, value in spec.value.items():
            words += [encode.py(name), _encoded(resolver.value(value))]
    elif spec.value is not MISSING:
        words.append(_encoded(resolver.value(spec.value)))
    if spec.command == "lrange":
        words += ["0", "-1"]
    if spec.ttl_seconds is not None and spec.command in {"set", "expire"}:
        words += ['"EX"'] if spec.command == "set" else []
        words.append(encode.py(resolver.value(spec.ttl_seconds)))
    return tuple(words)


def _encoded(value: object) -> str:
    if isinstance(value, (dict, list)) and value:
        return f"encoded(\n{' ' * 20}{encode.py_block(value, 20)}\n{' ' * 16})"
    code = encode.py(value)
    line = f"encoded({code})"
    # With the indent of a word of the command, and the comma after it.
    return line if encode.width(line) + 17 <= encode.LINE_LENGTH else f"encoded(\n{' ' * 20}{code}\n{' ' * 16})"


def _redis_results(operation: Operation, spec: Redis) -> tuple[tuple[tuple[str, str], ...], str]:
    fields = {field.name: field for field in operation.output}
    found = {
        **dict.fromkeys(("get", "hget", "lpop", "rpop"), "reply is not None"),
        **dict.fromkeys(("incr", "decr", "hset", "lpush", "rpush"), "True"),
        "ttl": "reply != -2",
    }.get(spec.command, "bool(reply)")
    value, exists = _redis_value(spec)
    results: list[tuple[str, str]] = []
    missing = ""
    if spec.into:
        wanted = _needed(fields[spec.into])
        if exists and wanted:
            missing = exists
        results.append((spec.into, f"None if {exists} else {value}" if exists and not wanted else value))
    for name in spec.into_keys:
        results.append((name, f'member({value}, "{name}")' if spec.command != "hgetall" else f'{value}.get("{name}")'))
        if exists and _needed(fields[name]):
            missing = exists
    if spec.found:
        results.append((spec.found, "True" if missing and found == "reply is not None" else found))
    if spec.count:
        results.append((spec.count, "len(reply)" if spec.command in {"lrange", "smembers"} else "reply"))
    return tuple(results), missing


def _redis_value(spec: Redis) -> tuple[str, str]:
    """Return the code of the value in a reply, and of the condition under which there is none."""
    match spec.command:
        case "hgetall":
            return "{name: decoded(value) for name, value in reply.items()}", "not reply"
        case "lrange":
            return "[decoded(value) for value in reply]", ""
        case "smembers":
            return "[decoded(value) for value in sorted(reply)]", ""
        case "get" | "hget" | "lpop" | "rpop":
            return "decoded(reply)", "reply is None"
        case _:
            return "reply", ""


def _filesystem(_contract: Contract, operation: Operation, resolver: Resolver) -> CallView:
    spec = operation.filesystem
    assert spec is not None  # noqa: S101 - the caller looked
    arguments = [("path", resolver.key(spec.path, "path_of", 12))]
    if spec.content is not MISSING:
        arguments.append(("content", encode.py_block(resolver.value(spec.content), 12)))
    fields = {field.name: field for field in operation.output}
    results: list[tuple[str, str]] = []
    missing = ""
    if spec.into:
        field = fields[spec.into]
        code = {"bytes": "base64_text(content)", "string": "text_of(content)"}.get(field.kind, "json_of(content)")
        missing = "content is None" if _needed(field) else ""
        results.append((spec.into, code if missing else f"None if content is None else {code}"))
    if spec.found:
        deleted = spec.action == "delete"
        results.append((spec.found, "content" if deleted else "True" if missing else "content is not None"))
    elif spec.action == "read" and not missing:
        missing = "content is None"
    others = _copied(operation, {name for name, _ in results}, silent=not results)
    used = bool(missing) or any("content" in code for _, code in results)
    return CallView(
        kind="filesystem",
        arguments=tuple(arguments),
        paths=(),
        results=(*results, *others),
        reply="content" if used else "",
        missing=missing,
        idempotent=spec.action != "append" if operation.idempotent is None else operation.idempotent,
        answer=None,
        topic="",
        command=spec.action,
    )


_BUILDERS: dict[str, Callable[[Contract, Operation, Resolver], CallView]] = {
    "http": _http,
    "kafka": _kafka,
    "redis": _redis,
    "filesystem": _filesystem,
}


def _block(value: object) -> str:
    return encode.py_block(value, 16)


def _needed(field: Field) -> bool:
    return field.required and field.default is MISSING


def _extracted(name: str, function: str, path: str) -> str:
    """Return code that finds a value in an answer, as it is laid out where a handler returns its output."""
    code = f"{function}({path}, answer)"
    if encode.width(f'{" " * 16}"{name}": {code},') <= encode.LINE_LENGTH:
        return code
    return f"{function}(\n{' ' * 20}{path}, answer\n{' ' * 16})"


def _copied(operation: Operation, filled: set[str], *, silent: bool) -> tuple[tuple[str, str], ...]:
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


def _takes_all(path: str, field: Field) -> bool:
    return field.kind == "array" and not answers.keys_of(path)
