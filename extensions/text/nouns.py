"""English nouns, one and several."""

import re


def singular(noun: str) -> str:
    """Return a noun without its plural's ending."""
    if noun.endswith("ies") and len(noun) > len("pies"):
        return f"{noun[:-3]}y"
    if re.search(r"(?:ss|x|z|ch|sh|[^aeiou]us)es$", noun):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith(("ss", "us", "is")) else noun


def plural(noun: str) -> str:
    """Return the plural of a noun."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "z", "ch", "sh")) else f"{noun}s"
