"""What is asked of every database that rows are read from. A kind of database is one module."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol

from engine.sources.dialect import Dialect
from engine.sources.parameters import Params

Kind = Literal["whole", "number", "text"]
"""As which a column is due: a whole number of 64 bits, a floating one, or text."""


@dataclass(frozen=True)
class Plan:
    """How a database would carry out a query, in its own words, and what it guesses of it."""

    lines: Sequence[str]
    rows: int | None = None
    cost: float | None = None


class Snapshot(Protocol):
    """A database as it was at one moment; two threads may use it at the same time, or in turn.

    A query that goes with `params` says `:name` where one is bound; without any it is sent as it
    is. One that is not done within its `time_limit`, from its start to its last row, is stopped:
    QueryTooLong.
    """

    @property
    def beside(self) -> "Snapshot":
        """The same moment for another thread to read at the same time; itself if there is none."""

    def batches(
        self,
        query: str,
        kinds: Mapping[str, Kind] | None = None,
        *,
        params: Params | None = None,
        time_limit: timedelta | None = None,
    ) -> AbstractContextManager[Any]:
        """The rows of a query as a `pyarrow.RecordBatchReader`, in flat memory.

        `kinds` says what the columns are due as, for a database whose columns have no types of
        their own. What goes wrong on the way is raised where the context ends: SourceUnreachable
        if the database is gone, InvalidQuery if it will not go on. Values are never cast.
        """

    def rows(
        self, query: str, *, params: Params | None = None, time_limit: timedelta | None = None
    ) -> Sequence[tuple[Any, ...]]:
        """The few rows of a query."""

    def ends(self, rows: str, key: str) -> tuple[int, int] | None:
        """The lowest and the highest `key` of `rows` (`FROM ...`), found without reading them.

        None unless those below any id, and those from it on, can each be read without the other.
        """

    def plan(self, query: str, params: Params | None = None) -> Plan:
        """How the query would be carried out; nothing of it is."""


class Database(Protocol):
    """A database by the name that the settings give it."""

    @property
    def name(self) -> str:
        """What definitions call it."""

    def require_reachable(self) -> None:
        """Raise SourceUnreachable unless it answers, MayWrite if it lets us write."""

    def columns(self, query: str, params: Params | None = None) -> Mapping[str, str]:
        """The columns that a query gives, with their types as the database calls them.

        Raises InvalidQuery unless it is one SELECT that names all `params` and nothing else. None
        of its rows is read.
        """

    def dialect(self, columns: Mapping[str, str]) -> Dialect:
        """Its SQL, about these columns."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """One moment of it, fixed before anything is read."""
