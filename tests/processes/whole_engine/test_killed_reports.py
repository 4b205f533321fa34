"""A report of a worker that is killed: it is made once, and its files hold."""

import sqlite3
from contextlib import closing
from shutil import copyfile

import pytest

from engine.states import RunState
from tests.builders.booking import let_leases_run_out
from tests.builders.home import ROOT, Home, kill
from tests.processes.waiting import until

pytestmark = pytest.mark.process

REPORT = """\
title: Numbers
owner: finance
source: shop
query: |
  WITH RECURSIVE waiting(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM waiting WHERE n < 1500000)
  SELECT s.id, s.amount, 'SAR' AS currency FROM sales s
  WHERE (SELECT count(*) FROM waiting) > 0 ORDER BY s.id
columns:
  id: {label: Id, type: integer}
  amount: {label: Amount, type: money, currency_column: currency, total: true}
  currency: {label: Currency}
formats: [csv, xlsx]
"""
SALES = 50


def with_a_report(home: Home) -> Home:
    """A shop, and a report on it that takes a second or two to read."""
    with closing(sqlite3.connect(home.folder / "shop.db")) as connection, connection:
        connection.execute("CREATE TABLE sales (id INTEGER PRIMARY KEY, amount INTEGER)")
        rows = [(number, 100 * number) for number in range(1, SALES + 1)]
        connection.executemany("INSERT INTO sales VALUES (?, ?)", rows)
    copyfile(ROOT / "jobs" / "reports.py", home.folder / "jobs" / "reports.py")
    (home.folder / "reports").mkdir()
    (home.folder / "reports" / "numbers.yaml").write_text(REPORT)
    home.more["ENGINE_SOURCES__SHOP"] = f"sqlite:///{home.folder / 'shop.db'}"
    return home


def test_a_report_whose_worker_is_killed_is_made_once(home: Home) -> None:
    with_a_report(home)
    workers = [home.start_worker("-w", "1"), home.start_worker("-w", "1")]
    booked = home.json("reports", "run", "numbers")
    run = home.runs.get(booked["id"])
    until(lambda: home.runs.get(run.id).progress_note)
    kill(next(worker for worker in workers if home.holds_runs(worker)))
    # Of whoever is dead nobody hears any more; the test does not wait for it.
    let_leases_run_out(home.database)
    until(lambda: home.ended(run), within=60)
    assert home.runs.get(run.id).state is RunState.SUCCEEDED
    assert [each.outcome for each in home.runs.attempts_of(run.id)] == ["lost", "succeeded"]
    files = home.json("artifacts", "list")["artifacts"]
    assert {each["version"] for each in files} == {1}
    assert sorted(each["name"].rpartition(".")[2] for each in files) == ["csv", "xlsx"]
    verified = home.run("artifacts", "verify", "--all")
    assert verified.returncode == 0, verified.stdout + verified.stderr
