"""Schedules whose params have secrets: neither their versions nor their runs show them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.authoring import Personal, job
from engine.dispatch import Dispatch
from engine.hiding import Hiding
from engine.job import Job
from engine.scheduler.booking import Booking
from engine.scheduler.keeping import Keeping
from engine.schedules.schedule import Schedule
from engine.schedules.stored import UnreadableSchedule, version_of
from engine.sealing import Keys, MissingKey, Sealer
from engine.store.runs import RunStore
from engine.store.schedule_marks import SEALED
from engine.store.sealed_params import SealedParamStore, SealedRun
from engine.store.tables import schedule_marks
from tests.builders.clock import FakeClock
from tests.builders.doorbell import FakeDoorbell
from tests.builders.schedule import a_schedule
from tests.unit.scheduler.conftest import SIX

KEYS = Keys.parse("k" * 32)
HUSH = "hush-of-yaml"
PARAMS: Mapping[str, Any] = {
    "token": HUSH,
    "phone": "0551234567",
    "note": "mail a@example.com, ${secret:api}",
    "api_key": "${secret:api}",
    "n": 7,
}
SHOWN = {
    "token": "***",
    "phone": "***",
    "note": "mail ***, ${secret:api}",
    "api_key": "${secret:api}",
    "n": 7,
}


@job()
def pay(context: Any, *, token: str, phone: Personal[str], note: str, api_key: str, n: int) -> None:
    """Pay."""


JOBS: Mapping[str, Job] = {"pay": pay}
KEEPING = Keeping(jobs=JOBS, hiding=Hiding(lambda: KEYS))


def no_keys() -> Keys:
    """As with a ledger on PostgreSQL."""
    raise MissingKey


def paying(**params: Any) -> Schedule:
    """The job `pay`, every hour."""
    return a_schedule(job="pay", params={**PARAMS, **params})


@pytest.fixture
def booking(runs: RunStore, clock: FakeClock, doorbell: FakeDoorbell) -> Booking:
    """A scheduler's booking that knows the job."""
    return Booking(
        dispatch=Dispatch(runs=runs, doorbell=doorbell),
        jobs=JOBS,
        hiding=Hiding(lambda: KEYS),
        clock=clock,
        read_at=SIX,
    )


def test_a_version_comes_back_as_it_was_and_shows_masks() -> None:
    stored = json.loads(json.dumps(KEEPING.to_json(paying())))
    assert stored["params"] == SHOWN
    assert KEEPING.from_json("hourly", stored) == paying()


def test_a_version_without_secrets_is_stored_as_ever() -> None:
    plain = a_schedule(job="pay", params={"n": 7})
    keeping = Keeping(jobs=JOBS, hiding=Hiding(no_keys))
    assert SEALED not in keeping.to_json(plain)
    assert keeping.version_of(plain) == version_of(plain)


def test_versions_differ_as_their_secrets_do_and_by_the_key() -> None:
    version = KEEPING.version_of(paying())
    assert KEEPING.version_of(paying()) == version
    assert KEEPING.version_of(paying(token="other")) != version
    assert KEEPING.version_of(paying(n=8)) != version
    other = Keeping(jobs=JOBS, hiding=Hiding(lambda: Keys.parse("o" * 32)))
    assert other.version_of(paying()) != version


def test_a_version_that_cannot_be_opened_cannot_be_read() -> None:
    stored = KEEPING.to_json(paying())
    other = Keeping(jobs=JOBS, hiding=Hiding(lambda: Keys.parse("o" * 32)))
    with pytest.raises(UnreadableSchedule, match="which is not here"):
        other.from_json("hourly", stored)
    with pytest.raises(UnreadableSchedule, match="cannot be opened"):
        KEEPING.from_json("another-schedule", stored)


def test_without_a_key_a_schedule_with_secrets_is_refused() -> None:
    with pytest.raises(MissingKey):
        Keeping(jobs=JOBS, hiding=Hiding(no_keys)).to_json(paying())


def test_a_firing_is_booked_with_its_secrets_sealed(
    booking: Booking, runs: RunStore, clock: FakeClock, tmp_path: Path
) -> None:
    schedule = paying()
    booking.begin([schedule])
    clock.advance(timedelta(hours=1))
    assert booking.book(schedule) == 1
    (run,) = runs.newest()
    assert run.params == SHOWN
    bound = SealedRun(reference=run.reference, job=run.job)
    opened = bound.open(Sealer(KEYS), SealedParamStore(runs.database).of_run(run.id))
    assert opened == {name: PARAMS[name] for name in ("token", "phone", "note")}
    with runs.database.read() as connection:
        stored = connection.execute(select(schedule_marks.c.definition)).scalar_one()
    assert stored["params"] == SHOWN
    for file in tmp_path.rglob("*.db*"):
        assert HUSH.encode() not in file.read_bytes()


def test_an_older_version_in_force_is_booked_with_its_own_secrets(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    booking.begin([paying()])
    clock.advance(timedelta(hours=1))
    # A scheduler that read its file before knows another secret; what was read last is in force.
    earlier = replace(booking, read_at=SIX - timedelta(hours=1))
    assert earlier.book(paying(token="of-before")) == 1
    (run,) = runs.newest()
    bound = SealedRun(reference=run.reference, job=run.job)
    opened = bound.open(Sealer(KEYS), SealedParamStore(runs.database).of_run(run.id))
    assert opened["token"] == HUSH


def test_a_firing_whose_params_no_longer_fit_is_skipped_and_says_nothing_of_them(
    booking: Booking, runs: RunStore, clock: FakeClock
) -> None:
    schedule = paying(n="no number of a@example.com")
    booking.begin([schedule])
    clock.advance(timedelta(hours=1))
    booking.book(schedule)
    (run,) = runs.newest()
    assert run.params == {**SHOWN, "n": "no number of ***"}
    assert run.reason is not None
    assert "a@example.com" not in run.reason
    assert HUSH not in f"{run}"
    assert SealedParamStore(runs.database).of_run(run.id) == {}
