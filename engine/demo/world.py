"""The demo world: a school-canteen wallet platform in one SQLite file, with faults planted in it.

The same arguments give the same bytes. Cost and file grow with the entries, memory with the
wallets (some 30 bytes each).
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.demo.chance import chance
from engine.demo.faults.planting import deletions, planned, plant
from engine.demo.ledger import Ledger, insert_entries, insert_wallets
from engine.demo.people import enrol, insert_people
from engine.demo.school_days import days_before, minutes_of_trade
from engine.demo.settlements import insert_settlements
from engine.demo.tables import create_indexes, create_tables
from engine.demo.truth import Truth
from engine.errors import Invalid

Progress = Callable[[int, int, str], None]

WALLETS, ENTRIES = 2_000, 100_000
FAULTS = 152  # four of each kind
FEWEST_WALLETS, FEWEST_ENTRIES_A_WALLET = 50, 10


class WorldTooSmall(Invalid):
    """Nothing realistic, and no fault, fits into so little."""

    message = (
        "a demo world needs at least 50 wallets and ten entries for each;"
        " {wallets} wallets and {entries} entries were asked for"
    )


@dataclass(frozen=True, kw_only=True)
class World:
    """A world that was built: where it is and how much is in it, not what is wrong with it."""

    path: Path
    truth_path: Path
    seed: int
    starts_at: datetime
    as_of: datetime
    schools: int
    guardians: int
    students: int
    wallets: int
    entries: int
    faults: int


def build_world(
    path: Path,
    *,
    wallets: int = WALLETS,
    entries: int = ENTRIES,
    seed: int,
    as_of: datetime,
    faults: int = FAULTS,
    progress: Progress | None = None,
) -> World:
    """Build the world at `path`, whole or not at all, in place of what was there.

    Its last entry is posted just before `as_of`. Few wallets get fewer faults: at most one for
    every four of them. The truth goes beside the file, as `<name>.truth.json`.
    """
    if wallets < FEWEST_WALLETS or entries < wallets * FEWEST_ENTRIES_A_WALLET:
        raise WorldTooSmall(wallets=wallets, entries=entries)
    progress = progress or _keep_quiet
    kinds = planned(min(faults, wallets // 4))
    made = entries + deletions(kinds)
    days = days_before(as_of, school_days=entries // wallets)
    roll = enrol(wallets, chance(seed, "schools"))
    ledger = Ledger(wallets, chance(seed, "ledger"))
    minutes = minutes_of_trade(days, as_of, roll.stages, made)

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(partial)) as connection:
            create_tables(connection)
            progress(0, made, "people")
            guardians = insert_people(connection, roll, chance(seed, "people"))
            done = 0
            for batch in ledger.play(minutes):
                insert_entries(connection, batch)
                done += len(batch)
                progress(done, made, "entries")
            starts_at = _first_instant(connection)
            insert_wallets(connection, ledger, starts_at, chance(seed, "wallets"))
            # Before the faults: what the gateways paid is right, whatever became of it later.
            insert_settlements(connection)
            progress(made, made, "indexes")
            create_indexes(connection)
            progress(made, made, "faults")
            planted = plant(connection, kinds, wallets, chance(seed, "faults"))
            connection.commit()
        truth_path = path.with_name(f"{path.name}.truth.json")
        Truth(seed=seed, as_of=as_of.isoformat(), faults=planted).save(truth_path)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return World(
        path=path,
        truth_path=truth_path,
        seed=seed,
        starts_at=starts_at,
        as_of=as_of,
        schools=len(roll.schools),
        guardians=guardians,
        students=wallets,
        wallets=wallets,
        entries=entries,
        faults=len(planted),
    )


def _first_instant(connection: sqlite3.Connection) -> datetime:
    (posted_at,) = connection.execute("SELECT posted_at FROM entries WHERE id = 1").fetchone()
    return datetime.fromisoformat(posted_at)


def _keep_quiet(done: int, total: int, note: str) -> None:
    """Nobody watches."""
