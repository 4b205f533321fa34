"""Success: the end that nearly every attempt comes to, in statements that are made once.

Making a statement takes longer than what the database does for it.
"""

from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, exists, select, update

from engine.states import RUN, RunState
from engine.store.instant import database_now
from engine.store.open_effects import IS_OPEN
from engine.store.peaks import largest_peak
from engine.store.run import Claim
from engine.store.tables import attempts, effects, runs

RUN.require(RunState.RUNNING, RunState.SUCCEEDED)
_RUN = (
    update(runs)
    .where(
        runs.c.id == bindparam("its_id"),
        runs.c.state == RunState.RUNNING,
        runs.c.lease_token == bindparam("its_token"),
        # Else it has not: see `endings`.
        runs.c.effects_open == 0,
        # The number is not taken at its word: see `recount_if_any`.
        ~exists(select(effects.c.key).where(effects.c.run_id == bindparam("its_id"), IS_OPEN)),
    )
    .values(
        state=RunState.SUCCEEDED,
        lease_token=None,
        lease_until=None,
        error_type=None,
        error_message=None,
        error_fingerprint=None,
        result=bindparam("its_result", type_=runs.c.result.type),
        peak_memory_bytes=largest_peak(bindparam("its_peak", type_=BigInteger)),
        finished_at=database_now(),
    )
)
_ATTEMPT = (
    update(attempts)
    .where(attempts.c.run_id == bindparam("its_id"), attempts.c.number == bindparam("its_number"))
    .values(
        outcome="succeeded",
        peak_memory_bytes=bindparam("its_peak", type_=attempts.c.peak_memory_bytes.type),
        finished_at=database_now(),
    )
)


def succeed(
    connection: Connection, claim: Claim, result: Any, peak_memory_bytes: int | None
) -> bool:
    """The attempt ended well, and so has its run; False if the lease was lost, or an effect of the
    run is open.
    """
    its = {"its_id": claim.run_id, "its_peak": peak_memory_bytes}
    moved = connection.execute(_RUN, its | {"its_token": claim.token, "its_result": result})
    if moved.rowcount != 1:
        return False
    connection.execute(_ATTEMPT, its | {"its_number": claim.attempt})
    return True
