"""A report in every format of text, in both languages, as it is and not as it should be.

`files/` holds what is expected; after a wanted change, delete the file and run the test twice.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from engine.app import App
from tests.builders.app import a_canteen
from tests.builders.clock import FakeClock
from tests.builders.report_run import a_report_attempt, files_of
from tests.builders.world import AS_OF, a_world

# The run, the versions of code, report and style: what is another one each time.
_CHANGING = re.compile(
    r"RP-\d{8}-\w{5}|\d+\.\d+\.\d+\+\w{8}|[0-9a-f]{64}|sha256-[^']+|(?<=<style>).*?(?=</style>)",
    re.DOTALL,
)
FILES = Path(__file__).with_name("files")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The texts of the files of one run, by their names."""
    folder = tmp_path_factory.mktemp("canteen")
    world = a_world(folder, wallets=60, entries=900, faults=5)
    app: App = a_canteen(folder, world, FakeClock(AS_OF + timedelta(hours=3)))
    attempt = a_report_attempt(app)
    app.reports.run(attempt, "daily_sales", period="2026-11-22", formats=["csv", "jsonl", "html"])
    yield {
        name: _CHANGING.sub("...", path.read_text(encoding="utf-8"))
        for name, path in files_of(app, attempt).items()
    }
    app.close()


@pytest.mark.parametrize("language", ["", "-ar"])
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "html"])
def test_a_report_is_what_it_was(made: dict[str, str], suffix: str, language: str) -> None:
    name = f"daily_sales-2026-11-22{language}.{suffix}"
    expected = FILES / name
    if not expected.exists():
        expected.write_text(made[name], encoding="utf-8", newline="")
        pytest.fail(f"{name} was missing and is written now: look at it, and run the test again")
    assert made[name] == expected.read_bytes().decode("utf-8")
