"""What requests of an HTTP API carry, and what is taken of its answers, as OpenAPI describes them by content type."""

import re
from collections.abc import Mapping
from typing import Any

from ..language import names
from .reference import At
from .schemas import ANY, Schemas
from .vocabulary import field_name, short, unique

SUCCESS = re.compile(r"2(\d\d|XX)")
_JSON = re.compile(r"application/(.+\+)?json\b|\*/\*")
_FORM = re.compile(r"application/x-www-form-urlencoded\b")
_PARTS = re.compile(r"multipart/form-data\b")
_TEXT = re.compile(r"text/(?!event-stream)|application/(.+\+)?(xml|yaml|jwt)\b")
_BYTES = re.compile(r"(application/(octet-stream|pdf|zip|gzip|x-tar|x-gzip)|image/|audio/|video/|font/)")
_MOST_ITEMS = 1_000


class Content:
    """What one operation sends and takes.

    Args:
        schemas: Turns schemas into fields.
        name: The operation.

    Attributes:
        by_hand: Why the operation needs a handler of its own; empty where it needs none.
    """

    def __init__(self, schemas: Schemas, name: str) -> None:
        """Keep what is needed."""
        self._schemas = schemas
        self._name = name
        self.by_hand: list[str] = []

    def sent(self, at: At, inputs: dict[str, Any], http: dict[str, Any]) -> None:
        """Turn the body of requests into input fields, and put references to them into the request.

        Args:
            at: The body.
            inputs: The operation's input, to which fields are added.
            http: The request, to which one of `body`, `form`, `multipart`, `text` and `bytes` is added.
        """
        content = at.held("content", dict)
        for kind in sorted(content, key=lambda kind: not _JSON.match(str(kind))):
            told = str(kind)
            if _JSON.match(told):
                self._json(at, kind, inputs, http)
            elif _FORM.match(told) or _PARTS.match(told):
                self._members(at, kind, inputs, http)
            elif _TEXT.match(told) or _BYTES.match(told):
                made = unique("body", inputs)
                text = _TEXT.match(told)
                inputs[made] = "string" if text else "bytes"
                http["text" if text else "bytes"] = f"${{input.{made}}}"
                http["headers"]["Content-Type"] = told.partition(";")[0]
            else:
                continue
            return
        inputs[unique("body", inputs)] = "object"
        self.by_hand.append(f"its body is {' or '.join(map(str, content)) or 'not told'}")

    def _json(self, at: At, kind: object, inputs: dict[str, Any], http: dict[str, Any]) -> None:
        made = unique("body", inputs)
        field: dict[str, Any] = (
            self._schemas.type_of(at.below("content", kind, "schema"), names.pascal(f"{self._name}_body"))
            if at.below("content").held(str(kind), dict).get("schema") is not None
            else {"type": "object"}
        )
        field.pop("default", None)
        if field["type"] == ANY:
            field["type"] = "object"
            self.by_hand.append("its body is of several kinds")
        if lacking := sorted(self._schemas.reached(field) & self._schemas.lossy):
            self.by_hand.append(f"{', '.join(lacking)} of its body lacks what it must have")
        if at.value.get("required") is not True:
            field["required"] = False
        inputs[made] = short(field)
        http["body"] = f"${{input.{made}}}"
        http["omit_null"] = True

    def _members(self, at: At, kind: object, inputs: dict[str, Any], http: dict[str, Any]) -> None:
        """Turn the properties of a form, or of its parts, into input fields of their own."""
        parts = _PARTS.match(str(kind)) is not None
        properties, required = self._schemas.properties(at.below("content", kind, "schema"))
        members: dict[str, Any] = {}
        for outside, part in properties.items():
            inside, _ = field_name(outside, inputs)
            field = self._schemas.type_of(part, names.pascal(f"{self._name}_{inside}"))
            held = field.get("items") if field["type"] == "array" else field["type"]
            held = held.get("type") if isinstance(held, Mapping) else held
            file = parts and part.followed().value.get("format") == "binary"
            if field["type"] == ANY:
                field["type"] = "string"
            elif held in {None, "object", "array"} or held in self._schemas.vocabulary.models:
                self.by_hand.append(f"{outside} of its {'parts' if parts else 'form'} holds values of its own")
            if file:
                field = {"type": "bytes"} | {key: field[key] for key in ("required", "description") if key in field}
            if outside not in required and "default" not in field:
                field["required"] = False
            inputs[inside] = short(field)
            value = f"${{input.{inside}}}"
            members[outside] = {"content": value, "filename": inside} if file else value
        if not members:
            self.by_hand.append(f"its body is {kind} without properties")
            return
        http["multipart" if parts else "form"] = members
        http["omit_null"] = True

    def taken(self, at: At, method: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Turn the answer of success into output fields.

        Args:
            at: The operation.
            method: Its method, in small letters.

        Returns:
            The operation's output, and what of the request says how it is filled.
        """
        responses = at.held("responses", dict)
        codes = [int(code) for code in responses if re.fullmatch(r"2\d\d", str(code))]
        http: dict[str, Any] = {"success": codes} if codes else {}
        code = next(
            (code for code in responses if SUCCESS.fullmatch(str(code))), "default" if "default" in responses else None
        )
        if code is None:
            return {}, http
        response = at.below("responses", code).followed()
        content = response.held("content", dict)
        if not content or method == "head":
            return {}, http
        # Not every one of them need have an answer of this kind.
        optional: dict[str, Any] = {"required": False} if len(codes) > 1 else {}
        kind = next((kind for kind in content if _JSON.match(str(kind))), None)
        if kind is None:
            for kind in content:
                for pattern, part, made in ((_TEXT, "text", "string"), (_BYTES, "bytes", "bytes")):
                    if pattern.match(str(kind)):
                        return {"content": short({"type": made} | optional)}, http | {
                            "extract": {"content": {part: True}}
                        }
            self.by_hand.append(f"it answers {' or '.join(map(str, content))}")
            return {"content": "string"}, http
        if response.below("content").held(str(kind), dict).get("schema") is None:
            return {"result": {"type": "object", "required": False}}, http | {"extract": {"result": "$"}}
        field = self._schemas.type_of(response.below("content", kind, "schema"), names.pascal(f"{self._name}_result"))
        field.pop("default", None)
        if field["type"] == ANY:
            field["type"] = "object"
            self.by_hand.append("its answer is of several kinds")
        if field["type"] != "array":
            return {"result": short(field | optional)}, http | {"extract": {"result": "$"}}
        if (
            method == "get"
            and not optional
            and "link" in {str(name).lower() for name in response.held("headers", dict)}
        ):
            pages = {"next": {"link": "next"}, "items": "$", "into": "items", "more": "more", "at_most": _MOST_ITEMS}
            return {"items": short(field), "more": "boolean"}, http | {"pages": pages}
        # An array takes all that a path matches.
        return {"items": short(field | optional)}, http | {"extract": {"items": "$[*]"}}
