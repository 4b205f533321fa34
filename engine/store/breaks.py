"""Breaks at rest: differences that are tracked until they are resolved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, case, func, select

from engine.clock import rfc3339
from engine.errors import UnknownId
from engine.states import BreakState
from engine.store.break_tables import break_moves, breaks, differences
from engine.store.database import Database
from engine.store.difference import Difference as Difference
from engine.store.row_id import require_id

_B = BreakState
_NOT_CLOSED = (_B.OPEN, _B.INVESTIGATING, _B.PROPOSED, _B.APPROVED)


@dataclass(frozen=True, kw_only=True)
class Break:
    """A difference as it is tracked."""

    id: int
    identity: str
    reconciliation: str
    check: str
    code: str
    kind: str
    status: BreakState
    wallet: str
    entry: str | None
    currency: str
    amount_minor: int
    expected_minor: int | None
    actual_minor: int | None
    severity: str
    details: Mapping[str, Any]
    occurrences: int
    assignee: str | None
    first_run_id: int
    last_run_id: int
    last_cut_off: datetime
    first_seen_at: datetime
    last_seen_at: datetime

    def as_json(self) -> dict[str, Any]:
        """The break as others rely on it."""
        return {
            "id": self.id,
            "identity": self.identity,
            "reconciliation": self.reconciliation,
            "check": self.check,
            "code": self.code,
            "class": self.kind,
            "status": self.status.value,
            "wallet": self.wallet,
            "entry": self.entry,
            "currency": self.currency,
            "amount_minor": self.amount_minor,
            "expected_minor": self.expected_minor,
            "actual_minor": self.actual_minor,
            "severity": self.severity,
            "first_seen_at": rfc3339(self.first_seen_at),
            "last_seen_at": rfc3339(self.last_seen_at),
            "occurrences": self.occurrences,
            "assignee": self.assignee,
        }


@dataclass(frozen=True, kw_only=True)
class BreakMove:
    """One move of a break's life; `source` is None for the first sight of it."""

    source: str | None
    target: str
    run_id: int | None
    actor: str | None
    reason: str | None
    moved_at: datetime

    def as_json(self) -> dict[str, Any]:
        """The move as others rely on it."""
        return {
            "source": self.source,
            "target": self.target,
            "run_id": self.run_id,
            "actor": self.actor,
            "reason": self.reason,
            "moved_at": rfc3339(self.moved_at),
        }


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """What one run saw of a break."""

    run_id: int
    amount_minor: int
    expected_minor: int | None
    actual_minor: int | None


@dataclass(frozen=True, kw_only=True)
class BreakHistory:
    """A break, every move it made and every run that saw it, oldest first."""

    known: Break
    moves: Sequence[BreakMove]
    sightings: Sequence[Sighting]


class BreakStore:
    """The breaks of one ledger, to read; `store.reconciliations` records them."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def list(
        self,
        *,
        reconciliation: str | None = None,
        status: str | None = None,
        code: str | None = None,
        wallet: str | None = None,
        currency: str | None = None,
        run_id: int | None = None,
        limit: int | None = 100,
        offset: int = 0,
    ) -> Sequence[Break]:
        """Breaks that fit every filter, the largest amount first."""
        wanted = {
            breaks.c.reconciliation: reconciliation,
            breaks.c.status: status,
            breaks.c.code: code,
            breaks.c.wallet: wallet,
            breaks.c.currency: currency,
        }
        query = select(breaks).where(
            *(column == value for column, value in wanted.items() if value is not None)
        )
        if run_id is not None:
            seen = select(differences.c.break_id).where(differences.c.run_id == run_id)
            query = query.where(breaks.c.id.in_(seen))
        # abs() of the smallest integer overflows; no amount of money comes near it.
        largest = func.abs(breaks.c.amount_minor).desc()
        with self.database.read() as connection:
            return read_breaks(
                connection, query.order_by(largest, breaks.c.id).limit(limit).offset(offset)
            )

    def count(self, *, reconciliation: str, status: str) -> int:
        """How many breaks of a reconciliation have this status."""
        query = select(func.count()).where(
            breaks.c.reconciliation == reconciliation, breaks.c.status == status
        )
        with self.database.read() as connection:
            return connection.execute(query).scalar_one()

    def open_by_reconciliation(self) -> Mapping[str, int]:
        """How many breaks of each reconciliation that ever had one are not closed."""
        c = breaks.c
        count = func.count(case((c.status.in_(_NOT_CLOSED), 1)))
        query = select(c.reconciliation, count).group_by(c.reconciliation)
        with self.database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def show(self, break_id: int) -> BreakHistory:
        """One break with its history; raises UnknownId."""
        require_id("break", break_id)
        with self.database.read() as connection:
            found = read_breaks(connection, select(breaks).where(breaks.c.id == break_id))
            if not found:
                raise UnknownId(noun="break", id=break_id)
            moves = connection.execute(
                select(break_moves)
                .where(break_moves.c.break_id == break_id)
                .order_by(break_moves.c.id)
            )
            seen = connection.execute(
                select(differences)
                .where(differences.c.break_id == break_id)
                .order_by(differences.c.run_id)
            )
            return BreakHistory(
                known=found[0],
                moves=[
                    BreakMove(
                        source=row.source,
                        target=row.target,
                        run_id=row.run_id,
                        actor=row.actor,
                        reason=row.reason,
                        moved_at=row.moved_at,
                    )
                    for row in moves
                ],
                sightings=[
                    Sighting(
                        run_id=row.run_id,
                        amount_minor=row.amount_minor,
                        expected_minor=row.expected_minor,
                        actual_minor=row.actual_minor,
                    )
                    for row in seen
                ],
            )


def read_breaks(connection: Connection, query: Select[Any]) -> Sequence[Break]:
    """The breaks that a query over the table gives."""
    found = []
    for row in connection.execute(query).mappings():
        values = {column.key: row[column] for column in breaks.c}
        found.append(Break(**values | {"status": BreakState(values["status"])}))
    return found
