"""What differs between the databases that can hold a ledger. A database is one module each."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import Connection, Engine

Begin = Callable[[], AbstractContextManager[Connection]]


class Backend(Protocol):
    """One kind of database, and the ledger in it."""

    @property
    def upgrades_itself(self) -> bool:
        """Whether a ledger is made and upgraded by whoever comes first."""

    @property
    def drivers(self) -> Sequence[str]:
        """The modules that connecting imports, but for Python's own; none starts a thread."""

    def writer(self) -> Engine:
        """Whose transactions write."""

    def reader(self, writer: Engine) -> Engine:
        """The same connections; each transaction is one snapshot and writes nothing."""

    @property
    def is_where_workers_are(self) -> bool:
        """Whether a power cut of its machine ends every process that uses it as well."""

    def brief(self, writer: Engine) -> Engine:
        """The same connections; a power cut may undo the last of its transactions, if it ends
        whoever made them as well. They do not wait for the disk then.
        """

    def exists(self) -> bool:
        """False if it is sure that there is no ledger yet."""

    def upgrading(self, begin: Begin) -> AbstractContextManager[Connection]:
        """A write transaction in which no other process upgrades."""

    def is_in_transaction(self, driver_connection: Any) -> bool:
        """Whether the driver's connection is within a transaction."""

    @property
    def longest_given(self) -> timedelta | None:
        """How long a job may keep a transaction; None where nobody else waits for it."""

    def cut(self, driver_connection: Any) -> None:
        """Undo the transaction of a connection that another thread uses."""

    def unusable(self, error: BaseException) -> str | None:
        """Why the database cannot be used now, in one line; None if the statement was wrong."""
