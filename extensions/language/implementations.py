"""What operations do with integrations, built from a contract."""

from collections.abc import Mapping
from typing import Any

from . import sql
from .contract import MISSING
from .integrations import (
    BODIES,
    Database,
    Filesystem,
    Http,
    Kafka,
    Pages,
    Redis,
    Returns,
    SentAs,
    Statement,
    Taken,
)

# Keys of commands of Redis whose values are taken as they are.
_OF_REDIS = ("if_absent", "score", "start", "stop", "index", "min", "max", "limit", "reverse")


def database(spec: Mapping[str, Any]) -> Database:
    """Return the statement, or the statements of one transaction that a contract has."""
    query = spec.get("query", "")
    returns = spec.get("returns", {})
    into, count = returns.get("into"), returns.get("count")
    statements = tuple(_statement(item) for item in spec.get("statements", ()))
    return Database(
        query=query,
        parameters=tuple(spec.get("parameters", ())),
        returns=Returns(
            rows=returns.get("rows") or ("one" if sql.returns_rows(query) else "none"),
            into=None if statements else into,
            found=returns.get("found"),
            count=None if statements else count,
        ),
        transaction=spec.get("transaction", True),
        asks_for_transaction=spec.get("transaction", False),
        reads_only=all(sql.reads_only(item.query) for item in statements) if statements else sql.reads_only(query),
        statements=statements,
        into=dict(into or {}) if statements else {},
        counts=dict(count or {}) if statements else {},
    )


def _statement(spec: Mapping[str, Any]) -> Statement:
    query = spec["query"]
    return Statement(
        name=spec["name"],
        query=query,
        parameters=tuple(spec.get("parameters", ())),
        rows=spec.get("rows") or ("one" if sql.returns_rows(query) else "none"),
        required="require" in spec,
        savepoint=spec.get("savepoint", False),
    )


def http(spec: Mapping[str, Any]) -> Http:
    """Return the request that a contract has."""
    sent_as: SentAs = next((kind for kind in BODIES if kind in spec), "body")
    return Http(
        api=spec.get("api", ""),
        method=spec["method"],
        path=spec["path"],
        query=dict(spec.get("query", {})),
        headers=dict(spec.get("headers", {})),
        body=spec.get(sent_as, MISSING),
        sent_as=sent_as,
        omit_null=spec.get("omit_null", False),
        success=tuple(spec.get("success", ())),
        not_found=spec.get("not_found"),
        extract={name: _taken(what) for name, what in spec.get("extract", {}).items()},
        pages=_pages(spec["pages"]) if "pages" in spec else None,
    )


def _taken(spec: str | Mapping[str, Any]) -> Taken:
    if isinstance(spec, str):
        return Taken("json", spec)
    if "header" in spec:
        return Taken("header", spec["header"])
    return Taken("status" if "status" in spec else "text" if "text" in spec else "bytes")


def _pages(spec: Mapping[str, Any]) -> Pages:
    following = spec["next"]
    return Pages(
        link=following.get("link", ""),
        cursor=following.get("cursor", ""),
        parameter=following.get("parameter", following.get("page", "")),
        first=following.get("first", 1),
        items=spec["items"],
        into=spec["into"],
        more=spec.get("more"),
        at_most=spec["at_most"],
    )


def kafka(spec: Mapping[str, Any]) -> Kafka:
    """Return the message that a contract has."""
    return Kafka(spec["topic"], spec.get("key"), spec.get("payload", MISSING), dict(spec.get("headers", {})))


def redis(spec: Mapping[str, Any]) -> Redis:
    """Return the command that a contract has."""
    returns = spec.get("returns", {})
    into = returns.get("into")
    return Redis(
        command=spec["command"],
        key=spec["key"],
        field=spec.get("field"),
        value=spec.get("value", MISSING),
        amount=spec.get("amount"),
        ttl_seconds=spec.get("ttl_seconds"),
        into=into if isinstance(into, str) else None,
        into_keys=tuple(into) if isinstance(into, list) else (),
        found=returns.get("found"),
        count=returns.get("count"),
        returns=bool(returns),
        score_into=returns.get("score"),
        **{key: spec[key] for key in _OF_REDIS if key in spec},
    )


def filesystem(spec: Mapping[str, Any]) -> Filesystem:
    """Return the action on a file that a contract has."""
    returns = spec.get("returns", {})
    return Filesystem(
        action=spec["action"],
        path=spec.get("path", ""),
        content=spec.get("content", MISSING),
        into=returns.get("into"),
        found=returns.get("found"),
        to=spec.get("to"),
        count=returns.get("count"),
    )
