"""What stands in SQL and PostgreSQL does not fill in: placeholders of other drivers, and its own within texts."""

import re
from collections.abc import Collection, Iterator
from typing import Final

from . import sql

_OPERATOR: Final = re.compile(r"[-+*/<>=~!@#%^&|`?]+")
_WORD: Final = re.compile(r"[A-Za-z_][\w$]*")
_TEMPLATE: Final = re.compile(r"[$#%]*\{+[^{}]*\}*|\$(?=[A-Za-z_])[\w$.]+")
_NAMED: Final = re.compile(r":(?:[A-Za-z_]\w*|\d+|(?=\"))")
_FORMAT: Final = re.compile(r"%(?:[sdib]\b|\(\s*\w+\s*\)[sdib]?)")
# Before these, PostgreSQL takes % and ? for operators; what ends in one and is none of these ends in a placeholder.
_ENDING: Final = {"?": ("?", "@?"), "%": ("%", "<%", "<<%")}
# Words behind which a value begins, so that no operator with two sides can follow.
_BEFORE_VALUES: Final = frozenset(
    [
        "select",
        "where",
        "and",
        "or",
        "not",
        "in",
        "like",
        "ilike",
        "similar",
        "between",
        "limit",
        "offset",
        "values",
        "set",
        "on",
        "when",
        "then",
        "else",
        "case",
        "returning",
        "by",
        "having",
        "using",
        "is",
        "distinct",
        "all",
        "any",
        "some",
        "from",
        "escape",
        "call",
        "symmetric",
        "as",
        "to",
        "only",
        "into",
        "table",
    ]
)
# Words that begin what follows a value, so that no operator can stand before them.
_BEHIND_VALUES: Final = frozenset(
    [
        "and",
        "or",
        "where",
        "from",
        "group",
        "order",
        "having",
        "limit",
        "offset",
        "returning",
        "union",
        "except",
        "intersect",
        "for",
        "then",
        "else",
        "end",
        "when",
        "on",
        "as",
        "desc",
        "asc",
        "nulls",
        "is",
        "in",
        "like",
        "ilike",
        "between",
        "fetch",
        "window",
        "set",
    ]
)
_NUMBERED: Final = re.compile(r"\$(\d+)")


def foreign(query: str, names: Collection[str] = ()) -> Iterator[str]:
    """Find what other drivers and templates take for a placeholder: `?`, `%s`, `%(name)s`, `:name`, `$name`, `{name}`.

    Casts, slices, and the operators of JSON and of similarity, such as `?` and `%` between two values, are none.

    Args:
        query: A statement.
        names: What `@name` may stand for; of another name it is the absolute value.

    Yields:
        The placeholders as they stand there.
    """
    bare = _bare(query)
    brackets = position = 0
    while position < len(bare):
        char = bare[position]
        match: re.Match[str] | None = None
        if found := _TEMPLATE.match(bare, position):
            match = found
        elif char == ":" and bare[position : position + 2] not in {"::", ":="} and not brackets:
            match = _NAMED.match(bare, position)
        elif char == ":" and bare.startswith("::", position):
            position += 1
        elif found := _OPERATOR.match(bare, position):
            if text := _placeholder(bare, found, names):
                yield text
            position = found.end() - 1
        elif found := _WORD.match(bare, position):
            position = found.end() - 1
        brackets += {"[": 1, "]": -1}.get(char, 0)
        if match:
            yield query[match.start() : match.end()].strip() or match[0]
            position = match.end() - 1
        position += 1


def _bare(query: str) -> str:
    """Return a query of the same length, with texts and quoted names as quotes, and comments as spaces."""
    made = [" "] * len(query)
    for kind, start, end in sql.scanned(query):
        made[start:end] = '"' * (end - start) if kind in {"quoted", "dollar"} else query[start:end]
    return "".join(made)


def _placeholder(bare: str, operator: re.Match[str], names: Collection[str]) -> str:
    """Return the placeholder that an operator is, or ends in; empty for none."""
    text, end = operator[0], operator.end()
    last = text[-1]
    is_whole = len(text) == 1
    has_left, has_right = _ends_value(bare[: operator.start()]), _begins_value(bare[end:])
    if last == "?" and (text not in _ENDING["?"] or not has_left or not has_right):
        return "?" if text != "??" else text
    if text == "%%":
        return text
    if last == "%" and (found := _FORMAT.match(bare, end - 1)):
        if text not in _ENDING["%"] or (is_whole and not has_left):
            return found[0]
    elif last == "@" and (word := _WORD.match(bare, end)) and word[0] in names:
        return f"@{word[0]}" if (is_whole and not has_left) or text in {"=@", "<>@", "!=@"} else ""
    return ""


def _ends_value(before: str) -> bool:
    before = before.rstrip()
    if not before or not (before[-1].isalnum() or before[-1] in '_$")]'):
        return False
    word = re.search(r"[\w$]+$", before)
    return word is None or word[0].lower() not in _BEFORE_VALUES


def _begins_value(behind: str) -> bool:
    behind = behind.lstrip()
    word = _WORD.match(behind)
    return bool(behind) and behind[0] not in ",);:]" and not (word and word[0].lower() in _BEHIND_VALUES)


def quoted_placeholders(query: str, count: int) -> Iterator[str]:
    """Find texts that hold one of the placeholders `$1` to the last one, and are sent with it as they stand."""
    for kind, start, end in sql.scanned(query):
        text = query[start:end]
        if kind == "quoted" and any(1 <= int(found) <= count for found in _NUMBERED.findall(text)):
            yield text
