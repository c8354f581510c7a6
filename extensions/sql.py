r"""What has to be known of a PostgreSQL statement: placeholders, how many statements, whether it reads or returns.

A scanner of our own, since sqlparse 0.5 takes the backslash in 'a\\' for an escape, which PostgreSQL does not, and
ends nested comments too early: both would hide a second statement.
"""

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
      (?P<skip> \s+ | --[^\n]* )
    | (?P<comment> /\* )
    | (?P<quoted> [eE]'(?:[^'\\]|\\.|'')*' | (?:[bBxXnN]|[uU]&)?'(?:[^']|'')*' | "(?:[^"]|"")*" )
    | (?P<dollar> \$(?P<tag>(?:[A-Za-z_]\w*)?)\$ .*? \$(?P=tag)\$ )
    | (?P<placeholder> \$\d+ )
    | (?P<word> [A-Za-z_][\w$]* )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_READING = ("select", "values", "table", "with")
_CHANGING = frozenset({"insert", "update", "delete", "merge", "into", "share", "nextval", "setval", "truncate"})


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while match := _TOKEN.match(text, position):
        kind = str(match.lastgroup) if match.lastgroup != "tag" else "dollar"
        if kind == "comment":
            position = _after_comment(text, match.end())
            continue
        position = match.end()
        if kind != "skip":
            yield kind, match.group()


def _after_comment(text: str, position: int) -> int:
    depth = 1
    for match in re.compile(r"/\*|\*/").finditer(text, position):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    return len(text)


def placeholders(query: str) -> set[int]:
    """Return the numbers of the placeholders `$1`, `$2`, … outside of strings, names and comments."""
    return {int(token[1:]) for kind, token in _tokens(query) if kind == "placeholder"}


def statements(query: str) -> int:
    """Return how many statements there are; one may end in a semicolon."""
    return len(split(query))


def split(script: str) -> list[list[tuple[str, str]]]:
    """Return the statements of a script as pairs of kind and text: `word`, `quoted`, `dollar`, `placeholder`, `other`.

    The body of a function that is not quoted, `BEGIN ATOMIC … END`, belongs to its statement.
    """
    found: list[list[tuple[str, str]]] = [[]]
    depth, before = 0, ""
    for kind, text in _tokens(script):
        word = text.lower() if kind == "word" else ""
        if (before == "begin" and word == "atomic") or (depth and word == "case"):
            depth += 1
        elif depth and word == "end":
            depth -= 1
        if kind == "other" and text == ";" and not depth:
            found.append([])
        else:
            found[-1].append((kind, text))
        before = word
    return [statement for statement in found if statement]


def _words(query: str) -> list[str]:
    return [token.lower() for kind, token in _tokens(query) if kind == "word"]


def returns_rows(query: str) -> bool:
    """Tell whether the statement returns rows."""
    words = _words(query)
    if not words:
        return False
    if words[0] in {"select", "values", "table", "show", "explain", "fetch"}:
        return True
    if "returning" in words:
        return True
    return words[0] == "with" and not _CHANGING.intersection(words)


def reads_only(query: str) -> bool:
    """Tell whether the statement changes nothing and takes no locks, as far as its words show."""
    words = _words(query)
    return bool(words) and words[0] in _READING and not _CHANGING.intersection(words)
