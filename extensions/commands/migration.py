"""Turns a legacy contract into one of today's language."""

import copy
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..judging.judge import judge
from ..language import names
from ..language.prose import FEATURES, features_in
from ..text.problems import Path, Problem, show
from ..text.specs import mapping_of

_ORDER = (
    *("name", "node_type", "version", "package", "description", "domain", "features", "dependencies", "enums"),
    *("models", "integrations", "operations", "mixins", "advanced_features", "subcontracts", "service", "deployment"),
    *("template_variant", "validation_level", "layout", "runtime"),
)
_RENAMED = {
    "service_name": "name",
    "node_name": "name",
    "business_description": "description",
    "node_version": "version",
    "contract_version": "version",
    "package_name": "package",
}
_OPERATION_LISTS = ("io_operations", "compute_operations", "reduction_operations", "workflows")
# Legacy keys that the language has no place for; other unknown keys may be typing errors.
_NO_PLACE = ("capabilities", "configuration", "definitions", "performance_requirements", "input_model", "output_model")
_LIFECYCLE = ("initialize", "shutdown", "health_check", "startup", "cleanup", "start", "stop", "get_metrics")
_SERVICES = ("postgres", "postgresql", "redis", "kafka", "http", "consul", "vault")
_RANGE = re.compile(r"[<>=!~^*]|v?\d+(\.|$)")
_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
_SECRET = re.compile(r"(PASSWORD|SECRET|TOKEN|API_?KEY|CREDENTIAL)")
_TEXTS = ("description", "query", "sql")
_CONSTRAINTS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern"),
    *("minItems", "maxItems", "minProperties", "maxProperties", "default", "description", "enum"),
)
_FORMATS = {"uuid": "uuid", "date-time": "datetime", "date": "date", "duration": "duration", "binary": "bytes"}
_TYPES = ("string", "integer", "number", "boolean", "object", "array")


class Migrated(NamedTuple):
    """What a legacy contract becomes.

    Attributes:
        contract: The contract, which may still have problems that only a person can solve.
        changes: Each change in words.
        kept: What the language has no place for, as it was: by the name of the operation that it belongs to, or by an
            empty text.
    """

    contract: dict[str, Any]
    changes: list[str]
    kept: dict[str, dict[str, Any]]


def migrate(old: Mapping[str, Any], package: str | None = None) -> Migrated:
    """Return a contract of today's language that says what a legacy one says.

    Args:
        old: A legacy contract, or one of today's, which stays as it is.
        package: The Python package of the node, for contracts that name none.

    Returns:
        What it becomes.
    """
    migration = _Migration(old)
    migration.run(package)
    return Migrated(migration.contract, migration.changes, migration.kept)


class _Migration:
    def __init__(self, old: Mapping[str, Any]) -> None:
        self.contract: dict[str, Any] = copy.deepcopy(dict(old))
        self.changes: list[str] = []
        self.kept: dict[str, dict[str, Any]] = {}

    def run(self, package: str | None) -> None:
        self.rename()
        self.node_type()
        self.name()
        self.version()
        self.features()
        self.dependencies()
        self.definitions()
        self.operations()
        self.error_handling()
        self.mixins()
        self.subcontracts()
        self.contract = self.variables((), self.contract)
        if package and "package" not in self.contract:
            self.contract["package"] = package
            self.change("package", f"{package}, from the command line")
        self.unknown_keys()
        order = {key: index for index, key in enumerate(_ORDER)}
        self.contract = dict(sorted(self.contract.items(), key=lambda item: order.get(item[0], len(order))))

    def change(self, where: str, what: str) -> None:
        self.changes.append(f"{where}: {what}")

    def keep(self, where: str, value: object, operation: str = "") -> None:
        """Keep what there is no place for, as a comment beside an operation, or beside the whole."""
        beside = self.kept.setdefault(operation, {})
        key = where
        while key in beside:
            key += "'"
        beside[key] = value
        self.change(where, "kept as a comment")

    def rename(self) -> None:
        for old, new in _RENAMED.items():
            if old not in self.contract:
                continue
            value = self.contract.pop(old)
            if new in self.contract:
                self.keep(old, value)
            else:
                self.contract[new] = value
                self.change(old, f"now {new}")

    def node_type(self) -> None:
        value = self.contract.get("node_type")
        if isinstance(value, str) and (plain := value.lower().removesuffix("_generic")) != value:
            self.contract["node_type"] = plain
            self.change("node_type", f"{show(value)} is now {plain}")

    def name(self) -> None:
        value = self.contract.get("name")
        if not isinstance(value, str):
            return
        plain = names.snake(value)
        plain = plain.removeprefix("node_") or plain
        kind = self.contract.get("node_type")
        plain = plain.removesuffix(f"_{kind}") if isinstance(kind, str) else plain
        if plain != value:
            self.contract["name"] = plain
            self.change("name", f"{show(value)} is now {plain}; the node's folder is node_<name>_<type>")

    def version(self) -> None:
        value = self.contract.get("version")
        plain: str | None = None
        if isinstance(value, Mapping) and {"major", "minor", "patch"} == value.keys():
            plain = ".".join(str(value[key]) for key in ("major", "minor", "patch"))
        elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
            parts = str(value).removeprefix("v").replace("_", ".")
            plain = parts + ".0" * max(0, 2 - parts.count(".")) if re.fullmatch(r"\d+(\.\d+){0,2}", parts) else None
        if plain is not None and plain != value:
            self.contract["version"] = plain
            self.change("version", f"{show(value)} is now {plain}")

    def features(self) -> None:
        value = self.contract.get("features")
        if value is None:
            return
        entries = value if isinstance(value, list) else [value]
        words: list[Any] = []
        for entry in entries:
            if not isinstance(entry, str) or entry in FEATURES:
                words.append(entry)
                continue
            found = list(features_in(entry))
            words += found
            self.change("features", f"{show(entry)} is now {', '.join(found) or 'no feature'}")
            self.keep("features", entry)
        unique = [word for index, word in enumerate(words) if word not in words[:index]]
        if unique != value:
            self.contract["features"] = unique
        if not unique:
            del self.contract["features"]

    def dependencies(self) -> None:
        value = self.contract.get("dependencies")
        pairs: list[tuple[str, Any]] = []
        if isinstance(value, Mapping):
            pairs = list(value.items())
        elif isinstance(value, list):
            for entry in value:
                if isinstance(entry, Mapping) and isinstance(entry.get("name"), str):
                    rest = {key: item for key, item in entry.items() if key not in {"name", "version"}}
                    pairs.append((entry["name"], entry.get("version", "*")))
                    if rest:
                        self.keep(f"dependencies.{entry['name']}", rest)
                elif isinstance(entry, str):
                    name, version = re.fullmatch(r"(?s)([A-Za-z0-9_-]*)\s*(.*)", entry.strip()).groups()  # type: ignore[union-attr] # matches any text
                    pairs.append((name or entry, version or "*"))
                else:
                    self.keep("dependencies", entry)
        else:
            return
        result: dict[str, Any] = {}
        for name, version in pairs:
            key, range_ = self.dependency(name, version)
            result[key] = range_
        if result != value:
            self.contract["dependencies"] = result
            self.change("dependencies", f"now {', '.join(f'{name} {version}' for name, version in result.items())}")

    def dependency(self, name: str, version: Any) -> tuple[str, Any]:
        key = name.strip().lower().replace(" ", "-")
        if isinstance(version, str) and not _RANGE.match(version):
            # The value is not a version but what it is, such as `database: postgres` or `postgres: asyncpg`.
            self.keep(f"dependencies.{name}", version)
            return (version.lower() if version.lower() in _SERVICES and key not in _SERVICES else key), "*"
        if isinstance(version, (int, float)) and not isinstance(version, bool):
            return key, f">={version}"
        return key, version

    def definitions(self) -> None:
        definitions = self.contract.get("definitions")
        if not isinstance(definitions, Mapping):
            return
        remaining: dict[str, Any] = {}
        for name, schema in definitions.items():
            plain = _type_name(name)
            if not all(isinstance(self.contract.get(key, {}), dict) for key in ("models", "enums")):
                remaining[name] = schema
            elif isinstance(schema, Mapping) and isinstance(schema.get("properties"), Mapping):
                self.contract.setdefault("models", {})[plain] = self.model(f"definitions.{name}", schema)
                self.change(f"definitions.{name}", f"now models.{plain}")
            elif isinstance(schema, Mapping) and isinstance(schema.get("enum"), list):
                self.contract.setdefault("enums", {})[plain] = [str(value) for value in schema["enum"]]
                self.keep_rest(f"definitions.{name}", schema, ("type", "enum"))
                self.change(f"definitions.{name}", f"now enums.{plain}")
            else:
                remaining[name] = schema
        if remaining:
            self.contract["definitions"] = remaining
        else:
            del self.contract["definitions"]

    def model(self, place: str, schema: Mapping[str, Any]) -> dict[str, Any]:
        required = schema.get("required")
        required = required if isinstance(required, list) else []
        fields: dict[str, Any] = {}
        for name, spec in schema["properties"].items():
            field = self.field(f"{place}.{name}", spec if isinstance(spec, Mapping) else {})
            if name not in required and "default" not in field:
                field["required"] = False
            fields[names.snake(name)] = field if len(field) > 1 else field["type"]
        self.keep_rest(place, schema, ("type", "description", "required", "properties"))
        return ({"description": schema["description"]} if "description" in schema else {}) | {"fields": fields}

    def field(self, place: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        reference, kind, form = spec.get("$ref"), spec.get("type"), spec.get("format")
        field: dict[str, Any] = {}
        if isinstance(kind, list) and "null" in kind and len(kind) == 2:  # noqa: PLR2004 - a type and null
            kind = next(item for item in kind if item != "null")
            field["required"] = False
        known = ["$ref", "type", "items", *_CONSTRAINTS]
        if isinstance(reference, str):
            field = {"type": _type_name(reference.rpartition("/")[2])} | field
        elif kind == "string" and isinstance(form, str) and form in _FORMATS:
            field = {"type": _FORMATS[form]} | field
            known.append("format")
        elif kind in _TYPES:
            field = {"type": kind} | field
        else:
            field = {"type": "object"} | field
            known.remove("type")
        if isinstance(spec.get("items"), Mapping):
            items = self.field(f"{place}.items", spec["items"])
            field["items"] = items if len(items) > 1 else items["type"]
        self.keep_rest(place, spec, known)
        return field | {key: spec[key] for key in _CONSTRAINTS if key in spec}

    def keep_rest(self, place: str, schema: Mapping[str, Any], known: Sequence[str]) -> None:
        if rest := {key: value for key, value in schema.items() if key not in known}:
            self.keep(place, rest)

    def operations(self) -> None:
        result: list[Any] = [
            self.operation("operations", entry) if _is_legacy_operation(entry) else entry
            for entry in self.entries("operations")
        ]
        for key in _OPERATION_LISTS:
            if key in self.contract:
                result += [self.operation(key, entry) for entry in self.entries(key)]
                del self.contract[key]
        effect = self.subcontract("effect")
        if isinstance(effect, Mapping):
            known = [operation.get("name") for operation in result if isinstance(operation, Mapping)]
            listed = effect.get("operations", [])
            for entry in listed if isinstance(listed, list) else [listed]:
                if entry in _LIFECYCLE:
                    self.change(f"subcontracts.effect.operations: {entry}", "left out, since every node has it")
                elif _operation_name(entry) not in known:
                    result.append(self.operation("subcontracts.effect.operations", entry))
            if rest := {key: value for key, value in effect.items() if key != "operations"}:
                self.keep("subcontracts.effect", rest)
            self.drop_subcontract("effect")
        if result or "operations" in self.contract:
            self.contract["operations"] = result

    def entries(self, key: str) -> list[Any]:
        value = self.contract.get(key)
        if isinstance(value, Mapping):
            return [{"name": name} | (dict(spec) if isinstance(spec, Mapping) else {}) for name, spec in value.items()]
        return value if isinstance(value, list) else [] if value is None else [value]

    def operation(self, place: str, entry: Any) -> dict[str, Any]:
        spec = dict(entry) if isinstance(entry, Mapping) else {"name": entry}
        name = _operation_name(spec)
        self.change(f"{place}: {name}", "now an operation with a handler of your own")
        result: dict[str, Any] = {"name": name}
        if isinstance(spec.get("description"), str):
            result["description"] = spec["description"]
        for key in ("name", "operation_type", "operation", "type", "description"):
            value = spec.pop(key, None)
            if isinstance(value, str) and key != "description" and names.snake(value) != name:
                self.keep(key, value, name)
        for side in ("input", "output"):
            model = spec.pop(f"{side}_model", None)
            known = mapping_of(self.contract.get("models")).get(_type_name(model)) if isinstance(model, str) else None
            if fields := mapping_of(mapping_of(known).get("fields")):
                result[side] = copy.deepcopy(dict(fields))
                self.change(f"{place}: {name}.{side}_model", f"its fields are now those of {side}")
            elif model is not None:
                self.keep(f"{side}_model", model, name)
        for key in ("timeout_ms", "timeout_seconds"):
            value = spec.get(key)
            if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
                result["timeout_seconds"] = _plain(value / 1000) if key.endswith("_ms") else value
                if key.endswith("_ms"):
                    self.change(f"{place}: {name}", f"{key}: {value} is now timeout_seconds")
                del spec[key]
        for key, value in spec.items():
            self.keep(key, value, name)
        for side in ("input", "output"):
            if side in result:
                result[side] = result.pop(side)
        return result | {"handler": "custom"}

    def error_handling(self) -> None:
        legacy = self.contract.pop("error_handling", None)
        if legacy is None:
            return
        if not isinstance(legacy, Mapping):
            self.keep("error_handling", legacy)
            return
        advanced = self.contract.setdefault("advanced_features", {})
        if not isinstance(advanced, dict):
            self.keep("error_handling", legacy)
            return
        for key, value in legacy.items():
            place = f"error_handling.{key}"
            if key == "timeout_policy" and (seconds := _seconds(value)) is not None:
                self.timeouts(f"{place}: {_text(value)}", seconds)
            elif key not in {"retry_policy", "circuit_breaker"}:
                self.keep(place, value)
            elif key not in advanced:
                advanced[key] = value
                self.change(place, f"now advanced_features.{key}")
            elif advanced[key] == value:
                self.change(place, f"left out, since advanced_features.{key} says the same")
            else:
                self.change(place, f"overruled by advanced_features.{key}")
                self.keep(place, value)
        if not advanced:
            del self.contract["advanced_features"]

    def timeouts(self, place: str, seconds: float) -> None:
        for operation in self.contract.get("operations", []):
            if isinstance(operation, dict):
                operation.setdefault("timeout_seconds", seconds)
        self.change(place, f"now timeout_seconds: {seconds} of each operation that has none of its own")

    def mixins(self) -> None:
        value = self.contract.get("mixins")
        if isinstance(value, list) and any(isinstance(entry, str) for entry in value):
            self.contract["mixins"] = [{"name": entry} if isinstance(entry, str) else entry for entry in value]
            self.change("mixins", "each is now a mapping with a name")

    def subcontract(self, name: str) -> Any:
        return mapping_of(self.contract.get("subcontracts")).get(name)

    def drop_subcontract(self, name: str) -> None:
        del self.contract["subcontracts"][name]
        if not self.contract["subcontracts"]:
            del self.contract["subcontracts"]

    def subcontracts(self) -> None:
        events = self.subcontract("event_type")
        if not isinstance(events, dict):
            return
        operations = self.contract.setdefault("operations", [])
        if not isinstance(operations, list):
            return
        for side in ("published_events", "consumed_events"):
            listed = events.get(side)
            if not isinstance(listed, list) or not any(isinstance(event, str) for event in listed):
                continue
            result: list[Any] = []
            for event in listed:
                if not isinstance(event, str):
                    result.append(event)
                    continue
                name = names.kebab(event.lower())
                place = f"subcontracts.event_type.{side}: {event}"
                if side == "consumed_events":
                    handler = f"on_{names.snake(event.lower())}"
                    operations.append({"name": handler, "description": f"Take the event {event}.", "handler": "custom"})
                    result.append({"event": name, "operation": handler})
                    self.change(place, f"now {name}, taken by the operation {handler}; declare its fields as input")
                elif len(operations) == 1 and isinstance(operations[0], dict) and "publishes" not in operations[0]:
                    operations[0]["publishes"] = name
                    self.change(place, f"now publishes: {name} of the one operation")
                else:
                    self.keep(place, event)
                    self.change(place, "write publishes at the operation that it follows")
            events[side] = result
            if not result:
                del events[side]
        if not events:
            self.drop_subcontract("event_type")

    def variables(self, path: Path, value: Any) -> Any:
        """Return the value with `${NAME}` as a reference to the environment or a secret."""
        if isinstance(value, Mapping):
            return {key: self.variables((*path, key), item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.variables((*path, index), item) for index, item in enumerate(value)]
        if not isinstance(value, str) or (path and path[-1] in _TEXTS) or not _VARIABLE.search(value):
            return value
        new = _VARIABLE.sub(lambda match: f"${{{'secret' if _SECRET.search(match[1]) else 'env'}.{match[1]}}}", value)
        self.change(Problem(path, "", "").place, f"{value} is now {new}")
        return new

    def unknown_keys(self) -> None:
        """Take keys out of the contract which the language has no place for and which are no typing errors."""
        for problem in judge(self.contract):
            legacy = len(problem.path) == 1 and problem.path[0] in _NO_PLACE
            if problem.found.startswith("the unknown key") and (legacy or not problem.hint):
                holder: Any = self.contract
                for part in problem.path[:-1]:
                    holder = holder[part]
                self.keep(problem.place, holder.pop(problem.path[-1]), self.operation_at(problem.path))

    def operation_at(self, path: Path) -> str:
        """Return the name of the operation that a path leads into; empty for none."""
        match path:
            case ("operations", int() as index, *_):
                operation = self.contract["operations"][index]
                name = operation.get("name") if isinstance(operation, Mapping) else None
                return name if isinstance(name, str) else ""
        return ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _type_name(name: object) -> str:
    plain = re.sub(r"^(Model|Enum)(?=[A-Z])", "", str(name).rpartition(".")[2])
    return plain if re.fullmatch(r"[A-Z][A-Za-z0-9]*", plain) else names.pascal(names.snake(plain))


def _is_legacy_operation(entry: object) -> bool:
    legacy = {"input_model", "output_model", "operation_type", "timeout_ms"}
    return isinstance(entry, str) or (isinstance(entry, Mapping) and bool(legacy & entry.keys()))


def _operation_name(entry: object) -> str:
    if isinstance(entry, Mapping):
        entry = next((entry[key] for key in ("name", "operation", "operation_type") if key in entry), "operation")
    return names.snake(str(entry)) or "operation"


def _seconds(policy: object) -> float | None:
    """Return the one time that a timeout policy states, or None when it states something else."""
    if not isinstance(policy, Mapping) or len(policy) != 1:
        return None
    ((key, value),) = policy.items()
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value <= 0:
        return None
    if str(key).endswith("_ms"):
        return _plain(value / 1000)
    return value if str(key).endswith("_seconds") else None


def _plain(number: float) -> float:
    return int(number) if number == int(number) else number
