"""A description of an HTTP API in OpenAPI 3 becomes an effect node: an operation for each of its own."""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..judging.judge import judge
from ..language import names
from .adopted import Adopted
from .fitting import fit, prune
from .reference import At, BrokenError, opened
from .schemas import Schemas
from .vocabulary import Vocabulary, field_name, short, text, unique, word

MOST = 300
_METHODS = ("get", "head", "post", "put", "patch", "delete")
_JSON = re.compile(r"application/(.+\+)?json\b|\*/\*")
_OK = re.compile(r"2(\d\d|XX)")


def adopt(path: Path, package: str | None = None, operations: Collection[str] = (), tag: str | None = None) -> Adopted:
    """Return the contract of an effect node for an API.

    Args:
        path: The document: OpenAPI 3.0 or 3.1, as JSON or YAML.
        package: The node's package; when left out, it is called after the API.
        operations: Which operations to take, by their `operationId` or their name in the contract; all when empty.
        tag: Take those with this tag only.

    Returns:
        The contract, with an operation for each that was taken.

    Raises:
        BrokenError: When the document can't be read, is no OpenAPI 3, or does not have what was asked for.
        OSError: When there is no such file.
    """
    document = opened(path)
    root = document.value
    version = root.get("openapi") if isinstance(root, Mapping) else None
    if (
        not isinstance(version, str)
        or not version.startswith(("3.0", "3.1"))
        or not isinstance(root.get("paths"), Mapping)
    ):
        raise BrokenError(
            f"{path}:1:1: found no OpenAPI 3.0 or 3.1, expected the key openapi with its version, and paths"
        )
    return _Importing(document, path).run(package, operations, tag)


class _Importing:
    def __init__(self, document: At, path: Path) -> None:
        self.document = document
        self.root: Mapping[str, Any] = document.value
        self.vocabulary = Vocabulary()
        self.schemas = Schemas(self.vocabulary)
        head = (f"Made of {path.name} by import-openapi.",)
        self.adopted = Adopted({}, notes=self.vocabulary.notes, head=head)
        info = self.root.get("info")
        self.info: Mapping[str, Any] = info if isinstance(info, Mapping) else {}
        self.name = word(str(self.info.get("title") or path.stem), "api")
        self.query: dict[str, str] = {}

    def run(self, package: str | None, wanted: Collection[str], tag: str | None) -> Adopted:
        if tag is not None:
            self.name = word(f"{self.name[:20]}_{tag}", "api")
        found = self.chosen(wanted, tag)
        for file in ("request", "response", "settings", "step_event"):
            self.vocabulary.reserve([f"model_{self.name}_{file}"])
        self.vocabulary.reserve([f"enum_{self.name}_operation", f"handler_{self.name}_effect"])
        for name in found:
            self.vocabulary.reserve(
                [f"handler_{name}", *(f"model_{name}_{part}" for part in ("input", "output", "event"))]
            )
        client = self.client()
        operations = [self.operation(name, *entry) for name, entry in found.items()]
        version = str(self.info.get("version", ""))
        contract: dict[str, Any] = {"name": self.name, "node_type": "effect"}
        contract["version"] = version if re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version) else "1.0.0"
        contract["package"] = package or f"{self.name}_nodes"
        if words := text(self.info.get("description") or self.info.get("title") or ""):
            contract["description"] = words
        contract |= {"enums": self.vocabulary.enums, "models": self.vocabulary.models}
        contract |= {"integrations": {"api_client": client}, "operations": operations}
        self.adopted.contract.update({key: value for key, value in contract.items() if value})
        self.by_hand()
        prune(self.adopted.contract)
        for problem in fit(self.adopted):
            if not problem.path:
                raise BrokenError(f"paths: {problem} (choose some with --operations or --tag)")
            self.vocabulary.note(problem.place, f"problem: {problem}")
        prune(self.adopted.contract)
        return self.adopted

    def chosen(self, wanted: Collection[str], tag: str | None) -> dict[str, tuple[str, str, At, At]]:
        found: dict[str, tuple[str, str, At, At]] = {}
        known: set[str] = set()
        for path, method, item, operation in self.listed():
            given = operation.held("operationId", str)
            name = unique(word(str(given or f"{method} {path}"), "operation"), found)
            name = f"{name}_operation" if name == f"{self.name}_effect" else name
            known |= {str(given), name}
            tags = operation.held("tags", list)
            if (not wanted or given in wanted or name in wanted) and (tag is None or tag in tags):
                found[name] = (path, method, item, operation)
        if missing := [one for one in wanted if one not in known]:
            raise BrokenError(
                "\n".join(f"operations: found no {one!r}, expected an operationId of the document" for one in missing)
            )
        if not found:
            raise BrokenError("paths: found no operation that is asked for, expected at least one")
        if len(found) > MOST:
            hint = "choose some with --operations or --tag"
            raise BrokenError(f"paths: found {len(found)} operations, expected at most {MOST} in a node ({hint})")
        return found

    def listed(self) -> Iterator[tuple[str, str, At, At]]:
        for path in self.root["paths"]:
            item = self.document.below("paths", path).followed()
            for method in _METHODS:
                if isinstance(item.value, Mapping) and isinstance(item.value.get(method), Mapping):
                    yield str(path), method, item, item.below(method)

    def client(self) -> dict[str, Any]:
        """Return where the API is, and how it knows who asks."""
        constant = names.constant(self.name)
        servers = self.root.get("servers")
        url = (
            str(servers[0].get("url", ""))
            if isinstance(servers, list) and servers and isinstance(servers[0], Mapping)
            else ""
        )
        variables = servers[0].get("variables") or {} if url and isinstance(servers, list) else {}
        for name, spec in variables.items() if isinstance(variables, Mapping) else ():
            url = url.replace(f"{{{name}}}", str(spec.get("default", "")) if isinstance(spec, Mapping) else "")
        if not re.fullmatch(r"https?://[^\s{}$]+", url):
            self.vocabulary.note("servers", f"no whole URL: {constant}_URL of the environment says where the API is")
            url = f"${{env.{constant}_URL}}"
        headers: dict[str, str] = {}
        required = self.root.get("security")
        first = required[0] if isinstance(required, list) and required and isinstance(required[0], Mapping) else None
        components = self.root.get("components")
        schemes = components.get("securitySchemes") if isinstance(components, Mapping) else None
        for name in schemes if isinstance(schemes, Mapping) and first is None else first or ():
            if not isinstance(schemes, Mapping) or name not in schemes:
                continue
            scheme = self.document.below("components", "securitySchemes", name).followed().value
            secret = f"${{secret.{constant}_{names.constant(str(name))}}}"
            match scheme:
                case {"type": "apiKey", "in": "header", "name": str(header)}:
                    headers.setdefault(header, secret)
                case {"type": "apiKey", "in": "query", "name": str(parameter)}:
                    self.query[parameter] = secret
                case {"type": "http", "scheme": str(kind)} if kind.lower() == "basic":
                    headers.setdefault("Authorization", f"Basic {secret}")
                    self.vocabulary.note(f"securitySchemes.{name}", "the secret is user:password in base64")
                case {"type": "http" | "oauth2" | "openIdConnect"}:
                    headers.setdefault("Authorization", f"Bearer {secret}")
                case _:
                    self.vocabulary.note(f"securitySchemes.{name}", "not carried over")
        if first is None and len(headers) + len(self.query) > 1:
            self.vocabulary.note("securitySchemes", "the document requires none of them for all; see which are needed")
        return {"base_url": url} | ({"headers": headers} if headers else {})

    def operation(self, name: str, path: str, method: str, item: At, at: At) -> dict[str, Any]:
        spec = at.value
        inputs: dict[str, Any] = {}
        http: dict[str, Any] = {"method": method.upper(), "path": path}
        query: dict[str, Any] = dict(self.query)
        headers: dict[str, Any] = {}
        by_hand: list[str] = []
        for parameter in self.parameters(item, at):
            self.parameter(name, parameter, inputs, http, {"query": query, "header": headers})
        if "requestBody" in spec:
            self.body(name, at.below("requestBody").followed(), inputs, http, by_hand)
        output, extract, codes = self.answer(name, at, by_hand)
        http |= {place: values for place, values in (("query", query), ("headers", headers)) if values}
        if codes:
            http["success"] = codes
        if extract:
            http["extract"] = extract
        result: dict[str, Any] = {"name": name}
        if words := text(spec.get("description") or spec.get("summary") or ""):
            result["description"] = words
        result |= {key: value for key, value in (("input", inputs), ("output", output)) if value}
        if errors := {
            code: text(response.get("description") or "")
            for code, response in at.held("responses", dict).items()
            if isinstance(response, Mapping) and not _OK.fullmatch(str(code))
        }:
            self.adopted.keep(name, "errors", errors)
        if by_hand:
            self.hand(name, by_hand, http)
            return result | {"handler": "custom"}
        return result | {"http": http}

    def parameter(
        self, name: str, at: At, inputs: dict[str, Any], http: dict[str, Any], places: Mapping[str, dict[str, Any]]
    ) -> None:
        """Turn a parameter into an input field, and put a reference to it where it goes."""
        value = at.value
        outside, where = str(value["name"]), str(value["in"])
        if where not in {"path", *places} or outside.lower() in {"authorization", "accept", "content-type"}:
            self.adopted.keep(name, f"{where} {outside}", text(value.get("description") or "left out"))
            return
        made, _ = field_name(outside, inputs)
        schema = at.below("schema") if "schema" in value else At({"type": "string"}, None)
        field = self.schemas.type_of(schema, names.pascal(f"{name}_{made}"))
        if isinstance(words := value.get("description"), str) and words.strip():
            field["description"] = text(words)
        if where == "path":
            field.pop("required", None)
        elif not value.get("required") and "default" not in field:
            field["required"] = False
        inputs[made] = short(field)
        if where == "path":
            http["path"] = http["path"].replace(f"{{{outside}}}", f"${{input.{made}}}")
        else:
            places[where][outside] = f"${{input.{made}}}"

    def parameters(self, item: At, at: At) -> list[At]:
        """Return the parameters of an operation and of its path, the operation's own first."""
        found: dict[tuple[str, str], At] = {}
        for holder in (at, item):
            for index in range(len(holder.held("parameters", list))):
                one = holder.below("parameters", index).followed()
                if isinstance(one.value, Mapping) and {"name", "in"} <= one.value.keys():
                    found.setdefault((str(one.value["in"]), str(one.value["name"])), one)
        return list(found.values())

    def body(self, name: str, at: At, inputs: dict[str, Any], http: dict[str, Any], by_hand: list[str]) -> None:
        content = at.held("content", dict)
        kind = next((kind for kind in content if _JSON.match(str(kind))), None)
        made = unique("body", inputs)
        if kind is None:
            by_hand.append(f"its body is {' or '.join(map(str, content)) or 'not told'}")
            inputs[made] = "object"
            return
        field: dict[str, Any] = (
            self.schemas.type_of(at.below("content", kind, "schema"), names.pascal(f"{name}_body"))
            if at.below("content").held(kind, dict).get("schema") is not None
            else {"type": "object"}
        )
        field.pop("default", None)
        if at.value.get("required") is not True:
            field["required"] = False
        inputs[made] = short(field)
        http["body"] = f"${{input.{made}}}"
        http["omit_null"] = True

    def answer(self, name: str, at: At, by_hand: list[str]) -> tuple[dict[str, Any], dict[str, str], list[int]]:
        responses = at.held("responses", dict)
        codes = [int(code) for code in responses if re.fullmatch(r"2\d\d", str(code))]
        code = next(
            (code for code in responses if _OK.fullmatch(str(code))), "default" if "default" in responses else None
        )
        if code is None:
            return {}, {}, codes
        response = at.below("responses", code).followed()
        content = response.held("content", dict)
        kind = next((kind for kind in content if _JSON.match(str(kind))), None)
        if not content:
            return {}, {}, codes
        if kind is None:
            by_hand.append(f"it answers {' or '.join(map(str, content))}")
            return {"content": "string"}, {}, codes
        if response.below("content").held(kind, dict).get("schema") is None:
            return {"result": {"type": "object", "required": False}}, {"result": "$"}, codes
        field = self.schemas.type_of(response.below("content", kind, "schema"), names.pascal(f"{name}_result"))
        field.pop("default", None)
        made = "items" if field["type"] == "array" else "result"
        if len(codes) > 1:
            # Not every one of them need have an answer of this kind.
            field["required"] = False
        # An array takes all that a path matches.
        return {made: short(field)}, {made: "$[*]" if made == "items" else "$"}, codes

    def hand(self, name: str, reasons: list[str], http: dict[str, Any]) -> None:
        for reason in reasons:
            self.vocabulary.note(f"operations.{name}", f"{reason}; its handler is yours to write")
        self.adopted.keep(name, "http", http)

    def by_hand(self) -> None:
        """Leave to handlers the requests that the language can't say."""
        operations = self.adopted.contract["operations"]
        for problem in judge(self.adopted.contract):
            match problem.path:
                case ("operations", int(index), "http", *_) if "http" in operations[index]:
                    operation = operations[index]
                    self.hand(
                        operation["name"],
                        [f"found {problem.found}, expected {problem.expected}"],
                        operation.pop("http"),
                    )
                    operation["handler"] = "custom"
                case _:
                    pass
