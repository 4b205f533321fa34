"""Stretches of a sheet: its XML, cut where rows end, so that none is much longer than a piece."""

from collections.abc import Iterator

from engine.exporters.recount.recount import Unreadable

# Before and behind each stretch, so that a look back or ahead stays within.
MARGIN = b" " * 32
_OPEN, _CLOSE, _ROW_END = b"<sheetData", b"</sheetData>", b"</row>"


def stretches(
    pieces: Iterator[bytes], *, leave: int = 0, left: list[bytes] | None = None
) -> Iterator[bytes]:
    """Whole rows between margins, from a sheet's pieces; so many last rows are left out.

    Those come as a stretch of their own into `left`. Reads the pieces to their end. Raises
    Unreadable for what is no sheet, or cut off.
    """
    rest = _beginning(pieces)
    piece: bytes | None = b""
    while piece is not None:
        if cut := _cut(piece, leave):
            yield b"".join((MARGIN, rest, memoryview(piece)[:cut], MARGIN))
            rest = piece[cut:]
        else:
            rest += piece
            if cut := _cut(rest, leave):
                yield b"".join((MARGIN, memoryview(rest)[:cut], MARGIN))
                rest = rest[cut:]
        # Whatever follows the rows lies behind the last of them.
        piece = None if _CLOSE in rest else next(pieces, None)
    if _CLOSE not in rest:
        raise Unreadable(format="XLSX", problem="a sheet's rows have no end")
    if rest.count(_ROW_END) < leave:
        raise Unreadable(format="XLSX", problem=f"a sheet has no {leave} rows of totals")
    if left is not None and leave:
        left.append(b"".join((MARGIN, rest[: _cut(rest, 0)], MARGIN)))
    for _ in pieces:
        pass  # for their checksum


def _beginning(pieces: Iterator[bytes]) -> bytes:
    """What follows the opening of a sheet's rows in the pieces read so far."""
    head = b""
    for piece in pieces:
        head += piece
        opened = head.find(_OPEN)
        begin = head.find(b">", opened)
        if min(opened, begin) >= 0:
            return _CLOSE if head[begin - 1] == ord("/") else head[begin + 1 :]
    raise Unreadable(format="XLSX", problem="a sheet has no rows, not even none")


def _cut(data: bytes, leave: int) -> int:
    """Where the rows end, but for those that are left; 0 if there is none."""
    end = len(data)
    for _ in range(leave + 1):
        end = data.rfind(_ROW_END, 0, end)
        if end < 0:
            return 0
    return end + len(_ROW_END)
