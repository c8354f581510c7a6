"""Files keep the line ends that they have, whatever an update makes of their lines."""

from hypothesis import given
from hypothesis import strategies as st

from extensions.updating.line_ends import as_in, mostly_crlf, plain

LINES = st.lists(st.sampled_from([b"", b"a", b"b", b"c", b"x y"]), max_size=12)


def text(lines: list[bytes], end: bytes) -> bytes:
    return b"".join(line + end for line in lines)


@given(LINES, LINES)
def test_ends_are_those_of_the_file(before: list[bytes], after: list[bytes]) -> None:
    for end in (b"\n", b"\r\n"):
        assert plain(text(before, end)) == text(before, b"\n")
        if before:
            assert as_in(text(before, end), text(after, b"\n"), crlf=False) == text(after, end)
        assert as_in(None, text(after, b"\n"), crlf=end == b"\r\n") == text(after, end)


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b""]), st.sampled_from([b"\n", b"\r\n"])), max_size=12))
def test_what_does_not_change_stays(lines: list[tuple[bytes, bytes]]) -> None:
    before = b"".join(line + end for line, end in lines)
    assert as_in(before, before.replace(b"\r\n", b"\n"), crlf=False) == before


def test_lines_beside_a_change_keep_their_ends() -> None:
    assert as_in(b"a\r\nb\nc\r\nd\r\n", b"a\nB\nb\nc\nd\n", crlf=False) == b"a\r\nB\r\nb\nc\r\nd\r\n"


def test_binary_files_are_left_alone() -> None:
    assert plain(b"\0\r\n") == b"\0\r\n"
    assert as_in(b"\r\n", b"\0\n", crlf=True) == b"\0\n"


def test_what_a_project_has() -> None:
    assert mostly_crlf([b"a\r\n", b"b\r\n", b"c\n", b"", b"no line"])
    assert not mostly_crlf([b"a\r\n", b"c\n"])
    assert not mostly_crlf([])
