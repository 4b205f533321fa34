"""The demo's night: a planted world, a real scheduler and worker, found against planted."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from engine.app import App, build_app
from engine.demo.first_reports import book_reports, wait_for
from engine.demo.truth import Comparison, Truth, compare
from engine.demo.world import World, build_world
from engine.errors import EngineError, Invalid
from engine.schedules.schedule import Schedule
from engine.schedules.triggers import Trigger
from engine.settings import Settings
from engine.states import UNFINISHED_RUNS, RunState
from engine.store.run import Run
from engine.store.schedule_marks import ScheduleMark, put_mark

_ZONE = ZoneInfo("Asia/Riyadh")
_SCHEDULE = "nightly-wallets"
_LOOK_SECONDS = 0.1
_DAYS_BACK = (7, 31, 366)
_LONGEST_NIGHT = timedelta(hours=1)

Say = Callable[[str], None]


class NoSchedule(Invalid):
    """The demo needs the schedules and the definition that come with the engine."""

    message = "{file} has no schedule {name!r}; run the demo in a folder that has it"


class NeverFired(Invalid):
    """There is no night to be looked back at."""

    message = "the schedule {name!r} has not fired within a year; the demo needs one that does"


class NightFailed(EngineError):
    """The night's run did not end well."""

    message = "the night's run {reference} {state}: {why}"


@dataclass(frozen=True, kw_only=True)
class DemoFile:
    """A file the night left behind."""

    name: str
    rows: int
    location: Path


@dataclass(frozen=True, kw_only=True)
class Night:
    """What the night found, against what was planted."""

    world: World
    run: Run
    comparison: Comparison
    files: Sequence[DemoFile]
    next_steps: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """As other programs read it."""
        return {
            "wallets": self.world.wallets,
            "entries": self.world.entries,
            "run": self.run.reference,
            "agrees": self.comparison.agrees,
            "tallies": [vars(tally) for tally in self.comparison.tallies],
            "files": [
                {"name": each.name, "rows": each.rows, "location": str(each.location)}
                for each in self.files
            ],
        }


def run_night(settings: Settings, *, wallets: int, entries: int, seed: int, say: Say) -> Night:
    """Build a world in `home`/var/demo, run last night's schedules on it, open the truth."""
    folder = settings.home / "var" / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    app = build_app(_settings_in(folder, settings))
    schedule = app.schedules.get(_SCHEDULE)
    if schedule is None:
        raise NoSchedule(file=settings.schedules_file, name=_SCHEDULE)
    fired_at = last_night(schedule.trigger, datetime.now(UTC))
    began_at = time.monotonic()
    world = build_world(
        folder / "canteen.db", wallets=wallets, entries=entries, seed=seed,
        as_of=midnight_before(fired_at),
    )  # fmt: skip
    say(
        f"built a canteen: {world.schools} schools, {world.students:,} students, "
        f"{world.wallets:,} wallets, {world.entries:,} entries, "
        f"{world.faults} planted faults ({time.monotonic() - began_at:.1f} s)"
    )
    try:
        _let_the_night_be_missed(app, schedule, fired_at)
        run, reports = _run_up(app, say, world.as_of)
        found = app.breaks.list(run_id=run.id, limit=None)
        # Only now, so that nothing before could have looked.
        comparison = compare(map(vars, found), Truth.load(world.truth_path))
        root = Path(app.settings.storage.removeprefix("file://"))
        files = [
            DemoFile(name=each.name, rows=each.rows, location=root / each.path)
            for made in (run, *reports)
            for each in reversed(app.artifacts.list(run_id=made.id))
        ]
        steps = _next_steps(app.settings, settings)
        return Night(world=world, run=run, comparison=comparison, files=files, next_steps=steps)
    finally:
        app.close()


def _settings_in(folder: Path, settings: Settings) -> Settings:
    """The same home; ledger, queue, files and source of the demo's own."""
    return settings.model_copy(
        update={
            "database_url": f"sqlite:///{folder / 'engine.db'}",
            "queue_url": f"sqlite:///{folder / 'queue.db'}",
            "storage_url": f"file://{folder / 'artifacts'}",
            "sources": {"canteen": f"sqlite:///{folder / 'canteen.db'}"},
        }
    )


def last_night(trigger: Trigger, now: datetime) -> datetime:
    """The newest firing that has passed: tonight's or, before it is due, last night's.

    Raises NeverFired.
    """
    for days in _DAYS_BACK:
        if firings := list(trigger.firings(now - timedelta(days=days), now)):
            return firings[-1]
    raise NeverFired(name=_SCHEDULE)


def midnight_before(instant: datetime) -> datetime:
    """When the day of that instant began, where the canteen is."""
    return instant.astimezone(_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)


def _let_the_night_be_missed(app: App, schedule: Schedule, fired_at: datetime) -> None:
    """Leave the ledger as a scheduler does that was stopped just before it."""
    with app.database.begin() as connection:
        mark = ScheduleMark(
            schedule=schedule.name,
            fingerprint=schedule.trigger.fingerprint,
            booked_until=fired_at - timedelta(hours=1),
        )
        put_mark(connection, mark)


def _run_up(app: App, say: Say, as_of: datetime) -> tuple[Run, Sequence[Run]]:
    """Start scheduler and worker, wait for the night's run, have reports made, stop both."""
    environment = {**os.environ, **app.settings.environment()}
    with (app.settings.home / "var" / "demo" / "engine.log").open("wb") as log:
        command = [sys.executable, "-m", "engine", "up"]
        household = subprocess.Popen(command, env=environment, stderr=log)  # noqa: S603 - our own
        try:
            night = _wait(app, household, say)
            booked = book_reports(app, as_of)
            reports = [
                wait_for(app, each, alive=lambda: household.poll() is None) for each in booked
            ]
            for each in reports:
                say(f"{each.reference} {each.job} {each.params['name']} {each.state}")
            return night, reports
        finally:
            household.send_signal(signal.SIGTERM)
            household.wait()


def _wait(app: App, household: "subprocess.Popen[bytes]", say: Say) -> Run:
    said = ""
    deadline = time.monotonic() + _LONGEST_NIGHT.total_seconds()
    while time.monotonic() < deadline and household.poll() is None:
        booked = [run for run in app.runs.newest(schedule=_SCHEDULE) if not _is_skipped(run)]
        if booked:
            run = booked[0]
            text = f"{run.reference} {run.job} {run.state}: {run.progress_note or 'waiting'}"
            if text != said:
                say(text)
            said = text
            if run.state is RunState.SUCCEEDED:
                return run
            if run.state not in UNFINISHED_RUNS:
                why = run.error.message if run.error else "no reason was given"
                raise NightFailed(reference=run.reference, state=run.state, why=why)
        time.sleep(_LOOK_SECONDS)
    log = app.settings.home / "var" / "demo" / "engine.log"
    raise NightFailed(reference="", state="did not end", why=f"see {log}")


def _is_skipped(run: Run) -> bool:
    return run.state is RunState.SKIPPED


def _next_steps(demo: Settings, own: Settings) -> list[str]:
    """How to look around, and how to go on with the demo's canteen as a source."""
    source = demo.sources["canteen"]
    file = own.home / ".env"
    engine = _own_command()
    lines = [
        "Look around in the demo's own ledger:",
        f"  export ENGINE_DATABASE_URL={demo.database} ENGINE_STORAGE_URL={demo.storage}",
        f"  {engine} breaks list; {engine} artifacts list; {engine} runs list",
    ]
    if "canteen" not in own.sources and not file.exists():
        file.write_text(f"ENGINE_SOURCES__CANTEEN={source}\n", encoding="utf-8")
        lines += [
            f"{file} now names the demo's canteen as a source, so these work as they are:",
            f"  {engine} up",
            f"  {engine} run reconcile -p definition=wallets --wait",
            f"  {engine} reports run wallet_statement -p wallet=700001 --wait",
        ]
    return lines


def _own_command() -> str:
    """How the reader can call us again: as this command was called, or by the interpreter."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "engine" else f"{sys.executable} -m engine"
