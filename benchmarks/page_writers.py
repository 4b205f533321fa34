"""Who writes the ledger as a PDF for benchmarks/pdf.py, one way a process: NAME LANGUAGE ROWS FILE.

All print the same texts of the same rows with the same letters, as a table with a title. The peers
are used as their documentation shows it; none of them has totals, links, or an outline.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.exporters.cells import heading
from engine.exporters.fonts import FAMILY, font_file
from engine.exporters.pdf.exporter import PdfExporter
from engine.exporters.shown import Shown, ShownRows
from tests.builders.ledger_report import a_ledger_report

_WIDTHS = (48, 42, 70, 150, 42, 80, 40, 110, 60, 40)  # points


def by_engine(language: Any, rows: int, file: Path) -> None:
    """As a report is written."""
    with file.open("wb") as target:
        PdfExporter().write(a_ledger_report(rows, language), target)


def by_weasyprint(language: Any, rows: int, file: Path) -> None:
    """The same pages, all of them by WeasyPrint."""
    with file.open("wb") as target:
        PdfExporter(most_designed=rows).write(a_ledger_report(rows, language), target)


def by_reportlab(language: Any, rows: int, file: Path) -> None:
    """Its canvas, a string after the other; it has no bidi without a library that is not here."""
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas

    registerFont(TTFont("letters", str(font_file("regular")), shapable=True))
    canvas = Canvas(str(file), pagesize=(842, 595))
    top = 0
    for texts in _texts(language, rows):
        if top < 60:
            if top:
                canvas.showPage()
            canvas.setFont("letters", 7)
            top = 540
        left = 40
        for width, text in zip(_WIDTHS, texts, strict=True):
            canvas.drawString(left, top, text[:40], shaping=True)
            left += width
        top -= 13
    canvas.save()


def by_fpdf2(language: Any, rows: int, file: Path) -> None:
    """Cells in a row, shaped."""
    from fpdf import FPDF

    pdf = FPDF(orientation="landscape", unit="pt", format="A4")
    pdf.add_font("letters", fname=str(font_file("regular")))
    pdf.set_font("letters", size=7)
    pdf.set_text_shaping(use_shaping_engine=True, direction="rtl" if language == "ar" else "ltr")
    pdf.add_page()
    for texts in _texts(language, rows):
        for width, text in zip(_WIDTHS, texts, strict=True):
            pdf.cell(width, 13, text[:40], border="B")
        pdf.ln()
    pdf.output(str(file))


def by_typst(language: Any, rows: int, file: Path) -> None:
    """A table of its own, from JSON."""
    import typst

    (file.parent / "rows.json").write_text(json.dumps([*_texts(language, rows)]))
    source = file.parent / "table.typ"
    source.write_text(
        f'#set page(paper: "a4", flipped: true)\n#set text(font: "{FAMILY}", size: 7pt, '
        f'lang: "{language}")\n#let rows = json("rows.json")\n'
        "#table(columns: (auto, auto, auto, 1fr, auto, auto, auto, auto, auto, auto), "
        "stroke: none, ..rows.flatten())\n"
    )
    typst.compile(str(source), output=str(file), font_paths=[str(font_file("regular").parent)])


def by_chromium(language: Any, rows: int, file: Path) -> None:
    """An HTML table, printed."""
    page = file.parent / "table.html"
    direction = "rtl" if language == "ar" else "ltr"
    letters = font_file("regular").as_uri()
    with page.open("w", encoding="utf-8") as html:
        html.write(
            f'<!DOCTYPE html><html lang="{language}" dir="{direction}"><meta charset="utf-8">'
            f"<style>@font-face {{ font-family: letters; src: url({letters}) }}"
            "@page { size: A4 landscape } body { font: 7pt letters } td { padding: 2pt 4pt }"
            "</style><table>"
        )
        for texts in _texts(language, rows):
            html.write(f"<tr>{''.join(f'<td>{text}</td>' for text in texts)}</tr>\n")
        html.write("</table></html>")
    browser = shutil.which("chromium") or sys.exit("there is no chromium")
    subprocess.run(  # noqa: S603
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-pdf-header-footer",
            "--allow-file-access-from-files",
            f"--user-data-dir={file.parent / 'profile'}",
            f"--print-to-pdf={file}",
            "--virtual-time-budget=600000",
            "--timeout=600000",
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
    )


def _texts(language: Any, rows: int) -> Iterator[Sequence[str]]:
    document = a_ledger_report(rows, language)
    shown = ShownRows(document.main, Shown(document))
    yield [heading(column, document) for column in shown.columns]
    for _, texts in shown:
        yield texts


WRITERS: Mapping[str, Callable[[Any, int, Path], None]] = {
    "engine": by_engine,
    "WeasyPrint": by_weasyprint,
    "ReportLab": by_reportlab,
    "fpdf2": by_fpdf2,
    "typst": by_typst,
    "Chromium": by_chromium,
}

if __name__ == "__main__":
    WRITERS[sys.argv[1]](sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
