"""`engine doctor` beside real processes: what it finds, and how a terminal shows it."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.cli.table import width_of
from engine.store.workers import WorkerStore
from tests.builders.database import a_postgres_ledger
from tests.builders.home import ROOT, Home, kill
from tests.builders.postgres import PostgresServer
from tests.builders.redis import RedisServer
from tests.builders.terminal import on_a_terminal
from tests.builders.wrong_clock import WrongClock
from tests.processes.waiting import until

pytestmark = pytest.mark.process

SCHEDULES = "schedules:\n  often: {job: tick, every: 10s, overlap: allow, missed: skip}\n"


def examined(home: Home) -> tuple[Mapping[str, Any], int]:
    """The causes by name, as `engine doctor --json` has them, and its exit code."""
    done = home.run("doctor", "--json")
    causes = json.loads(done.stdout)["causes"]
    return {cause["name"]: cause for cause in causes}, done.returncode


def test_an_engine_that_is_up_has_nothing_and_one_that_was_killed_has_no_worker(
    redis_home: Home,
) -> None:
    home = redis_home
    (home.folder / "schedules.yaml").write_text(SCHEDULES)
    up = home.start("up")
    run = home.book("tick")
    until(lambda: home.ended(run), within=30)
    causes, code = examined(home)
    found = {name for name, cause in causes.items() if cause["verdict"] == "found"}
    # Somebody may edit the engine while its tests run.
    assert found <= {"old_code"}
    assert code == (4 if found else 0)
    assert causes["no_process_manager"]["verdict"] == "fine"

    kill(up)
    home.book("tick")
    until(lambda: examined(home)[0]["no_worker"]["verdict"] == "found", within=40)
    causes, code = examined(home)
    assert code == 4
    assert causes["scheduler_silent"]["verdict"] == "found"
    assert causes["no_worker"]["findings"][0]["next"][0] == "engine up"


def test_a_ledger_and_a_queue_that_are_away_hide_nothing_else(
    ledger_home: Home, own_postgres: PostgresServer, tmp_path: Path
) -> None:
    (ledger_home.folder / "schedules.yaml").write_text(SCHEDULES)
    own_postgres.stop()
    ledger_home.more = {"ENGINE_QUEUE_URL": "redis://127.0.0.1:1/0"}
    causes, code = examined(ledger_home)
    assert code == 4
    found = {name for name, cause in causes.items() if cause["verdict"] == "found"}
    assert found == {"ledger_away", "queue_away"}
    assert causes["no_worker"] == {
        "name": "no_worker",
        "question": "not_processing",
        "verdict": "unchecked",
        "findings": [],
        "why": "the run ledger is away",
    }
    assert causes["disk_full"]["verdict"] == "fine"


def test_a_machine_whose_clock_is_wrong_is_told_by_both_servers(
    tmp_path: Path, postgres_server: PostgresServer, redis_server: RedisServer
) -> None:
    clock = WrongClock(tmp_path / "clock")
    clock.set(timedelta(minutes=-7))
    home = Home(tmp_path / "home", redis_server.url, a_postgres_ledger(postgres_server))
    home.more = clock.environment(str(ROOT))
    causes, code = examined(home)
    home.close()
    assert code == 4
    assert [each["text"] for each in causes["clock_skew"]["findings"]] == [
        "the ledger's clock is 7 min ahead of this machine's",
        "the queue's clock is 7 min ahead of this machine's",
    ]


def test_a_worker_on_another_redis_database_leaves_what_is_rung_here(redis_home: Home) -> None:
    url = redis_home.environment["ENGINE_QUEUE_URL"]
    redis_home.more = {"ENGINE_QUEUE_URL": url.removesuffix("/0") + "/1"}
    redis_home.start_worker()
    until(lambda: WorkerStore(redis_home.database).present(), within=60)
    redis_home.more = {}
    redis_home.book("tick")
    causes, code = examined(redis_home)
    assert code == 4
    assert "another one?" in causes["messages_untaken"]["findings"][0]["text"]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_what_it_says_fits_the_terminal_and_is_coloured_there_only(
    home: Home, columns: int
) -> None:
    (home.folder / "schedules.yaml").write_text("schedules: {}\n")
    home.book("tick", queue="payouts")
    screen = on_a_terminal("doctor", environment=home.environment, columns=columns)
    assert screen.code == 4
    assert screen.is_coloured
    commands = [line for line in screen.lines if line.lstrip().startswith("> ")]
    assert "         > engine up" in commands
    assert all(width_of(line) <= columns for line in screen.lines if line not in commands)
    plain = home.environment | {"NO_COLOR": "1"}
    assert not on_a_terminal("doctor", environment=plain, columns=columns).is_coloured
    piped = home.run("doctor")
    assert "\x1b" not in piped.stdout
    assert "FOUND  no worker is alive, and 1 run could start now\n" in piped.stdout
