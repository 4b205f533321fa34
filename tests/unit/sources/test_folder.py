"""Folders and the files in them."""

from pathlib import Path

import pytest

from engine.sources.catalog import Sources
from engine.sources.delimited import DelimitedFile, Dialect, Row
from engine.sources.faults import (
    SourceUnreachable,
    UnknownSource,
    UnreadableFile,
    UnusableSource,
)
from engine.sources.folder import Folder
from engine.sources.sqlite import SqliteDatabase


def test_a_name_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.csv").write_text("a", encoding="utf-8")
    (tmp_path / "in" / "link.csv").symlink_to(tmp_path / "secret.csv")
    for name in ("../secret.csv", str(tmp_path / "secret.csv"), "link.csv"):
        with pytest.raises(UnreadableFile, match="outside the folder"):
            Folder("bank", tmp_path / "in").file(name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"'nope\.csv' of source 'bank'.*no such file"):
        Folder("bank", tmp_path).file("nope.csv")


def test_a_missing_folder_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable, match="there is no folder"):
        Folder("bank", tmp_path / "nope").file("a.csv")


def rows_of(folder: Path, text: str, **dialect: object) -> tuple[list[Row], Row | None]:
    """The rows of a text, and the one that is cut."""
    path = folder / "a.csv"
    path.write_bytes(text.encode())
    file = DelimitedFile(path, Dialect(**dialect), source="bank")  # type: ignore[arg-type]
    return list(file), file.cut


def test_rows_know_their_lines(tmp_path: Path) -> None:
    rows, cut = rows_of(tmp_path, 'a,b\n1,"x\ny"\n2,z\n')
    assert rows == [Row(2, ["1", "x\ny"]), Row(4, ["2", "z"])]
    assert cut is None


def test_a_last_row_without_a_line_break_is_whole_if_it_has_every_field(tmp_path: Path) -> None:
    rows, cut = rows_of(tmp_path, "a,b\n1,2\n3,4")
    assert [row.line for row in rows] == [2, 3]
    assert cut is None


@pytest.mark.parametrize("tail", ["3", '3,"ope', '3,"open\n4,5\n'])
def test_a_file_that_ends_within_a_row_is_cut(tmp_path: Path, tail: str) -> None:
    rows, cut = rows_of(tmp_path, f"a,b\n1,2\n{tail}")
    assert rows == [Row(2, ["1", "2"])]
    assert cut is not None
    assert cut.line == 3


def test_a_row_of_another_width_in_the_middle_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="line 3 has 1 fields instead of 2"):
        rows_of(tmp_path, "a,b\n1,2\n3\n4,5\n")


def test_a_file_without_a_header_has_the_names_of_its_definition(tmp_path: Path) -> None:
    rows, _ = rows_of(tmp_path, "1;2\n", delimiter=";", header=False, names=("a", "b"))
    assert rows == [Row(1, ["1", "2"])]


def test_bytes_of_another_encoding_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="ascii"):
        rows_of(tmp_path, "a,b\n1,é\n", encoding="ascii")


def test_a_file_is_read_as_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n" + "1\n" * 100_000, encoding="utf-8")
    assert next(iter(DelimitedFile(path, Dialect(), source="bank"))) == Row(2, ["1"])


def test_sources_are_known_by_name_in_any_case(tmp_path: Path) -> None:
    urls = {"CANTEEN": "sqlite:///a.db", "bank": "file://in", "files": str(tmp_path)}
    sources = Sources(urls, tmp_path)
    assert sources.names() == ["bank", "canteen", "files"]
    assert sources.get("Canteen") == SqliteDatabase("canteen", tmp_path / "a.db")
    assert sources.get("bank") == Folder("bank", tmp_path / "in")
    assert sources.get("files") == Folder("files", tmp_path)


def test_an_unknown_source_is_answered_with_the_closest(tmp_path: Path) -> None:
    with pytest.raises(UnknownSource, match="did you mean 'canteen'"):
        Sources({"canteen": "a"}, tmp_path).get("cantene")


@pytest.mark.parametrize("url", ["oracle://host/db", "sqlite://a.db", "sqlite:///"])
def test_a_url_of_another_kind_is_refused_with_what_may_be_written(
    tmp_path: Path, url: str
) -> None:
    with pytest.raises(UnusableSource, match=r"ENGINE_SOURCES__BANK: .*sqlite:///path"):
        Sources({"bank": url}, tmp_path)
