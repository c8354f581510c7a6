# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Bytes that are Base64 text in JSON."""

import base64
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

# Written is the standard alphabet; read is the other one, too, which others and earlier versions write.
_STANDARD = str.maketrans("-_", "+/")


def _decode(value: object) -> object:
    return base64.b64decode(value.translate(_STANDARD), validate=True) if isinstance(value, str) else value


def _encode(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


Base64Bytes = Annotated[
    bytes,
    BeforeValidator(_decode, json_schema_input_type=str),
    PlainSerializer(_encode, return_type=str, when_used="json"),
]
