"""Workers that are missing, on their own, or elsewhere."""

from engine.execution.identity import code_version
from engine.operations.doctor.cause import Verdict
from engine.operations.doctor.workers import NO_MANAGER, NO_WORKER, OLD_CODE, OTHER_QUEUES
from tests.builders.booking import let_leases_run_out
from tests.builders.patient import Home


def test_no_worker_is_alive(home: Home) -> None:
    home.run()
    home.scheduler()
    assert "no worker is alive, and 1 run could start now" in home.has(NO_WORKER)


def test_a_worker_that_was_not_seen_of_late_is_not_alive(home: Home) -> None:
    home.worker()
    assert home.is_free_of(NO_WORKER)
    let_leases_run_out(home.database)
    assert home.has(NO_WORKER)


def test_nobody_starts_the_workers_again(home: Home) -> None:
    home.worker(manager="none")
    assert "host pid 7" in home.has(NO_MANAGER)


def test_one_worker_under_a_process_manager_is_enough(home: Home) -> None:
    home.worker(manager="none")
    home.worker(manager="container", pid=9)
    assert home.is_free_of(NO_MANAGER)


def test_without_workers_nobody_knows_who_would_start_them_again(home: Home) -> None:
    found = home.look(NO_MANAGER)
    assert (found.verdict, found.why) == (Verdict.UNCHECKED, "no worker is alive")


def test_workers_serve_other_queues_than_the_one_where_runs_wait(home: Home) -> None:
    home.worker()
    home.run(queue="payouts")
    found = home.look(OTHER_QUEUES)
    (finding,) = found.findings
    assert "1 run in the queue payouts, which no worker serves" in finding.text
    assert list(finding.next) == ["engine queue work --queue=payouts"]


def test_a_queue_that_is_served_is_none_of_the_others(home: Home) -> None:
    home.worker(queues=["payouts", "default"])
    home.run(queue="payouts")
    assert home.is_free_of(OTHER_QUEUES)


def test_a_worker_runs_the_code_from_before_the_deployment(home: Home) -> None:
    home.worker(version=code_version(home.folder))
    assert home.is_free_of(OLD_CODE)
    (home.folder / "jobs" / "more.py").write_text("MORE = 1\n")
    assert "worker host:7:aaaaaa: other code" in home.has(OLD_CODE)
