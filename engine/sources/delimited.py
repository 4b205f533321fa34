"""Delimited text (CSV) as rows, read as a stream; a row that the file's end cuts is left out.

A row is whole when a line break ends it, or when the file ends after as many fields as its
other rows have and outside of quotes. What is cut off is told in `cut`, never guessed at.
"""

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.sources.faults import UnreadableFile

_CUT = "\ufffd"  # stands for a character that the end of the file cuts
_CUT_AT_END = "engine-cut-at-end"


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How rows are written in a file; `names` are the columns of a file without a header."""

    delimiter: str = ","
    encoding: str = "utf-8-sig"
    header: bool = True
    names: Sequence[str] = ()


@dataclass(frozen=True)
class Row:
    """One row: the line it starts on, and its fields as text."""

    line: int
    fields: Sequence[str]


class DelimitedFile:
    """A file's rows, in order; iterating again reads the file again."""

    def __init__(self, path: Path, dialect: Dialect, *, source: str) -> None:
        self.path = path
        self.dialect = dialect
        self.source = source
        self.cut: Row | None = None
        self.columns: Sequence[str] = dialect.names or self._header()

    def __iter__(self) -> Iterator[Row]:
        """Every whole row; afterwards `cut` holds the one that the file's end cuts, if any."""
        self.cut = None
        rows = self._rows()
        if self.dialect.header:
            next(rows, None)
        width = len(self.columns)
        for row, ended in rows:
            if not row.fields:
                continue
            if len(row.fields) == width and ended:
                yield row
            elif not ended:
                self.cut = row
            else:
                raise self._unreadable(
                    f"line {row.line} has {len(row.fields)} fields instead of {width}"
                )

    def _header(self) -> Sequence[str]:
        if not self.dialect.header:
            raise self._unreadable("it has no header; list its columns as `names`")
        first = next(self._rows(), None)
        if first is None:
            raise self._unreadable("it is empty; a header line is due")
        return first[0].fields

    def _rows(self) -> Iterator[tuple[Row, bool]]:
        """Rows, each with whether it is whole; only the last one may not be."""
        tail = _Tail(self.dialect.delimiter)
        width = len(self.dialect.names)
        try:
            codecs.lookup(self.dialect.encoding)
            with self.path.open(
                encoding=self.dialect.encoding, errors=_CUT_AT_END, newline=""
            ) as file:
                reader = csv.reader(
                    tail.watch(file), delimiter=self.dialect.delimiter, strict=False
                )
                line, before = 1, None
                for fields in reader:
                    if before is not None:
                        yield before, True
                    before = Row(line, fields)
                    width = width or len(fields)
                    line = reader.line_num + 1
                if before is not None:
                    yield before, tail.ended or (tail.whole and len(before.fields) == width)
        except (UnicodeDecodeError, LookupError, csv.Error) as error:
            raise self._unreadable(str(error)) from error

    def _unreadable(self, reason: str) -> UnreadableFile:
        return UnreadableFile(file=self.path.name, source=self.source, reason=reason)


class _Tail:
    """Watches lines go by for how the last one ends."""

    def __init__(self, delimiter: str) -> None:
        self.ended = True
        self.whole = True  # as far as characters and quotes can tell
        self._delimiter = delimiter
        self._quoted = False

    def watch(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            if '"' in line:
                self._quoted = self._is_open_after(line)
            self.ended = line.endswith(("\n", "\r")) and not self._quoted
            self.whole = not self._quoted and not line.endswith(_CUT)
            yield line

    def _is_open_after(self, line: str) -> bool:
        """Whether a quote is still open; one opens only where a field begins, like in `csv`."""
        at, quoted, begins = 0, self._quoted, not self._quoted
        while True:
            if begins and line.startswith('"', at):
                at, quoted = at + 1, True
            if quoted:
                at = line.find('"', at)
                while at >= 0 and line.startswith('"', at + 1):
                    at = line.find('"', at + 2)
                if at < 0:
                    return True
                quoted = False
            at = line.find(self._delimiter, at)
            if at < 0:
                return False
            at, begins = at + 1, True


def _cut_at_end(error: UnicodeError) -> tuple[str, int]:
    """Let a character pass that the end of the file cuts; anything else is no text."""
    if isinstance(error, UnicodeDecodeError) and error.end == len(error.object):  # noqa: SIM102
        if error.reason in {"unexpected end of data", "truncated data"}:
            return _CUT, error.end
    raise error


codecs.register_error(_CUT_AT_END, _cut_at_end)
