"""Values that may be missing where something needs one: keys, paths and contents."""

from collections.abc import Iterator, Mapping

from ..language import references
from ..language.contract import spell_out
from ..language.references import Reference
from ..text.problems import Path, Problem
from ..text.specs import Specs, mapping_of

# Where there is nothing to make of null, by implementation: Kafka has messages without key, and without value.
_NEEDS = {"http": ("path",), "kafka": ("key",), "redis": ("key", "field"), "filesystem": ("path", "to", "content")}
_HINT = "leave out required: false, or give it a default in its place"


def problems(path: Path, spec: Specs, inputs: Specs, models: Mapping[str, Specs]) -> Iterator[Problem]:
    """Find references to fields that may be null, where null has no meaning.

    Args:
        path: Where the implementation is; its last part is its key.
        spec: The implementation.
        inputs: The operation's input fields.
        models: Fields by the names of models.

    Yields:
        The problems.
    """
    implementation = str(path[-1])
    if implementation == "kafka" and may_be_null(spec.get("payload", ""), inputs, models):
        key = spec.get("key")
        if key is None or may_be_null(key, inputs, models):
            yield Problem(
                (*path, "key"), "a message that may have neither key nor value", "a key, which always is there"
            )
    for key in ("headers", "query") if implementation == "http" else ():
        for name, text in mapping_of(spec.get(key)).items():
            yield from _around((*path, key, name), text, inputs, models)
    for key in _NEEDS[implementation]:
        text = spec.get(key)
        if not isinstance(text, str):
            continue
        found = references.parts(text)
        whole = len(found) == 1
        if (implementation, whole) == ("kafka", True) or (key == "content" and not whole):
            continue
        for reference in found:
            if not isinstance(reference, Reference) or reference.source != "input":
                continue
            kind = _optional(reference.name, inputs, models)
            if kind and (key != "content" or kind in {"string", "bytes"}):
                what = {"content": "the content of a file"}.get(key, f"the {key}")
                yield Problem((*path, key), f"{reference.name}, which may be null", f"a value for {what}", _HINT)


def _around(path: Path, text: object, inputs: Specs, models: Mapping[str, Specs]) -> Iterator[Problem]:
    """Find references to fields that may be null inside of other text, which would be sent without them."""
    found = references.parts(text) if isinstance(text, str) else []
    for reference in found if len(found) > 1 else ():
        if not isinstance(reference, Reference) or reference.source != "input":
            continue
        if _optional(reference.name, inputs, models):
            expected = "a value for the text around it, or the reference alone, which is left out where it is null"
            yield Problem(path, f"{reference.name}, which may be null", expected, _HINT)


def in_key(path: Path, text: str, inputs: Specs, models: Mapping[str, Specs]) -> Iterator[Problem]:
    """Find references to fields that may be null, in the text of a key."""
    for reference in references.parts(text):
        if not isinstance(reference, Reference) or reference.source != "input":
            continue
        if _optional(reference.name, inputs, models):
            yield Problem(path, f"{reference.name}, which may be null", "a value for the key", _HINT)


def may_be_null(value: object, inputs: Specs, models: Mapping[str, Specs]) -> bool:
    """Tell whether a value is null, or one reference to a field of the input that may be."""
    found = references.parts(value) if isinstance(value, str) else []
    whole = found[0] if len(found) == 1 else None
    if isinstance(whole, Reference):
        return whole.source == "input" and bool(_optional(whole.name, inputs, models))
    return value is None


def _optional(name: str, inputs: Specs, models: Mapping[str, Specs]) -> str:
    """Return the type of what a name leads to where that may be null; empty where there always is a value."""
    fields, kind, optional = inputs, "", False
    for word in name.split("."):
        if word not in fields:
            return ""
        spec = spell_out(fields[word])
        kind = str(spec.get("type"))
        optional = optional or spec.get("required", True) is False
        fields = models.get(kind, {})
    return kind if optional else ""
