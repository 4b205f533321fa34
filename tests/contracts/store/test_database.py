"""What every ledger's database does: transactions, snapshots, a clock of its own, upgrades."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier, Thread

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, make_url, select, text
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.exc import DBAPIError

from engine.store.database import BACKENDS, REVISION, Database
from engine.store.faults import LedgerAhead
from engine.store.instant import Instant, database_now
from engine.store.logs import LogLine, LogStore
from engine.store.run import RunError
from engine.store.runs import RunStore
from engine.store.schedule_marks import ScheduleMark, mark_of
from tests.builders.booking import MIDNIGHT, a_claim, a_run
from tests.builders.forks import at_once
from tests.builders.postgres import PostgresServer

ROOT = Path(__file__).parents[3]
SQLITE, POSTGRES = SQLiteDialect(), PGDialect()  # type: ignore[no-untyped-call]


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a ledger is to be."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'made' / 'engine.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.make_database()
    yield server.url_of(name)
    server.drop_database(name)


def make_table(connection: Connection) -> None:
    """A table that is no ledger's."""
    connection.execute(text("CREATE TABLE numbers (x INTEGER)"))


def test_four_processes_upgrade_one_empty_database_at_once(empty_url: str) -> None:
    at_once(
        4,
        empty_url,
        imports="""
        import alembic.command
        from engine.store.database import Database
        """,
        work="Database(arguments[0]).upgrade()",
    )
    database = Database(empty_url)
    assert database.revision() == REVISION
    assert database.upgrade() is False
    database.require_current()
    database.dispose()


def test_a_ledger_of_the_first_version_is_upgraded_and_keeps_what_is_in_it(
    empty_url: str,
) -> None:
    if empty_url.startswith("sqlite"):
        Path(make_url(empty_url).database or "").parent.mkdir()
    database = Database(empty_url)
    with database.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(ROOT / "engine" / "store" / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        old = "INSERT INTO schedule_marks VALUES ('nightly', 'f', '2020-11-24 00:00:00.000000')"
        connection.execute(text(old))
    assert database.revision() == "0001"
    assert database.upgrade() is True
    with database.read() as connection:
        mark = mark_of(connection, "nightly")
    assert mark == ScheduleMark(schedule="nightly", fingerprint="f", booked_until=MIDNIGHT)
    database.dispose()


def test_of_eight_threads_one_upgrades(empty_url: str) -> None:
    barrier = Barrier(8)
    upgraded: list[bool] = []

    def upgrade() -> None:
        database = Database(empty_url)
        barrier.wait()
        upgraded.append(database.upgrade())
        database.dispose()

    threads = [Thread(target=upgrade) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(upgraded) == [False] * 7 + [True]


def test_a_ledger_of_a_newer_version_is_refused(empty_url: str) -> None:
    database = Database(empty_url)
    assert database.upgrade() is True
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for use in (database.upgrade, database.require_current):
        with pytest.raises(LedgerAhead, match="is at revision 9999, made by a newer version"):
            use()
    database.dispose()


def test_a_wrong_statement_is_not_the_ledgers_fault(database: Database) -> None:
    with pytest.raises(DBAPIError, match="absent"), database.begin() as connection:
        connection.execute(text("SELECT * FROM absent"))


def test_an_error_undoes_the_transaction(database: Database) -> None:
    def make_and_fail() -> None:
        with database.begin() as connection:
            make_table(connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make_and_fail()
    with database.begin() as connection:
        make_table(connection)


def test_a_reader_sees_one_moment(database: Database) -> None:
    with database.begin() as connection:
        make_table(connection)
    count = text("SELECT count(*) FROM numbers")
    with database.read() as reader:
        assert reader.execute(count).scalar() == 0
        with database.begin() as writer:
            writer.execute(text("INSERT INTO numbers VALUES (1)"))
        assert reader.execute(count).scalar() == 0


def test_the_databases_clock_is_the_machines_here(database: Database) -> None:
    with database.read() as connection:
        now = connection.execute(select(database_now())).scalar_one()
        moved = connection.execute(select(database_now(timedelta(hours=-1)))).scalar_one()
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=2)
    assert abs(now - timedelta(hours=1) - moved) < timedelta(seconds=2)


def test_the_databases_clock_goes_on_in_a_transaction(database: Database) -> None:
    with database.begin() as connection:
        first = connection.execute(select(database_now())).scalar_one()
        while connection.execute(select(database_now())).scalar_one() == first:
            pass


def test_each_move_of_the_clock_is_a_statement_of_its_own(database: Database) -> None:
    def at(moved_by: timedelta) -> datetime:
        with database.read() as connection:
            return connection.execute(select(database_now(moved_by))).scalar_one()

    hours = [at(timedelta(hours=hour)) - at(timedelta()) for hour in (1, 2, 3)]
    assert [round(each / timedelta(hours=1)) for each in hours] == [1, 2, 3]


def test_an_instant_is_read_back_as_it_was_in_utc(runs: RunStore) -> None:
    riyadh = timezone(timedelta(hours=3))
    instant = datetime(2026, 11, 24, 2, 0, 0, 7, tzinfo=riyadh)
    found = runs.get(a_run(runs, due_at=instant).id).due_at
    assert (found, found.tzinfo) == (instant, UTC)


def test_instants_sort_as_texts_where_they_are_texts() -> None:
    instant = datetime(2026, 11, 24, 2, 0, 0, 7, tzinfo=timezone(timedelta(hours=3)))
    bound = Instant().process_bind_param(instant, SQLITE)
    assert bound == "2026-11-23 23:00:00.000007"
    assert Instant().process_bind_param(instant, POSTGRES) == instant
    assert Instant().process_bind_param(None, SQLITE) is None


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES])
def test_a_naive_instant_is_refused(dialect: object) -> None:
    naive = datetime(2026, 11, 24)  # noqa: DTZ001 - what it is about
    with pytest.raises(ValueError, match="naive datetime"):
        Instant().process_bind_param(naive, dialect)  # type: ignore[arg-type]


def test_text_that_no_database_takes_is_written_visibly(runs: RunStore) -> None:
    logs = LogStore(runs.database)
    run = a_run(runs, params={"note": "a\0b"}, actor="x" * 10_000)
    claim = a_claim(runs, run, worker="host\0" * 100)
    logs.append(run.id, [LogLine(attempt=1, at=MIDNIGHT, stream="log", text="a\0b\udce9c")])
    assert runs.progress(claim, 1, None, "half\0way")
    error = RunError(type="T\0" * 1000, message="m\0", fingerprint="f" * 16, trace="t\0")
    assert runs.fail(claim, error)
    assert [line.text for line in logs.of_run(run.id)] == ["a\u2400b\\udce9c"]
    kept = runs.get(run.id)
    assert (kept.params, kept.progress_note) == ({"note": "a\0b"}, "half\u2400way")
    assert kept.error is not None
    assert (kept.error.type, kept.error.message) == ("T\u2400" * 1000, "m\u2400")
    assert kept.worker == "host\u2400" * 100


def test_a_number_that_is_none_is_kept_as_text(runs: RunStore) -> None:
    odd = {"limits": [float("inf"), 1.5], "more": {"mean": float("nan")}}
    claim = a_claim(runs)
    assert runs.succeed(claim, odd)
    assert runs.get(claim.run_id).result == {"limits": ["inf", 1.5], "more": {"mean": "nan"}}
