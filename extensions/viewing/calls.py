"""What templates are handed about an operation's call of an integration."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from ..language import samples
from ..language.contract import MISSING, Contract, Operation
from ..language.integrations import Redis
from ..language.references import Reference, Resolver, parts
from ..text import encode
from . import http, topics
from .call import CallView, block, needed, others
from .integrations import Environment, texts_of

KEY_HELPERS = ("key_of", "path_of", "optional_key", "Fixed", "Spanning")
_REPEATABLE_COMMANDS = (
    *("get", "set", "delete", "exists", "expire", "ttl", "hget", "hset", "hdel", "hgetall"),
    *("lrange", "lindex", "ltrim", "lrem", "llen", "sadd", "srem", "smembers", "sismember", "scard"),
    *("zadd", "zrem", "zscore", "zrank", "zrange", "zcard", "zcount", "zremrangebyscore"),
)


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


def _kafka(contract: Contract, operation: Operation, resolver: Resolver) -> CallView:
    spec = operation.kafka
    assert spec is not None  # noqa: S101 - the caller looked
    topic = topics.of_message(contract, spec.topic)
    arguments = [("topic", f'topic_of("{topics.key(topic, topics.published(contract))}")')]
    if spec.key is not None:
        arguments.append(("key", resolver.key(spec.key, "key_of", 16, len("key=,"))))
    whole = "public(request)" if samples.has_secrets(contract, operation.input) else "request"
    payload = whole if spec.payload is MISSING else block(resolver.value(spec.payload))
    arguments.append(("payload", payload))
    if spec.headers:
        arguments.append(("headers", block({key: resolver.value(value) for key, value in spec.headers.items()})))
    return CallView(
        kind="kafka",
        arguments=tuple(arguments),
        paths=(),
        results=others(operation, set(), silent=True),
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
    if operation.idempotent is None and spec.if_absent:
        # Whoever asks again does not learn whether it was the first time that found it absent.
        idempotent = False
    rest = others(operation, {name for name, _ in results}, silent=not spec.returns)
    return CallView(
        kind="redis",
        arguments=(),
        words=_redis_words(spec, key, resolver),
        expiry=expiry,
        paths=(),
        results=(*results, *rest),
        reply="reply" if used else "",
        missing=missing,
        idempotent=idempotent,
        answer=None,
        topic="",
        command=spec.command,
    )


def _redis_words(spec: Redis, key: str, resolver: Resolver) -> tuple[str, ...]:
    words = [encode.py(_redis_command(spec)), key]

    def number(value: object, default: object) -> str:
        return encode.py(resolver.value(default if value is None else value))

    if spec.field is not None:
        words.append(resolver.key(spec.field, "key_of", 16))
    if spec.command in {"incr", "decr", "zincrby"}:
        words.append(number(spec.amount, 1))
    if spec.command == "zadd":
        words += ['"NX"'] if spec.if_absent else []
        words.append(number(spec.score, 0))
    if spec.command == "lrem":
        words.append("0")
    if spec.command == "lindex":
        words.append(number(spec.index, 0))
    if spec.command in {"lrange", "ltrim"} or (spec.command == "zrange" and not spec.by_score):
        words += [number(spec.start, 0), number(spec.stop, -1)]
    if spec.command in {"zcount", "zremrangebyscore"} or (spec.command == "zrange" and spec.by_score):
        bounds = [number(spec.min, "-inf"), number(spec.max, "+inf")]
        words += reversed(bounds) if spec.reverse else bounds
    if spec.command == "hset" and spec.field is None:
        for name, value in spec.value.items():
            words += [encode.py(name), _encoded(resolver.value(value))]
    elif spec.value is not MISSING:
        words.append(_encoded(resolver.value(spec.value)))
    words += ['"WITHSCORES"'] if spec.command == "zrange" and spec.score_into else []
    words += ['"LIMIT"', "0", number(spec.limit, 0)] if spec.limit is not None else []
    if spec.ttl_seconds is not None and spec.command in {"set", "expire"}:
        words += ['"EX"'] if spec.command == "set" else []
        words.append(encode.py(resolver.value(spec.ttl_seconds)))
    words += ['"NX"'] if spec.command == "set" and spec.if_absent else []
    return tuple(words)


def _redis_command(spec: Redis) -> str:
    match spec.command:
        case "zrange" if spec.by_score:
            return "ZREVRANGEBYSCORE" if spec.reverse else "ZRANGEBYSCORE"
        case "zrange" | "zrank" if spec.reverse:
            return spec.command.upper().replace("Z", "ZREV", 1)
        case "hset" if spec.if_absent:
            return "HSETNX"
    return {"incr": "INCRBY", "decr": "DECRBY", "delete": "DEL"}.get(spec.command, spec.command.upper())


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
        **dict.fromkeys(("get", "hget", "lpop", "rpop", "lindex", "zscore", "zrank"), "reply is not None"),
        **dict.fromkeys(("incr", "decr", "lpush", "rpush", "ltrim", "zincrby"), "True"),
        "hset": "bool(reply)" if spec.if_absent else "True",
        "ttl": "reply != -2",
    }.get(spec.command, "bool(reply)")
    value, exists = _redis_value(spec)
    results: list[tuple[str, str]] = []
    missing = ""
    if spec.into:
        wanted = needed(fields[spec.into])
        if exists and wanted:
            missing = exists
        results.append((spec.into, f"None if {exists} else {value}" if exists and not wanted else value))
    for name in spec.into_keys:
        results.append((name, f'member({value}, "{name}")' if spec.command != "hgetall" else f'{value}.get("{name}")'))
        if exists and needed(fields[name]):
            missing = exists
    if spec.found:
        results.append((spec.found, "True" if missing and found == "reply is not None" else found))
    if spec.count:
        results.append((spec.count, "len(reply)" if spec.command in {"lrange", "smembers", "zrange"} else "reply"))
    if spec.score_into:
        wanted = needed(fields[spec.score_into])
        missing = missing or ("not reply" if exists and wanted else "")
        one = "scored(reply)[0][1]" if wanted or missing else "scored(reply)[0][1] if reply else None"
        results.append((spec.score_into, one if exists else "[score for _, score in scored(reply)]"))
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
        case "zrange":
            if spec.score_into:
                return "[decoded(value) for value, _ in scored(reply)]", ""
            return "[decoded(value) for value in reply]", ""
        case "zpopmin" | "zpopmax":
            return "decoded(scored(reply)[0][0])", "not reply"
        case "zscore" | "zrank":
            return "reply", "reply is None"
        case "get" | "hget" | "lpop" | "rpop" | "lindex":
            return "decoded(reply)", "reply is None"
        case _:
            return "reply", ""


def _filesystem(_contract: Contract, operation: Operation, resolver: Resolver) -> CallView:
    spec = operation.filesystem
    assert spec is not None  # noqa: S101 - the caller looked
    arguments = [("path", resolver.key(spec.path, "path_of", 12))]
    if spec.to is not None:
        arguments.append(("to", resolver.key(spec.to, "path_of", 12)))
    if spec.content is not MISSING:
        arguments.append(("content", encode.py_block(resolver.value(spec.content), 12)))
    fields = {field.name: field for field in operation.output}
    results: list[tuple[str, str]] = []
    missing = ""
    if spec.action == "list":
        results += [(spec.into, "content or []")] if spec.into else []
        results += [(spec.count, "len(content or [])")] if spec.count else []
    elif spec.into:
        field = fields[spec.into]
        code = {"bytes": "base64_text(content)", "string": "text_of(content)"}.get(field.kind, "json_of(content)")
        missing = "content is None" if needed(field) else ""
        results.append((spec.into, code if missing else f"None if content is None else {code}"))
    if spec.found:
        told = spec.action in {"delete", "exists", "move"}
        results.append((spec.found, "content" if told else "True" if missing else "content is not None"))
    elif spec.action == "read" and not missing:
        missing = "content is None"
    elif spec.action == "move":
        missing = "not content"
    rest = others(operation, {name for name, _ in results}, silent=not results)
    used = bool(missing) or any("content" in code for _, code in results)
    return CallView(
        kind="filesystem",
        arguments=tuple(arguments),
        paths=(),
        results=(*results, *rest),
        reply="content" if used else "",
        missing=missing,
        idempotent=spec.action not in {"append", "move"} if operation.idempotent is None else operation.idempotent,
        answer=None,
        topic="",
        command=spec.action,
    )


_BUILDERS: dict[str, Callable[[Contract, Operation, Resolver], CallView]] = {
    "http": http.request,
    "kafka": _kafka,
    "redis": _redis,
    "filesystem": _filesystem,
}
