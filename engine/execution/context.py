"""What a job is given: who it is, how to report, and the services it may call."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from operator import index
from typing import TYPE_CHECKING, Any, Protocol, overload

from sqlalchemy import Connection

from engine.effects.effects import Effects
from engine.redaction.hiding import hidden
from engine.store.run import Claim

if TYPE_CHECKING:
    # Every module of jobs comes by here, and few jobs call these.
    from engine.reconciliation.service import Reconciliations
    from engine.reporting.service import Reports
    from engine.retention import Retention

_LARGEST = 2**63 - 1
_NOTE_LIMIT = 200


class Reporter(Protocol):
    """Takes what an attempt says while it goes on."""

    def progress(self, done: int, total: int | None = None, note: str | None = None) -> None:
        """How far it is."""

    def log(self, text: str) -> None:
        """One log record, as text."""


class Services(Protocol):
    """What jobs can ask of the engine; each service is made when it is first asked for."""

    @property
    def effects(self) -> Effects:
        """What must happen once."""

    @property
    def reconciliations(self) -> "Reconciliations":
        """Reconciles by definition."""

    @property
    def reports(self) -> "Reports":
        """Makes reports by definition."""

    @property
    def retention(self) -> "Retention":
        """Purges what is past its time."""


@dataclass(frozen=True, kw_only=True)
class JobContext:
    """One attempt, from the job's side. `period` is half-open, in UTC."""

    claim: Claim
    reference: str
    job: str
    schedule: str | None
    scheduled_for: datetime | None
    period: tuple[datetime, datetime] | None
    reporter: Reporter
    services: Services

    @property
    def run_id(self) -> int:
        """The run's id in the ledger."""
        return self.claim.run_id

    @property
    def attempt(self) -> int:
        """The attempt's number, from 1 on."""
        return self.claim.attempt

    def progress(self, done: int, total: int | None = None, note: str | None = None) -> None:
        """Say how far the job is, in whole numbers; shown to people who wait for it."""
        counted = None if total is None else _counted(total)
        self.reporter.progress(_counted(done), counted, None if note is None else _one_line(note))

    @overload
    def once(
        self,
        key: str,
        request: Any,
        call: Callable[[Connection], Any],
        *,
        database: str | None = None,
    ) -> Any: ...

    @overload
    def once(
        self, key: str, request: Any, call: Callable[[], Any], *, repeatable: bool = False
    ) -> Any: ...

    def once(
        self,
        key: str,
        request: Any,
        call: Callable[..., Any],
        *,
        repeatable: bool = False,
        database: str | None = None,
    ) -> Any:
        """Do something once per `key`, and return what it returned: see `Effects.once`.

        `call(connection)` works in the ledger's database or in the one that is named; `call()` does
        something elsewhere.
        """
        return self.services.effects.once(
            self.claim, key, request, call, repeatable=repeatable, database=database
        )

    @property
    def reconciliations(self) -> "Reconciliations":
        """Reconciles by definition."""
        return self.services.reconciliations

    @property
    def reports(self) -> "Reports":
        """Makes reports by definition."""
        return self.services.reports

    @property
    def retention(self) -> "Retention":
        """Purges what is past its time."""
        return self.services.retention


def _counted(number: int) -> int:
    """`number` as the ledger holds it; TypeError for what is no whole number."""
    return min(max(index(number), 0), _LARGEST)


def _one_line(note: str) -> str:
    """`note` as a terminal can show it, whatever a job read it from."""
    # Hidden before it is cut, so that no half of a secret is left.
    line = " ".join(hidden(note[: 4 * _NOTE_LIMIT]).split())[:_NOTE_LIMIT]
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line
    )
