"""The ledger's database: transactions that write or read, and upgrades; one class for all kinds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.engine import make_url

from engine.outage import Outage
from engine.redaction.urls import without_password
from engine.store.act import take_noted
from engine.store.audit_chain import AuditEntry
from engine.store.backend import Backend
from engine.store.faults import LedgerAhead, LedgerBehind
from engine.store.faults import LedgerUnreachable as LedgerUnreachable
from engine.store.postgres import Postgres
from engine.store.sqlite import Sqlite

if TYPE_CHECKING:
    from engine.store.journal import Journal

# The newest file in migrations/versions, here so that no command imports alembic to compare.
REVISION = "0006"

BACKENDS: Mapping[str, Callable[[URL], Backend]] = {"sqlite": Sqlite, "postgresql": Postgres}

_MIGRATIONS = Path(__file__).with_name("migrations")


class Database:
    """A ledger by its URL. Threads may share it; after a fork, make another."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self._backend = BACKENDS[self.url.get_backend_name()](self.url)
        self._writer = self._backend.writer()
        self._brief_writer = self._backend.brief(self._writer)
        self._reader = self._backend.reader(self._writer)
        # Of this process: it says so once for all that use the ledger.
        self.outage = Outage("the run ledger", self.shown_url)
        # What it has taken, or answered, so far: writes, reads.
        self._answered: set[bool] = set()
        # What keeps the audit; without one, what operators do is not audited.
        self.journal: Journal | None = None
        # A full disk and a locked file may still be read.
        self._refuses_writes = False

    @property
    def shown_url(self) -> str:
        """The URL as it may be printed."""
        return without_password(self.url.render_as_string(hide_password=True))

    @property
    def upgrades_itself(self) -> bool:
        """Whether `require_current` makes or upgrades the ledger."""
        return self._backend.upgrades_itself

    @property
    def drivers(self) -> Sequence[str]:
        """What a process that forks may import for its children."""
        return self._backend.drivers

    @property
    def may_forget(self) -> bool:
        """Whether a power cut can undo the last transactions that were not `lasting`."""
        return self._backend.is_where_workers_are

    @contextmanager
    def begin(self, *, lasting: bool = True) -> Iterator[Connection]:
        """A write transaction: committed at the end, rolled back on an error.

        Once committed it survives the end of every process. One that need not be `lasting` may be
        undone by a power cut, if that ends everybody who relied on it as well, until a lasting one
        is committed after it: for hints, and for what is done again then.

        What was noted in it (`act.note`) is in the audit once it is committed.
        """
        writer = self._writer if lasting else self._brief_writer
        entries: Sequence[AuditEntry] = ()
        with self._explained(writes=True), writer.begin() as connection:
            yield connection
            acts = take_noted(connection)
            if acts and self.journal is not None:
                entries = self.journal.write(connection, acts)
        if entries and self.journal is not None:
            self.journal.publish(entries)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read transaction: one snapshot, and no lock that a writer would wait for."""
        with self._explained(writes=False), self._reader.begin() as connection:
            yield connection

    def is_in_transaction(self, connection: Connection) -> bool:
        """Whether the database itself says so, whatever statements were sent by hand."""
        return self._backend.is_in_transaction(connection.connection.driver_connection)

    @property
    def longest_given(self) -> timedelta | None:
        """How long a job may keep a transaction that it is given; None: as long as it likes."""
        return self._backend.longest_given

    def cutter(self, connection: Connection) -> Callable[[], None]:
        """What undoes the connection's transaction from another thread, and lets it write no more.

        Its connection is good for nothing then, and must be closed.
        """
        return partial(self._backend.cut, connection.connection.driver_connection)

    def revision(self) -> str | None:
        """The revision of the tables, None for an empty database."""
        with self.read() as connection:
            return _revision(connection)

    def upgrade(self) -> bool:
        """Bring the tables to this code's revision; True if there was anything to do.

        One process at a time: the others wait.
        """
        from alembic import command
        from alembic.config import Config

        with self._backend.upgrading(self.begin) as connection:
            found = _revision(connection)
            if found == REVISION:
                return False
            self._refuse_ahead(found)
            config = Config()
            # alembic reads its options with %-interpolation.
            config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        return True

    def exists(self) -> bool:
        """False if it is sure that there is no ledger yet."""
        return self._backend.exists()

    def require_current(self) -> None:
        """Raise LedgerBehind or LedgerAhead if the tables are not this code's.

        A ledger that is one machine's is made or upgraded instead. Cheap when all is well.
        """
        if not self.upgrades_itself:
            self._refuse_other(self.revision())
            return
        try:
            if self.revision() == REVISION:
                return
        except LedgerUnreachable:
            # No folder or file yet; a ledger that truly cannot be opened fails again below.
            pass
        self.upgrade()

    def dispose(self) -> None:
        """Close every connection."""
        self._writer.dispose()

    def _refuse_other(self, found: str | None) -> None:
        self._refuse_ahead(found)
        if found != REVISION:
            told = "has no tables" if found is None else f"is at revision {found}"
            raise LedgerBehind(url=self.shown_url, found=told, wanted=REVISION)

    def _refuse_ahead(self, found: str | None) -> None:
        if found is not None and found > REVISION:
            raise LedgerAhead(url=self.shown_url, found=found)

    @contextmanager
    def _explained(self, *, writes: bool) -> Iterator[None]:
        """A database that cannot be used is named; a wrong statement is a bug, or a job's own."""
        try:
            with self._named():
                yield
        except LedgerUnreachable as error:
            # A ledger that never took this is not away: it was not there, and its caller says so.
            if writes in self._answered:
                self._refuses_writes = self._refuses_writes or writes
                self.outage.lasts(error.facts["error"])
            raise
        self._answered.add(writes)
        if writes or not self._refuses_writes:
            self._refuses_writes = False
            self.outage.ends()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if (why := self._backend.unusable(error)) is None:
                raise
            raise LedgerUnreachable(url=self.shown_url, error=why) from error


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
