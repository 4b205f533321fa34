"""Operating the queue: limits, priorities, cancelling, pauses, restarts, moves, events."""

import sqlalchemy as sa
from alembic import op

from engine.store.instant import Instant

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_UNFINISHED = "state IN ('queued', 'retrying', 'running', 'waiting')"
_CLAIMABLE = "state IN ('queued', 'retrying')"


def upgrade() -> None:
    _runs()
    _workers()
    _new_tables()


def _runs() -> None:
    # What `due_at` held so far: a wait between two attempts moved it.
    op.drop_index("ix_runs_state_due_at", "runs")
    op.alter_column("runs", "due_at", new_column_name="ready_at")
    for column in (
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("retry_until", Instant(), nullable=True),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unique_key", sa.Text(), nullable=True),
        sa.Column("limit_key", sa.Text(), nullable=True),
        sa.Column("blocked_at", Instant(), nullable=True),
        sa.Column("payload_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("first_error_type", sa.Text(), nullable=True),
        sa.Column("first_error_message", sa.Text(), nullable=True),
        sa.Column("first_error_fingerprint", sa.Text(), nullable=True),
        sa.Column("cancel_requested_at", Instant(), nullable=True),
        sa.Column("cancelled_by", sa.Text(), nullable=True),
        sa.Column("touched_at", Instant(), nullable=True),
    ):
        op.add_column("runs", column)
    # After a first attempt only a run that was to have another one had been moved.
    op.execute(
        "UPDATE runs SET payload_bytes = length(CAST(params AS TEXT)),"
        " first_error_type = error_type, first_error_message = error_message,"
        " first_error_fingerprint = error_fingerprint,"
        " due_at = CASE WHEN attempt = 0 OR (attempt = 1 AND state <> 'retrying') THEN ready_at"
        " ELSE coalesce(scheduled_for, created_at) END"
    )
    op.create_index("ix_runs_state_ready_at", "runs", ["state", "ready_at"])
    op.create_index(
        "ix_runs_state_retry_until",
        "runs",
        ["state", "retry_until"],
        sqlite_where=sa.text("retry_until IS NOT NULL"),
        postgresql_where=sa.text("retry_until IS NOT NULL"),
    )
    op.create_index("ix_runs_queue_state", "runs", ["queue", "state"])
    ready = sa.text(f"{_CLAIMABLE} AND blocked_at IS NULL")
    op.create_index(
        "ix_runs_queue_in_order",
        "runs",
        ["queue", "priority", "ready_at", "id"],
        sqlite_where=ready,
        postgresql_where=ready,
    )
    for name, columns, which in (
        ("state", ["limit_key", "state"], "limit_key IS NOT NULL"),
        ("queue", ["limit_key", "queue"], f"{_CLAIMABLE} AND limit_key IS NOT NULL"),
        ("blocked", ["limit_key", "queue"], "blocked_at IS NOT NULL"),
    ):
        op.create_index(
            f"ix_runs_limit_key_{name}",
            "runs",
            columns,
            sqlite_where=sa.text(which),
            postgresql_where=sa.text(which),
        )
    op.create_index("ix_runs_worker_state", "runs", ["worker", "state"])
    op.create_index(
        "uq_runs_unique_key_unfinished",
        "runs",
        ["unique_key"],
        unique=True,
        sqlite_where=sa.text(_UNFINISHED),
        postgresql_where=sa.text(_UNFINISHED),
    )
    op.add_column("attempts", sa.Column("limit_key", sa.Text(), nullable=True))
    op.create_index("ix_attempts_limit_key_started_at", "attempts", ["limit_key", "started_at"])
    op.create_index(
        "ix_attempts_finished_at",
        "attempts",
        ["finished_at"],
        sqlite_where=sa.text("finished_at IS NOT NULL"),
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )


def _workers() -> None:
    for column in (
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("manager", sa.Text(), nullable=True),
        sa.Column("seen_at", Instant(), nullable=True),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=True),
        sa.Column("replaces", sa.Text(), nullable=True),
        sa.Column("restart_requested_at", Instant(), nullable=True),
    ):
        op.add_column("workers", column)


def _new_tables() -> None:
    op.create_table(
        "run_moves",
        sa.Column("id", ID, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("moved_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_moves_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_moves")),
    )
    op.create_index("ix_run_moves_run_id", "run_moves", ["run_id"])
    op.create_table(
        "paused_queues",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("paused_at", Instant(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("queue", name=op.f("pk_paused_queues")),
    )
    op.create_table(
        "events",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("raised_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("key", name=op.f("uq_events_key")),
    )
    op.create_index("ix_events_kind_raised_at", "events", ["kind", "raised_at"])
