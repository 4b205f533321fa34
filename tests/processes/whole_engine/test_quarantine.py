"""A run that kills its workers is quarantined, and the others go on."""

import pytest

from engine.states import RunState
from tests.builders.home import Home
from tests.processes.waiting import until

pytestmark = pytest.mark.process


def test_a_run_that_kills_its_worker_three_times_is_quarantined_and_others_go_on(
    home: Home,
) -> None:
    beside = home.book("take_a_while", attempts=50, seconds=3, pids=str(home.folder / "pids"))
    poison = home.book("kill_its_worker", attempts=50)
    for kills in range(1, 4):
        worker = home.start_worker("-w", "2")
        assert worker.wait(timeout=60) == -9, kills
        home.book("tick", attempts=50)
    home.start_worker("-w", "2")
    until(lambda: home.ended(poison), within=60)
    until(lambda: home.count(RunState.SUCCEEDED) == 4, within=60)

    shown = home.json("runs", "show", poison.reference)
    assert (shown["state"], shown["review"]) == ("failed", "required")
    assert shown["error"]["message"].startswith("crashed 3 times; quarantined: look at its ")
    assert [each["outcome"] for each in shown["attempts"]] == ["lost"] * 3
    assert "required" in home.run("runs", "show", poison.reference).stdout
    assert "required" in home.run("runs", "list", "--state", "failed").stdout
    # It ran beside the other one twice, and had no part in its third crash.
    assert home.runs.get(beside.id).attempt == 3


def test_a_run_whose_process_dies_three_times_is_quarantined(home: Home) -> None:
    home.start_worker("-w", "1")
    run = home.book("dump_core", attempts=50)
    until(lambda: home.ended(run), within=30)
    shown = home.json("runs", "show", run.reference)
    assert (shown["state"], shown["review"], shown["attempt"]) == ("failed", "required", 3)
    assert "the first crash was Crashed: killed by signal 11" in shown["error"]["message"]
    assert [each["outcome"] for each in shown["attempts"]] == ["crashed"] * 3
