"""A node that was written by hand becomes a contract: its `contract.yaml`, its models and its handlers."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..language import names
from ..language.classify import NODE_TYPES
from ..reading.source import read_bytes
from ..text.problems import show
from . import handlers, machine, settings
from .adopted import Adopted
from .fitting import fit, prune
from .models import Models
from .python import Found, Sources, UnreadableError, files, parse
from .vocabulary import Vocabulary, short, text, unique, word

CONTRACTS = ("contract.yaml", "contract.yml", "node.yaml", "contract.json")
_LONGEST = 2_000_000
_LISTS = ("io_operations", "compute_operations", "reduction_operations", "operations", "workflows")
# What says nothing that the contract does not, or is this template's to say anew.
_SAID = frozenset({"name", "contract_name", "node_name", "node_type", "description", "node_version", "version"})
# Under which entries say what they are called.
_NAMES = ("operation", "name", "operation_name", "operation_type")
_SAID_IN_ENTRIES = frozenset({"operation", "name", "operation_name", "description", "handler", "idempotent"})


class NoNodeError(ValueError):
    """A folder that holds no node; each line of the message is a reason, with its place."""


@dataclass(frozen=True, slots=True)
class Read:
    """A node that was read.

    Attributes:
        adopted: Its contract, and what has no place in it.
        sources: Its files, and the packages that they import.
        models: Its models.
        handled: The function that handles an operation, by the operation's name.
    """

    adopted: Adopted
    sources: Sources
    models: Models
    handled: Mapping[str, handlers.Handler]


def adopt(folder: Path, package: str | None = None) -> Adopted:
    """Return the contract that a node written by hand has, as `read` does."""
    return read(folder, package).adopted


def read(folder: Path, package: str | None = None) -> Read:
    """Read a node that was written by hand.

    Args:
        folder: The node's folder, which holds its ONEX contract. It is read, and nothing of it is run.
        package: The package of the new node; when left out, one that is made of the node's own.

    Returns:
        The contract, which is valid unless its problems are among the notes, what has no place in it, and the
        handlers that were found.

    Raises:
        NoNodeError: When there is no contract, or something in the folder can't be read.
        OSError: When the folder can't be read.
    """
    raw, place = _contract(folder)
    wrong = _unreadable(folder)
    if wrong:
        raise NoNodeError("\n".join(wrong))
    adoption = _Adoption(folder, raw, place)
    adoption.run(package)
    return Read(adoption.adopted, adoption.sources, adoption.models, adoption.handled)


def _contract(folder: Path) -> tuple[dict[str, Any], Path]:
    if not folder.is_dir():
        raise NoNodeError(f"{show(str(folder))}: found no folder, expected that of a node")
    path = next((folder / name for name in CONTRACTS if (folder / name).is_file()), None)
    if path is None:
        raise NoNodeError(f"{show(str(folder))}: found no contract, expected one of {', '.join(CONTRACTS)}")
    with path.open("rb") as stream:
        content = stream.read(_LONGEST + 1)
    document = read_bytes(content, 4)
    broken = [f"{path}:{at.line}:{at.column}: {problem}" for problem, at in document.problems]
    if broken:
        raise NoNodeError("\n".join(broken))
    raw = document.value
    if not isinstance(raw, dict) or not ({"node_type", "operations", "handler_routing", "io_operations"} & raw.keys()):
        raise NoNodeError(f"{path}:1:1: found {show(raw)} without node_type or operations, expected a node's contract")
    return {str(key): value for key, value in raw.items()}, path


def _unreadable(folder: Path) -> list[str]:
    wrong: list[str] = []
    try:
        for path in files(folder):
            try:
                parse(path)
            except UnreadableError as error:
                wrong.append(str(error))
    except UnreadableError as error:
        wrong.append(str(error))
    return wrong


class _Adoption:
    def __init__(self, folder: Path, raw: dict[str, Any], place: Path) -> None:
        self.raw = raw
        self.place = place
        self.vocabulary = Vocabulary()
        self.sources = Sources(folder)
        self.models = Models(self.sources, self.vocabulary)
        self.adopted = Adopted(
            {}, notes=self.vocabulary.notes, head=(f"Made of {folder.name}/{place.name} by adopt-node.",)
        )
        self.used: set[str] = set(_SAID)
        self.handled: dict[str, handlers.Handler] = {}
        self.own_topics: set[object] = set()

    def run(self, package: str | None) -> None:
        kind = self.node_type()
        name = self.name(kind)
        entries = self.entries(name)
        for file in (
            f"model_{name}_request",
            f"model_{name}_response",
            f"model_{name}_settings",
            f"model_{name}_step_event",
        ):
            self.vocabulary.reserve([file])
        self.vocabulary.reserve([f"enum_{name}_operation", f"handler_{name}_{kind}", f"enum_{name}_state"])
        for operation in entries:
            self.vocabulary.reserve(
                f"model_{operation}_{part}" for part in ("input", "output", "event", "window", "intent")
            )
            self.vocabulary.reserve([f"handler_{operation}"])
        operations = [self.operation(operation, entry) for operation, entry in entries.items()]
        contract: dict[str, Any] = {"name": name, "node_type": kind, "version": self.version()}
        contract["package"] = package or self.package(name)
        if description := text(self.raw.get("description") or ""):
            contract["description"] = description
        machine_operation = machine.adopt(self.raw, kind, operations, self.adopted, self.used)
        if machine_operation:
            moving = machine_operation.operation
            known = [one["name"] for one in operations]
            place = known.index(moving["name"]) if moving["name"] in known else len(known)
            operations[place : place + 1] = [moving]
        contract |= {"enums": self.vocabulary.enums, "models": self.vocabulary.models, "operations": operations}
        if machine_operation:
            contract["subcontracts"] = machine_operation.subcontracts
        self.events(contract)
        self.features(contract)
        contract = {key: value for key, value in contract.items() if value not in ({}, [])}
        for key, value in self.raw.items():
            if key not in self.used:
                self.adopted.keep("", key, value)
        self.adopted.contract.update(contract)
        prune(self.adopted.contract)
        for problem in fit(self.adopted):
            self.vocabulary.note(problem.place, f"problem: {problem}")
        prune(self.adopted.contract)

    def node_type(self) -> str:
        plain = str(self.raw.get("node_type", "effect")).lower().removesuffix("_generic")
        if plain not in NODE_TYPES:
            found = next((kind for kind in NODE_TYPES if kind in plain), None)
            found = found or next((kind for kind in NODE_TYPES if self.place.parent.name.endswith(kind)), "effect")
            self.vocabulary.note("node_type", f"{show(self.raw.get('node_type'))} is taken for {found}")
            return found
        return plain

    def name(self, kind: str) -> str:
        given = next(
            (self.raw[key] for key in ("name", "node_name", "contract_name") if isinstance(self.raw.get(key), str)), ""
        )
        plain = word(str(given) or self.place.parent.name, "node")
        plain = plain.removeprefix("node_").removesuffix(f"_{kind}") or plain
        return word(plain, "node")

    def version(self) -> str:
        for key in ("node_version", "version", "contract_version"):
            value = self.raw.get(key)
            if isinstance(value, Mapping) and all(
                isinstance(value.get(part), int) for part in ("major", "minor", "patch")
            ):
                return f"{value['major']}.{value['minor']}.{value['patch']}"
            parts = str(value or "").removeprefix("v").replace("_", ".")
            if re.fullmatch(r"\d+(\.\d+){0,2}", parts):
                return parts + ".0" * (2 - parts.count("."))
        return "1.0.0"

    def package(self, name: str) -> str:
        given = self.raw.get("package")
        self.used.add("package")
        first = str(given) if isinstance(given, str) else self.sources.package.partition(".")[0]
        first = ".".join(word(part, "nodes") for part in first.split("."))
        if "." not in self.sources.package and not isinstance(given, str):
            return f"{name}_nodes"
        return f"{first.partition('.')[0]}_nodes" if names.taken(first) else first

    def entries(self, node: str) -> dict[str, dict[str, Any]]:
        """Return what the contract says of each operation, by the operation's name, everything about one in one."""
        found: dict[str, dict[str, Any]] = {}
        routing = self.raw.get("handler_routing")
        self.used.add("handler_routing")
        routing = dict(routing) if isinstance(routing, Mapping) else {}
        listed = any(self.raw.get(key) for key in _LISTS)
        dispatched = [] if listed else self.dispatched()
        door = handlers.reference(self.raw.get("handler"))[1] if listed or dispatched else ""
        for entry in _mappings(routing.pop("handlers", [])):
            _, handler = handlers.reference(entry.get("handler"))
            if handler and handler == door:
                # All operations come in by it, and are listed; its topics are the node's own.
                self.own_topics |= {*map(entry.get, ("topic", "subscribe_topic")), self.raw.get("terminal_event")}
                continue
            wanted = entry.get("operation") or handlers.name_of(handler) or node
            name = word(str(wanted), "operation")
            if name in found:
                name = unique(word(handlers.name_of(handler), "operation") if handler else name, found)
            found[name] = dict(entry)
        default = routing.pop("default_handler", None)
        if isinstance(default, (str, dict)) and not found and handlers.reference(default)[1] != door:
            found[node] = {"handler": default}
        if rest := {key: value for key, value in routing.items() if key != "version"}:
            self.adopted.keep("", "handler_routing", rest)
        self.listed(found)
        for name in dispatched:
            found.setdefault(name, {})
        single = self.raw.get("handler")
        if isinstance(single, Mapping):
            self.used.add("handler")
            if not found:
                found[word(node, "operation")] = {"handler": dict(single)} | (
                    {"input_model": single["input_model"]} if "input_model" in single else {}
                )
        if not found:
            for one in handlers.listed(self.models):
                name = unique(word(handlers.name_of(one.name), "operation"), found)
                self.handled[name] = one
                found[name] = {"description": one.description}
        if not found:
            found[word(node, "operation")] = {}
            self.vocabulary.note("operations", "the contract names none; there is one, called as the node is")
        # The handler of an operation is not that of the node, whose file has the node's name.
        whole = f"{node}_{self.node_type()}"
        return {unique(f"{name}_operation", found) if name == whole else name: entry for name, entry in found.items()}

    def dispatched(self) -> list[str]:
        """Return the operations that the node's input tells apart by a field, each of which has a handler."""
        module, name = handlers.reference(self.raw.get("input_model"))
        found = self.sources.find(module, name) if name else None
        values = self.models.choices(found, "operation") if found else []
        return values if all(self.handler_class(value) for value in values) else []

    def handler_class(self, operation: str) -> Found | None:
        """Return the class in the node's files that is called after an operation."""
        return self.sources.anywhere(f"Handler{names.class_name(names.pascal(operation))}")

    def listed(self, found: dict[str, dict[str, Any]]) -> None:
        sources: list[tuple[str, Any]] = [(key, self.raw[key]) for key in _LISTS if key in self.raw]
        for key in ("effect_operations", "subcontracts"):
            held = self.raw.get(key)
            if not isinstance(held, Mapping):
                continue
            inner = held.get("effect", held)
            if isinstance(inner, Mapping) and "operations" in inner:
                sources.append((key, inner["operations"]))
                if key == "effect_operations":
                    self.adopted.keep("", key, {word_: item for word_, item in held.items() if word_ != "operations"})
                    self.used.add(key)
        for key, value in sources:
            if key in _LISTS:
                self.used.add(key)
            items = value if isinstance(value, list) else [value]
            if isinstance(value, Mapping):
                items = [
                    {"name": name} | (dict(spec) if isinstance(spec, Mapping) else {}) for name, spec in value.items()
                ]
            for item in items:
                entry = dict(item) if isinstance(item, Mapping) else {"name": item}
                wanted = next((entry[word_] for word_ in _NAMES if word_ in entry), "operation")
                name = word(str(wanted), "operation")
                found[name] = {**entry, **found.get(name, {})}

    def operation(self, name: str, entry: dict[str, Any]) -> dict[str, Any]:
        module, handler_name = handlers.reference(entry.get("handler") or entry.get("handler_class"))
        if module and "." not in module:
            module = f"{self.sources.package}.{module}"
        found = self.sources.find(module, handler_name) if handler_name else None
        if not handler_name:
            found = self.handler_class(name)
        handler = self.handled.get(name) or handlers.handler_of(self.models, found, name)
        if handler_name and handler is None:
            self.vocabulary.note(
                f"operations.{name}", f"its handler {handler_name} was not found, or has no method handle"
            )
        if handler:
            self.handled[name] = handler
        result: dict[str, Any] = {"name": name}
        description = entry.get("description") or (handler.description if handler else "")
        if description := text(description):
            result["description"] = description
        used = {"description", "handler", "handler_class", *_NAMES}
        result["input"] = self.side(
            name, entry, "input", used, handlers.inputs(self.models, handler) if handler else None
        )
        result["output"] = self.side(
            name, entry, "output", used, handlers.outputs(self.models, handler) if handler else None
        )
        result = {key: value for key, value in result.items() if value != {}}
        result["handler"] = "custom"
        if isinstance(entry.get("idempotent"), bool):
            result["idempotent"] = entry["idempotent"]
            used.add("idempotent")
        if (deadline := settings.seconds(entry)) is not None:
            result["timeout_seconds"] = deadline
            used |= {"timeout_seconds", "timeout_ms", "operation_timeout_ms", "timeout"} & entry.keys()
        for key, value in entry.items():
            if key not in used:
                self.adopted.keep(name, key, value)
        return result

    def side(
        self, name: str, entry: dict[str, Any], side: str, used: set[str], signed: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Return the fields of an operation's input or output.

        The handler's signature says it for sure; then the operation's own model, its list of fields, and the node's.
        """
        keys = ("event_model", "input_model") if side == "input" else ("output_model",)
        used.update(key for key in keys if key in entry)
        listed = entry.get(f"{side}_fields")
        if signed is not None:
            if listed and isinstance(listed, list):
                used.add(f"{side}_fields")
            return signed
        for holder in (entry, self.raw):
            if holder is self.raw and isinstance(listed, list) and (fields := self.listed_fields(name, listed)):
                used.add(f"{side}_fields")
                return fields
            for key in (*keys, f"{side}_model"):
                modelled = self.modelled(holder.get(key)) if key in holder else None
                if modelled is not None:
                    self.used.add(f"{side}_model")
                    return modelled
            given = entry.get(side)
            if holder is entry and isinstance(given, Mapping):
                used.add(side)
                return self.given(given)
        self.vocabulary.note(f"operations.{name}.{side}", "nothing says what it is; write its fields down")
        return {}

    def modelled(self, value: object) -> dict[str, Any] | None:
        module, name = handlers.reference(value)
        found = self.sources.find(module, name) if name else None
        if found and isinstance(found.node, ast.expr):
            found = self.models.class_of(found.module, found.node)
        if found and self.models.is_record(found):
            self.used |= {"input_model", "output_model"}
            return self.models.fields(found)
        schema = self.raw.get("definitions", {}).get(name) if isinstance(self.raw.get("definitions"), Mapping) else None
        if isinstance(schema, Mapping) and isinstance(schema.get("properties"), Mapping):
            return machine.schema_fields(schema, self.vocabulary)
        if name:
            self.vocabulary.note(name, "a model that was not found; write its fields down")
        return None

    def listed_fields(self, name: str, listed: list[Any]) -> dict[str, Any]:
        """Return fields that are listed as `name: annotation`, or by their names alone."""
        fields: dict[str, Any] = {}
        home = self.sources.module(self.sources.package)
        for item in listed:
            pairs = item.items() if isinstance(item, Mapping) else [(item, None)] if isinstance(item, str) else []
            pairs = (
                [(item["name"], item.get("type"))]
                if isinstance(item, Mapping) and isinstance(item.get("name"), str) and "type" in item
                else pairs
            )
            for key, annotation in pairs:
                if not isinstance(annotation, str) or home is None:
                    return {}
                spec = self.models.type_of(home, f"{name}.{key}", ast.Constant(annotation.partition("#")[0].strip()))
                fields[unique(word(str(key), "field"), fields)] = short(spec)
        return fields

    def given(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return fields that a contract of this language, or nearly so, states itself."""
        return machine.schema_fields({"properties": fields, "required": list(fields)}, self.vocabulary)

    def events(self, contract: dict[str, Any]) -> None:
        """Turn topics into events of operations where it is plain whose they are; the rest is kept."""
        bus = self.raw.get("event_bus")
        self.used.add("event_bus")
        bus = dict(bus) if isinstance(bus, Mapping) else {}
        operations = [operation["name"] for operation in contract["operations"] if "handler" in operation]
        consumed = [*_topics(bus.pop("subscribe_topics", []), bus.pop("subscribe", []))]
        published = [*_topics(bus.pop("publish_topics", []), bus.pop("publish", []))]
        bus.pop("version", None)
        consumed, published = (
            [topic for topic in topics if topic not in self.own_topics] for topics in (consumed, published)
        )
        events: dict[str, list[dict[str, Any]]] = {}
        taken: dict[str, str] = {}
        for name in operations:
            for key in ("topic", "subscribe_topic"):
                topic = self.adopted.kept.get(name, {}).get(key)
                if isinstance(topic, str) and topic not in taken:
                    taken[topic] = name
                    self.adopted.kept[name].pop(key)
        if len(operations) == 1:
            taken |= {topic: operations[0] for topic in consumed if topic not in taken}
        for topic, name in taken.items():
            events.setdefault("consumed_events", []).append({"event": topic, "operation": name})
        if len(operations) == 1 and len(published) == 1:
            events["published_events"] = [{"event": published[0], "operation": operations[0]}]
            self.vocabulary.note(
                published[0], f"published each time that {operations[0]} succeeds; see whether that is so"
            )
            published = []
        if rest := [topic for topic in consumed if topic not in taken]:
            bus["subscribe_topics"] = rest
        if published:
            bus["publish_topics"] = published
            self.vocabulary.note(
                "event_bus.publish_topics", "which operation publishes each of them is the handlers' to say"
            )
        if bus:
            self.adopted.keep("", "event_bus", bus)
        if events:
            contract.setdefault("subcontracts", {})["event_type"] = events

    def features(self, contract: dict[str, Any]) -> None:
        """Turn retry policies and circuit breakers into advanced features."""
        advanced: dict[str, Any] = {}
        left: dict[str, Any] = {}

        def keep(key: str, value: object) -> None:
            left[key] = value

        for key in ("error_handling", "advanced_features", "resilience", "descriptor", ""):
            holder = self.raw.get(key) if key else self.raw
            if not isinstance(holder, Mapping):
                continue
            rest = dict(holder)
            for names_, made, turn in (
                (("retry_policy", "retry", "retry_config"), "retry_policy", settings.retry_policy),
                (("circuit_breaker", "circuit_breaker_config"), "circuit_breaker", settings.circuit_breaker),
            ):
                for name in names_:
                    if isinstance(rest.get(name), Mapping) and made not in advanced:
                        if policy := turn(rest.pop(name), keep):
                            advanced[made] = policy
                        self.used.add(key or name)
            if key and key in self.used and rest:
                self.adopted.keep("", key, rest)
        if left:
            self.adopted.keep("", "advanced_features", left)
        if advanced:
            contract["advanced_features"] = advanced


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _topics(*sources: object) -> list[str]:
    found: list[str] = []
    for source in sources:
        for item in source if isinstance(source, list) else []:
            topic = item.get("topic") if isinstance(item, Mapping) else item
            if isinstance(topic, str) and topic not in found:
                found.append(topic)
    return found
