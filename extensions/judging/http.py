"""Rules for HTTP: the APIs that a contract names, and the requests of its operations."""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Protocol

from ..deciding.decisions import INTEGRATIONS
from ..language import answers, filling, references, spelled
from ..language.contract import spell_out
from ..language.integrations import BODIES
from ..text import bodies
from ..text.problems import Path, Problem, did_you_mean, show
from ..text.specs import Specs, mapping_of
from . import absent

URLS = ("http://", "https://")
# What a part of the answer that is no JSON fills.
_TAKEN_BY = {"status": "integer", "text": "string", "bytes": "bytes"}
_OF_THE_CONNECTION = frozenset(
    {"connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
# A name in parentheses behind it is told as what was meant as a reference.
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}|\().{0,2}")
_UNNAMED: Path = ("integrations", "api_client")
_TAKEN = {"health_check"}.union(*((key, entry.setting) for key, entry in INTEGRATIONS.items()))


class Rules(Protocol):
    """The part of the rules for whole contracts that is needed here."""

    raw: Specs
    models: dict[str, Specs]
    unions: dict[str, Specs]
    operations: list[Specs]

    def clean(self, path: Path) -> bool:
        """Tell whether nothing at or below the path is wrong already."""


def clients(rules: Rules) -> Iterator[tuple[Path, Specs]]:
    """Yield the HTTP APIs that a contract says something about, and where that is."""
    integrations = mapping_of(rules.raw.get("integrations"))
    yield _UNNAMED, mapping_of(integrations.get("api_client"))
    for name, spec in mapping_of(integrations.get("apis")).items():
        yield ("integrations", "apis", name), mapping_of(spec)


def client_of(rules: Rules, spec: Specs) -> Specs:
    """Return what the contract says about the API that a request goes to."""
    integrations = mapping_of(rules.raw.get("integrations"))
    name = spec.get("api")
    return mapping_of(mapping_of(integrations.get("apis")).get(name) if name else integrations.get("api_client"))


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
        yield from _headers(rules, ("operations", index, "http"), mapping_of(operation.get("http")))


def _headers(rules: Rules, path: Path, holder: Specs) -> Iterator[Problem]:
    for name, value in mapping_of(holder.get("headers")).items():
        place: Path = (*path, "headers", name)
        if name.lower() in _OF_THE_CONNECTION:
            expected = "headers of the request; those of its length and its connection are written by the client"
            yield Problem(place, show(name), expected)
        if isinstance(value, str) and rules.clean(place) and not (value.isascii() and value.isprintable()):
            yield Problem(place, show(value), "printable ASCII, which is all that headers of HTTP carry")


def turned_off(rules: Rules, path: Path, spec: Specs) -> Iterator[Problem]:
    """Find requests to an API that the contract turns off, or that it does not have."""
    integrations = mapping_of(rules.raw.get("integrations"))
    named, name = mapping_of(integrations.get("apis")), spec.get("api")
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
    inputs, outputs = mapping_of(operation.get("input")), mapping_of(operation.get("output"))
    yield from _literal_path((*path, "path"), spec.get("path"))
    yield from _bodies(rules, path, spec, inputs)
    yield from _extract(rules, path, spec, outputs)
    yield from _not_found(path, spec, outputs)
    yield from _pages(rules, path, spec, outputs)
    extract, pages = mapping_of(spec.get("extract")), mapping_of(spec.get("pages"))
    filled = {*extract, spec.get("not_found"), pages.get("into"), pages.get("more")} - {None}
    # A status and headers are there whatever the answer says.
    says_nothing = all(isinstance(what, Mapping) and not what.keys() & {"text", "bytes"} for what in extract.values())
    silent = says_nothing and "pages" not in spec and "not_found" not in spec
    filler = filling.filler(filled, "http.extract", silent=silent)
    yield from filling.unfilled(path[:-1], operation, filler, rules.clean)


def _literal_path(place: Path, path: object) -> Iterator[Problem]:
    """Find what a path says that clients and servers read in different ways."""
    if not isinstance(path, str):
        return
    literal = "".join(part if isinstance(part, str) else "x" for part in references.parts(path))
    if literal.startswith("//"):
        yield Problem(place, show(path), "a path that starts with one /: what follows two is a host")
    elif {".", ".."} & set(literal.split("/")):
        yield Problem(place, show(path), "a path without . and .., which clients take out")
    elif found := _NO_ESCAPE.search(literal):
        yield Problem(place, f"{show(found[0])} in {show(path)}", "two hexadecimal digits after %", "%25 is a %")


def _bodies(rules: Rules, path: Path, spec: Specs, inputs: Specs) -> Iterator[Problem]:
    given = [key for key in BODIES if key in spec]
    if len(given) > 1:
        yield Problem((*path, given[1]), f"{' and '.join(given)}", "one body")
    if given and spec.get("method") in {"GET", "HEAD"}:
        yield Problem((*path, given[0]), f"a body of a {spec['method']} request", "none, or another method")
    if "omit_null" in spec and not {"body", "form", "multipart"} & set(given):
        expected = "a body, a form or parts, whose members may have no value"
        yield Problem((*path, "omit_null"), "omit_null without members", expected)
    stated = {name.lower() for name in mapping_of(spec.get("headers"))}
    for key in ("form", "multipart"):
        if key in given and "content-type" in stated:
            yield Problem((*path, "headers"), "a content type", f"none: {key} has one of its own")
    if given == ["body"]:
        yield from _body(path, spec, mapping_of(client_of(rules, spec).get("headers")), inputs)
    if isinstance(spec.get("bytes"), str) and _kind_of(spec["bytes"], rules, inputs) != "bytes":
        yield Problem((*path, "bytes"), show(spec["bytes"]), "a reference to an input field of type bytes")
    for name, part in mapping_of(spec.get("multipart")).items():
        content = mapping_of(part).get("content")
        if isinstance(content, str) and not spec.get("omit_null") and absent.may_be_null(content, inputs, rules.models):
            hint = "omit_null: true leaves the part out"
            yield Problem((*path, "multipart", name, "content"), "content that may be null", "a value for a file", hint)


def _kind_of(text: str, rules: Rules, inputs: Specs) -> str:
    """Return the type of the input field that a text is a reference to; empty where it is none."""
    found = references.parts(text)
    whole = found[0] if len(found) == 1 else None
    if not isinstance(whole, references.Reference) or whole.source != "input":
        return ""
    return references.kind_at(whole.name, inputs, rules.models)


def _body(path: Path, spec: Specs, headers: Specs, inputs: Specs) -> Iterator[Problem]:
    body = spec["body"]
    stated = bodies.content_type(headers, mapping_of(spec.get("headers")))
    if bodies.is_json(stated):
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


def _extract(rules: Rules, path: Path, spec: Specs, outputs: Specs) -> Iterator[Problem]:
    for name, what in mapping_of(spec.get("extract")).items():
        place = (*path, "extract", name)
        if name not in outputs:
            yield Problem(place, f"the unknown field {show(name)}", "an output field", did_you_mean(name, outputs))
        if isinstance(what, str):
            wrong = list(_json_path(place, what))
            yield from wrong
            own = str(spell_out(outputs[name]).get("type")) if name in outputs else ""
            if not wrong and own not in {"", "array"} and answers.takes_many(what):
                hint = "[0] takes the first, [?@.name == 'a'] those that are meant, and an array takes all"
                yield Problem(place, f"{show(what)}, which leads to many values", f"a path to one {own}", hint)
        kind = next(iter(mapping_of(what)), "json")
        if spec.get("method") == "HEAD" and kind not in {"header", "status"}:
            yield Problem(place, "an answer to HEAD", "a header or the status: such an answer has no body")
        long = spell_out(outputs[name]) if name in outputs else {}
        own = str(long.get("type"))
        expected = _TAKEN_BY.get(kind)
        if kind == "header" and name in outputs:
            many = own in {"object", "array", "bytes"} or own in rules.models or own in rules.unions
            expected = "an output field of a single value, such as text or a number" if many else None
        elif expected and (own == expected or name not in outputs):
            expected = None
        elif expected:
            expected = f"an output field of type {expected}"
        if expected:
            yield Problem(place, f"{name}, which is of type {own}", expected)


def _json_path(place: Path, text: str) -> Iterator[Problem]:
    import jsonpath  # noqa: PLC0415  # takes a fifth of the time to import all of this, and few contracts have paths

    try:
        jsonpath.compile(text)
    except (jsonpath.JSONPathError, RecursionError) as error:
        yield Problem(place, show(text), "a JSONPath", str(error).splitlines()[0][:200])
    else:
        if (found := next(spelled.references(text), None)) is not None:
            hint = "paths into answers are the same for every request"
            yield Problem(place, f"{show(found)}, which is not filled in", "a JSONPath without references", hint)


def _not_found(path: Path, spec: Specs, outputs: Specs) -> Iterator[Problem]:
    if "not_found" not in spec:
        return
    place, name = (*path, "not_found"), spec["not_found"]
    yield from _target(place, name, "boolean", outputs)
    if HTTPStatus.NOT_FOUND in (spec.get("success") or ()):
        yield Problem((*path, "success"), "404, which not_found is about", "the statuses of what is there")
    for other, what in mapping_of(spec.get("extract")).items():
        if other == name:
            yield Problem((*path, "extract", other), f"{other}, which not_found fills", "another output field")
        elif other in outputs and not (filling.may_be_null(outputs[other]) or "status" in mapping_of(what)):
            expected = f"required: false, since there is none where {name} is false"
            yield Problem((*path[:-1], "output", other), f"{other}, which is required", expected)


def _pages(rules: Rules, path: Path, spec: Specs, outputs: Specs) -> Iterator[Problem]:
    pages = spec.get("pages")
    if not isinstance(pages, Mapping):
        return
    place = (*path, "pages")
    if spec.get("method") != "GET":
        yield Problem(place, f"pages of a {spec.get('method')} request", "GET")
    for key in ("extract", "not_found"):
        if key in spec:
            yield Problem((*path, key), f"{key} beside pages", "pages alone, which fill the output")
    given = mapping_of(pages.get("next"))
    ways = [way for way in (("link",), ("cursor", "parameter"), ("page",)) if set(given) - {"first"} == set(way)]
    if not ways or ("first" in given and "page" not in given):
        expected = "link; cursor and parameter; or page, and first where it is not 1"
        yield Problem((*place, "next"), ", ".join(given), expected)
    for inner, text in (((*place, "next", "cursor"), given.get("cursor")), ((*place, "items"), pages.get("items"))):
        if isinstance(text, str) and rules.clean(inner):
            yield from _json_path(inner, text)
    for key, kind in (("into", "array"), ("more", "boolean")):
        if key in pages:
            yield from _target((*place, key), pages[key], kind, outputs)


def _target(place: Path, name: object, kind: str, outputs: Specs) -> Iterator[Problem]:
    expected = f"an output field of type {kind}"
    if name not in outputs:
        yield Problem(place, show(name), expected, did_you_mean(str(name), outputs))
    elif spell_out(outputs[str(name)]).get("type") != kind:
        yield Problem(place, show(name), expected)
