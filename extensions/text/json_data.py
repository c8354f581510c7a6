"""Values of a contract as JSON has them."""

from collections.abc import Mapping


def json_value(value: object) -> object:
    """Return the value with YAML's dates as the text that JSON has for them."""
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if callable(isoformat) else value
