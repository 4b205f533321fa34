"""Drawn pages: every row of a long table, numbered with all the others, and what a file says."""

import io
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdf
import pytest

from engine.exporters.batches import Batches, batches_of
from engine.exporters.document import Column, Document, Kind, Row, Stream
from engine.exporters.pages import Pages
from engine.exporters.pdf.exporter import ArchiveWithPassword, PdfExporter, TooLongToArchive
from tests.builders.document import COUNT, NAME, a_document, a_table
from tests.builders.ledger_report import a_ledger_report


def written(document: Document, **options: Any) -> bytes:
    target = io.BytesIO()
    PdfExporter(**{"most_designed": 10, **options}).write(document, target)
    return target.getvalue()


def said_by(program: str, pdf: bytes, folder: Path, *options: str) -> str:
    """What a program says about a file."""
    (folder / "file.pdf").write_bytes(pdf)
    found = shutil.which(program)
    assert found is not None, f"{program} is missing: scripts/setup installs it"
    run = subprocess.run(  # noqa: S603
        [found, *options, "file.pdf", *(["-"] if program == "pdftotext" else [])],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return run.stdout


def people(how_many: int) -> Document:
    return a_document(rows=Stream(lambda: ((f"person {at}", at) for at in range(how_many))))


def test_no_row_of_a_long_table_is_left_out(tmp_path: Path) -> None:
    target = io.BytesIO()
    assert PdfExporter().write(people(1_234), target) == 1_234
    words = said_by("pdftotext", target.getvalue(), tmp_path).split("person ")
    assert [int(word.split()[0]) for word in words[1:]] == [*range(1_234)]


def test_every_page_knows_its_number_and_repeats_the_titles_of_the_columns() -> None:
    pages = [
        page.extract_text() for page in pypdf.PdfReader(io.BytesIO(written(people(120)))).pages
    ]
    assert len(pages) > 3
    for number, text in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in text
        assert "People" in text
    assert all("Count" in text for text in pages[1:])


def test_rows_that_come_in_batches_look_the_same() -> None:
    rows = [(f"person {at}", at) for at in range(30)]
    by_row = a_table([NAME, COUNT], rows)
    by_batch = replace(by_row, rows=Batches(lambda: batches_of(by_row)))
    document = a_document()
    assert written(replace(document, tables=[by_row])) == written(
        replace(document, tables=[by_batch])
    )


def test_totals_end_the_table_and_hidden_columns_are_not_shown(tmp_path: Path) -> None:
    text = said_by("pdftotext", written(a_ledger_report(40)), tmp_path, "-layout")
    assert text.index("E-0000039") < text.index("1,234,567,890.12") < text.index("-98,765.432")
    assert "for machines" not in text


def test_the_cells_of_a_column_with_a_link_lead_somewhere() -> None:
    reader = pypdf.PdfReader(io.BytesIO(written(a_ledger_report(20))))
    links = [
        each.get_object()["/A"]["/URI"]
        for page in reader.pages[1:]
        for each in page.get("/Annots", [])
    ]
    assert len(links) == 20
    assert links[1] == "https://example.com/w/W-02919"


def test_the_outline_leads_to_each_table() -> None:
    columns = [NAME, COUNT]
    rows = [(f"person {at}", at) for at in range(60)]
    tables = [a_table(columns, rows, name) for name in ("first", "second")]
    reader = pypdf.PdfReader(io.BytesIO(written(replace(a_document(), tables=tables))))
    found: dict[str, int] = {}
    for each in reader.outline:
        assert not isinstance(each, list)
        number = reader.get_destination_page_number(each)
        assert number is not None
        found[str(each.title)] = number
    for title in ("First", "Second"):
        assert title in reader.pages[found[title]].extract_text().splitlines()[2:4]


def test_the_file_says_what_it_is() -> None:
    reader = pypdf.PdfReader(io.BytesIO(written(a_ledger_report(20, "ar"))))
    facts: Any = reader.metadata
    root: Any = reader.root_object
    assert facts.title == "دفتر الأستاذ لشهر 2026-11"
    assert facts["/Run"] == "RC-20261124-7K3F9"
    assert facts["/DefinitionHash"] == "ab" * 8
    assert root["/Lang"] == "ar"
    assert root["/ViewerPreferences"]["/Direction"] == "/R2L"


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("most", [10, 500])
def test_other_programs_find_nothing_to_say(language: Any, most: int, tmp_path: Path) -> None:
    pdf = written(a_ledger_report(40, language), most_designed=most)
    assert "No syntax or stream encoding errors found" in said_by("qpdf", pdf, tmp_path, "--check")
    _, _, *fonts = said_by("pdffonts", pdf, tmp_path).splitlines()
    assert fonts
    for font in fonts:
        # Embedded, only what is used, and with what each glyph says.
        assert font.split()[-5:-2] == ["yes", "yes", "yes"], font


def test_arabic_is_found_by_those_who_search_for_it(tmp_path: Path) -> None:
    text = said_by("pdftotext", written(a_ledger_report(20, "ar")), tmp_path)
    # Poppler turns around the letters of a ligature; a file says them in their order.
    for word in ("سارة", "وجبة", "القيد", "2026-11-24", "-45.00", "-5,000.00"):
        assert word in text


def test_a_password_is_needed_to_open_a_file_that_has_one(tmp_path: Path) -> None:
    pdf = written(a_ledger_report(20), password="of the board")
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    assert reader.is_encrypted
    with pytest.raises(pypdf.errors.FileNotDecryptedError):
        _ = reader.pages[0]
    assert reader.decrypt("of the board")
    assert "Page 1 of 2" in reader.pages[0].extract_text()
    said = said_by("qpdf", pdf, tmp_path, "--password=of the board", "--show-encryption")
    assert "file encryption method: AESv3" in said
    assert "of the board" not in repr(PdfExporter(password="of the board"))


def test_an_archive_holds_its_data() -> None:
    pdf = written(a_ledger_report(5), archival=True)
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    root: Any = reader.root_object
    assert b'pdfaid:part="3"' in root["/Metadata"].get_data()
    (file,) = reader.attachments["entries.csv"]
    assert file.decode().splitlines()[1].startswith("E-0000000,W-00000,")
    assert root["/AF"][0].get_object()["/AFRelationship"] == "/Data"


def test_what_an_archive_cannot_be_is_said() -> None:
    with pytest.raises(TooLongToArchive, match="more than 10 rows"):
        written(a_ledger_report(20), archival=True)
    with pytest.raises(ArchiveWithPassword):
        written(a_ledger_report(5), archival=True, password="x")


def test_somebody_may_stop_between_two_pages_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    read, drawn = [0], []

    def rows() -> Iterator[Row]:
        for at in range(100_000):
            read[0] = at
            yield (f"person {at}", at)

    def stop(pages: int) -> None:
        drawn.append(pages)
        if pages == 3:
            raise InterruptedError

    target = io.BytesIO()
    with pytest.raises(InterruptedError):
        PdfExporter(turned=stop).write(a_document(rows=Stream(rows)), target)
    assert drawn == [1, 2, 3]
    assert read[0] < 1_000
    assert target.getvalue() == b""
    assert [*tmp_path.iterdir()] == []


def test_a_number_is_never_broken_however_narrow_its_column() -> None:
    columns = [
        Column(name=f"c{at}", title=f"Amount {at}", kind=Kind.MONEY, currency="SAR")
        for at in range(14)
    ]
    rows = [(-99_999_999_999_999_999,) * 14] * 12
    text = pypdf.PdfReader(io.BytesIO(written(a_document(columns, rows)))).pages[1].extract_text()
    assert text.count("-999,999,999,999,999.99") == 12 * 14


def test_more_columns_than_paper_are_still_all_there() -> None:
    columns = [
        *(Column(name=f"t{at}", title=f"A longer title {at}") for at in range(50)),
        *(Column(name=f"n{at}", title=f"Amount {at}", kind=Kind.INTEGER) for at in range(50)),
    ]
    rows = [("a text", *("text",) * 49, *range(1_000_000, 1_000_050))] * 12
    pages = pypdf.PdfReader(io.BytesIO(written(a_document(columns, rows)))).pages
    assert len(pages) == 3
    assert sum(page.extract_text().count("1,000,049") for page in pages) == 12


def test_a_text_that_is_too_long_ends_with_an_ellipsis() -> None:
    rows = [("word " * 500, 1), ("x" * 5_000, 2), *[("short", 3)] * 10]
    text = pypdf.PdfReader(io.BytesIO(written(a_document(rows=rows)))).pages[1].extract_text()
    assert text.count("…") == 2
    assert text.count("word") < 100


def test_the_theme_of_the_folder_is_that_of_both_kinds_of_pages(tmp_path: Path) -> None:
    (tmp_path / "theme.toml").write_text('accent = "#7f0000"\n')
    pdf = written(a_ledger_report(20), pages=Pages(tmp_path))
    contents = [page.get_contents() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]
    for content in contents:
        assert content is not None
        assert b"0.498" in content.get_data()
