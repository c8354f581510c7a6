"""What a contract may ask of callers."""

from typing import Any

import pytest

from extensions.judging.callers import is_safe
from extensions.judging.judge import judge

BEARER = {"issuer": "https://a.example/", "audience": "n", "jwks_url": "https://a.example/keys"}


def contract(auth: object, **operation: object) -> dict[str, Any]:
    done = {"name": "do_it", "handler": "custom", "input": {}, "output": {}, **operation}
    return {
        "name": "n",
        "package": "p",
        "node_type": "effect",
        "operations": [done],
        **({"service": {"auth": auth}} if auth is not None else {}),
    }


@pytest.mark.parametrize(
    "auth", [None, "none", {"api_keys": True}, {"api_keys": {}, "metrics_scopes": []}, {"bearer": BEARER}]
)
def test_what_may_be_asked(auth: object) -> None:
    assert judge(contract(auth)) == []


@pytest.mark.parametrize("scope", ["orders:write", "https://x.example/.default", "a", "A-1_~@*+/b"])
def test_scopes_that_may_be(scope: str) -> None:
    assert judge(contract({"api_keys": True}, scopes=[scope])) == []


@pytest.mark.parametrize(
    ("auth", "operation", "place"),
    [
        (None, {"scopes": ["a"]}, "operations[0].scopes"),
        ("none", {"scopes": ["a"]}, "operations[0].scopes"),
        ("nobody", {}, "service.auth"),
        ({}, {}, "service.auth"),
        ({"metrics_scopes": ["a"]}, {}, "service.auth"),
        ({"api_keys": False}, {}, "service.auth"),
        ({"api_keys": {"header": "authorization"}}, {}, "service.auth.api_keys.header"),
        ({"api_keys": {"header": "a b"}}, {}, "service.auth.api_keys.header"),
        ({"api_keys": True, "metrics_scopes": ["a b"]}, {}, "service.auth.metrics_scopes[0]"),
        ({"bearer": {**BEARER, "issuer": "http://a.example/"}}, {}, "service.auth.bearer.issuer"),
        ({"bearer": {**BEARER, "jwks_url": "http://a.example/k"}}, {}, "service.auth.bearer.jwks_url"),
        ({"bearer": {**BEARER, "jwks_url": "https://u:w@a.example/k"}}, {}, "service.auth.bearer.jwks_url"),
        ({"bearer": {**BEARER, "audience": []}}, {}, "service.auth.bearer.audience"),
        ({"bearer": {**BEARER, "clock_skew_seconds": 301}}, {}, "service.auth.bearer.clock_skew_seconds"),
        *(
            ({"bearer": {**BEARER, "algorithms": [name]}}, {}, "service.auth.bearer.algorithms[0]")
            for name in ("none", "HS256", "HS512", "rs256")
        ),
        *(
            ({"api_keys": True}, {"scopes": [scope]}, "operations[0].scopes[0]")
            for scope in ("", "a b", 'a"b', "a\\b", "é", "a'b", "a,b", "$(a)", "a\n")
        ),
    ],
)
def test_what_may_not(auth: object, operation: dict[str, Any], place: str) -> None:
    assert [problem.place for problem in judge(contract(auth, **operation))] == [place]


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://login.example.com/", True),
        ("http://127.0.0.1:8080/keys", True),
        ("http://localhost/keys", True),
        ("http://[::1]/keys", True),
        ("http://login.example.com/", False),
        ("http://127.0.0.1.example.com/", False),
        ("http://localhost@example.com/", False),
        ("https://user:word@example.com/", False),
        ("ftp://127.0.0.1/", False),
        ("https://", False),
        ("http://[::1", False),
    ],
)
def test_keys_come_from_whom_a_url_names(url: str, safe: bool) -> None:
    assert is_safe(url) is safe
