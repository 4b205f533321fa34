"""What is around the engine: its settings, ledger, clocks, disks, schedules, and the servers."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from engine.clock import SystemClock
from engine.operations.doctor.cause import Verdict
from engine.operations.doctor.clocks import CLOCK_SKEW
from engine.operations.doctor.configuration import JOBS, SCHEDULES_FILE, SETTINGS
from engine.operations.doctor.disks import DISK_FULL
from engine.operations.doctor.examination import diagnose
from engine.operations.doctor.ledgers import LEDGER_AWAY, LEDGER_NOT_UPGRADED
from engine.operations.doctor.outside import SLOW_CALLS, SLOW_SOURCES
from engine.operations.doctor.patient import Patient
from engine.operations.doctor.scheduling import SCHEDULER_SILENT
from engine.settings import Settings, load_settings
from engine.store.database import Database
from engine.store.tables import schedule_marks
from tests.builders.clock import FakeClock
from tests.builders.database import a_postgres_ledger
from tests.builders.disk import a_small_disk
from tests.builders.patient import Home
from tests.builders.postgres import PostgresServer, start_postgres
from tests.builders.redis import RedisServer
from tests.builders.slow_line import a_slow_line
from tests.builders.source import SourceDatabase


def test_a_setting_is_wrong(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_HOME", str(home.folder))
    monkeypatch.setenv("ENGINE_QUEUE_URL", "amqp://guest:hunter2@queue")
    patient = Patient(load_settings, SystemClock())
    found = diagnose(patient, SETTINGS)
    assert found.verdict is Verdict.FOUND
    assert found.findings[0].text.startswith("ENGINE_QUEUE_URL: a URL must start with")
    assert "hunter2" not in found.findings[0].text
    assert diagnose(patient, JOBS).why == "the settings are wrong"


def test_a_url_that_no_client_can_read_is_wrong(home: Home) -> None:
    home.queue_url = "redis://localhost:6379/0?socket_timeout=soon"
    assert "ENGINE_QUEUE_URL" in home.has(SETTINGS)


def test_settings_that_can_be_used_are_right(home: Home) -> None:
    assert home.is_free_of(SETTINGS)


def test_a_job_cannot_be_loaded(home: Home) -> None:
    assert home.is_free_of(JOBS)
    (home.folder / "jobs" / "broken.py").write_text("import no_such_module_anywhere\n")
    assert "no_such_module_anywhere" in home.has(JOBS)
    for cause in (SCHEDULES_FILE, SCHEDULER_SILENT):
        assert home.look(cause).why == f"the jobs of {home.folder} cannot be loaded"


def test_schedules_yaml_has_an_error(home: Home) -> None:
    assert home.is_free_of(SCHEDULES_FILE)
    (home.folder / "schedules.yaml").write_text("schedules:\n  a:\n    job: purgee\n")
    assert "schedules.yaml:" in home.has(SCHEDULES_FILE)


def test_there_is_no_schedules_yaml(home: Home) -> None:
    (home.folder / "schedules.yaml").unlink(missing_ok=True)
    assert "there is no such file" in home.has(SCHEDULES_FILE)


def test_the_ledger_is_away_and_hides_no_other_cause(home: Home) -> None:
    home.database = Database("postgresql://engine@127.0.0.1:1/engine")
    assert "the run ledger postgresql://engine@127.0.0.1:1/engine cannot be used" in home.has(
        LEDGER_AWAY
    )
    (finding,) = home.look(LEDGER_AWAY).findings
    assert "pg_isready -h 127.0.0.1 -p 1" in finding.next
    assert home.look(LEDGER_NOT_UPGRADED).why == "the run ledger is away"
    assert home.is_free_of(DISK_FULL)


def test_a_ledger_that_answers_is_not_away(home: Home) -> None:
    assert home.is_free_of(LEDGER_AWAY)
    assert home.is_free_of(LEDGER_NOT_UPGRADED)


@pytest.mark.parametrize(
    ("revision", "said"), [("0001", "needs revision"), ("9999", "this version is older")]
)
def test_the_ledger_is_of_another_version(home: Home, revision: str, said: str) -> None:
    with home.database.begin() as connection:
        before = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        connection.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})
    try:
        assert said in home.has(LEDGER_NOT_UPGRADED)
        assert home.look(SCHEDULER_SILENT).why == "the run ledger is of another version"
    finally:
        with home.database.begin() as connection:
            put_back = text("UPDATE alembic_version SET version_num = :r")
            connection.execute(put_back, {"r": before})


def test_a_postgresql_ledger_has_no_tables(home: Home, postgres_server: PostgresServer) -> None:
    home.database = Database(postgres_server.url_of(postgres_server.make_database()))
    assert "has no tables" in home.has(LEDGER_NOT_UPGRADED)
    (finding,) = home.look(LEDGER_NOT_UPGRADED).findings
    assert list(finding.next) == ["engine database upgrade"]


def test_a_ledger_in_a_file_is_not_made_by_looking_for_it(tmp_path: Path) -> None:
    patient = Patient(lambda: Settings(home=tmp_path), SystemClock())
    assert "nothing was ever booked" in diagnose(patient, LEDGER_NOT_UPGRADED).findings[0].text
    assert not (tmp_path / "var").exists()


def test_this_machines_clock_is_wrong(on_redis: Home) -> None:
    assert on_redis.is_free_of(CLOCK_SKEW)
    late = FakeClock(datetime.now(UTC) - timedelta(minutes=5))
    found = on_redis.look(CLOCK_SKEW, late)
    assert [re.sub(r"\d[\d.]* ", "N ", each.text) for each in found.findings] == [
        "the ledger's clock is N min ahead of this machine's",
        "the queue's clock is N min ahead of this machine's",
    ]


def test_the_clock_of_a_queue_in_postgresql_is_compared_as_well(
    home: Home, postgres_server: PostgresServer
) -> None:
    home.queue_url = postgres_server.url_of(postgres_server.make_database())
    assert home.is_free_of(CLOCK_SKEW)
    early = FakeClock(datetime.now(UTC) + timedelta(minutes=5))
    found = home.look(CLOCK_SKEW, early)
    assert "the queue's clock is 5 min behind this machine's" in found.findings[1].text


def test_a_disk_is_full(home: Home, tmp_path: Path) -> None:
    assert home.is_free_of(DISK_FULL)
    with a_small_disk(tmp_path / "reports", megabytes=4) as disk:
        home.storage_url = f"file://{disk.folder}"
        assert home.is_free_of(DISK_FULL)
        disk.fill()
        assert f"the disk of {disk.folder}, for reports, has 0 bytes" in home.has(DISK_FULL)


def test_no_scheduler_is_alive_though_there_are_schedules(home: Home) -> None:
    home.worker()
    said = home.has(SCHEDULER_SILENT)
    assert said == "no scheduler is alive, and schedules.yaml has 1 schedule"
    (home.folder / "schedules.yaml").write_text("schedules: {}\n")
    assert home.is_free_of(SCHEDULER_SILENT)


def test_a_scheduler_has_not_read_a_schedule(home: Home) -> None:
    home.scheduler()
    assert "the scheduler has not read hourly" in home.has(SCHEDULER_SILENT)


@pytest.mark.parametrize(("hours", "is_late"), [(0, False), (3, True)])
def test_a_scheduler_must_book_what_is_due(home: Home, hours: int, is_late: bool) -> None:
    home.scheduler()
    booked_until = datetime.now(UTC) - timedelta(hours=hours)
    row = {"schedule": "hourly", "fingerprint": "f", "booked_until": booked_until, "version": "v"}
    with home.database.begin() as connection:
        connection.execute(insert(schedule_marks).values(**row, read_at=booked_until))
    assert home.is_free_of(SCHEDULER_SILENT) is not is_late


def test_a_source_answers_late_or_not_at_all(home: Home, source_database: SourceDatabase) -> None:
    source_database.make("wallets", {"id": "whole"})
    home.sources = {"canteen": source_database.url}
    assert home.is_free_of(SLOW_SOURCES)
    port = re.search(r":(\d+)/", source_database.url)
    if port is None:
        home.sources = {"canteen": f"{source_database.url}-that-is-not-there"}
        assert "the source 'canteen' cannot be read" in home.has(SLOW_SOURCES)
        return
    with a_slow_line(int(port[1]), seconds=0.4) as slow:
        home.sources = {"canteen": source_database.url.replace(port[0], f":{slow}/")}
        assert "the source canteen takes" in home.has(SLOW_SOURCES)
    assert "cannot be read" in home.has(SLOW_SOURCES)


def test_the_queue_is_far_away(home: Home, redis_server: RedisServer) -> None:
    home.queue_url = redis_server.url
    assert home.is_free_of(SLOW_CALLS)
    with a_slow_line(redis_server.port, seconds=0.15) as slow:
        home.queue_url = redis_server.url.replace(str(redis_server.port), str(slow))
        assert home.has(SLOW_CALLS).startswith("the queue takes 0.1")


def test_the_storage_of_reports_is_away(home: Home) -> None:
    home.storage_url = "sftp://engine@127.0.0.1:1/reports"
    assert "the storage sftp://engine@127.0.0.1:1/reports does not answer" in home.has(SLOW_CALLS)
    (finding,) = home.look(SLOW_CALLS).findings
    assert list(finding.next) == ["sftp -P 1 engine@127.0.0.1"]


def test_the_ledger_is_far_away(home: Home, postgres_server: PostgresServer) -> None:
    url = a_postgres_ledger(postgres_server)
    with a_slow_line(postgres_server.port, seconds=0.15) as slow:
        home.database = Database(url.replace(str(postgres_server.port), str(slow)))
        assert "the run ledger takes" in home.has(SLOW_CALLS)


def test_what_a_ledger_that_stands_still_hides_is_said_to_be_unchecked(tmp_path: Path) -> None:
    server = start_postgres()
    try:
        home = Home(tmp_path, Database(a_postgres_ledger(server)))
        with server.frozen():
            found = home.look(SLOW_CALLS)
        assert (found.verdict, found.why) == (Verdict.UNCHECKED, "the run ledger is away")
    finally:
        server.remove()
