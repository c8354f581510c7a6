r"""What has to be known of a PostgreSQL statement: placeholders, how many statements, whether it reads or returns.

A scanner of our own, since sqlparse 0.5 takes the backslash in 'a\\' for an escape, which PostgreSQL does not, and
ends nested comments too early: both would hide a second statement.
"""

import re
from collections.abc import Iterable, Iterator

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
_READING = frozenset({"select", "values", "table"})
_RETURNING = _READING | {"show", "explain", "fetch"}
_VERBS = _READING | {"insert", "update", "delete", "merge"}
# Statements that may return rows, which nothing in them shows.
_ANSWERING = frozenset({"call", "execute"})
_TAKING = _VERBS | {"call", "explain", "declare", "execute"}
_COPIED = frozenset({"stdin", "stdout"})
_BEHIND_COLUMNS = frozenset(
    [
        "from",
        "where",
        "group",
        "having",
        "window",
        "union",
        "intersect",
        "except",
        "order",
        "limit",
        "offset",
        "fetch",
        "for",
        "into",
    ]
)
_BRACKETS = {"(": 1, "[": 1, ")": -1, "]": -1}
# Names of columns that are none: values that the server works out.
_COMPUTED = frozenset({"null", "true", "false", "default"})
_CONTROLLING = frozenset({"abort", "begin", "commit", "end", "release", "rollback", "savepoint", "start"})
# What follows a column, and no table of that name.
_OPERATORS = frozenset({"is", "in", "and", "or", "not", "like", "ilike", "between", "order", "over", "collate", "at"})


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    for kind, start, end in scanned(text):
        yield kind, text[start:end]


def scanned(text: str) -> Iterator[tuple[str, int, int]]:
    """Return the tokens of a script, without spaces and comments, as their kind, start and end.

    The kinds are `word`, `quoted`, `dollar`, `placeholder` and `other`.
    """
    position = 0
    while match := _TOKEN.match(text, position):
        kind = str(match.lastgroup) if match.lastgroup != "tag" else "dollar"
        if kind == "comment":
            position = _after_comment(text, match.end())
            continue
        position = match.end()
        if kind != "skip":
            yield kind, match.start(), match.end()


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
    return [[(kind, script[start:end]) for kind, start, end in tokens] for tokens in placed(script)]


def placed(script: str) -> list[list[tuple[str, int, int]]]:
    """Return the same as `split`, with the start and end of each token in the place of its text."""
    found: list[list[tuple[str, int, int]]] = [[]]
    depth, before = 0, ""
    for kind, start, end in scanned(script):
        text = script[start:end]
        word = text.lower() if kind == "word" else ""
        if (before == "begin" and word == "atomic") or (depth and word == "case"):
            depth += 1
        elif depth and word == "end":
            depth -= 1
        if kind == "other" and text == ";" and not depth:
            found.append([])
        else:
            found[-1].append((kind, start, end))
        before = word
    return [statement for statement in found if statement]


def returns_rows(query: str) -> bool:
    """Tell whether the statement returns rows, by what it is itself, and not by what it holds."""
    outer = _outer(query)
    if not outer:
        return False
    makes_table = outer[0] in _READING and "into" in outer
    return (outer[0] in _RETURNING and not makes_table) or "returning" in outer


def controls_transaction(query: str) -> bool:
    """Tell whether the statement begins or ends a transaction, or a part of one."""
    return not _CONTROLLING.isdisjoint(_outer(query)[:1])


def may_return_rows(query: str) -> bool:
    """Tell whether the statement returns rows, or may, as a call of a procedure does that has a result."""
    return returns_rows(query) or verb(query) in _ANSWERING


def verb(query: str) -> str:
    """Return the word that says what the statement does, in lower case: behind `WITH` where there is one."""
    return next(iter(_outer(query)), "")


def takes_parameters(query: str) -> bool:
    """Tell whether PostgreSQL takes parameters in such a statement."""
    outer = _outer(query)
    makes_table = outer[:1] == ["create"] and {"table", "as"} <= set(outer)
    return makes_table or not outer or outer[0] in _TAKING


def copies_over_connection(query: str) -> bool:
    """Tell whether the statement is a `COPY` whose data goes over the connection, by a protocol of its own."""
    outer = _outer(query)
    return outer[:1] == ["copy"] and not _COPIED.isdisjoint(outer)


def columns(query: str) -> list[str] | None:
    """Return the columns of a statement's rows, as far as it names them.

    Args:
        query: One statement.

    Returns:
        A name for each column, empty where the server makes one up; None where their number is not to be seen.
    """
    tokens = list(_tokens(query))
    found = None
    for index, (depth, kind, text) in enumerate(_nested(tokens)):
        word = text.lower() if kind == "word" and not depth else ""
        if (word == "select" and found is None) or word == "returning":
            found = index + 1
    if found is None:
        return None
    listed = _until(tokens[found:])
    if listed and listed[0][1].lower() in {"distinct", "all", "with"}:
        follower = listed[1][1].lower() if len(listed) > 1 else ""
        if follower in {"on", "("} or listed[0][1].lower() == "with":
            return None
        listed = listed[1:]
    names = [_name(item) for item in _listed(listed)]
    return None if None in names else [name for name in names if name is not None]


def _nested(tokens: Iterable[tuple[str, str]]) -> Iterator[tuple[int, str, str]]:
    """Yield tokens with the number of brackets that are open behind each."""
    depth = 0
    for kind, text in tokens:
        depth += _BRACKETS.get(text, 0) if kind == "other" else 0
        yield depth, kind, text


def _until(tokens: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the tokens of a list of columns."""
    for index, (depth, kind, text) in enumerate(_nested(tokens)):
        before = tokens[index - 1][1].lower() if index else ""
        # IS DISTINCT FROM and WITHIN GROUP belong to a column.
        ends = kind == "word" and text.lower() in _BEHIND_COLUMNS and before not in {"distinct", "within", "as", "."}
        if not depth and (ends or text == ";"):
            return tokens[:index]
    return tokens


def _listed(tokens: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = [[]]
    for depth, kind, text in _nested(tokens):
        if kind == "other" and text == "," and not depth:
            found.append([])
        else:
            found[-1].append((kind, text))
    return found


def _name(item: list[tuple[str, str]]) -> str | None:
    """Return the name of a column; empty where none is given, and None for all columns of a table."""
    if not item or item[-1] == ("other", "*"):
        return None
    kind, text = item[-1]
    is_name = kind == "word" or text.startswith('"')
    is_chain = all(
        one == ("other", ".") if place % 2 else (one[0] == "word" or one[1].startswith('"'))
        for place, one in enumerate(item)
    )
    if not is_name or not (is_chain or (len(item) > 1 and item[-2][1].lower() == "as")):
        return ""
    if kind == "word":
        return "" if is_chain and text.lower() in _COMPUTED else text.lower()
    return text[1:-1].replace('""', '"')


def reads_only(query: str) -> bool:
    """Tell whether the statement changes nothing and takes no locks, as far as its words show."""
    outer = _outer(query)
    if not outer or outer[0] not in _READING or "into" in outer:
        return False
    tokens = [(kind, text.lower()) for kind, text in _tokens(query)]
    return not any(_changes(tokens[index : index + 4]) for index in range(len(tokens)))


def _changes(tokens: list[tuple[str, str]]) -> bool:
    """Tell whether a change or a lock begins here."""
    texts = [text for _, text in tokens]
    match texts:
        case ["(", "insert" | "merge", "into", *_] | ["(", "delete", "from", *_]:
            return True
        case ["(", "update", name, follower]:
            named = tokens[2][0] == "quoted" or (tokens[2][0] == "word" and name not in _OPERATORS)
            return named and (follower in {"set", "as", "."} or tokens[3][0] == "word")
        case ["for", "update" | "share", *_] | ["for", "key", "share", *_] | ["for", "no", "key", "update"]:
            return True
        case ["nextval" | "setval", "(", *_]:
            return tokens[0][0] == "word"
    return False


def _outer(query: str) -> list[str]:
    """Return the words of the statement itself, its verb first: none in parentheses, and none of its `WITH`."""
    found: list[str] = []
    depth = 0
    tokens = list(_tokens(query))
    within = bool(tokens) and tokens[0][1].lower() == "with"
    for index, (kind, text) in enumerate(tokens):
        word = text.lower()
        if kind == "other":
            depth += {"(": 1, ")": -1}.get(text, 0)
        # A statement in parentheses, such as one side of a UNION, is the statement.
        if kind != "word" or (depth and (found or within)):
            continue
        if within and not found:
            follower = tokens[index + 1][1].lower() if index + 1 < len(tokens) else ""
            # Names of common table expressions may be verbs, and are followed by AS or their columns.
            if word not in _VERBS or follower == "as" or (follower == "(" and word not in {"select", "values"}):
                continue
        found.append(word)
    return found
