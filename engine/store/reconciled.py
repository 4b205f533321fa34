"""What one run of a reconciliation found, and what recording it did to the breaks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.store.breaks import Break
from engine.store.difference import Difference


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
