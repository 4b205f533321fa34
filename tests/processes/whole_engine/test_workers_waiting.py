"""A worker that finds no ledger at its start waits for it; what waiting does not mend it says."""

import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.builders.home import Home
from tests.builders.postgres import PostgresServer
from tests.processes.waiting import until

pytestmark = pytest.mark.process


def test_workers_and_schedulers_that_start_without_the_ledger_serve_it_when_it_comes(
    ledger_home: Home, own_postgres: PostgresServer
) -> None:
    (ledger_home.folder / "schedules.yaml").write_text("schedules: {}\n")
    run = ledger_home.book("tick")
    own_postgres.stop()
    started = [
        ledger_home.start_worker(),
        ledger_home.start_huey_consumer("-w", "2"),
        ledger_home.start("scheduler"),
    ]
    until(lambda: ledger_home.said().count("the run ledger is away") >= 2, within=60)
    assert [process.poll() for process in started] == [None] * 3
    own_postgres.start()
    until(lambda: ledger_home.ended(run), within=90)
    until(lambda: len(ledger_home.json("queue", "workers")["workers"]) == 3, within=60)
    assert [process.poll() for process in started] == [None] * 3
    for process in started:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(timeout=60) for process in started] == [0] * 3
    assert "Traceback" not in ledger_home.said()


def test_a_worker_that_waits_for_the_ledger_may_be_told_to_end(
    ledger_home: Home, own_postgres: PostgresServer
) -> None:
    own_postgres.stop()
    worker = ledger_home.start_worker()
    until(lambda: "the run ledger is away" in ledger_home.said(), within=60)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=20) == 0
    assert "stopped: a signal; 0 runs carried out" in ledger_home.said()


def test_what_waiting_does_not_mend_ends_a_worker_at_once(
    tmp_path: Path, own_postgres: PostgresServer
) -> None:
    empty = own_postgres.url_of(own_postgres.make_database())
    home = Home(tmp_path / "home", database_url=empty)
    behind = home.run("queue", "work", "--once")
    assert behind.returncode == 6
    assert "has no tables" in behind.stderr
    assert "`engine database upgrade`" in behind.stderr

    home.more["ENGINE_DATABASE_URL"] = urlsplit(empty)._replace(path="/not_there").geturl()
    shut = home.run("queue", "work", "--once")
    assert shut.returncode == 6
    assert "correct ENGINE_DATABASE_URL" in shut.stderr

    (home.folder / "jobs" / "broken.py").write_text("import nothing_of_that_name\n")
    own_postgres.stop()
    broken = home.run("queue", "work", "--once")
    assert broken.returncode == 2
    assert "jobs in jobs.broken cannot be imported" in broken.stderr
    home.close()
