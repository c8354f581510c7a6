"""What templates are handed about a request to an HTTP API, and about what is taken of its answer."""

import json
import re
from collections.abc import Iterator, Mapping

from ..language import answers, names, samples
from ..language.contract import MISSING, Contract, Field, Operation
from ..language.integrations import Http, Pages, Taken
from ..language.references import Reference, Resolver, parts
from ..text import bodies, encode
from ..text.encode import Call, Code
from .call import CallView, block, needed, others

_IDEMPOTENT_METHODS = ("GET", "HEAD", "PUT", "DELETE")
# How the adapter calls what a request carries, where that is no JSON.
_SENT_AS = {"form": "form", "multipart": "parts", "text": "plain", "bytes": "plain"}


def request(contract: Contract, operation: Operation, resolver: Resolver) -> CallView:
    """Return the request that an operation makes.

    Args:
        contract: The contract.
        operation: One of its operations, which makes one.
        resolver: Makes code of references.
    """
    spec = operation.http
    assert spec is not None  # noqa: S101 - the caller looked
    idempotent = operation.idempotent if operation.idempotent is not None else spec.method in _IDEMPOTENT_METHODS
    results, paths = _results(operation, spec)
    silent = not spec.takes_body and spec.not_found is None
    rest = others(operation, {name for name, _ in results}, silent=silent)
    whole = spec.pages is not None or spec.not_found is not None or any(t.of != "json" for t in spec.extract.values())
    headers = {name: what.where for name, what in spec.extract.items() if what.of == "header"}
    return CallView(
        kind="http",
        adapter=spec.adapter,
        arguments=tuple(_arguments(contract, spec, resolver, idempotent=idempotent)),
        paths=paths,
        results=(*results, *rest),
        reply="answer" if results else "",
        document=whole and spec.pages is None and bool(paths),
        asks="ask" if whole else "send",
        headers=tuple((header, _header_value(contract, operation, name)) for name, header in headers.items()),
        not_found=spec.not_found or "",
        paging=tuple(_paging(spec.pages)) if spec.pages else (),
        missing="",
        idempotent=idempotent,
        answer=answers.answer(contract, operation),
        topic="",
        command=spec.method,
        status=min(spec.success, default=200),
        route="".join(
            ("[^?]+" if part.spans else "[^/]+") if isinstance(part, Reference) else re.escape(part)
            for part in parts(spec.path)
        ),
    )


def _arguments(contract: Contract, spec: Http, resolver: Resolver, *, idempotent: bool) -> Iterator[tuple[str, str]]:
    yield "method", encode.py(spec.method)
    yield "path", resolver.text(spec.path, "segment")
    headers: dict[str, object] = {key: resolver.value(value) for key, value in spec.headers.items()}
    stated = {name.lower() for name in (*spec.headers, *contract.clients[spec.adapter].headers)}
    if any(taken.of in {"text", "bytes"} for taken in spec.extract.values()) and "accept" not in stated:
        headers["Accept"] = "*/*"
    query = {key: resolver.value(value) for key, value in spec.query.items()}
    yield from ((name, block(values)) for name, values in (("query", query), ("headers", headers)) if values)
    if spec.body is not MISSING:
        yield "body", block(_body(contract, spec, resolver))
        if spec.sent_as in _SENT_AS:
            yield "sent_as", encode.py(_SENT_AS[spec.sent_as])
    if spec.success:
        yield "success", f"frozenset({{{', '.join(str(code) for code in sorted(spec.success))}}})"
    if spec.not_found is not None:
        yield "not_found", "True"
    if not spec.takes_body:
        yield "reads", "False"
    if idempotent:
        yield "idempotent", "True"


def _body(contract: Contract, spec: Http, resolver: Resolver) -> object:
    if spec.sent_as == "text":
        return Code(resolver.text(spec.body))
    if spec.sent_as == "multipart":
        parts_of = {name: _part(part, resolver) for name, part in spec.body.items()}
        return Call("given", parts_of) if spec.omit_null else parts_of
    stated = bodies.content_type(contract.clients[spec.adapter].headers, spec.headers)
    if spec.sent_as == "body" and isinstance(spec.body, str) and not bodies.is_json(stated):
        whole = parts(spec.body)
        if len(whole) == 1 and isinstance(whole[0], Reference):
            return resolver.value(spec.body)
        return Code(resolver.text(spec.body, "form" if bodies.is_form(stated) else "text"))
    body = resolver.value(spec.body)
    if not spec.omit_null:
        return body
    return Call("given", body) if isinstance(body, Code) else _given(body)


def _part(part: object, resolver: Resolver) -> object:
    if not isinstance(part, Mapping):
        return resolver.value(part)
    given = [encode.py(resolver.value(part["content"]))]
    given += [f"{key}={encode.py(resolver.value(part[key]))}" for key in ("filename", "content_type") if key in part]
    return Code(f"FilePart({', '.join(given)})")


def _given(value: object) -> object:
    """Return a body whose mappings leave out what has no value, and keep each null that the contract says."""
    if isinstance(value, Mapping):
        members = {name: Code("Null()") if item is None else _given(item) for name, item in value.items()}
        return Call("given", members)
    return [_given(item) for item in value] if isinstance(value, list) else value


def _results(
    operation: Operation, spec: Http
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str, str, bool, bool], ...]]:
    """Return pairs of output field and code of its value, and the JSONPaths that these use."""
    fields = {field.name: field for field in operation.output}
    if pages := spec.pages:
        many = answers.keys_of(pages.items) is None
        paths = [("ITEMS_PATH", pages.items, pages.into, not many, many)]
        paths += [("CURSOR_PATH", pages.cursor, "", False, False)] if pages.cursor else []
        more = [(pages.more, "answer.more")] if pages.more else []
        return ((pages.into, "answer.items"), *more), tuple(paths)
    found: list[tuple[str, str]] = [(spec.not_found, "answer.found")] if spec.not_found else []
    taken: list[tuple[str, str, str, bool, bool]] = []
    whole = spec.not_found is not None or any(what.of != "json" for what in spec.extract.values())
    for name, what in spec.extract.items():
        required = needed(fields[name])
        if what.of == "json":
            many = _takes_all(what.where, fields[name])
            constant = names.constant(f"{name}_path")
            taken.append((constant, what.where, name, required, many))
            function = f"{'every' if many else 'first'}{'' if required else '_or_none'}"
            code = _extracted(name, function, constant, "document" if whole else "answer")
        else:
            code = _part_of_answer(what, required=required)
            absent = spec.not_found and what.of in {"text", "bytes"}
            code = f"{code} if answer.found else None" if absent else code
        found.append((name, code))
    return tuple(found), tuple(taken)


def _part_of_answer(what: Taken, *, required: bool) -> str:
    if what.of == "header":
        return f"answer.header{'' if required else '_or_none'}({encode.py(what.where)})"
    return {"status": "answer.status", "text": "answer.text()"}.get(what.of, "answer.base64()")


def _paging(pages: Pages) -> Iterator[str]:
    """Yield how pages follow each other, as code, and further arguments of what gathers them."""
    if pages.link:
        yield f"LinkedPages({encode.py(pages.link)})"
    elif pages.cursor:
        yield f"CursorPages(CURSOR_PATH, {encode.py(pages.parameter)})"
    else:
        yield f"NumberedPages({encode.py(pages.parameter)}{'' if pages.first == 1 else f', {pages.first}'})"
    yield "items=ITEMS_PATH"
    yield f"at_most={pages.at_most}"
    if answers.keys_of(pages.items) is None:
        yield "many=True"


def _header_value(contract: Contract, operation: Operation, name: str) -> str:
    value = (samples.output(contract, operation) or {}).get(name)
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _extracted(name: str, function: str, path: str, answer: str) -> str:
    """Return code that finds a value in an answer, as it is laid out where a handler returns its output."""
    code = f"{function}({path}, {answer})"
    if encode.width(f'{" " * 16}"{name}": {code},') <= encode.LINE_LENGTH:
        return code
    return f"{function}(\n{' ' * 20}{path}, {answer}\n{' ' * 16})"


def _takes_all(path: str, field: Field) -> bool:
    return field.kind == "array" and answers.keys_of(path) is None
