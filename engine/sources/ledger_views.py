"""What reports may see of the run ledger: views that stay while tables change, and no secret.

Each is a table of rows as people speak of them. Instants are UTC, amounts of the minor unit,
durations whole milliseconds. Parameters, results, traces, logs, leases, users, tokens, the audit
and whatever is sealed are in none of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from sqlalchemy import (
    BigInteger,
    Dialect,
    MetaData,
    Table,
    case,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from engine.store.break_tables import break_moves, breaks, differences, reconciliation_runs
from engine.store.instant import Instant, seconds_between
from engine.store.tables import artifacts, attempts, runs

_DIALECTS: Mapping[str, Callable[[], Dialect]] = {
    "sqlite": sqlite.dialect,
    "postgresql": postgresql.dialect,
}
_ALIAS = "seen_by_reports"
_FAILED = ("error_type", "error_message", "error_fingerprint")


@dataclass(frozen=True)
class View:
    """A table's columns that may be seen, and durations: from one instant to another."""

    table: Table
    columns: Sequence[str]
    durations: Mapping[str, tuple[str, str]] = field(default_factory=dict)


VIEWS: Mapping[str, View] = {
    "runs": View(
        runs,
        (
            *("id", "reference", "job", "queue", "state", "review", "reason", "actor"),
            *("schedule", "scheduled_for", "due_at", "period_start", "period_end", "revision"),
            *("parent_id", "priority", "attempt", "attempts_allowed", "worker", *_FAILED),
            *("first_error_type", "first_error_message", "cancelled_by", "progress_done"),
            *("progress_total", "created_at", "ready_at", "started_at", "finished_at"),
            "peak_memory_bytes",
        ),
        {"wait_ms": ("due_at", "started_at"), "duration_ms": ("started_at", "finished_at")},
    ),
    "attempts": View(
        attempts,
        (
            *("run_id", "number", "worker", "outcome", "error_type", "error_message"),
            *("started_at", "finished_at", "peak_memory_bytes"),
        ),
        {"duration_ms": ("started_at", "finished_at")},
    ),
    "artifacts": View(
        artifacts,
        (
            *("id", "run_id", "name", "media_type", "size", "sha256", "rows", "created_at"),
            *("expires_at", "deleted_at", "report", "version", "quarantined"),
        ),
    ),
    "reconciliation_runs": View(
        reconciliation_runs,
        (
            *("run_id", "reconciliation", "cut_off", "read_at", "period_start", "period_end"),
            "finished_at",
        ),
    ),
    "breaks": View(
        breaks,
        (
            *("id", "identity", "reconciliation", "check", "code", "kind", "status", "wallet"),
            *("entry", "currency", "amount_minor", "expected_minor", "actual_minor", "severity"),
            *("occurrences", "assignee", "first_run_id", "last_run_id", "last_cut_off"),
            *("first_seen_at", "last_seen_at"),
        ),
    ),
    "break_moves": View(
        break_moves,
        ("id", "break_id", "run_id", "actor", "source", "target", "reason", "moved_at"),
    ),
    "differences": View(
        differences, ("break_id", "run_id", "amount_minor", "expected_minor", "actual_minor")
    ),
}


def seen(view: View) -> Sequence[str]:
    """The columns of the table that a view has, as the table calls them."""
    return [view.table.c[name].name for name in view.columns]


def with_views(query: str, backend: str, alias: str = "seen") -> str:
    """The query about the views; `alias` begins the names of the tables behind them."""
    views = _views(backend).replace(_ALIAS, alias)
    return f"WITH {views} SELECT * FROM ({query}\n) AS found"  # noqa: S608


@cache
def _views(backend: str) -> str:
    dialect = _DIALECTS[backend]()
    return ", ".join(f"{name} AS ({_selected(view, dialect)})" for name, view in VIEWS.items())


def _selected(view: View, dialect: Dialect) -> str:
    table: FromClause = view.table
    if dialect.name == "sqlite":
        # It would take the table for the view itself, were it not for the name of the file.
        table = view.table.to_metadata(MetaData(), schema="main")
    table = table.alias(f"{_ALIAS}_{view.table.name}")
    shown = [_shown(table.c[name], dialect).label(table.c[name].name) for name in view.columns]
    for name, (start, end) in view.durations.items():
        apart = cast(func.round(seconds_between(table.c[start], table.c[end]) * 1000), BigInteger)
        # A run that was taken up early did not wait for a negative time.
        shown.append(case((apart < 0, 0), else_=apart).label(name))
    return str(select(*shown).compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _shown(column: ColumnElement[object], dialect: Dialect) -> ColumnElement[object]:
    if dialect.name == "sqlite" and isinstance(column.type, Instant):
        text = column.compile(dialect=dialect)
        return literal_column(f"replace({text}, ' ', 'T') || 'Z'")
    return column
