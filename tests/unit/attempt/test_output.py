"""Bytes become lines, up to a limit."""

from datetime import UTC, datetime

from engine.attempt.output import LINE_COST, LONGEST_LINE, Output
from engine.execution.orders import Line, Stream
from tests.builders.clock import FakeClock

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def an_output(limit: int = 1_000_000) -> Output:
    """An output at noon."""
    return Output(limit, FakeClock(NOON))


def texts(output: Output) -> list[str]:
    """What it holds now."""
    return [line.text for line in output.take()]


def test_a_line_may_come_in_many_pieces() -> None:
    output = an_output()
    for piece in (b"fi", b"rst\nsec", b"", b"ond\r\n\nth"):
        output.feed(Stream.STDOUT, piece)
    assert texts(output) == ["first", "second", ""]
    output.close()
    assert output.take() == (Line(NOON, Stream.STDOUT, "th"),)


def test_streams_do_not_mix() -> None:
    output = an_output()
    output.feed(Stream.STDOUT, b"a")
    output.feed(Stream.STDERR, b"b\n")
    output.feed(Stream.STDOUT, b"c\n")
    assert texts(output) == ["b", "ac"]


def test_a_huge_line_is_cut_between_characters_and_nothing_is_lost() -> None:
    output = an_output()
    text = "x" + "é" * (2 * LONGEST_LINE)
    for piece in (text.encode()[:7], text.encode()[7:]):
        output.feed(Stream.STDOUT, piece)
    output.record(NOON, text)
    output.close()
    lines = output.take()
    assert "".join(line.text for line in lines if line.stream is Stream.STDOUT) == text
    assert "".join(line.text for line in lines if line.stream is Stream.LOG) == text
    assert max(len(line.text.encode()) for line in lines) <= LONGEST_LINE


def test_a_huge_line_is_cut_between_words_where_it_has_some() -> None:
    output = an_output()
    words = "x" * (LONGEST_LINE - 5) + " token=abcdefgh " + "y" * LONGEST_LINE
    output.feed(Stream.STDOUT, f"{words}\n".encode())
    first, second, *_ = said = texts(output)
    assert "".join(said) == words
    assert first.endswith("x ")
    assert second.startswith("token=abcdefgh ")


def test_what_a_database_would_refuse_is_escaped() -> None:
    output = an_output()
    output.feed(Stream.STDERR, b"\xff\0\n")
    output.record(NOON, "\ud800\0")
    assert texts(output) == ["\\xff\\0", "\\ud800\\0"]


def test_every_byte_and_line_beyond_the_limit_is_counted() -> None:
    output = an_output(limit=3 * (LINE_COST + 5))
    output.feed(Stream.STDERR, b"begun")
    output.feed(Stream.STDOUT, b"12345\n12345\n12345\n1\n22\n3")
    output.feed(Stream.STDOUT, b"33\n")
    output.feed(Stream.STDERR, b" and ended\nopen")
    output.record(NOON, "late")
    output.close()
    *kept, last = texts(output)
    assert kept == ["12345", "12345", "12345"]
    # 1, 22, 333, "begun and ended", "open", "late"; line breaks of the later chunks count as bytes.
    assert last.startswith("6 more lines (")


def test_nothing_is_kept_after_the_first_line_that_did_not_fit() -> None:
    output = an_output(limit=100)
    output.feed(Stream.STDOUT, b"x" * 90 + b"\n")
    output.feed(Stream.STDOUT, b"short\n")
    output.close()
    assert texts(output) == [
        "2 more lines (96 bytes) were not kept; an attempt may write 100 bytes"
    ]
