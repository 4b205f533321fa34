"""Reconciliations at rest: what a run found, and what that means for the breaks known so far.

Everything of one run is written in one transaction. Writing it again, for a later attempt of the
same run, changes nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from engine.states import BREAK, BreakState
from engine.store.break_tables import break_moves, breaks, differences, reconciliation_runs
from engine.store.breaks import Break, Difference, read_breaks
from engine.store.database import Database
from engine.store.turns import take_turn

_STATE = BreakState
_ACTIVE = frozenset({_STATE.OPEN, _STATE.INVESTIGATING, _STATE.PROPOSED, _STATE.APPROVED})
_CLOSED_BY_ABSENCE: Mapping[BreakState, BreakState] = {
    _STATE.OPEN: _STATE.AUTO_CLOSED,
    _STATE.INVESTIGATING: _STATE.AUTO_CLOSED,
    _STATE.APPROVED: _STATE.RESOLVED,
}


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """What one run covered and saw, ready to be written; parts that nobody queries are JSON."""

    run_id: int
    reconciliation: str
    cut_off: datetime
    read_at: datetime
    period: tuple[datetime, datetime] | None
    checks: Sequence[str]
    differences: Sequence[Difference]
    sides: Sequence[Mapping[str, Any]]
    findings: Sequence[Mapping[str, Any]]
    totals: Sequence[Mapping[str, Any]]
    counts: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What writing it down did to the breaks; `standing` maps identities to breaks seen."""

    opened: int
    reopened: int
    closed: int
    seen: int
    standing: Mapping[str, Break]


class ReconciliationStore:
    """What reconciliations found, in one ledger."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def record(self, connection: Connection, found: Reconciled, *, at: datetime) -> Recorded:
        """Write down one run and move the breaks accordingly, in the caller's transaction.

        From here on, it is the only one that records this reconciliation.
        """
        take_turn(connection, "reconciliation", found.reconciliation)
        known = _known(connection, found.reconciliation)
        changes = _Changes(
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

    def _first(self, query: Any) -> Mapping[str, Any] | None:
        with self.database.read() as connection:
            row = connection.execute(query).mappings().first()
            return dict(row) if row is not None else None


def _known(connection: Connection, reconciliation: str) -> dict[str, Break]:
    query = select(breaks).where(breaks.c.reconciliation == reconciliation).order_by(breaks.c.id)
    return {broken.identity: broken for broken in read_breaks(connection, query)}


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


@dataclass
class _Changes:
    """Rows to write, gathered so that each kind is one statement."""

    found: Reconciled
    at: datetime
    overtaken: bool
    written: frozenset[int]
    new: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    moves: list[tuple[str, BreakState | None, BreakState, str]] = field(default_factory=list)

    def open(self, identity: str, difference: Difference) -> None:
        """A break that was never seen before."""
        run_id = self.found.run_id
        self.new.append(
            {
                "identity": identity,
                "reconciliation": self.found.reconciliation,
                "check": difference.check,
                "code": difference.code,
                "kind": difference.kind,
                "status": _STATE.OPEN,
                "wallet": difference.wallet,
                "entry": difference.entry,
                "currency": difference.currency,
                **_amounts(difference),
                "severity": difference.severity,
                "details": dict(difference.details),
                "occurrences": 1,
                "first_run_id": run_id,
                "last_run_id": run_id,
                "last_cut_off": self.found.cut_off,
                "first_seen_at": self.at,
                "last_seen_at": self.at,
            }
        )
        self.moves.append((identity, None, _STATE.OPEN, "first seen"))

    def see_again(self, broken: Break, difference: Difference) -> None:
        """A break that was seen before; one that was closed is reopened."""
        again = broken.id in self.written
        older = self.overtaken or self.found.cut_off < broken.last_cut_off
        amounts = _amounts(broken if older else difference)
        status, reason = broken.status, ""
        if status in {_STATE.AUTO_CLOSED, _STATE.RESOLVED} and not older:
            status, reason = _STATE.OPEN, "it came back"
        elif status is _STATE.ACCEPTED and amounts["amount_minor"] != broken.amount_minor:
            status, reason = _STATE.OPEN, "the amount is no longer what was accepted"
        elif status is _STATE.ACCEPTED and difference.code != broken.code and not older:
            status, reason = _STATE.OPEN, f"it was accepted as {broken.code}"
        self._change(
            broken,
            status,
            reason,
            **amounts,
            **_words(broken if older else difference),
            occurrences=broken.occurrences + (not again),
            last_run_id=broken.last_run_id if again else self.found.run_id,
            last_cut_off=max(broken.last_cut_off, self.found.cut_off),
            last_seen_at=broken.last_seen_at if again else self.at,
        )

    def miss(self, broken: Break) -> None:
        """A break that is gone, if this run would have seen it."""
        covered = (
            broken.check in self.found.checks
            and self.found.cut_off >= broken.last_cut_off
            and not self.overtaken
            # Every finding left rows out of the reading, which may be the very rows of the break.
            and not self.found.findings
        )
        if covered and (target := _CLOSED_BY_ABSENCE.get(broken.status)) is not None:
            self._change(
                broken,
                target,
                "a later run no longer sees it",
                **_amounts(broken),
                **_words(broken),
                occurrences=broken.occurrences,
                last_run_id=broken.last_run_id,
                last_cut_off=self.found.cut_off,
                last_seen_at=broken.last_seen_at,
            )

    def _change(self, broken: Break, status: BreakState, reason: str, **values: Any) -> None:
        if status is not broken.status:
            BREAK.require(broken.status, status)
            self.moves.append((broken.identity, broken.status, status, reason))
        self.changed.append({"break_identity": broken.identity, "status": status, **values})

    def write(self, connection: Connection, seen: Mapping[str, Difference]) -> Recorded:
        """Everything, and what it came to."""
        if self.new:
            connection.execute(insert(breaks), self.new)
        if self.changed:
            connection.execute(_CHANGE, self.changed)
        standing = _known(connection, self.found.reconciliation)
        self._write_run(connection)
        _write_all(
            connection,
            differences,
            (
                {"break_id": standing[identity].id, "run_id": self.found.run_id, **_amounts(one)}
                for identity, one in seen.items()
            ),
        )
        _write_all(
            connection,
            break_moves,
            (
                {
                    "break_id": standing[identity].id,
                    "run_id": self.found.run_id,
                    "source": source,
                    "target": target,
                    "reason": reason,
                    "moved_at": self.at,
                }
                for identity, source, target, reason in self.moves
            ),
        )
        targets = Counter(target for _, source, target, _ in self.moves if source is not None)
        return Recorded(
            opened=len(self.new),
            reopened=targets[_STATE.OPEN],
            closed=targets[_STATE.AUTO_CLOSED] + targets[_STATE.RESOLVED],
            seen=len(seen),
            standing={identity: standing[identity] for identity in seen},
        )

    def _write_run(self, connection: Connection) -> None:
        found = self.found
        for table in (differences, reconciliation_runs):  # what an earlier attempt wrote
            connection.execute(delete(table).where(table.c.run_id == found.run_id))
        connection.execute(
            insert(reconciliation_runs).values(
                run_id=found.run_id,
                reconciliation=found.reconciliation,
                cut_off=found.cut_off,
                read_at=found.read_at,
                period_start=found.period[0] if found.period else None,
                period_end=found.period[1] if found.period else None,
                sides=list(found.sides),
                findings=list(found.findings),
                totals=list(found.totals),
                counts=dict(found.counts),
                checks=list(found.checks),
                finished_at=self.at,
            )
        )


_CHANGED = (
    *("status", "amount_minor", "expected_minor", "actual_minor", "occurrences"),
    *("code", "severity", "details"),
    *("last_run_id", "last_cut_off", "last_seen_at"),
)
_CHANGE = (
    update(breaks)
    .where(breaks.c.identity == bindparam("break_identity"))
    .values({name: bindparam(name) for name in _CHANGED})
)


def _amounts(one: Difference | Break) -> dict[str, int | None]:
    return {
        "amount_minor": one.amount_minor,
        "expected_minor": one.expected_minor,
        "actual_minor": one.actual_minor,
    }


def _words(one: Difference | Break) -> dict[str, Any]:
    """What is said of a break, which may change while it stays the same: a cause is found, say."""
    return {"code": one.code, "severity": one.severity, "details": dict(one.details)}


def _write_all(connection: Connection, table: Any, rows: Iterable[dict[str, Any]]) -> None:
    if written := list(rows):
        connection.execute(insert(table), written)
