"""Trusted reports: versions of files, their manifests, and those that are in quarantine."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for name in ("report", "series", "quarantined"):
        op.add_column("artifacts", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("artifacts", sa.Column("manifest", sa.JSON(), nullable=True))
    op.add_column(
        "artifacts", sa.Column("version", sa.Integer(), server_default="1", nullable=False)
    )
    op.create_index("ix_artifacts_report_created_at", "artifacts", ["report", "created_at"])
    good = sa.text("quarantined IS NULL")
    op.create_index(
        "uq_artifacts_series_version",
        "artifacts",
        ["series", "version"],
        unique=True,
        sqlite_where=good,
        postgresql_where=good,
    )
