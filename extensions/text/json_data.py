"""Values of a contract as JSON has them."""

import json
from collections.abc import Mapping


def json_value(value: object) -> object:
    """Return the value with YAML's dates as the text that JSON has for them."""
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if callable(isoformat) else value


def laid_out(value: object, depth: int, indent: str = "") -> str:
    """Return a document as JSON that is opened down to a depth, so that what is below has one line each.

    What is opened are mappings, and lists of several mappings.

    Args:
        value: Values of JSON.
        depth: How many levels are opened.
        indent: What stands before the lines of this level.
    """
    inner = f"{indent}  "
    if depth and isinstance(value, list) and len(value) > 1 and all(isinstance(item, Mapping) for item in value):
        items = ",\n".join(f"{inner}{laid_out(item, depth - 1, inner)}" for item in value)
        return f"[\n{items}\n{indent}]"
    if not depth or not isinstance(value, Mapping) or not value:
        return json.dumps(value, ensure_ascii=False)
    lines = (
        f"{inner}{json.dumps(key, ensure_ascii=False)}: {laid_out(item, depth - 1, inner)}"
        for key, item in value.items()
    )
    return f"{{\n{',\n'.join(lines)}\n{indent}}}"
