"""XLSX, read again: the sheets of each table, their rows, and the cells of what is added up.

A table's sheets are told by their header; one that goes on is told by the sheet's name, such as
"Sales (2)". Rows of totals, as many as the layout says, are the last ones of the last sheet, and
have to be what the rows add up to.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.exporters.recount.figures import Figures
from engine.exporters.recount.layout import Layout, says_title
from engine.exporters.recount.recount import Unreadable
from engine.exporters.recount.xlsx_parts import Sheet, Workbook
from engine.exporters.recount.xlsx_stretches import stretches
from engine.exporters.recount.xlsx_texts import Texts

_HEADER_WITHIN = 40  # rows of a sheet
_NUMBERED = re.compile(r" \(\d+\)$")


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A sheet with a table's header: its first row is number `first`, from 0 on."""

    sheet: Sheet
    first: int


class XlsxRecount:
    """Reads every table of a workbook; one may go on over several sheets."""

    def count(self, file: Path, layouts: Sequence[Layout]) -> Sequence[Figures]:
        """The figures of each layout, from the sheets that have its header."""
        from engine.exporters.recount.xlsx_sums import SheetSums

        with Workbook(file) as workbook:
            texts = Texts(workbook.shared_strings)
            counted = []
            for layout, found in zip(layouts, _assigned(workbook, layouts, texts), strict=True):
                if not found:
                    problem = f"no sheet has the columns of {layout.title!r}"
                    raise Unreadable(format="XLSX", problem=problem)
                sums, below = SheetSums(layout, texts), SheetSums(layout, texts)
                left: list[bytes] = []
                for each in found:
                    sums.begin(each.first)
                    leave = layout.totals if each is found[-1] else 0
                    pieces = workbook.pieces(each.sheet.part)
                    for stretch in stretches(pieces, leave=leave, left=left):
                        sums.add(stretch)
                for stretch in left:
                    below.add(stretch)
                    _require_same(layout, sums.figures, below.figures)
                counted.append(sums.figures)
            return counted


def _require_same(layout: Layout, rows: Figures, totals: Figures) -> None:
    """Raise Unreadable if the totals below the rows are not what these add up to."""
    totalled = {column.name for _, column in layout.added() if column.total}
    written = totals.sums or {}
    for name, total in (rows.sums or {}).items():
        if name.column in totalled and written.get(name, 0) != total:
            problem = f"below the rows of {layout.name} the total {name} is not what they add up to"
            raise Unreadable(format="XLSX", problem=problem)


def _assigned(workbook: Workbook, layouts: Sequence[Layout], texts: Texts) -> list[list[_Found]]:
    """The sheets of each layout, in their order."""
    headed = [(sheet, _headed(workbook, sheet, layouts, texts)) for sheet in workbook.sheets()]
    # A header at the top of a sheet is a table's: a summary may have the same one further down.
    on_top = {number for _, firsts in headed for number, first in firsts.items() if first == 1}
    headed = [
        (sheet, kept)
        for sheet, firsts in headed
        if (kept := {n: first for n, first in firsts.items() if first == 1 or n not in on_top})
    ]
    assigned: list[list[_Found]] = [[] for _ in layouts]
    current = 0
    for place, (sheet, firsts) in enumerate(headed):
        free = [number for number in firsts if not assigned[number]]
        # Tables of the same title have sheets that look like one that goes on.
        enough = len(headed) - place > sum(not found for found in assigned)
        goes_on = enough and current in firsts and _continues(sheet, assigned[current])
        if not goes_on and free:
            current = free[0]
        elif current not in firsts:
            current = next(iter(firsts))
        assigned[current].append(_Found(sheet=sheet, first=firsts[current]))
    return assigned


def _continues(sheet: Sheet, found: Sequence[_Found]) -> bool:
    stem = _NUMBERED.sub("", sheet.name)
    return bool(found) and stem != sheet.name and found[0].sheet.name.startswith(stem)


def _headed(
    workbook: Workbook, sheet: Sheet, layouts: Sequence[Layout], texts: Texts
) -> dict[int, int]:
    """The layouts whose header the sheet has, with the number of the row below it."""
    from engine.exporters.recount.xlsx_rows import Rows

    head = next(stretches(workbook.pieces(sheet.part)), None)
    if head is None:
        return {}
    # One more than any has, for a header with too many is none.
    columns = max(len(layout.columns) for layout in layouts) + 1
    firsts: dict[int, int] = {}
    for number, cells in enumerate(Rows(head).first(_HEADER_WITHIN, columns)):
        row = {place: text for place, cell in cells.items() if (text := texts.of(*cell))}
        for which, layout in enumerate(layouts):
            if which not in firsts and _is_header(row, layout):
                firsts[which] = number + 1
    return firsts


def _is_header(row: dict[int, str], layout: Layout) -> bool:
    """Whether the row's texts are the columns' titles; a currency or a zone may follow each."""
    return len(row) == len(layout.columns) and all(
        says_title(row.get(place, ""), column.title) for place, column in enumerate(layout.columns)
    )
