"""Sealed parameters: written with their run, read for its attempts, erased when it is over."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from engine.errors import Invalid
from engine.sealing import Sealer
from engine.states import RunState
from engine.store.database import Database
from engine.store.tables import runs, sealed_params

# No attempt follows; a failed run may be retried.
OVER = frozenset({RunState.SUCCEEDED, RunState.CANCELLED, RunState.DISCARDED, RunState.SKIPPED})


class ErasedParams(Invalid):
    """A run is to be carried out whose secrets were erased."""

    message = (
        "{reference}: what was sealed of its parameters was erased when the run was over ({names});"
        " book a new run"
    )


@dataclass(frozen=True)
class ToSeal:
    """Values of parameters, JSON-ready ones, that are booked sealed; their run shows masks."""

    values: Mapping[str, Any] = field(repr=False)
    sealer: Sealer


@dataclass(frozen=True, kw_only=True)
class SealedRun:
    """What the values of a run are bound to: they open in no other one."""

    reference: str
    job: str

    def seal(self, to_seal: ToSeal) -> dict[str, str]:
        """The sealed values, by parameter."""
        return {
            name: to_seal.sealer.seal(json.dumps(value), self.context(name))
            for name, value in to_seal.values.items()
        }

    def open(self, sealer: Sealer, sealed: Mapping[str, str]) -> dict[str, Any]:
        """The values, by parameter; raises UnknownKey and SealBroken."""
        return {
            name: json.loads(sealer.open(each, self.context(name))) for name, each in sealed.items()
        }

    def context(self, name: str) -> str:
        """What the value of one parameter is bound to."""
        return f"{self.reference}, {self.job}, {name}"


class SealedParamStore:
    """The sealed parameters of one ledger."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def of_run(self, run_id: int) -> Mapping[str, str]:
        """The sealed values of a run, by parameter; none once they were erased."""
        query = select(sealed_params.c.name, sealed_params.c.sealed)
        here = query.where(sealed_params.c.run_id == run_id).order_by(sealed_params.c.name)
        with self.database.read() as connection:
            return {row.name: row.sealed for row in connection.execute(here)}

    def erase_ended(self, run_id: int | None = None) -> int:
        """Erase those of runs that are over, or of one if it is; returns of how many parameters.

        Where there are none nothing is written.
        """
        over = select(runs.c.id).where(runs.c.id == sealed_params.c.run_id, runs.c.state.in_(OVER))
        here = [over.exists(), *([sealed_params.c.run_id == run_id] if run_id is not None else [])]
        if run_id is None:
            with self.database.read() as connection:
                if connection.execute(select(sealed_params.c.run_id).where(*here)).first() is None:
                    return 0
        with self.database.begin(lasting=False) as connection:
            return connection.execute(delete(sealed_params).where(*here)).rowcount


def write_sealed(connection: Connection, run_id: int, sealed: Mapping[str, str]) -> None:
    """Write them down with their run, which is new."""
    rows = [{"run_id": run_id, "name": name, "sealed": each} for name, each in sealed.items()]
    if rows:
        connection.execute(insert(sealed_params), rows)


def erase(connection: Connection, run_ids: Collection[int]) -> None:
    """Erase those of runs that come to be over in this transaction."""
    # One by one: there may be more of them than a statement takes parameters.
    here = delete(sealed_params).where(sealed_params.c.run_id == bindparam("its_run"))
    connection.execute(here, [{"its_run": run_id} for run_id in run_ids])
