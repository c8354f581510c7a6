"""Formats of texts, times of a day, arrays without repetition, and values without secrets."""

from typing import Annotated, Any

import pytest
from onex_node_runtime.models.formats import Email, Hostname, Ipv4, Ipv6, LocalTime, Unique, Uri
from onex_node_runtime.models.secrets import SECRET, public, published
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

GOOD: list[tuple[Any, object]] = [
    (Email, "ann@example.org"),
    (Email, "Ann.O'Hara+x@mail.example.org"),
    (Uri, "https://example.org/a?b=c#d"),
    (Uri, "urn:isbn:0451450523"),
    (Hostname, "a.b-c.example"),
    (Hostname, "localhost"),
    (Ipv4, "192.0.2.1"),
    (Ipv6, "2001:DB8::1"),
    (LocalTime, "23:59:59.5"),
    (Unique[int], [1, 2, 3]),
    (Unique[JsonValue], [{"a": 1, "b": 2}, {"a": 1}, 1, "1", None, [1], [2]]),
]
BAD: list[tuple[Any, object]] = [
    (Email, "ann"),
    (Email, "Ann <ann@example.org>"),
    (Email, "ann@"),
    (Uri, "example.org"),
    (Uri, "https://exa mple.org"),
    (Uri, "https://"),
    (Hostname, "-a.example"),
    (Hostname, "a..b"),
    (Hostname, ""),
    (Hostname, "a" * 64),
    (Hostname, ".".join(["a" * 60] * 5)),
    (Ipv4, "192.0.2"),
    (Ipv4, "::1"),
    (Ipv6, "192.0.2.1"),
    (LocalTime, "12:00:00Z"),
    (Unique[int], [1, 2, 1]),
    (Unique[JsonValue], [{"a": 1, "b": [{"c": 1, "d": 2}]}, {"b": [{"d": 2, "c": 1}], "a": 1}]),
]


@pytest.mark.parametrize(("kind", "value"), GOOD)
def test_what_fits_is_kept_as_it_is(kind: Any, value: object) -> None:
    adapter = TypeAdapter(kind)
    assert adapter.dump_python(adapter.validate_python(value), mode="json") == (
        "23:59:59.500000" if value == "23:59:59.5" else value
    )


@pytest.mark.parametrize(("kind", "value"), BAD)
def test_what_does_not_fit_is_refused_without_showing_it(kind: Any, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    (problem,) = caught.value.errors(include_input=False, include_context=False)
    assert not isinstance(value, str) or len(value) < len("a.b") or value not in problem["msg"]


def test_schemas_say_so() -> None:
    assert TypeAdapter(Email).json_schema() == {"type": "string", "format": "email"}
    assert TypeAdapter(Unique[int]).json_schema() == {
        "type": "array",
        "items": {"type": "integer"},
        "uniqueItems": True,
    }


class Inner(BaseModel):
    """A model with a name outside, and a secret."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    first_name: Annotated[str, Field(validation_alias=AliasChoices("firstName"), serialization_alias="firstName")]
    code: Annotated[str | None, Field(repr=False, json_schema_extra=SECRET)] = None


class Outer(BaseModel):
    """A model that holds others in every way."""

    one: Inner
    many: list[Inner]
    named: dict[str, Inner]
    data: bytes = b"\xff\xfe"


def test_secrets_are_left_out_at_any_depth() -> None:
    inner = Inner.model_validate({"firstName": "Ann", "code": "hidden-word"})
    shown = public(Outer(one=inner, many=[inner], named={"a": inner}))
    assert shown == {
        "one": {"firstName": "Ann"},
        "many": [{"firstName": "Ann"}],
        "named": {"a": {"firstName": "Ann"}},
        "data": "//4=",
    }


def test_events_are_models_without_secrets() -> None:
    inner = Inner(first_name="Ann", code="hidden-word")
    assert published(Outer(one=inner, many=[], named={})).model_dump(mode="json")["one"] == {"firstName": "Ann"}


def test_repr_shows_no_secret() -> None:
    assert "hidden-word" not in repr(Inner(first_name="Ann", code="hidden-word"))
