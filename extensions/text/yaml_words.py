"""What YAML 1.1 makes of words that people mean as something else, for hints."""

import re
from collections.abc import Collection
from datetime import date

_EXPONENT = re.compile(r"[-+]?(?P<whole>\d+)(?:\.(?P<rest>\d*))?[eE](?P<sign>[-+]?)(?P<power>\d{1,3})")
_OCTAL = re.compile(r"0o[0-7]{1,20}")
_CLOCK = 3600
_QUOTE = "quote it"


def misread(value: object, wanted: Collection[str]) -> str:
    """Return a hint for a value that YAML is likely to have read as something else; empty for none.

    Args:
        value: The value that was read.
        wanted: The types of the contract language that belong there, such as `string` or `number`.
    """
    if isinstance(value, str):
        return _unquoted(value.strip(), wanted)
    if not {"string", "time", "duration"} & set(wanted):
        return ""
    if value is None:
        return "null and ~ are text in quotes alone"
    if isinstance(value, bool):
        return f"YAML read a boolean, as it does yes, no, on and off: {_QUOTE}"
    if isinstance(value, date):
        return f"YAML read a date: {_QUOTE}"
    if isinstance(value, int) and {"time", "duration"} & set(wanted):
        return f"YAML reads numbers with colons to the base of 60: {_QUOTE}"
    if isinstance(value, (int, float)):
        based = ", as are 12:30:00 and 0x1F" if isinstance(value, int) and value >= _CLOCK else ""
        return f"YAML read a number{based}: {_QUOTE}"
    return ""


def _unquoted(text: str, wanted: Collection[str]) -> str:
    """Return a hint for text where a number belongs that YAML 1.1 does not read as one, or that is in quotes."""
    if not {"integer", "number"} & set(wanted):
        return f"write {text.lower()} without quotes" if _is_boolean(text, wanted) else ""
    if match := _EXPONENT.fullmatch(text):
        if "number" not in wanted:
            return _whole(text)
        mantissa = f"{match['whole']}.{match['rest'] or '0'}"
        lead = text[0] if text[0] in "+-" else ""
        return f"YAML read text: write {lead}{mantissa}e{match['sign'] or '+'}{match['power']}"
    if _OCTAL.fullmatch(text):
        return f"YAML read text: write {int(text, 8)}"
    return f"write {text} without quotes" if re.fullmatch(r"-?(0|[1-9]\d{0,18})", text) else ""


def _is_boolean(text: str, wanted: Collection[str]) -> bool:
    return "boolean" in wanted and text.lower() in {"true", "false", "yes", "no", "on", "off"}


def _whole(text: str) -> str:
    number = float(text)
    return f"YAML read text: write {number:.0f}" if number.is_integer() and abs(number) < 2**63 else ""
