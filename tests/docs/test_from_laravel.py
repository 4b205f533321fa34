"""docs/from-laravel.md: each of its lines is run beside workers, and says what there is."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text, update

from engine.operations.doctor.cause import Question
from engine.operations.doctor.examination import CAUSES
from engine.registry import discover
from engine.states import RunState
from engine.store.database import Database
from engine.store.run import NewRun
from engine.store.run_counts import RunCounts
from engine.store.tables import runs
from engine.store.workers import WorkerStore
from tests.builders.commands import problem_with
from tests.builders.database import a_postgres_ledger
from tests.builders.home import Home
from tests.builders.patient import own_jobs
from tests.builders.postgres import PostgresServer
from tests.builders.redis import RedisServer, start_redis
from tests.processes.waiting import until

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "from-laravel.md").read_text(encoding="utf-8")
METRICS = "127.0.0.1:9464"
SCHEDULES = "schedules:\n  nightly: {job: tick, cron: '0 2 * * *', timezone: Asia/Riyadh}\n"
SERVED = ("default", "payouts")


def blocks(language: str) -> list[str]:
    """The blocks of one language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Line:
    """A line that somebody types, and the exit code that the document says it has."""

    typed: str
    code: int

    @property
    def goes_on(self) -> bool:
        """Whether it is a worker that ends when it is told to."""
        ends = ("--once", "--stop-when-empty")
        is_worker = re.search(r"queue:work\b", self.typed) is not None
        return is_worker and not any(each in self.typed for each in ends)


def lines() -> list[Line]:
    """Every line of the blocks that are typed."""
    found = []
    for each in "".join(blocks("bash")).splitlines():
        typed, _, code = each.partition(" # exit ")
        found.append(Line(typed, int(code or 0)))
    return found


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis whose queues are empty."""
    server = start_redis(tmp_path / "redis")
    yield server
    server.stop()


@pytest.fixture
def home(tmp_path: Path, postgres_server: PostgresServer, redis: RedisServer) -> Iterator[Home]:
    """A home in which `engine up` serves two queues, with the runs that the document names."""
    home = Home(tmp_path / "home", redis.url, a_postgres_ledger(postgres_server))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        home.more = {"ENGINE_METRICS": f"127.0.0.1:{probe.getsockname()[1]}"}
    (home.folder / "schedules.yaml").write_text(SCHEDULES)
    (home.folder / "jobs" / "payouts.py").write_text(blocks("python")[0])
    with home.database.begin() as connection:
        connection.execute(text("ALTER SEQUENCE runs_id_seq RESTART WITH 41"))
    queues = ("payouts", "payouts", "payouts", "default")
    named = [home.book("fail", queue=queue, why="no reason") for queue in queues]
    later = NewRun(job="tick", queue="default", due_at=datetime(2100, 1, 1, tzinfo=UTC))
    assert [*(run.id for run in named), home.dispatch.book(later).run.id] == [41, 42, 43, 44, 45]
    home.book("tick", queue="reports")
    home.start("up", "--queue", ",".join(SERVED))
    until(lambda: home.count(RunState.FAILED) == 4, within=120)
    with home.database.begin() as connection:
        connection.execute(update(runs).where(runs.c.id == 44).values(review="required"))
    yield home
    home.close()


def settled(database: Database) -> bool:
    """Whether nothing is under way in the queues that are served."""
    counts = RunCounts(database).by_queue()
    served = [counts[queue] for queue in SERVED if queue in counts]
    return not any(each.ready or each.running or each.retrying for each in served)


def try_out(line: Line, home: Home) -> tuple[int, str]:
    """Type it; a worker is told to end once it is there."""
    port = home.more["ENGINE_METRICS"]
    if line.goes_on:
        worker = home.start(*line.typed.split()[1:])
        there = WorkerStore(home.database).present
        until(lambda: worker.pid in [process.pid for process in there()], within=60)
        worker.send_signal(signal.SIGTERM)
        code = worker.wait(timeout=60)
        return code, home.said()[-2_000:]
    script = f'engine() {{ "{sys.executable}" -m engine "$@"; }}; {line.typed}'
    done = subprocess.run(  # noqa: S603 - what the document says
        ["/bin/bash", "-c", script.replace(METRICS, port)],
        env=home.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.process
def test_every_line_does_what_is_said_beside_workers(home: Home) -> None:
    said = {}
    for line in lines():
        code, output = try_out(line, home)
        assert code == line.code, f"{line.typed}\n{output}"
        said[line.typed] = output
        until(lambda: settled(home.database), within=120)
    states = {run.id: run.state for run in home.runs.newest(limit=1_000)}
    assert states[43] is RunState.DISCARDED
    assert states[45] is RunState.CANCELLED
    assert states[46] is RunState.CANCELLED
    scraped = said[f"curl -fsS http://{METRICS}/metrics"]
    for name in set(re.findall(r"`(engine_[a-z_]+)", DOCUMENT)):
        assert name in scraped


def test_there_are_lines_to_try() -> None:
    assert len(lines()) > 40
    assert [line.typed for line in lines() if line.goes_on]


@pytest.mark.parametrize("language", ["ini", "yaml"])
def test_process_managers_and_health_checks_start_what_there_is(language: str) -> None:
    commands = re.findall(
        r"(?:command|test)\s*[=:]\s*\S*?\b(engine .*)$", "".join(blocks(language)), re.MULTILINE
    )
    assert len(commands) > 1
    assert [problem for command in commands if (problem := problem_with(command))] == []


def test_the_supervisor_file_that_is_shown_is_the_one_to_copy() -> None:
    file = (ROOT / "deploy" / "supervisor" / "engine.conf").read_text(encoding="utf-8")
    assert set(blocks("ini")[0].splitlines()) <= {*file.splitlines(), ""}


def test_the_job_is_one(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "__init__.py").touch()
    (tmp_path / "jobs" / "payouts.py").write_text(blocks("python")[0])
    with own_jobs():
        assert set(discover(tmp_path)) == {"pay_out"}


@pytest.mark.parametrize(
    ("heading", "question"),
    [
        ("### Jobs are not processing", Question.NOT_PROCESSING),
        ("### Jobs are slow", Question.SLOW),
    ],
)
def test_the_troubleshooting_lists_have_every_cause(heading: str, question: Question) -> None:
    section = DOCUMENT.partition(heading)[2].partition("\n### ")[0]
    named = re.findall(
        r"`([a-z_]+)`", "".join(re.findall(r"^\|[^|]*\|([^|]*)\|", section, re.MULTILINE))
    )
    assert sorted(named) == sorted(each.name for each in CAUSES if each.question is question)


def test_every_command_of_laravel_is_answered() -> None:
    for verb in (
        *("work", "listen", "restart", "failed", "retry", "forget", "flush", "prune-failed"),
        *("monitor", "pause", "continue", "clear", "retry-batch", "prune-batches"),
    ):
        assert f"`queue:{verb}`" in DOCUMENT
