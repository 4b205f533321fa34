"""What people do with runs: they are locked, moved, and it is written down who did it and why."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, func, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from engine.errors import UnknownId
from engine.redaction.hiding import hidden
from engine.states import RUN, RunState
from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.open_effects import recount_if_any
from engine.store.run import Claim
from engine.store.sealed_params import OVER, erase
from engine.store.tables import attempts, run_moves, runs

CANCEL_REQUESTED = "cancel requested"
SETTLED = "settled"
# Digits; a longer number does not fit into a database's integer.
_LONGEST_ID = 18


class UnknownRuns(UnknownId):
    """Some of the names that a person gave are no run's."""

    message = "no run has the id {ids}; nothing was done"


@dataclass(frozen=True, kw_only=True)
class RunMove:
    """What a person did with a run.

    `source` and `target` are states of the run or of its review; a run whose end was asked for, and
    that did not end as cancelled at once, has the target `cancel requested`; one of whose effects
    somebody said what came of them, and no more, `settled`.
    """

    run_id: int
    actor: str
    source: str
    target: str
    reason: str | None
    moved_at: datetime


@dataclass(frozen=True, kw_only=True)
class RunBrief:
    """So much of a run as deciding about it takes."""

    id: int
    reference: str
    job: str
    queue: str
    state: RunState
    review: str | None
    attempt: int
    unique_key: str | None
    schedule: str | None
    cancel_requested_at: datetime | None
    approval_hash: str | None = None
    approved_by: str | None = None
    effects_open: int = 0
    effects_in_doubt: int = 0


_BRIEF = [runs.c[name] for name in RunBrief.__dataclass_fields__]


class RunMoveStore:
    """What people did with the runs of one ledger."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def of_run(self, run_id: int) -> Sequence[RunMove]:
        """What was done with one run, the first one first."""
        query = select(run_moves).where(run_moves.c.run_id == run_id).order_by(run_moves.c.id)
        with self.database.read() as connection:
            return [_as_move(row) for row in connection.execute(query).mappings()]

    def is_first_since_retry(self, claim: Claim) -> bool:
        """Whether the claim's attempt is the first that a person's retry gave the run.

        One that was handed back or put off since then came before it.
        """
        retried = (run_moves.c.run_id == claim.run_id, run_moves.c.target == RunState.QUEUED)
        last = select(func.max(run_moves.c.moved_at)).where(*retried).scalar_subquery()
        since = exists().where(
            attempts.c.run_id == claim.run_id,
            attempts.c.number < claim.attempt,
            attempts.c.finished_at > last,
        )
        query = select(last.is_not(None) & ~since)
        with self.database.read() as connection:
            return bool(connection.execute(query).scalar_one())

    def ids_of(self, names: Iterable[str]) -> Sequence[int]:
        """The ids of runs by their ids or references, as people type them, each once.

        Raises UnknownRuns with every name that is no run's.
        """
        wanted = list(dict.fromkeys(name.strip().upper() for name in names))
        numbers = [int(name) for name in wanted if _is_id(name)]
        query = select(runs.c.id, runs.c.reference).where(
            or_(runs.c.id.in_(numbers), runs.c.reference.in_(wanted))
        )
        with self.database.read() as connection:
            found = connection.execute(query).all()
        by_name = {str(row.id): row.id for row in found} | {row.reference: row.id for row in found}
        known = {name: by_name.get(str(int(name)) if _is_id(name) else name) for name in wanted}
        unknown = [name for name, id_ in known.items() if id_ is None]
        if unknown:
            raise UnknownRuns(ids=", ".join(map(repr, unknown)))
        return list(dict.fromkeys(id_ for id_ in known.values() if id_ is not None))


def locked(
    connection: Connection, *where: ColumnElement[bool], limit: int | None = None
) -> list[RunBrief]:
    """Runs in the order of their ids; nobody else moves them until the transaction ends.

    Once in a transaction: who locks in two turns may wait in a circle.
    """
    query = select(*_BRIEF).where(*where).order_by(runs.c.id).limit(limit)
    found = _briefs(connection, query.with_for_update(key_share=True))
    ids = [run.id for run in found]
    if found and recount_if_any(connection, ids):
        return looked_at(connection, runs.c.id.in_(ids))
    return found


def looked_at(connection: Connection, *where: ColumnElement[bool]) -> list[RunBrief]:
    """Runs in the order of their ids, which others may move meanwhile."""
    return _briefs(connection, select(*_BRIEF).where(*where).order_by(runs.c.id))


def _briefs(connection: Connection, query: Select[Any]) -> list[RunBrief]:
    return [
        RunBrief(**{**row, "state": RunState(row["state"])})
        for row in connection.execute(query).mappings()
    ]


def move(
    connection: Connection,
    moving: Sequence[RunBrief],
    target: RunState,
    *,
    actor: str,
    reason: str | None,
    values: Mapping[str, Any],
    each: Callable[[RunBrief], Mapping[str, Any]] | None = None,
) -> None:
    """Move runs that are `locked`, all or none, and write down who did it.

    `values` are set in every row, and may name parameters that `each` fills in.
    """
    if not moving:
        return
    for source in {run.state for run in moving}:
        RUN.require(source, target)
    here = (runs.c.id == bindparam("moved_id"), runs.c.state == bindparam("moved_from"))
    moved_to = {"state": target, "touched_at": database_now(), **values}
    connection.execute(
        update(runs).where(*here).values(moved_to),
        [
            {"moved_id": run.id, "moved_from": run.state, **(each(run) if each else {})}
            for run in moving
        ],
    )
    if target in OVER:
        erase(connection, [run.id for run in moving])
    write_down(
        connection, [(run.id, run.state) for run in moving], target, actor=actor, reason=reason
    )


def write_down(
    connection: Connection,
    moved: Sequence[tuple[int, str]],
    target: str,
    *,
    actor: str,
    reason: str | None,
) -> None:
    """Note for each run and what it was before what a person made of it."""
    noted = {"actor": actor, "target": target, "reason": reason and hidden(reason)}
    connection.execute(
        insert(run_moves).values(moved_at=database_now()),
        [noted | {"run_id": run_id, "source": source} for run_id, source in moved],
    )


def last_moves(connection: Connection, run_ids: Collection[int]) -> Mapping[int, RunMove]:
    """What was done last with each of the runs; without those that nobody did anything with."""
    newest = (
        select(func.max(run_moves.c.id))
        .where(run_moves.c.run_id.in_(run_ids))
        .group_by(run_moves.c.run_id)
    )
    query = select(run_moves).where(run_moves.c.id.in_(newest))
    return {row["run_id"]: _as_move(row) for row in connection.execute(query).mappings()}


def _as_move(row: Mapping[Any, Any]) -> RunMove:
    return RunMove(**{name: row[name] for name in RunMove.__dataclass_fields__})


def _is_id(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) <= _LONGEST_ID
