"""Line ends: updates are made on text with plain ones, and a project keeps those that it has."""

from collections.abc import Iterable
from difflib import SequenceMatcher

_MOST = 0.5


def plain(content: bytes) -> bytes:
    """Return a content with line feeds, when most of its lines end in carriage return and line feed."""
    return content.replace(b"\r\n", b"\n") if _is_crlf(content) else content


def _is_crlf(content: bytes) -> bool:
    return b"\0" not in content and content.count(b"\r\n") > _MOST * content.count(b"\n")


def mostly_crlf(contents: Iterable[bytes]) -> bool:
    """Tell whether most of some files, those without a line left aside, have carriage returns."""
    with_lines = [_is_crlf(content) for content in contents if b"\n" in content]
    return sum(with_lines) > _MOST * len(with_lines)


def as_in(before: bytes | None, after: bytes, *, crlf: bool) -> bytes:
    """Return a new content with the line ends of the old one.

    Args:
        before: What is in the project; None for a new file.
        after: What it becomes, with plain line ends.
        crlf: Whether new files have carriage returns.
    """
    if b"\0" in after:
        return after
    if before is None:
        return _crlf(after) if crlf else after
    if b"\r\n" not in before:
        return after
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    most = _is_crlf(before)
    ends = [most] * len(new)
    matcher = SequenceMatcher(None, [_bare(line) for line in old], [_bare(line) for line in new], autojunk=False)
    for first, second, size in matcher.get_matching_blocks():
        for offset in range(size):
            ends[second + offset] = old[first + offset].endswith(b"\r\n")
    return b"".join(_crlf(line) if end else line for line, end in zip(new, ends, strict=True))


def _bare(line: bytes) -> bytes:
    return line.rstrip(b"\r\n")


def _crlf(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
