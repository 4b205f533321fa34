"""A home of a test's own: jobs, a ledger, a queue, and the engine's commands run on them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from shutil import copyfile
from typing import Any

from sqlalchemy import ColumnElement, func, select

from engine.dispatch import Dispatch
from engine.huey_app.doorbell import Doorbell
from engine.states import RunState
from engine.store.database import Database
from engine.store.run import NewRun, Run
from engine.store.runs import RunStore
from engine.store.tables import runs
from tests.builders.command_server import run_command
from tests.builders.database import a_database

ROOT = Path(__file__).parents[2]
_JOBS = ROOT / "tests" / "processes" / "whole_engine" / "trials.py"


class Home:
    """A folder that the engine's processes, real ones, are started on and killed in."""

    def __init__(
        self,
        folder: Path,
        queue_url: str = "sqlite:///var/queue.db",
        database_url: str | None = None,
    ) -> None:
        """`database_url` is of a ledger that is upgraded already; None makes a SQLite one."""
        self.folder = folder
        self._queue_url = queue_url
        self._database_url = database_url
        # Of its processes' environment; a test may add to it.
        self.more: dict[str, str] = {}
        self._started: list[subprocess.Popen[bytes]] = []
        (folder / "jobs").mkdir(parents=True)
        (folder / "jobs" / "__init__.py").touch()
        copyfile(_JOBS, folder / "jobs" / "trials.py")

    @property
    def environment(self) -> dict[str, str]:
        """What a process of this home sees; nothing of the one that runs the tests."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("ENGINE_", "PYTHON"))}
        ours = {
            "ENGINE_HOME": str(self.folder),
            "ENGINE_QUEUE_URL": self._queue_url,
            "PYTHONPATH": str(ROOT),
            # One port for the schedulers of all tests would be one too few.
            "ENGINE_METRICS": "off",
            **(self._server if self._database_url else {}),
        }
        return inherited | ours | self.more

    @property
    def _server(self) -> dict[str, str]:
        """What is set with a ledger on a server, for which no key is made."""
        return {
            "ENGINE_DATABASE_URL": self._database_url or "",
            "ENGINE_SECRET_KEY": "a key for the homes of tests that is long enough",
        }

    @cached_property
    def database(self) -> Database:
        """The ledger, made if need be."""
        if self._database_url is not None:
            return Database(self._database_url)
        (self.folder / "var").mkdir(exist_ok=True)
        return a_database(self.folder / "var")

    @cached_property
    def runs(self) -> RunStore:
        """The runs, as the ledger has them."""
        return RunStore(self.database)

    @cached_property
    def dispatch(self) -> Dispatch:
        """Books without the cost of a command."""
        url = self._queue_url.replace("sqlite:///", f"sqlite:///{self.folder}/")
        return Dispatch(runs=self.runs, doorbell=Doorbell(url))

    def book(self, job: str, *, attempts: int = 1, queue: str = "default", **params: Any) -> Run:
        """Book a run of one of the trials and ring for it."""
        new = NewRun(job=job, queue=queue, attempts=attempts, params=params)
        return self.dispatch.book(new).run

    def run(self, *arguments: str, within: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return run_command(arguments, self.environment, timeout=within)

    def json(self, *arguments: str) -> Any:
        """What a command prints with --json."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command that goes on, leading a process group of its own."""
        return self._start(_engine(arguments))

    def start_worker(self, *options: str) -> subprocess.Popen[bytes]:
        """Start a worker of the default queue."""
        return self.start("queue", "work", *options)

    def start_huey_consumer(self, *options: str) -> subprocess.Popen[bytes]:
        """Start a worker by Huey's own command."""
        consumer = Path(sys.executable).with_name("huey_consumer")
        return self._start([str(consumer), "engine.queues.default", *options])

    def said(self) -> str:
        """What the started processes wrote."""
        return (self.folder / "processes.log").read_text()

    def ended(self, run: Run) -> bool:
        """Whether the run needs nothing more."""
        return self.runs.get(run.id).finished_at is not None

    def holds_runs(self, worker: subprocess.Popen[bytes]) -> int:
        """How many runs the worker is carrying out."""
        return self._count(
            runs.c.state == RunState.RUNNING, runs.c.worker.contains(f":{worker.pid}:")
        )

    def count(self, state: RunState) -> int:
        """How many runs are in this state."""
        return self._count(runs.c.state == state)

    def _count(self, *where: ColumnElement[bool]) -> int:
        with self.database.read() as connection:
            counted = select(func.count()).select_from(runs).where(*where)
            return int(connection.execute(counted).scalar_one())

    def close(self) -> None:
        """Kill what was started, and let go of the ledger and the queue."""
        for process in self._started:
            kill(process)
        if "dispatch" in vars(self):
            self.dispatch.doorbell.close()
        if "database" in vars(self):
            self.database.dispose()

    def _start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with (self.folder / "processes.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        self._started.append(process)
        return process


def kill(process: subprocess.Popen[bytes]) -> None:
    """`kill -9`; nothing happens if it has ended."""
    process.kill()
    process.wait()


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to the whole group that the process leads."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _engine(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "engine", *arguments]
