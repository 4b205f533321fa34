"""A ledger in a SQLite file: made on first use, one writer at a time; and files that are bad."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.store import sqlite as module
from engine.store.database import REVISION, Database
from engine.store.faults import LedgerUnreachable
from tests.builders.database import a_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An upgraded SQLite ledger."""
    database = a_database(tmp_path)
    yield database
    database.dispose()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writers give up at once."""
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.05)


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


def test_what_was_accepted_survives_a_power_cut(database: Database) -> None:
    with database.read() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_what_need_not_last_does_not_wait_for_the_disk(database: Database) -> None:
    def synchronous(*, lasting: bool) -> object:
        with database.begin(lasting=lasting) as connection:
            return connection.execute(text("PRAGMA synchronous")).scalar()

    assert [synchronous(lasting=lasting) for lasting in (True, False, True)] == [2, 1, 2]
    assert database.may_forget


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


def test_a_ledger_that_was_never_there_is_not_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'var' / 'engine.db'}")
    with pytest.raises(LedgerUnreachable):
        database.revision()
    database.require_current()
    assert [each.message for each in caplog.records if each.name.startswith("engine")] == []
    database.dispose()


@pytest.mark.usefixtures("impatient")
def test_a_ledger_that_takes_no_writes_is_away_until_it_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="engine.outage")
    database, other = a_database(tmp_path), a_database(tmp_path)
    with other.begin():
        # Not there for writes at all yet: its caller says so.
        with pytest.raises(LedgerUnreachable), database.begin():
            pass
        assert caplog.messages == []
    with database.begin():
        pass
    with other.begin():
        for _ in range(3):
            with pytest.raises(LedgerUnreachable), database.begin():
                pass
            # It can be read, but that is not enough.
            assert database.revision() == REVISION
    assert database.outage.pause > 0
    with database.begin():
        pass
    assert database.outage.pause == 0
    assert caplog.messages == ["the run ledger is away; waiting for it", "the run ledger is back"]
    database.dispose()
    other.dispose()
