"""The tables of reconciliations and their breaks, in the same ledger."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
)

from engine.store.instant import Instant
from engine.store.tables import Id
from engine.store.tables import metadata as metadata
from engine.store.words import Words

reconciliation_runs = Table(
    "reconciliation_runs",
    metadata,
    Column("run_id", Id, ForeignKey("runs.id"), primary_key=True),
    Column("reconciliation", Words, nullable=False),
    Column("cut_off", Instant, nullable=False),
    Column("read_at", Instant, nullable=False),
    Column("period_start", Instant),
    Column("period_end", Instant),
    Column("sides", JSON, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("totals", JSON, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("checks", JSON, nullable=False),
    Column("finished_at", Instant, nullable=False),
    Index("ix_reconciliation_runs_reconciliation", "reconciliation", "run_id"),
)

breaks = Table(
    "breaks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("identity", Words, nullable=False, unique=True),
    Column("reconciliation", Words, nullable=False),
    Column("check", Words, nullable=False),
    Column("code", Words, nullable=False),
    Column("class", Words, key="kind", nullable=False),
    Column("status", Words, nullable=False),
    Column("wallet", Words, nullable=False),
    Column("entry", Words),
    Column("currency", Words, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("expected_minor", BigInteger),
    Column("actual_minor", BigInteger),
    Column("severity", Words, nullable=False),
    Column("details", JSON, nullable=False),
    Column("occurrences", Integer, nullable=False),
    Column("assignee", Words),
    Column("first_run_id", Id, ForeignKey("runs.id"), nullable=False),
    Column("last_run_id", Id, ForeignKey("runs.id"), nullable=False),
    Column("last_cut_off", Instant, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Index("ix_breaks_reconciliation_status", "reconciliation", "status"),
)

differences = Table(
    "differences",
    metadata,
    Column("break_id", Id, ForeignKey("breaks.id"), primary_key=True),
    Column("run_id", Id, ForeignKey("runs.id"), primary_key=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("expected_minor", BigInteger),
    Column("actual_minor", BigInteger),
    Index("ix_differences_run_id", "run_id"),
)

break_moves = Table(
    "break_moves",
    metadata,
    Column("id", Id, primary_key=True),
    Column("break_id", Id, ForeignKey("breaks.id"), nullable=False),
    Column("run_id", Id, ForeignKey("runs.id")),
    Column("actor", Words),
    Column("source", Words),  # None for the first sight
    Column("target", Words, nullable=False),
    Column("reason", Words),
    Column("moved_at", Instant, nullable=False),
    Index("ix_break_moves_break_id", "break_id"),
)
