"""A description of an HTTP API in OpenAPI 3 becomes an effect node: an operation for each of its own."""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from ..judging.judge import judge
from ..language import names
from .adopted import Adopted
from .fitting import fit, prune
from .openapi_content import SUCCESS, Content
from .openapi_credentials import Credentials
from .reference import At, BrokenError, opened
from .schemas import ANY, Schemas
from .vocabulary import Vocabulary, field_name, short, text, unique, word

MOST = 300
_PLACES = {"query": "query", "header": "headers"}
_METHODS = ("get", "head", "post", "put", "patch", "delete")


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
    importing = _Importing(_opened(path), path)
    if tag is not None:
        importing.name = _tagged(importing.name, tag)
    return importing.run(package, operations, tag)


def adopt_by_tag(path: Path, package: str | None = None) -> list[Adopted]:
    """Return the contracts of effect nodes for an API: one for each tag, of the operations that name it first.

    Args:
        path: The document: OpenAPI 3.0 or 3.1, as JSON or YAML.
        package: The nodes' package; when left out, it is called after the API.

    Returns:
        The contracts; the last one has the operations without a tag, if there are any.

    Raises:
        BrokenError: When the document can't be read, is no OpenAPI 3, or has a tag that no node holds; the message
            has a line for each reason.
        OSError: When there is no such file.
    """
    document = _opened(path)
    whole = _Importing(document, path)
    tags = dict.fromkeys(_first_tag(operation) for *_, operation in whole.listed())
    found: list[Adopted] = []
    reasons: list[str] = []
    names_taken = {whole.name}
    for tag in sorted(tags, key=lambda one: not one):
        try:
            one = _Importing(document, path)
            one.name = unique(_tagged(whole.name, tag), names_taken) if tag else whole.name
            names_taken.add(one.name)
            found.append(one.run(package or f"{whole.name}_nodes", (), tag, first=True))
        except BrokenError as error:
            reasons.append(f"{tag or 'without a tag'}: {error}")
    if reasons:
        raise BrokenError("\n".join(reasons))
    return found


def _opened(path: Path) -> At:
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
    return document


def _words(spec: Mapping[str, Any], key: str) -> str:
    found = spec.get(key)
    return text(found) if isinstance(found, str) else ""


def _tagged(name: str, tag: str) -> str:
    return word(f"{name[:20]}_{tag}", "api")


def _first_tag(operation: At) -> str:
    return next((str(tag) for tag in operation.held("tags", list)), "")


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

    def run(self, package: str | None, wanted: Collection[str], tag: str | None, *, first: bool = False) -> Adopted:
        """Return the contract of some operations; with `first`, of those whose first tag is this one."""
        found = self.chosen(wanted, tag, first=first)
        for file in ("request", "response", "settings", "step_event"):
            self.vocabulary.reserve([f"model_{self.name}_{file}"])
        self.vocabulary.reserve([f"enum_{self.name}_operation", f"handler_{self.name}_effect"])
        for name in found:
            self.vocabulary.reserve(
                [f"handler_{name}", *(f"model_{name}_{part}" for part in ("input", "output", "event"))]
            )
        self.credentials = Credentials(self.document, names.constant(self.name), self.vocabulary.note)
        client = self.client()
        operations = [self.operation(name, *entry) for name, entry in found.items()]
        version = str(self.info.get("version", ""))
        contract: dict[str, Any] = {"name": self.name, "node_type": "effect"}
        contract["version"] = version if re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version) else "1.0.0"
        contract["package"] = package or f"{self.name}_nodes"
        if words := _words(self.info, "description") or _words(self.info, "title"):
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

    def chosen(self, wanted: Collection[str], tag: str | None, *, first: bool) -> dict[str, tuple[str, str, At, At]]:
        found: dict[str, tuple[str, str, At, At]] = {}
        known: set[str] = set()
        for path, method, item, operation in self.listed():
            given = operation.held("operationId", str)
            name = unique(word(str(given or f"{method} {path}"), "operation"), found)
            name = f"{name}_operation" if name == f"{self.name}_effect" else name
            known |= {str(given), name}
            tagged = _first_tag(operation) == tag if first else tag is None or tag in operation.held("tags", list)
            if (not wanted or given in wanted or name in wanted) and tagged:
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
                    yield str(path), method, item, item.below(method).followed()

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
        headers = self.credentials.of_all.headers
        return {"base_url": url} | ({"headers": headers} if headers else {})

    def operation(self, name: str, path: str, method: str, item: At, at: At) -> dict[str, Any]:
        spec = at.value
        inputs: dict[str, Any] = {}
        known, of_all = self.credentials.of(at), self.credentials.of_all.headers
        headers = {header: value for header, value in known.headers.items() if of_all.get(header) != value}
        # What is behind # tells operations apart that are one for the server.
        place, _, fixed = path.partition("#")[0].partition("?")
        query = dict(parse_qsl(fixed)) | known.query
        http: dict[str, Any] = {"method": method.upper(), "path": place, "query": query, "headers": headers}
        for parameter in self.parameters(item, at):
            self.parameter(name, parameter, inputs, http)
        content = Content(self.schemas, name)
        if "requestBody" in spec:
            content.sent(at.below("requestBody").followed(), inputs, http)
        output, taken = content.taken(at, method)
        http = {key: value for key, value in http.items() if value not in ({}, None)} | taken
        result: dict[str, Any] = {"name": name}
        if words := _words(spec, "description") or _words(spec, "summary"):
            result["description"] = words
        result |= {key: value for key, value in (("input", inputs), ("output", output)) if value}
        if errors := {
            code: text(response.get("description") or "")
            for code, response in at.held("responses", dict).items()
            if isinstance(response, Mapping) and not SUCCESS.fullmatch(str(code))
        }:
            self.adopted.keep(name, "errors", errors)
        if content.by_hand:
            self.hand(name, content.by_hand, http)
            return result | {"handler": "custom"}
        return result | {"http": http}

    def parameter(self, name: str, at: At, inputs: dict[str, Any], http: dict[str, Any]) -> None:
        """Turn a parameter into an input field, and put a reference to it where it goes."""
        value = at.value
        outside, where = str(value["name"]), str(value["in"])
        if where not in {"path", *_PLACES} or outside.lower() in {"authorization", "accept", "content-type"}:
            self.adopted.keep(name, f"{where} {outside}", text(value.get("description") or "left out"))
            return
        made, _ = field_name(outside, inputs)
        schema = at.below("schema") if "schema" in value else At({"type": "string"}, None)
        field = self.schemas.type_of(schema, names.pascal(f"{name}_{made}"))
        if field["type"] == ANY:
            # All of a path, a query and headers is text.
            field["type"] = "string"
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
            http[_PLACES[where]][outside] = f"${{input.{made}}}"

    def parameters(self, item: At, at: At) -> list[At]:
        """Return the parameters of an operation and of its path, the operation's own first."""
        found: dict[tuple[str, str], At] = {}
        for holder in (at, item):
            for index in range(len(holder.held("parameters", list))):
                one = holder.below("parameters", index).followed()
                if isinstance(one.value, Mapping) and {"name", "in"} <= one.value.keys():
                    found.setdefault((str(one.value["in"]), str(one.value["name"])), one)
        return list(found.values())

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
