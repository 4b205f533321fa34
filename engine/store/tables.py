"""The tables of the run ledger."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)

from engine.store.instant import Instant
from engine.store.words import Words

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only if the key is called INTEGER; that has 64 bits there.
Id = BigInteger().with_variant(Integer, "sqlite")

runs = Table(
    "runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("reference", Words, nullable=False, unique=True),
    Column("job", Words, nullable=False),
    Column("queue", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("review", Words),  # required: a person decides before it is retried
    Column("reason", Words),  # why it was skipped
    Column("actor", Words),
    Column("key", Words, unique=True),
    Column("params", JSON, nullable=False),
    Column("result", JSON),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("attempts_allowed", Integer, nullable=False),
    Column("schedule", Words),
    Column("scheduled_for", Instant),
    Column("due_at", Instant, nullable=False),
    Column("period_start", Instant),
    Column("period_end", Instant),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("parent_id", Id, ForeignKey("runs.id")),
    Column("exclusive", Words),  # at most one run with this name is running
    Column("error_type", Words),
    Column("error_message", Words),
    Column("error_fingerprint", Words),
    Column("progress_done", BigInteger),
    Column("progress_total", BigInteger),
    Column("progress_note", Words),
    Column("lease_token", Words),
    Column("lease_until", Instant),
    Column("worker", Words),
    Column("rung_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("peak_memory_bytes", BigInteger),
    UniqueConstraint("schedule", "scheduled_for", "revision"),
    Index("ix_runs_state_due_at", "state", "due_at"),
    Index("ix_runs_schedule_state", "schedule", "state"),
    Index(
        "uq_runs_exclusive_running",
        "exclusive",
        unique=True,
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
)

attempts = Table(
    "attempts",
    metadata,
    Column("run_id", Id, ForeignKey("runs.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("worker", Words, nullable=False),
    # succeeded, failed, handed_back; crashed, lost; None while it runs
    Column("outcome", Words),
    Column("error_type", Words),
    Column("error_message", Words),
    Column("error_trace", Words),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("peak_memory_bytes", BigInteger),
)

log_lines = Table(
    "log_lines",
    metadata,
    Column("id", Id, primary_key=True),
    Column("run_id", Id, ForeignKey("runs.id"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("stream", Words, nullable=False),  # log, stdout, stderr
    Column("text", Words, nullable=False),
    Index("ix_log_lines_run_id_id", "run_id", "id"),
)

effects = Table(
    "effects",
    metadata,
    Column("key", Words, primary_key=True),
    Column("run_id", Id, ForeignKey("runs.id"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("request_hash", Words, nullable=False),
    Column("result", JSON),
    Column("done_at", Instant, nullable=False),
)

schedule_marks = Table(
    "schedule_marks",
    metadata,
    Column("schedule", Words, primary_key=True),
    Column("fingerprint", Words, nullable=False),  # of the trigger
    Column("booked_until", Instant, nullable=False),
    Column("version", Words),  # of all that the schedule says
    Column("definition", JSON),
    Column("read_at", Instant),  # of two versions, the one that was read last is in force
)

leases = Table(
    "leases",
    metadata,
    Column("name", Words, primary_key=True),
    Column("holder", Words, nullable=False),
    Column("until", Instant, nullable=False),
)

workers = Table(
    "workers",
    metadata,
    Column("id", Words, primary_key=True),
    Column("host", Words, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("kind", Words, nullable=False),  # worker, scheduler
    Column("queues", JSON, nullable=False),
    Column("threads", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_until", Instant, nullable=False),
    Column("foreign_messages", Integer, nullable=False, server_default="0"),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("run_id", Id, ForeignKey("runs.id"), nullable=False),
    Column("name", Words, nullable=False),
    Column("media_type", Words, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Words, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("path", Words, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("deleted_at", Instant),
    UniqueConstraint("run_id", "name"),
    Index("ix_artifacts_expires_at", "expires_at"),
)

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
