"""Reconciliations at rest: what a run found, and what that means for the breaks known so far.

Everything of one run is written in one transaction. Writing it again, for a later attempt of the
same run, changes nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from engine.states import RunState
from engine.store.break_changes import BreakChanges, known_breaks
from engine.store.break_tables import differences, reconciliation_runs
from engine.store.database import Database
from engine.store.difference import Difference
from engine.store.reconciled import Reconciled, Recorded
from engine.store.tables import runs
from engine.store.turns import take_turn


class ReconciliationStore:
    """What reconciliations found, in one ledger."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def record(self, connection: Connection, found: Reconciled, *, at: datetime) -> Recorded:
        """Write down one run and move the breaks accordingly, in the caller's transaction.

        From here on, it is the only one that records this reconciliation.
        """
        take_turn(connection, "reconciliation", found.reconciliation)
        known = known_breaks(connection, found.reconciliation)
        changes = BreakChanges(
            found,
            at,
            overtaken=_is_overtaken(connection, found),
            written=_written(connection, found.run_id),
        )
        seen: dict[str, Difference] = {}
        for difference in found.differences:
            seen.setdefault(difference.identity(found.reconciliation), difference)
        for identity, difference in seen.items():
            if identity in known:
                changes.see_again(known[identity], difference)
            else:
                changes.open(identity, difference)
        for identity, broken in known.items():
            if identity not in seen:
                changes.miss(broken)
        return changes.write(connection, seen)

    def latest(self, reconciliation: str) -> Mapping[str, Any] | None:
        """The newest run of a reconciliation, as its row; None before the first."""
        table = reconciliation_runs
        query = select(table).where(table.c.reconciliation == reconciliation)
        return self._first(query.order_by(table.c.run_id.desc()).limit(1))

    def of_run(self, run_id: int) -> Mapping[str, Any] | None:
        """What a run found, as its row; None if it recorded nothing."""
        return self._first(
            select(reconciliation_runs).where(reconciliation_runs.c.run_id == run_id)
        )

    def covering(
        self, reconciliation: str, start: datetime, end: datetime
    ) -> Mapping[str, Any] | None:
        """The newest run that succeeded and looked at all until `end`, or at that very period.

        As its row; None if there is none.
        """
        table = reconciliation_runs
        of_period = (table.c.period_start <= start) & (table.c.period_end >= end)
        return self._first(
            select(table)
            .join(runs, runs.c.id == table.c.run_id)
            .where(
                table.c.reconciliation == reconciliation,
                runs.c.state == RunState.SUCCEEDED,
                or_(table.c.cut_off >= end, of_period),
            )
            .order_by(table.c.run_id.desc())
            .limit(1)
        )

    def _first(self, query: Any) -> Mapping[str, Any] | None:
        with self.database.read() as connection:
            row = connection.execute(query).mappings().first()
            return dict(row) if row is not None else None


def _is_overtaken(connection: Connection, found: Reconciled) -> bool:
    """Whether another run has recorded what it read later; it knows better how breaks stand."""
    table = reconciliation_runs
    query = select(table.c.run_id).where(
        table.c.reconciliation == found.reconciliation,
        table.c.run_id != found.run_id,
        table.c.read_at > found.read_at,
    )
    return connection.execute(query.limit(1)).first() is not None


def _written(connection: Connection, run_id: int) -> frozenset[int]:
    """The breaks that an earlier attempt of the run has recorded as seen."""
    query = select(differences.c.break_id).where(differences.c.run_id == run_id)
    return frozenset(connection.execute(query).scalars())
