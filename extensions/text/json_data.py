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
    """Return a document as JSON whose mappings are opened down to a depth, so that what is below has one line each.

    Args:
        value: Values of JSON.
        depth: How many levels of mappings are opened.
        indent: What stands before the lines of this level.
    """
    if not depth or not isinstance(value, Mapping) or not value:
        return json.dumps(value, ensure_ascii=False)
    inner = f"{indent}  "
    lines = (
        f"{inner}{json.dumps(key, ensure_ascii=False)}: {laid_out(item, depth - 1, inner)}"
        for key, item in value.items()
    )
    return f"{{\n{',\n'.join(lines)}\n{indent}}}"
