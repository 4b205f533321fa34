"""The lease of the attempt that an effect belongs to."""

from sqlalchemy import Connection, select

from engine.effects.faults import LeaseLost
from engine.store.endings import held
from engine.store.run import Claim
from engine.store.tables import runs


def require_held(connection: Connection, claim: Claim, *, until_committed: bool = False) -> None:
    """Raise LeaseLost unless the claim's lease still runs, by the database's clock.

    `until_committed`: nor can the run be taken from now until the transaction ends, which must be
    at once, for the lease cannot be renewed meanwhile either.
    """
    query = select(runs.c.id).where(held(claim))
    if until_committed:
        query = query.with_for_update(read=True)
    if connection.execute(query).first() is None:
        raise LeaseLost(run_id=claim.run_id, attempt=claim.attempt)
