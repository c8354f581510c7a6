"""Texts that look like credentials, which neither the files of a node nor contracts may hold."""

import re
from collections.abc import Iterator

# Each with words of which a text needs one: those are found many times faster than the patterns.
_SECRETS = {
    "a private key": (("PRIVATE KEY-----",), re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")),
    "an access key of AWS": (("AKIA", "ASIA"), re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    "a token of GitHub": (
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{40,})"),
    ),
    "a token of Slack": (("xox",), re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{20,}")),
    "a key of an API": (("sk-",), re.compile(r"\bsk-[A-Za-z0-9_-]{32,}")),
}
_URL_PASSWORD = re.compile(r"\b[a-z][a-z0-9+]*://[^\s/:@{}$<>\"']+:([^\s/@{}$<>\"']+)@", re.IGNORECASE)
_EXAMPLES = frozenset({"password", "secret", "***", "..."})


def found_in(text: str, *, urls: bool = True) -> Iterator[tuple[int, str]]:
    """Find what looks like a credential.

    Args:
        text: Any text.
        urls: Whether passwords in URLs count.

    Yields:
        Where it begins, and what it looks like, without itself.
    """
    for what, (words, pattern) in _SECRETS.items():
        for match in pattern.finditer(text) if any(word in text for word in words) else ():
            yield match.start(), f"this looks like {what}"
    for match in _URL_PASSWORD.finditer(text) if urls and "://" in text else ():
        if match[1] not in _EXAMPLES:
            yield match.start(), "this URL holds a password"
