"""Rules for HTTP: the APIs that a contract names, and the requests of its operations."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from ..deciding.decisions import INTEGRATIONS
from ..language import filling, references
from ..language.contract import spell_out
from ..text import bodies
from ..text.problems import Path, Problem, did_you_mean, show

type Specs = Mapping[str, Any]

URLS = ("http://", "https://")
_UNNAMED: Path = ("integrations", "api_client")
_TAKEN = {"health_check"}.union(*((key, entry.setting) for key, entry in INTEGRATIONS.items()))


class Rules(Protocol):
    """The part of the rules for whole contracts that is needed here."""

    raw: Specs
    models: dict[str, Specs]
    operations: list[Specs]

    def clean(self, path: Path) -> bool:
        """Tell whether nothing at or below the path is wrong already."""


def clients(rules: Rules) -> Iterator[tuple[Path, Specs]]:
    """Yield the HTTP APIs that a contract says something about, and where that is."""
    integrations = _mapping(rules.raw.get("integrations"))
    yield _UNNAMED, _mapping(integrations.get("api_client"))
    for name, spec in _mapping(integrations.get("apis")).items():
        yield ("integrations", "apis", name), _mapping(spec)


def client_of(rules: Rules, spec: Specs) -> Specs:
    """Return what the contract says about the API that a request goes to."""
    integrations = _mapping(rules.raw.get("integrations"))
    name = spec.get("api")
    return _mapping(_mapping(integrations.get("apis")).get(name) if name else integrations.get("api_client"))


def apis(rules: Rules) -> Iterator[Problem]:
    """Find what is wrong with the HTTP APIs of a contract, and with the headers of requests, beyond their schemas."""
    for path, spec in clients(rules):
        if rules.clean(path):
            yield from references.problems(path, spec, ("env", "secret"), lambda _: None)
        name = path[-1]
        if path != _UNNAMED and (name in _TAKEN or str(name).endswith("_health_check")):
            yield Problem(path, f"an API with the name {show(name)}", "a name that nothing else in the node has")
        yield from _headers(rules, path, spec)
    for index, operation in enumerate(rules.operations):
        yield from _headers(rules, ("operations", index, "http"), _mapping(operation.get("http")))


def _headers(rules: Rules, path: Path, holder: Specs) -> Iterator[Problem]:
    for name, value in _mapping(holder.get("headers")).items():
        place: Path = (*path, "headers", name)
        if isinstance(value, str) and rules.clean(place) and not (value.isascii() and value.isprintable()):
            yield Problem(place, show(value), "printable ASCII, which is all that headers of HTTP carry")


def turned_off(rules: Rules, path: Path, spec: Specs) -> Iterator[Problem]:
    """Find requests to an API that the contract turns off, or that it does not have."""
    integrations = _mapping(rules.raw.get("integrations"))
    named, name = _mapping(integrations.get("apis")), spec.get("api")
    if isinstance(name, str) and name not in named:
        expected = f"one of integrations.apis: {', '.join(named)}" if named else "an API of integrations.apis"
        yield Problem((*path, "api"), show(name), expected, did_you_mean(name, named))
    elif name is None and integrations.get("api_client") is False:
        yield Problem(path, "a use of http", "another implementation, since integrations.api_client is false")
    elif name is None and named and "api_client" not in integrations:
        expected = f"one of integrations.apis: {', '.join(named)}"
        yield Problem((*path, "api"), "nothing", expected, "integrations.api_client is for requests without it")


def request(rules: Rules, path: Path, spec: Specs, operation: Specs, _find: object) -> Iterator[Problem]:
    """Find what is wrong with a request beyond its schema.

    Args:
        rules: The rules for the whole contract.
        path: Where the request is.
        spec: The request, as far as it meets its schema.
        operation: The operation.

    Yields:
        The problems.
    """
    import jsonpath  # noqa: PLC0415  # takes a fifth of the time to import all of this, and few contracts have paths

    extract, outputs = _mapping(spec.get("extract")), _mapping(operation.get("output"))
    if "body" in spec and spec.get("method") in {"GET", "HEAD"}:
        yield Problem((*path, "body"), f"a body of a {spec['method']} request", "none, or another method")
    for name, text in extract.items():
        place = (*path, "extract", name)
        if name not in outputs:
            yield Problem(place, f"the unknown field {show(name)}", "an output field", did_you_mean(name, outputs))
        if isinstance(text, str):
            try:
                jsonpath.compile(text)
            except (jsonpath.JSONPathError, RecursionError) as error:
                yield Problem(place, show(text), "a JSONPath", str(error).splitlines()[0][:200])
    if "extract" in spec and spec.get("method") == "HEAD":
        yield Problem((*path, "extract"), "an answer to HEAD", "none: such an answer has no body")
    filler = filling.filler(extract, "http.extract", silent="extract" not in spec)
    yield from filling.unfilled(path[:-1], operation, filler, rules.clean)
    yield from _body(path, spec, _mapping(client_of(rules, spec).get("headers")), _mapping(operation.get("input")))


def _body(path: Path, spec: Specs, headers: Specs, inputs: Specs) -> Iterator[Problem]:
    body = spec.get("body")
    if "omit_null" in spec and "body" not in spec:
        yield Problem((*path, "omit_null"), "omit_null without a body", "a body whose members may have no value")
    stated = bodies.content_type(headers, _mapping(spec.get("headers")))
    if "body" not in spec or bodies.is_json(stated):
        return
    if spec.get("omit_null"):
        yield Problem(
            (*path, "omit_null"), f"omit_null for a body of type {stated}", "none: such a body has no members"
        )
    found = references.parts(body) if isinstance(body, str) else []
    whole = found[0] if len(found) == 1 and isinstance(found[0], references.Reference) else None
    known = whole is not None and whole.source == "input" and "." not in whole.name and whole.name in inputs
    kind = str(spell_out(inputs[whole.name]).get("type")) if whole and known else "string"
    if not isinstance(body, str) or kind not in {"string", "bytes"}:
        yield Problem((*path, "body"), show(body), f"text, or a reference to text or bytes: {stated} is not JSON")


def _mapping(value: object) -> Specs:
    return value if isinstance(value, Mapping) else {}
