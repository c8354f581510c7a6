"""Commands of Redis and actions on files: what they need and take, the words that are sent, and what fills outputs."""

from typing import Any

import pytest

from extensions.judging.judge import judge, read
from extensions.viewing.build import view

INPUT = {
    "id": "string",
    "n": {"type": "integer", "default": 1},
    "share": "number",
    "note": {"type": "string", "required": False},
}
LIST, NUMBERS = {"type": "array", "items": "string"}, {"type": "array", "items": "number"}
MAYBE = {"type": "string", "required": False}


def contract(kind: str, output: dict[str, Any], **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - of any type
    operation = {"name": "go", "input": INPUT, "output": output, kind: spec}
    return {"name": "inbox", "package": "acme", "node_type": "effect", "operations": [operation]}


def redis(command: str, output: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - of any type
    return contract("redis", output or {"ok": "boolean"}, command=command, key="k:${input.id}", **spec)


def files(action: str, output: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - of any type
    return contract("filesystem", output or {"ok": "boolean"}, action=action, **spec)


FOUND = {"found": "ok"}


@pytest.mark.parametrize(
    ("made", "place"),
    [
        (redis("zadd", value="a"), "redis.score"),
        (redis("zadd", score=1), "redis.value"),
        (redis("lindex", returns={"into": "x"}, output={"x": MAYBE}), "redis.index"),
        (redis("ltrim", stop=5), "redis.start"),
        (redis("lrange", output={"x": LIST}, start=0.5, returns={"into": "x"}), "redis.start"),
        (redis("lrange", output={"x": LIST}, start="${input.share}", returns={"into": "x"}), "redis.start"),
        (redis("incr", output={"x": "integer"}, amount=0.5, returns={"into": "x"}), "redis.amount"),
        (redis("zadd", value="a", score="${input.note}"), "redis.score"),
        (redis("zcard", min=5, returns={"count": "n"}, output={"n": "integer"}), "redis.min"),
        (redis("zrange", start=1, min=5, returns={"into": "x"}, output={"x": LIST}), "redis.start"),
        (redis("zrange", limit=5, returns={"into": "x"}, output={"x": LIST}), "redis.limit"),
        (redis("zremrangebyscore", returns={"count": "n"}, output={"n": "integer"}), "redis.min"),
        (redis("set", value=1, if_absent=True), "redis.returns.found"),
        (redis("set", value=1, if_absent=True, returns={"into": "ok"}), "redis.returns.found"),
        (redis("get", if_absent=True, returns=FOUND), "redis.if_absent"),
        (redis("hset", value={"a": 1}, if_absent=True, returns=FOUND), "redis.if_absent"),
        (redis("zadd", value=1, score=1, if_absent=True, ttl_seconds=5, returns=FOUND), "redis.ttl_seconds"),
        (redis("zrange", returns={"score": "x"}, output={"x": "number"}), "redis.returns.score"),
        (redis("zscore", value="a", returns={"into": "x"}, output={"x": "string"}), "redis.returns.into"),
        (files("move", path="a"), "filesystem.to"),
        (files("move", path="a", to="../b"), "filesystem.to"),
        (files("move", path="a", to="b/${input.id:path}/${input.id:path}"), "filesystem.to"),
        (files("write", path="a", content="${input.id:path}"), "filesystem.content"),
        (files("move", path="a", to="b/${input.note}"), "filesystem.to"),
        (files("read", path="a", to="b", output={"x": "string"}, returns={"into": "x"}), "filesystem.to"),
        (files("exists", path="a"), "filesystem.returns.found"),
        (files("read", output={"x": "string"}, returns={"into": "x"}), "filesystem.path"),
        (files("list", path="a", output={"x": NUMBERS}, returns={"into": "x"}), "filesystem.returns.into"),
        (files("list", path="a/..", output={"x": LIST}, returns={"into": "x"}), "filesystem.path"),
        (files("delete", path="a", output={"n": "integer"}, returns={"count": "n"}), "filesystem.returns.count"),
    ],
)
def test_mistake_is_told_where_it_is(made: dict[str, Any], place: str) -> None:
    places = [problem.place for problem in judge(made)]
    assert f"operations[0].{place}" in places
    assert all(
        other.startswith(("operations[0].redis", "operations[0].filesystem", "operations[0].output"))
        for other in places
    )


@pytest.mark.parametrize(
    ("made", "words", "results"),
    [
        (
            redis("set", value=1, if_absent=True, ttl_seconds=5, returns=FOUND),
            ['"SET"', "KEY", "encoded(1)", '"EX"', "5", '"NX"'],
            {"ok": "bool(reply)"},
        ),
        (
            redis("hset", field="f", value=1, if_absent=True, returns=FOUND),
            ['"HSETNX"', "KEY", '"f"', "encoded(1)"],
            {"ok": "bool(reply)"},
        ),
        (
            redis("zadd", value="a", score="${input.share}", if_absent=True, returns=FOUND),
            ['"ZADD"', "KEY", '"NX"', "request.share", 'encoded("a")'],
            {"ok": "bool(reply)"},
        ),
        (
            redis("zincrby", value="a", amount=0.5, returns={"into": "x"}, output={"x": "number"}),
            ['"ZINCRBY"', "KEY", "0.5", 'encoded("a")'],
            {"x": "reply"},
        ),
        (
            redis(
                "lrange", start="${input.n}", returns={"into": "x", "count": "m"}, output={"x": LIST, "m": "integer"}
            ),
            ['"LRANGE"', "KEY", "request.n", "-1"],
            {"x": "[decoded(value) for value in reply]", "m": "len(reply)"},
        ),
        (redis("scard", returns={"count": "m"}, output={"m": "integer"}), ['"SCARD"', "KEY"], {"m": "reply"}),
        (redis("ltrim", start=0, stop=99), ['"LTRIM"', "KEY", "0", "99"], {"ok": "True"}),
        (
            redis("lindex", index=-1, returns={"into": "x"}, output={"x": MAYBE}),
            ['"LINDEX"', "KEY", "-1"],
            {"x": "None if reply is None else decoded(reply)"},
        ),
        (
            redis("lrem", value="a", returns={"count": "m"}, output={"m": "integer"}),
            ['"LREM"', "KEY", "0", 'encoded("a")'],
            {"m": "reply"},
        ),
        (
            redis("zrange", returns={"into": "x"}, output={"x": LIST}),
            ['"ZRANGE"', "KEY", "0", "-1"],
            {"x": "[decoded(value) for value in reply]"},
        ),
        (
            redis(
                "zrange", reverse=True, stop=9, returns={"into": "x", "score": "y"}, output={"x": LIST, "y": NUMBERS}
            ),
            ['"ZREVRANGE"', "KEY", "0", "9", '"WITHSCORES"'],
            {
                "x": "[decoded(value) for value, _ in scored(reply)]",
                "y": "[score for _, score in scored(reply)]",
            },
        ),
        (
            redis("zrange", min=1, limit=5, returns={"into": "x"}, output={"x": LIST}),
            ['"ZRANGEBYSCORE"', "KEY", "1", '"+inf"', '"LIMIT"', "0", "5"],
            {"x": "[decoded(value) for value in reply]"},
        ),
        (
            redis("zrange", min=1, max=5, reverse=True, returns={"into": "x"}, output={"x": LIST}),
            ['"ZREVRANGEBYSCORE"', "KEY", "5", "1"],
            {"x": "[decoded(value) for value in reply]"},
        ),
        (
            redis(
                "zrank",
                value="a",
                reverse=True,
                returns={"into": "m", **FOUND},
                output={"m": {"type": "integer", "required": False}, "ok": "boolean"},
            ),
            ['"ZREVRANK"', "KEY", 'encoded("a")'],
            {"m": "None if reply is None else reply", "ok": "reply is not None"},
        ),
        (
            redis(
                "zpopmin",
                returns={"into": "x", "score": "y", **FOUND},
                output={"x": MAYBE, "y": {"type": "number", "required": False}, "ok": "boolean"},
            ),
            ['"ZPOPMIN"', "KEY"],
            {
                "x": "None if not reply else decoded(scored(reply)[0][0])",
                "y": "scored(reply)[0][1] if reply else None",
                "ok": "bool(reply)",
            },
        ),
    ],
)
def test_command_is_sent_in_words_of_redis(made: dict[str, Any], words: list[str], results: dict[str, str]) -> None:
    assert judge(made) == []
    (operation,) = view(read(made)).operations
    assert operation.calls
    sent = [word.replace('key_of("k:{}", request.id)', "KEY") for word in operation.calls.words]
    assert sent == words
    assert dict(operation.calls.results) == results


@pytest.mark.parametrize(
    ("made", "missing"),
    [
        (redis("zpopmax", returns={"into": "x", "score": "y"}, output={"x": "string", "y": "number"}), "not reply"),
        (redis("zpopmax", returns={"score": "y"}, output={"y": "number"}), "not reply"),
        (redis("zscore", value=1, returns={"into": "y"}, output={"y": "number"}), "reply is None"),
        (files("move", path="a", to="b"), "not content"),
        (files("move", path="a", to="b", returns=FOUND), ""),
        (files("list", output={"x": LIST}, returns={"into": "x"}), ""),
    ],
)
def test_what_is_needed_and_not_there_is_an_error(made: dict[str, Any], missing: str) -> None:
    assert judge(made) == []
    (operation,) = view(read(made)).operations
    assert operation.calls
    assert operation.calls.missing == missing


@pytest.mark.parametrize(
    ("made", "repeatable"),
    [
        (redis("set", value=1), True),
        (redis("set", value=1, if_absent=True, returns=FOUND), False),
        (redis("zadd", value=1, score=1), True),
        (redis("zincrby", value=1, returns={"into": "y"}, output={"y": "number"}), False),
        (redis("zpopmin", returns=FOUND), False),
        (files("exists", path="a", returns=FOUND), True),
        (files("move", path="a", to="b"), False),
    ],
)
def test_what_twice_does_no_harm_may_be_sent_again(made: dict[str, Any], *, repeatable: bool) -> None:
    (operation,) = view(read(made)).operations
    assert operation.idempotent is repeatable


def test_files_are_listed_at_the_root_or_below() -> None:
    output = {"x": LIST, "m": "integer", "ok": "boolean"}
    returns = {"into": "x", "count": "m", **FOUND}
    chosen = (
        (None, '""'),
        ("a/${input.id}", 'path_of("a/{}", request.id)'),
        ("a/${input.id:path}/b", 'path_of("a/{}/b", Spanning(request.id))'),
    )
    for path, code in chosen:
        made = files("list", output=output, returns=returns, **({"path": path} if path else {}))
        (operation,) = view(read(made)).operations
        assert operation.calls
        assert operation.calls.arguments == (("path", code),)
        told = {"x": "content or []", "m": "len(content or [])", "ok": "content is not None"}
        assert dict(operation.calls.results) == told
