"""The tables of the run ledger; those of reconciliations are in `break_tables`."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    false,
    text,
)

from engine.states import UNFINISHED_RUNS
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

_UNFINISHED = ", ".join(f"'{state}'" for state in sorted(UNFINISHED_RUNS))
_CLAIMABLE = "state IN ('queued', 'retrying')"

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
    Column("approval_hash", Words),  # of all that was approved
    Column("approved_by", Words),
    # Effects that are open, and those of them after which no attempt follows by itself.
    Column("effects_open", Integer, nullable=False, server_default="0"),
    Column("effects_in_doubt", Integer, nullable=False, server_default="0"),
    # An attempt of it that does not succeed goes to review: nothing says how far it came.
    Column("unguarded", Boolean, nullable=False, server_default=false()),
    Column("reason", Words),  # why it was skipped
    Column("actor", Words),
    Column("key", Words, unique=True),
    Column("params", JSON, nullable=False),
    Column("payload_bytes", BigInteger, nullable=False, server_default="0"),
    Column("result", JSON),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("attempts_allowed", Integer, nullable=False),
    Column("schedule", Words),
    Column("scheduled_for", Instant),
    # Every run has it; SQLite adds no column to a table of rows that must have a value.
    Column("due_at", Instant),
    Column("ready_at", Instant, nullable=False),  # due, or later: after a wait between attempts
    Column("retry_until", Instant),  # no attempt starts after it
    Column("priority", Integer, nullable=False, server_default="0"),  # the highest one first
    Column("period_start", Instant),
    Column("period_end", Instant),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("parent_id", Id, ForeignKey("runs.id")),
    Column("exclusive", Words),  # at most one run with this name is running
    Column("unique_key", Words),  # at most one run with this name is unfinished
    Column("limit_key", Words),  # runs with this name share a limit
    Column("blocked_at", Instant),  # it could not start then, for that limit; None once it may try
    Column("error_type", Words),
    Column("error_message", Words),
    Column("error_fingerprint", Words),
    Column("first_error_type", Words),  # of the run's life; the others are those of the last one
    Column("first_error_message", Words),
    Column("first_error_fingerprint", Words),
    Column("cancel_requested_at", Instant),
    Column("cancelled_by", Words),
    Column("touched_at", Instant),  # a person last did something with it
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
    Index("ix_runs_state_ready_at", "state", "ready_at"),
    Index(
        "ix_runs_state_retry_until",
        "state",
        "retry_until",
        sqlite_where=text("retry_until IS NOT NULL"),
        postgresql_where=text("retry_until IS NOT NULL"),
    ),
    Index("ix_runs_queue_state", "queue", "state"),
    # Those that may be claimed, in the order in which they are.
    Index(
        "ix_runs_queue_in_order",
        "queue",
        "priority",
        "ready_at",
        "id",
        sqlite_where=text(f"{_CLAIMABLE} AND blocked_at IS NULL"),
        postgresql_where=text(f"{_CLAIMABLE} AND blocked_at IS NULL"),
    ),
    # Runs of jobs that have limits: under way, waiting, blocked.
    Index(
        "ix_runs_limit_key_state",
        "limit_key",
        "state",
        sqlite_where=text("limit_key IS NOT NULL"),
        postgresql_where=text("limit_key IS NOT NULL"),
    ),
    Index(
        "ix_runs_limit_key_queue",
        "limit_key",
        "queue",
        sqlite_where=text(f"{_CLAIMABLE} AND limit_key IS NOT NULL"),
        postgresql_where=text(f"{_CLAIMABLE} AND limit_key IS NOT NULL"),
    ),
    Index(
        "ix_runs_limit_key_blocked",
        "limit_key",
        "queue",
        sqlite_where=text("blocked_at IS NOT NULL"),
        postgresql_where=text("blocked_at IS NOT NULL"),
    ),
    Index("ix_runs_worker_state", "worker", "state"),
    Index("ix_runs_schedule_state", "schedule", "state"),
    Index(
        "uq_runs_exclusive_running",
        "exclusive",
        unique=True,
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
    Index(
        "uq_runs_unique_key_unfinished",
        "unique_key",
        unique=True,
        sqlite_where=text(f"state IN ({_UNFINISHED})"),
        postgresql_where=text(f"state IN ({_UNFINISHED})"),
    ),
)

attempts = Table(
    "attempts",
    metadata,
    Column("run_id", Id, ForeignKey("runs.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("worker", Words, nullable=False),
    # succeeded, failed, handed_back, put_off; crashed, lost; None while it runs
    Column("outcome", Words),
    Column("error_type", Words),
    Column("error_message", Words),
    Column("error_trace", Words),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("peak_memory_bytes", BigInteger),
    Column("limit_key", Words),  # its run's
    Index("ix_attempts_limit_key_started_at", "limit_key", "started_at"),
    # Sums over what has ended go on from where they were.
    Index(
        "ix_attempts_finished_at",
        "finished_at",
        sqlite_where=text("finished_at IS NOT NULL"),
        postgresql_where=text("finished_at IS NOT NULL"),
    ),
)

run_moves = Table(
    "run_moves",
    metadata,
    Column("id", Id, primary_key=True),
    Column("run_id", Id, ForeignKey("runs.id"), nullable=False),
    Column("actor", Words, nullable=False),
    Column("source", Words, nullable=False),
    Column("target", Words, nullable=False),
    Column("reason", Words),
    Column("moved_at", Instant, nullable=False),
    Index("ix_run_moves_run_id", "run_id"),
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
    # started: whether it happened is unknown until it is done, or not_done;
    # unconfirmed: somebody said that it did not happen, and another one has yet to say so
    Column("state", Words, nullable=False, server_default="done"),
    # under the same key it happens once at the other end, however often it is asked for
    Column("repeatable", Boolean, nullable=False, server_default=false()),
    Column("result", JSON),
    Column("started_at", Instant),
    Column("done_at", Instant),
    Column("settled_by", Words),  # who said what came of it, if somebody did
    Index("ix_effects_run_id_state", "run_id", "state"),
)

sealed_params = Table(
    "sealed_params",
    metadata,
    Column("run_id", Id, ForeignKey("runs.id"), primary_key=True),
    Column("name", Words, primary_key=True),
    Column("sealed", Words, nullable=False),
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
    Column("version", Words),
    Column("manager", Words),  # what starts it again when it ends
    Column("seen_at", Instant),
    Column("memory_bytes", BigInteger),
    Column("replaces", Words),  # the worker that it was before a restart
    Column("restart_requested_at", Instant),
)

paused_queues = Table(
    "paused_queues",
    metadata,
    Column("queue", Words, primary_key=True),
    Column("paused_at", Instant, nullable=False),
    Column("actor", Words, nullable=False),
    Column("reason", Words),
)

events = Table(
    "events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("key", Words, nullable=False, unique=True),  # raised once
    Column("facts", JSON, nullable=False),
    Column("raised_at", Instant, nullable=False),
    Index("ix_events_kind_raised_at", "kind", "raised_at"),
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
    Column("report", Words),
    Column("series", Words),  # one report, format, period and parameters
    Column("version", Integer, nullable=False, server_default="1"),
    Column("manifest", JSON),
    Column("quarantined", Words),  # why it is not what it should be
    UniqueConstraint("run_id", "name"),
    Index("ix_artifacts_expires_at", "expires_at"),
    Index("ix_artifacts_report_created_at", "report", "created_at"),
    Index(
        "uq_artifacts_series_version",
        "series",
        "version",
        unique=True,
        sqlite_where=text("quarantined IS NULL"),
        postgresql_where=text("quarantined IS NULL"),
    ),
)
