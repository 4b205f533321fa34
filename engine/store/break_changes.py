"""What a run's differences mean for the breaks known so far, gathered and then written at once."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from engine.states import BREAK, BreakState
from engine.store.break_tables import break_moves, breaks, differences, reconciliation_runs
from engine.store.breaks import Break, read_breaks
from engine.store.difference import Difference
from engine.store.reconciled import Reconciled, Recorded

_STATE = BreakState
_ACTIVE = frozenset({_STATE.OPEN, _STATE.INVESTIGATING, _STATE.PROPOSED, _STATE.APPROVED})
_CLOSED_BY_ABSENCE: Mapping[BreakState, BreakState] = {
    _STATE.OPEN: _STATE.AUTO_CLOSED,
    _STATE.INVESTIGATING: _STATE.AUTO_CLOSED,
    _STATE.APPROVED: _STATE.RESOLVED,
}


@dataclass
class BreakChanges:
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
        standing = known_breaks(connection, self.found.reconciliation)
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


def known_breaks(connection: Connection, reconciliation: str) -> dict[str, Break]:
    """Every break of a reconciliation by its identity, in the order of their ids."""
    query = select(breaks).where(breaks.c.reconciliation == reconciliation).order_by(breaks.c.id)
    return {broken.identity: broken for broken in read_breaks(connection, query)}


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
