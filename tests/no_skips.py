"""On CI a skipped test is a failed test: what CI does not run, nobody has proved.

Tests of `tests/acceptance` may skip there while their data, which lies beside the project and
not in it, is absent.
"""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
_REASON = "skipped on CI, where every test must run: "


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips itself, or is marked to be skipped; an expected failure is neither."""
    report = yield
    if not hasattr(report, "wasxfail"):
        _refuse_skip(report, item.path)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips all of its tests."""
    report = yield
    if isinstance(collector, pytest.Module):
        _refuse_skip(report, collector.path)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport, path: Path) -> None:
    if report.outcome != "skipped" or os.environ.get("CI") != "true" or _excused(path):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"{_REASON}{reason}"


def _excused(path: Path) -> bool:
    return path.is_relative_to(ROOT / "tests" / "acceptance") and not DATA.is_dir()
