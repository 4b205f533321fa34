"""What one running of a reconciliation saw: sides, control totals, differences, findings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.store.difference import Difference


@dataclass(frozen=True, kw_only=True)
class SideRead:
    """One side as it was read: where from, how many rows, and a fingerprint of them.

    `fingerprint` is a SHA-256 in hex over what was read (a file's bytes; for a query, an
    order-independent digest of its rows), so that two runs can be told apart or shown equal.
    """

    name: str
    source: str
    rows: int
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something about a source that a reader must know before the numbers, e.g. a cut file."""

    code: str
    side: str
    where: str
    message: str


@dataclass(frozen=True, kw_only=True)
class ControlTotals:
    """One currency's proof of completeness; every amount is an integer of the minor unit.

    `stored`, `opening` and `entries` are aggregates read from the source itself inside the
    snapshot. They tie out when `stored - opening - entries == drift - orphans - mismatched`;
    `mismatched` are entries in this currency of wallets that hold others only.
    """

    currency: str
    stored_minor: int
    opening_minor: int
    entries_minor: int
    drift_minor: int
    orphans_minor: int
    wallets: int
    entries: int
    mismatched_minor: int = 0

    @property
    def gap_minor(self) -> int:
        """What is left unexplained; 0 when the totals tie out."""
        left = self.stored_minor - self.opening_minor - self.entries_minor
        return left - self.explained_minor

    @property
    def explained_minor(self) -> int:
        """What was found, as the right-hand side of the equation."""
        return self.drift_minor - self.orphans_minor - self.mismatched_minor


@dataclass(frozen=True, kw_only=True)
class Result:
    """A finished reconciliation; `differences` are sorted by check, wallet and entry."""

    reconciliation: str
    title: str
    timezone: str
    cut_off: datetime
    period: tuple[datetime, datetime] | None
    read_at: datetime
    sides: Sequence[SideRead]
    findings: Sequence[Finding]
    totals: Sequence[ControlTotals]
    checks: Sequence[str]
    differences: Sequence[Difference]
    counts: Mapping[str, int]  # by code, information such as ORDER_ONLY included
