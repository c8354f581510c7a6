"""What no dialect of SQL accepts, found without a parser: in files of migrations, and in contracts."""

import re

_WORD = re.compile(
    r"--[^\n]*|/\*|\*/|[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\w*)\$|[()\[\];]|[^\s'\"()\[\];$/*-]+|.",
    re.DOTALL,
)
_STARTS = frozenset(
    [
        "abort",
        "alter",
        "analyze",
        "begin",
        "call",
        "checkpoint",
        "close",
        "cluster",
        "comment",
        "commit",
        "copy",
        "create",
        "deallocate",
        "declare",
        "delete",
        "discard",
        "do",
        "drop",
        "end",
        "execute",
        "explain",
        "fetch",
        "grant",
        "import",
        "insert",
        "listen",
        "load",
        "lock",
        "merge",
        "move",
        "notify",
        "prepare",
        "reassign",
        "refresh",
        "reindex",
        "release",
        "reset",
        "revoke",
        "rollback",
        "savepoint",
        "security",
        "select",
        "set",
        "show",
        "start",
        "table",
        "truncate",
        "unlisten",
        "update",
        "vacuum",
        "values",
        "with",
    ]
)


def fault(text: str) -> tuple[int, str] | None:
    """Find what no dialect accepts: an open quote, comment or bracket, and a statement that no keyword begins.

    Args:
        text: Any number of statements.

    Returns:
        The line, from 1, and what is wrong there; None for nothing.
    """
    open_brackets: list[tuple[str, int]] = []
    starts = True
    position = 0
    while match := _WORD.match(text, position):
        word, line = match[0], text.count("\n", 0, match.start()) + 1
        position = match.end()
        if word.isspace() or word.startswith("--"):
            continue
        if word in {"/*", "'", '"'} or (word[0] == "$" and match[1] is not None):
            closing = text.find({"/*": "*/"}.get(word, word), position)
            if closing < 0:
                return line, f"{word} is never closed"
            position = closing + len({"/*": "*/"}.get(word, word))
            if word == "/*":
                continue
        elif word in "([":
            open_brackets.append((word, line))
        elif word in ")]":
            if not open_brackets or open_brackets.pop()[0] + word not in {"()", "[]"}:
                return line, f"{word} closes nothing"
        elif word == ";":
            if open_brackets:
                return open_brackets[-1][1], f"{open_brackets[-1][0]} is never closed"
            starts = True
            continue
        if starts and word not in "([" and word.lower() not in _STARTS:
            return line, f"no statement begins with {word[:40]}"
        starts = False
    if open_brackets:
        return open_brackets[-1][1], f"{open_brackets[-1][0]} is never closed"
    return None
