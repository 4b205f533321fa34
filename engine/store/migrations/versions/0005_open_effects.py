"""Effects that are open are counted, repeatable or not; who settled an effect is kept with it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("effects", sa.Column("settled_by", sa.Text(), nullable=True))
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("effects_open", sa.Integer(), server_default="0", nullable=False))
    op.execute(
        "UPDATE runs SET effects_open = (SELECT count(*) FROM effects"
        " WHERE effects.run_id = runs.id AND effects.state = 'started')"
        " WHERE id IN (SELECT run_id FROM effects WHERE state = 'started')"
    )
    # Nobody can say what they did; before, only those not repeatable were asked about.
    op.execute(
        "UPDATE runs SET review = 'required'"
        " WHERE state = 'failed' AND review IS NULL AND effects_open <> 0"
    )
