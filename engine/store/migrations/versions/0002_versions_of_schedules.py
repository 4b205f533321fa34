"""Versions of schedules: a mark says which one is in force."""

import sqlalchemy as sa
from alembic import op

from engine.store.instant import Instant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("schedule_marks", sa.Column("version", sa.Text(), nullable=True))
    op.add_column("schedule_marks", sa.Column("definition", sa.JSON(), nullable=True))
    op.add_column("schedule_marks", sa.Column("read_at", Instant(), nullable=True))
