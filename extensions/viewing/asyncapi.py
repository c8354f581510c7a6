"""What a node publishes and consumes, as an AsyncAPI 3.0 document."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..language import names
from ..language.contract import MISSING, Operation
from ..language.integrations import ConsumedEvent, Kafka
from ..language.references import Reference, literal_of, member_of, parts, resolved
from ..text.json_data import json_value, laid_out
from . import topics
from .json_types import OPEN, PUBLIC, Schema, Types, draft_07, reachable, reference, side

if TYPE_CHECKING:
    from .node import NodeView

_UUID: Final[Schema] = {"type": "string", "format": "uuid"}
_MAYBE_TEXT: Final[Schema] = {"type": ["string", "null"]}
_TEXTS: Final[Schema] = {"type": "object", "additionalProperties": {"type": "string"}}
ENVELOPE: Final[Schema] = {
    "type": "object",
    "description": "ONEX's ModelEventEnvelope: who tells, about which request, and in `payload` what.",
    "properties": {
        "payload": {},
        "envelope_id": _UUID,
        "envelope_timestamp": {"type": "string", "format": "date-time"},
        "correlation_id": {**_UUID, "type": ["string", "null"], "description": "The request that it belongs to."},
        "source_tool": {**_MAYBE_TEXT, "description": "The node that tells."},
        "event_type": {**_MAYBE_TEXT, "description": "The topic."},
        "metadata": {
            "type": "object",
            "properties": {
                "headers": {**_TEXTS, "description": "With `traceparent`, where the node is traced."},
                "tags": {**_TEXTS, "description": "Of events: `message_category` and `namespace`."},
            },
        },
    },
    "required": ["payload", "envelope_timestamp"],
}
FAILURE: Final[Schema] = {
    "type": "object",
    "description": "What went wrong, in words without secrets.",
    "properties": {
        "code": {"type": "string", "description": "ONEX's error code."},
        "message": {"type": "string"},
        "outcome_unknown": {
            "type": "boolean",
            "description": "Whether the operation may have taken effect all the same.",
        },
        "safe_to_repeat": {"type": "boolean", "description": "Whether it can be asked for again without harm."},
    },
    "required": ["code", "message", "outcome_unknown", "safe_to_repeat"],
    "additionalProperties": False,
}
STEP: Final[Schema] = {
    "type": "object",
    "description": "A step of a workflow that ended, or was undone.",
    "properties": {
        "run_id": _UUID,
        "operation": {"type": "string"},
        "step": {"type": "string"},
        "status": {"enum": ["completed", "failed", "skipped", "compensated", "compensation_failed"]},
        "error": {"type": "string", "description": "What went wrong; empty for nothing."},
        "outcome_unknown": {"type": "boolean", "description": "Whether nobody knows if the step took effect."},
        "duration_ms": {"type": "number", "minimum": 0},
    },
    "required": ["run_id", "operation", "step", "status", "error", "outcome_unknown", "duration_ms"],
    "additionalProperties": False,
}
_CORRELATION_HEADER: Final[Schema] = {**_UUID, "description": "The request that it belongs to."}
_LETTER_HEADERS: Final[Schema] = {
    "type": "object",
    "description": "The message's own headers, and these.",
    "properties": {
        "correlation_id": _CORRELATION_HEADER,
        "dead_letter_topic": {"type": "string", "description": "Where the message came from."},
        "dead_letter_partition": {"type": "string"},
        "dead_letter_offset": {"type": "string"},
        "dead_letter_attempts": {"type": "string", "description": "How often it was tried."},
        "dead_letter_error_code": {"type": "string", "description": "ONEX's error code."},
        "dead_letter_error": {"type": "string"},
        "dead_letter_left_out": {"type": "string", "description": "What of it was too large to be repeated."},
    },
    "required": [
        "correlation_id",
        "dead_letter_topic",
        "dead_letter_partition",
        "dead_letter_offset",
        "dead_letter_attempts",
        "dead_letter_error_code",
        "dead_letter_error",
    ],
}
_KAFKA: Final = "kafka"
_BUS: Final = "onex"
_GIVEN: Final[Mapping[str, Schema]] = {
    "now": {"type": "string", "format": "date-time"},
    "uuid": _UUID,
    "correlation_id": _UUID,
}


def document(node: "NodeView") -> str:
    """Return the document as JSON with one line for each channel, operation, message and schema.

    Args:
        node: The view of the contract.
    """
    return _Document(node).text()


class _Document:
    """The document of one node, as it comes about."""

    def __init__(self, node: "NodeView") -> None:
        self._node = node
        self._types = Types(node.contract)
        # What leaves the node has no secrets, and what others tell may be more than the node takes of it.
        self._public = Types(node.contract, PUBLIC) if node.has_secrets else self._types
        self._open = Types(node.contract, OPEN)
        self._channels: dict[str, dict[str, Any]] = {}
        self._operations: dict[str, dict[str, Any]] = {}
        self._messages: dict[str, dict[str, Any]] = {}
        self._own: dict[str, Schema] = {"Envelope": dict(ENVELOPE)}

    def text(self) -> str:
        node = self._node
        self._requests()
        for operation in node.contract.operations:
            self._events(operation)
            if operation.kafka:
                self._message(operation, operation.kafka)
        for event in node.contract.consumed_events:
            self._consumed(event)
        if node.workflows:
            self._workflows()
        known = {**self._types.schemas, **self._public.schemas, **self._open.schemas, **self._own}
        used = reachable(self._messages, known)
        return laid_out(
            {
                "asyncapi": "3.0.0",
                "info": {
                    "title": node.full_name,
                    "version": node.version,
                    **({"description": node.description} if node.description else {}),
                },
                "defaultContentType": "application/json",
                "servers": self._servers(),
                "channels": self._channels,
                "operations": self._operations,
                "components": {
                    "messages": draft_07(self._messages),
                    "schemas": {name: draft_07(schema) for name, schema in known.items() if name in used},
                },
            },
            3,
        )

    def _servers(self) -> dict[str, Any]:
        servers: dict[str, Any] = {
            _BUS: {
                "host": "{bus}",
                "protocol": "kafka",
                "description": "The event bus of the runtime that the node is in.",
                "variables": {"bus": {"description": "As that runtime is set up: Kafka, or nothing but its process."}},
            }
        }
        if kafka := self._node.kafka:
            variable = self._node.variable(kafka.servers.setting)
            servers[_KAFKA] = {
                "host": "{brokers}",
                "protocol": "kafka",
                "description": "The brokers that the node itself is connected to.",
                "variables": {"brokers": {"description": f"The setting {variable}."}},
            }
        return servers

    def _requests(self) -> None:
        node = self._node
        single = len(node.operations) == 1
        requests, answers = [], []
        for operation in node.contract.operations:
            word = {"const": operation.name}
            filled = self._types.schemas[side(operation.name, "Input")].get("required")
            needed = {"operation": not single, "payload": bool(filled)}
            requests.append(
                _closed(
                    {
                        "operation": word,
                        "payload": reference(side(operation.name, "Input")),
                        "correlation_id": _or_null(_UUID),
                    },
                    tuple(name for name, is_needed in needed.items() if is_needed),
                )
            )
            answers.append(
                _closed(
                    {
                        "operation": word,
                        "result": reference(side(operation.name, "Output")),
                        "correlation_id": _or_null(_UUID),
                    },
                    ("operation", "result"),
                )
            )
        self._own["Request"] = _one_of(requests, "One operation to run.")
        self._own["Answer"] = _one_of(answers, "The result of an operation that succeeded.")
        self._messages["request"] = _message("A request to run an operation.", _enveloped(reference("Request")))
        self._messages["answer"] = _message(
            "The answer to a request, in an envelope or without one; how failures are told is the runtime's to say.",
            {"anyOf": [_enveloped(reference("Answer")), reference("Answer")]},
        )
        asked = self._channel(node.command_topic, _BUS, "request")
        answered = self._channel(node.completed_topic, _BUS, "answer")
        self._operation("take_requests", "receive", asked, "Requests, which ONEX's runtimes hand to the node.")
        self._operations["take_requests"]["reply"] = answered

    def _events(self, operation: Operation) -> None:
        for event in operation.publishes:
            topic = names.event_topic(self._node.contract, event.event)
            failed = event.on == "failure"
            told = {"error": reference("Failure")} if failed else {"output": self._side(operation, "Output")}
            name = f"{operation.name}.{'failed' if failed else 'succeeded'}"
            if failed:
                self._own["Failure"] = dict(FAILURE)
            self._messages[name] = _message(
                f"What {operation.name} was asked for, and {'what went wrong' if failed else 'what came of it'}.",
                _enveloped(_closed({"input": self._side(operation, "Input"), **told})),
                self._headers({}) if self._node.to_kafka else None,
            )
            channel = self._channel(topic, self._bus, name)
            after = "failure" if failed else "success"
            self._operation(
                f"{operation.name}.{self._key(topic)}", "send", channel, f"After {after} of {operation.name}."
            )

    def _message(self, operation: Operation, spec: Kafka) -> None:
        topic = topics.of_message(self._node.contract, spec.topic)
        name = f"{operation.name}.message"
        payload = self._side(operation, "Input") if spec.payload is MISSING else self._told(operation, spec.payload)
        message = _message(f"What {operation.name} publishes.", payload, self._headers(spec.headers))
        if spec.key is not None:
            message["bindings"] = {"kafka": {"key": {"type": "string"}}}
        self._messages[name] = message
        channel = self._channel(topic, _KAFKA, name)
        self._operation(operation.name, "send", channel, operation.description or f"Messages of {operation.name}.")

    def _consumed(self, event: ConsumedEvent) -> None:
        contract = self._node.contract
        topic = topics.of_message(contract, event.event)
        operation = next(one for one in contract.operations if one.name == event.operation)
        taken: Schema = {"type": "object", "properties": {}}
        for field in operation.input:
            path = member_of(event.map[field.name], "event") if field.name in event.map else (field.outside,)
            if path:
                _put(taken, path, self._open.field(field), needed=field.required and field.default is MISSING)
        name = f"{operation.name}.event"
        where = f", where {event.where}" if event.where else ""
        self._messages[name] = _message(
            f"What {operation.name} handles{where}, in an envelope or without one; more members do no harm.",
            {"anyOf": [_enveloped(taken), taken]},
        )
        channel = self._channel(topic, _KAFKA, name)
        self._operation(f"{operation.name}.takes", "receive", channel, f"Events that {operation.name} handles.")
        if letters := (self._node.kafka and self._node.kafka.dead_letters):
            self._messages["dead_letter"] = _message(
                "An event that could not be handled, as it was.", {}, dict(_LETTER_HEADERS)
            )
            buried = self._channel(f"{topic}{letters.topic_suffix}", _KAFKA, "dead_letter")
            self._operation(f"{operation.name}.buries", "send", buried, f"Events that {operation.name} can't handle.")

    def _workflows(self) -> None:
        node, contract = self._node, self._node.contract
        self._own["Step"] = dict(STEP)
        self._messages["step"] = _message("How a step of a workflow ended.", _enveloped(reference("Step")))
        self._operation("tell_of_steps", "send", self._channel(node.step_topic, self._bus, "step"), "Steps that ended.")
        for operation in contract.operations:
            for event in operation.workflow.events if operation.workflow else ():
                topic = names.event_topic(contract, event)
                self._messages["intent"] = _message("What an intent of an answer asks for.", _enveloped({}))
                channel = self._channel(topic, self._bus, "intent")
                self._operation(
                    f"{operation.name}.{self._key(topic)}", "send", channel, f"Intents in {operation.name}."
                )
        calls = [call for operation in contract.operations if operation.workflow for call in operation.workflow.calls]
        for peer in node.peers:
            asked = sorted({call.operation for call in calls if call.node == peer.node})
            request: dict[str, Schema] = {
                "operation": {"enum": asked},
                "payload": {"type": "object"},
                "correlation_id": _UUID,
            }
            name = f"{peer.node}.request"
            self._messages[name] = _message(f"A request to {peer.node}.", _enveloped(_closed(request)))
            self._messages["peer.answer"] = _message(
                "The answer of another node, with the request's correlation id: its `result`, or `error`.",
                {"type": "object"},
            )
            self._operation(name, "send", self._channel(peer.command_topic, _BUS, name), f"Requests to {peer.node}.")
            self._operations[name]["reply"] = self._channel(peer.completed_topic, _BUS, "peer.answer")

    @property
    def _bus(self) -> str:
        return _KAFKA if self._node.to_kafka else _BUS

    def _key(self, topic: str) -> str:
        return topics.key(topic, topics.published(self._node.contract))

    def _side(self, operation: Operation, which: str) -> Schema:
        return self._public.reference(side(operation.name, which))

    def _headers(self, more: Mapping[str, object]) -> Schema:
        traced: Schema = {"traceparent": {"type": "string"}} if self._node.tracing else {}
        known = {"correlation_id": _CORRELATION_HEADER, **traced}
        return {"type": "object", "properties": {**known, **{name: {"type": "string"} for name in more}}}

    def _channel(self, topic: str, server: str, message: str) -> dict[str, Any]:
        """Note that a message goes over a topic; return what operations say of that."""
        channel = self._channels.setdefault(
            topic, {"address": topic, "servers": [{"$ref": f"#/servers/{server}"}], "messages": {}}
        )
        channel["messages"][message] = {"$ref": f"#/components/messages/{message}"}
        return {
            "channel": {"$ref": f"#/channels/{topic}"},
            "messages": [{"$ref": f"#/channels/{topic}/messages/{message}"}],
        }

    def _operation(self, name: str, action: str, over: Mapping[str, Any], summary: str) -> None:
        self._operations[name] = {"action": action, **over, "summary": summary}

    def _told(self, operation: Operation, value: object) -> Schema:
        """Return the schema of what a message's payload becomes, references resolved."""
        if isinstance(value, str):
            return self._text(operation, value)
        if isinstance(value, Mapping):
            return _closed({str(key): self._told(operation, item) for key, item in value.items()})
        if isinstance(value, (list, tuple)):
            items = [self._told(operation, item) for item in value]
            tuple_of = {"items": items} if items else {}
            return {"type": "array", **tuple_of, "minItems": len(items), "maxItems": len(items)}
        return {"const": json_value(resolved(value))}

    def _text(self, operation: Operation, text: str) -> Schema:
        found = parts(text)
        if not any(isinstance(part, Reference) for part in found):
            return {"const": literal_of(text)}
        whole = found[0]
        if len(found) > 1 or not isinstance(whole, Reference):
            return {"type": "string"}
        if whole.source != "input":
            return _GIVEN.get(whole.source, {"type": "string"})
        field = self._public.find(operation.input, whole.path)
        return self._public.field(field) if field else {}


def _message(summary: str, payload: Schema, headers: Schema | None = None) -> dict[str, Any]:
    return {"summary": summary, **({"headers": headers} if headers else {}), "payload": payload}


def _enveloped(payload: Schema) -> Schema:
    return {"allOf": [reference("Envelope"), {"type": "object", "properties": {"payload": payload}}]}


def _closed(properties: Mapping[str, Schema], required: tuple[str, ...] | None = None) -> Schema:
    needed = list(properties if required is None else required)
    listed = {"required": needed} if needed else {}
    return {"type": "object", "properties": dict(properties), **listed, "additionalProperties": False}


def _one_of(schemas: list[Schema], description: str) -> Schema:
    return {**(schemas[0] if len(schemas) == 1 else {"oneOf": schemas}), "description": description}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _put(into: Schema, path: tuple[str, ...], schema: Schema, *, needed: bool) -> None:
    """Add a member to the schema of an object, with the objects on the way to it."""
    name, *rest = path
    if needed:
        into["required"] = [*dict.fromkeys((*into.get("required", ()), name))]
    members = into.setdefault("properties", {})
    if rest:
        _put(members.setdefault(name, {"type": "object"}), tuple(rest), schema, needed=needed)
    else:
        members.setdefault(name, schema)
