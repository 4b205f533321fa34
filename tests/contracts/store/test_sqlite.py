"""The ledger's database: made and upgraded once, its own clock, and errors that say what to do."""

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.exc import OperationalError

from engine.store import sqlite as module
from engine.store.database import REVISION, Database
from engine.store.faults import LedgerAhead, LedgerUnreachable
from engine.store.instant import Instant, database_now

UPGRADE = "import sys; from engine.store.database import Database; Database(sys.argv[1]).upgrade()"
ROOT = Path(__file__).parents[3]
DIALECT = SQLiteDialect()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writers give up at once."""
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.05)


def test_four_processes_upgrade_one_empty_database_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'made' / 'engine.db'}"
    command = [sys.executable, "-c", UPGRADE, url]
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]  # noqa: S603 - our own
    assert [process.wait(timeout=60) for process in processes] == [0] * 4
    database = Database(url)
    assert database.revision() == REVISION
    assert database.upgrade() is False
    database.dispose()


def test_a_ledger_is_made_on_first_use(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'var' / '50%' / 'engine.db'}")
    assert database.exists() is False
    database.require_current()
    assert database.exists() is True
    assert database.revision() == REVISION
    database.dispose()


def test_an_empty_file_has_no_revision(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'engine.db'}")
    assert database.revision() is None
    database.dispose()


def test_a_ledger_of_a_newer_version_is_refused(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for use in (database.upgrade, database.require_current):
        with pytest.raises(LedgerAhead, match="is at revision 9999, made by a newer version"):
            use()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    database = Database(f"sqlite:///{tmp_path / 'file' / 'engine.db'}")
    for use in (database.upgrade, database.require_current, database.revision):
        with pytest.raises(LedgerUnreachable, match=r"the run ledger sqlite:///.*cannot be used"):
            use()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "engine.db").write_bytes(b"not a database, but long enough to look at" * 100)
    database = Database(f"sqlite:///{tmp_path / 'engine.db'}")
    with pytest.raises(LedgerUnreachable, match="file is not a database"):
        database.require_current()
    database.dispose()


@pytest.mark.usefixtures("impatient")
def test_a_writer_that_never_ends_makes_the_ledger_unreachable(database: Database) -> None:
    other = Database(database.url.render_as_string(hide_password=False))
    with database.begin():
        with other.read() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
        with pytest.raises(LedgerUnreachable, match="database is locked"), other.begin():
            pass
    with other.begin():
        pass
    other.dispose()


def test_a_wrong_statement_is_not_the_ledgers_fault(database: Database) -> None:
    with (
        pytest.raises(OperationalError, match="no such table: absent"),
        database.begin() as connection,
    ):
        connection.execute(text("SELECT * FROM absent"))


def test_an_error_undoes_the_transaction(database: Database) -> None:
    def make_and_fail() -> None:
        with database.begin() as connection:
            connection.execute(text("CREATE TABLE kept (x)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make_and_fail()
    with database.read() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master")).scalars().all()
    assert "kept" not in names


def test_a_reader_sees_one_moment(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE numbers (x)"))
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


def test_each_move_of_the_clock_is_a_statement_of_its_own(database: Database) -> None:
    def at(moved_by: timedelta) -> datetime:
        with database.read() as connection:
            return connection.execute(select(database_now(moved_by))).scalar_one()

    hours = [at(timedelta(hours=hour)) - at(timedelta()) for hour in (1, 2, 3)]
    assert [round(each / timedelta(hours=1)) for each in hours] == [1, 2, 3]


def test_instants_sort_as_texts_and_keep_their_microseconds() -> None:
    riyadh = timezone(timedelta(hours=3))
    instant = datetime(2026, 11, 24, 2, 0, 0, 7, tzinfo=riyadh)
    bound = Instant().process_bind_param(instant, DIALECT)
    assert bound == "2026-11-23 23:00:00.000007"
    assert Instant().process_result_value(bound, DIALECT) == instant
    assert Instant().process_bind_param(None, DIALECT) is None


def test_a_naive_instant_is_refused() -> None:
    naive = datetime(2026, 11, 24)  # noqa: DTZ001 - what it is about
    with pytest.raises(ValueError, match="naive datetime"):
        Instant().process_bind_param(naive, DIALECT)


def test_what_was_accepted_survives_a_power_cut(database: Database) -> None:
    with database.read() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_busy_file_is_asked_again_for_its_journal(tmp_path: Path) -> None:
    file = tmp_path / "engine.db"
    holder = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    holder.execute("CREATE TABLE x (y)")
    holder.execute("BEGIN EXCLUSIVE")
    asked: list[str] = []

    class Driver:
        def execute(self, statement: str) -> None:
            asked.append(statement)
            if len(asked) == 3:
                holder.execute("COMMIT")
            with sqlite3.connect(file, timeout=0) as connection:
                connection.execute(statement)
            connection.close()

    module._write_ahead(Driver())
    assert asked == ["PRAGMA journal_mode = WAL"] * 3
    holder.close()
