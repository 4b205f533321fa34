"""Templates: a report may name a page or a workbook of one folder."""

from pathlib import Path

import pytest

from engine.reporting.template_file import wrong_template


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a page and two links; beside it lies what is nobody's template."""
    folder = tmp_path / "templates"
    (folder / "brand").mkdir(parents=True)
    for path in (folder / "page.html", folder / "brand" / "page.html", tmp_path / "own.html"):
        path.write_text("")
    (folder / "out.html").symlink_to(tmp_path / "own.html")
    (folder / "in.html").symlink_to(folder / "page.html")
    return folder


@pytest.mark.parametrize("name", ["page.html", "brand/page.html", "in.html"])
def test_a_file_of_the_folder_is_a_template(folder: Path, name: str) -> None:
    assert wrong_template(folder, name) is None


@pytest.mark.parametrize("name", ["out.html", "gone.html", "../own.html", "page.css", "brand", "."])
def test_anything_else_is_none(folder: Path, name: str) -> None:
    assert wrong_template(folder, name)


@pytest.mark.parametrize("name", ["own.html", "nothing.html"])
def test_nobody_learns_what_lies_elsewhere(folder: Path, name: str) -> None:
    path = str(folder.parent / name)
    for each in (path, f"../{name}", f"brand/../../{name}", f"..\\{name}", f"C:\\{name}"):
        message = f"a template is a file of templates; write its name in there, not {each!r}"
        assert wrong_template(folder, each) == message
