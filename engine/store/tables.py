"""The tables of the run ledger."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from engine.store.database import Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("reference", String(20), nullable=False, unique=True),
    Column("job", String(100), nullable=False),
    Column("queue", String(100), nullable=False),
    Column("state", String(20), nullable=False),
    Column("review", String(20)),
    Column("reason", Text),  # why it was skipped
    Column("actor", String(200)),
    Column("key", String(200), unique=True),
    Column("params", JSON, nullable=False),
    Column("result", JSON),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("attempts_allowed", Integer, nullable=False),
    Column("schedule", String(64)),
    Column("scheduled_for", Instant),
    Column("due_at", Instant, nullable=False),
    Column("period_start", Instant),
    Column("period_end", Instant),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("parent_id", Integer, ForeignKey("runs.id")),
    Column("exclusive", String(64)),  # at most one run with this name is running
    Column("error_type", String(200)),
    Column("error_message", Text),
    Column("error_fingerprint", String(16)),
    Column("progress_done", BigInteger),
    Column("progress_total", BigInteger),
    Column("progress_note", Text),
    Column("lease_token", String(32)),
    Column("lease_until", Instant),
    Column("worker", String(100)),
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
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("worker", String(100), nullable=False),
    Column("outcome", String(20)),  # succeeded, failed, handed_back, lost; None while it runs
    Column("error_type", String(200)),
    Column("error_message", Text),
    Column("error_trace", Text),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("peak_memory_bytes", BigInteger),
)

log_lines = Table(
    "log_lines",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", Integer, ForeignKey("runs.id"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("stream", String(10), nullable=False),  # log, stdout, stderr
    Column("text", Text, nullable=False),
    Index("ix_log_lines_run_id_id", "run_id", "id"),
)

effects = Table(
    "effects",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("run_id", Integer, ForeignKey("runs.id"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("result", JSON),
    Column("done_at", Instant, nullable=False),
)

schedule_marks = Table(
    "schedule_marks",
    metadata,
    Column("schedule", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False),  # of the trigger: a new one starts anew
    Column("booked_until", Instant, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(100), nullable=False),
    Column("until", Instant, nullable=False),
)

workers = Table(
    "workers",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("host", String(200), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("kind", String(20), nullable=False),  # worker, scheduler
    Column("queues", JSON, nullable=False),
    Column("threads", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_until", Instant, nullable=False),
    Column("foreign_messages", Integer, nullable=False, server_default="0"),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", Integer, ForeignKey("runs.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("path", String(500), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("deleted_at", Instant),
    UniqueConstraint("run_id", "name"),
    Index("ix_artifacts_expires_at", "expires_at"),
)

reconciliation_runs = Table(
    "reconciliation_runs",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("reconciliation", String(64), nullable=False),
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
    Column("id", Integer, primary_key=True),
    Column("identity", String(64), nullable=False, unique=True),
    Column("reconciliation", String(64), nullable=False),
    Column("check", String(40), nullable=False),
    Column("code", String(40), nullable=False),
    Column("class", String(20), key="kind", nullable=False),
    Column("status", String(20), nullable=False),
    Column("wallet", String(200), nullable=False),
    Column("entry", String(200)),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("expected_minor", BigInteger),
    Column("actual_minor", BigInteger),
    Column("severity", String(10), nullable=False),
    Column("details", JSON, nullable=False),
    Column("occurrences", Integer, nullable=False),
    Column("assignee", String(200)),
    Column("first_run_id", Integer, ForeignKey("runs.id"), nullable=False),
    Column("last_run_id", Integer, ForeignKey("runs.id"), nullable=False),
    Column("last_cut_off", Instant, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Index("ix_breaks_reconciliation_status", "reconciliation", "status"),
)

differences = Table(
    "differences",
    metadata,
    Column("break_id", Integer, ForeignKey("breaks.id"), primary_key=True),
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("expected_minor", BigInteger),
    Column("actual_minor", BigInteger),
    Index("ix_differences_run_id", "run_id"),
)

break_moves = Table(
    "break_moves",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("break_id", Integer, ForeignKey("breaks.id"), nullable=False),
    Column("run_id", Integer, ForeignKey("runs.id")),
    Column("actor", String(200)),
    Column("source", String(20)),  # None for the first sight
    Column("target", String(20), nullable=False),
    Column("reason", Text),
    Column("moved_at", Instant, nullable=False),
    Index("ix_break_moves_break_id", "break_id"),
)
