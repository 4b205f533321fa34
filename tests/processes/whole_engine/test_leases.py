"""Workers and ledgers that stand still: their runs are taken over, and no work is done twice."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from engine.states import RunState
from engine.store.run import Run
from tests.builders.home import Home
from tests.builders.postgres import PostgresServer
from tests.builders.tree import everything_below
from tests.processes.waiting import all_gone, is_gone, noted, until
from tests.processes.whole_engine.rows import book_a_row, rows

pytestmark = pytest.mark.process

LEASE = 10
# A lease, a round of the sweep by another process, and a slow machine.
TAKEN_UP_WITHIN = 30


@pytest.fixture
def pids(home: Home) -> Path:
    """Where attempts note themselves."""
    return home.folder / "pids"


def test_the_attempt_of_a_worker_that_is_stopped_ends_before_another_begins(
    home: Home, pids: Path
) -> None:
    run = book_a_row(home, seconds=LEASE * 2)
    stopped = home.start_worker("-w", "1")
    (attempt,) = noted(pids, 1)
    home.start_worker("-w", "1")
    os.kill(stopped.pid, signal.SIGSTOP)
    until(lambda: is_gone(attempt), within=LEASE)
    assert home.runs.get(run.id).attempt == 1
    until(lambda: home.runs.get(run.id).attempt == 2, within=TAKEN_UP_WITHIN)
    os.kill(stopped.pid, signal.SIGCONT)
    done_once(home, run, ["lost", "succeeded"])
    # It learns that its attempt is over, and is a worker like any other.
    other = home.book("tick")
    until(lambda: home.ended(other), within=20)
    assert stopped.poll() is None


def test_a_machine_that_stood_still_for_more_than_a_lease_takes_nobodys_run(
    home: Home, pids: Path
) -> None:
    run = book_a_row(home, seconds=LEASE)
    workers = [home.start_worker("-w", "1"), home.start_worker("-w", "1")]
    noted(pids, 1)
    until(lambda: any(map(home.holds_runs, workers)), within=20)
    processes = [each for worker in workers for each in everything_below(worker.pid)]
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    until(lambda: home.runs.lost(), within=LEASE * 2)
    for pid in processes:
        os.kill(pid, signal.SIGCONT)
    # To whoever sweeps, the lease looks ended; its worker is given the time to say so itself.
    done_once(home, run, ["failed", "succeeded"])
    (first, _) = home.runs.attempts_of(run.id)
    assert first.error_type == "LeaseLost"


def test_an_attempt_that_goes_on_after_its_lease_was_given_away_writes_nothing(
    home: Home, pids: Path
) -> None:
    run = book_a_row(home, seconds=4)
    stopped = home.start_worker("-w", "1")
    (attempt,) = noted(pids, 1)
    processes = everything_below(stopped.pid)
    assert attempt in processes
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    home.start_worker("-w", "1")
    until(lambda: home.runs.get(run.id).attempt == 2, within=TAKEN_UP_WITHIN)
    # Alone, while nobody can kill it: it wakes up after its four seconds, and tries to write.
    os.kill(attempt, signal.SIGCONT)
    until(lambda: home.ended(run), within=20)
    until(lambda: is_gone(attempt) or "State:\tZ" in status_of(attempt), within=20)
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    done_once(home, run, ["lost", "succeeded"])
    until(lambda: all_gone([attempt]), within=10)


def test_a_ledger_that_stands_still_for_more_than_a_lease_loses_and_doubles_nothing(
    ledger_home: Home, own_postgres: PostgresServer
) -> None:
    home, pids = ledger_home, ledger_home.folder / "pids"
    runs = [book_a_row(home, number, seconds=4) for number in range(4)]
    for _ in range(2):
        home.start_worker("-w", "2")
    attempts = noted(pids, 4)
    with own_postgres.frozen():
        until(lambda: all_gone(attempts), within=LEASE)
        time.sleep(LEASE)
    for number, run in enumerate(runs):
        until(lambda run=run: home.ended(run), within=60)  # type: ignore[misc]
        assert home.runs.get(run.id).state is RunState.SUCCEEDED
        assert rows(home, number) == 1


def test_a_ledger_file_that_is_locked_for_more_than_a_lease_loses_and_doubles_nothing(
    home: Home, pids: Path
) -> None:
    run = book_a_row(home, seconds=4)
    home.start_worker("-w", "1")
    (attempt,) = noted(pids, 1)
    with home.database.begin():
        # The heartbeat waits for the lock, and gets no error either.
        until(lambda: is_gone(attempt), within=LEASE)
        time.sleep(LEASE)
    done_once(home, run, ["failed", "succeeded"])
    (first, _) = home.runs.attempts_of(run.id)
    assert first.error_type == "LeaseLost"


@pytest.mark.parametrize("seconds", [0, 3, LEASE * 1.5])
def test_a_ledger_that_is_restarted_under_running_work_loses_and_doubles_nothing(
    ledger_home: Home, own_postgres: PostgresServer, seconds: float
) -> None:
    home, pids = ledger_home, ledger_home.folder / "pids"
    # Some end while it is away, some write then, some go on.
    runs = [book_a_row(home, number, seconds=number) for number in range(4)]
    for _ in range(2):
        home.start_worker("-w", "2")
    noted(pids, 4)
    own_postgres.stop()
    time.sleep(seconds)
    own_postgres.start()
    for number, run in enumerate(runs):
        until(lambda run=run: home.ended(run), within=60)  # type: ignore[misc]
        ended = home.runs.get(run.id)
        assert ended.state is RunState.SUCCEEDED, ended
        assert rows(home, number) == 1
        # Nobody was to blame.
        assert not any(each.crashed for each in home.runs.attempts_of(run.id))
    said = home.said()
    assert "Traceback" not in said
    # At most once by each process, whatever its threads were at.
    for words in ("is away", "is back", "rescue of lost runs is put off"):
        assert said.count(words) <= 2, words


def done_once(home: Home, run: Run, outcomes: Sequence[str]) -> None:
    """The run has succeeded, by these attempts, and its row is there once."""
    until(lambda: home.ended(run), within=60)
    assert home.runs.get(run.id).state is RunState.SUCCEEDED
    assert [each.outcome for each in home.runs.attempts_of(run.id)] == outcomes
    assert rows(home) == 1


def status_of(pid: int) -> str:
    """What the kernel says of a process; nothing once it is gone."""
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return ""
