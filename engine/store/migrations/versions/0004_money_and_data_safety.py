"""Money and data safety: effects in doubt, approvals, sealed parameters, users, the audit."""

import sqlalchemy as sa
from alembic import op

from engine.store.instant import Instant

revision = "0004"
down_revision = "0003"

_STAY = "audit entries are neither changed nor removed"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _approvals()
    _effects()
    _sealed_params()
    _users()
    _audit()
    _audit_stays()


def _approvals() -> None:
    op.add_column("runs", sa.Column("approval_hash", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("approved_by", sa.Text(), nullable=True))
    with op.batch_alter_table("runs") as runs:
        runs.add_column(
            sa.Column("effects_in_doubt", sa.Integer(), server_default="0", nullable=False)
        )
        runs.add_column(
            sa.Column("unguarded", sa.Boolean(), server_default=sa.false(), nullable=False)
        )


def _effects() -> None:
    # Every effect so far was done in the transaction that wrote its key down.
    with op.batch_alter_table("effects") as effects:
        effects.add_column(sa.Column("state", sa.Text(), server_default="done", nullable=False))
        effects.add_column(
            sa.Column("repeatable", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        effects.add_column(sa.Column("started_at", Instant(), nullable=True))
        effects.alter_column("done_at", existing_type=Instant(), nullable=True)
    op.create_index("ix_effects_run_id_state", "effects", ["run_id", "state"])


def _sealed_params() -> None:
    op.create_table(
        "sealed_params",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_sealed_params_run_id")),
        sa.PrimaryKeyConstraint("run_id", "name", name=op.f("pk_sealed_params")),
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_users")),
    )
    op.create_table(
        "user_tokens",
        sa.Column("id", ID, nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["user"], ["users.name"], name=op.f("fk_user_tokens_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_tokens")),
        sa.UniqueConstraint("hash", name=op.f("uq_user_tokens_hash")),
    )
    op.create_index("ix_user_tokens_user", "user_tokens", ["user"])


def _audit() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("mac", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index("ix_audit_entries_at", "audit_entries", ["at"])
    op.create_table(
        "sealed_keys",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sealed_keys")),
    )


def _audit_stays() -> None:
    """What is in the audit is neither changed nor removed, by whatever program.

    Whoever may change tables can take this away; then the chain tells.
    """
    if op.get_context().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_entries_stay_{what.lower()} BEFORE {what} ON audit_entries "
                f"BEGIN SELECT RAISE(ABORT, '{_STAY}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_entries_stay() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_STAY}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE ON audit_entries "
        "FOR EACH ROW EXECUTE FUNCTION audit_entries_stay()"
    )
    op.execute(
        "CREATE TRIGGER audit_entries_stay_whole BEFORE TRUNCATE ON audit_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_stay()"
    )
