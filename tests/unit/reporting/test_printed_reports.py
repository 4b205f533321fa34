"""What may be asked of a report's PDF: to be an archive file, or to have a password."""

from collections.abc import Iterator
from datetime import timedelta

import pypdf
import pytest

from engine.app import App
from engine.reporting.asking import ArchiveIsPdf, PasswordForPdf
from tests.builders.app import a_canteen
from tests.builders.clock import FakeClock
from tests.builders.report_run import make_report
from tests.builders.world import AS_OF, a_world

ASKED = {"period": "2026-11-22", "locales": ["ar"]}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("canteen")
    world = a_world(folder, wallets=60, entries=900, faults=5)
    app = a_canteen(folder, world, FakeClock(AS_OF + timedelta(hours=3)))
    yield app
    app.close()


def test_a_password_is_that_of_the_file(app: App) -> None:
    (file,) = make_report(
        app, "daily_sales", formats=["pdf"], password="42 camels", **ASKED
    ).values()
    reader = pypdf.PdfReader(file)
    assert reader.is_encrypted
    assert reader.decrypt("42 camels")
    assert reader.pages[0].extract_text()


def test_an_archive_file_has_the_rows_inside(app: App) -> None:
    (file,) = make_report(app, "daily_sales", formats=["pdf"], archive=True, **ASKED).values()
    assert list(pypdf.PdfReader(file).attachments) == ["main.csv"]


def test_a_password_is_for_nothing_but_pdf(app: App) -> None:
    with pytest.raises(PasswordForPdf, match="pdf, csv were asked for"):
        make_report(app, "daily_sales", formats=["pdf", "csv"], password="42 camels", **ASKED)
    with pytest.raises(ArchiveIsPdf, match="csv were asked for"):
        make_report(app, "daily_sales", formats=["csv"], archive=True, **ASKED)
