"""Small demo worlds, and their rows as plain Python sees them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.demo.world import FAULTS, World, build_world

AS_OF = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)  # midnight in Riyadh


def a_world(
    folder: Path,
    *,
    wallets: int = 640,
    entries: int = 12_800,
    seed: int = 1,
    as_of: datetime = AS_OF,
    faults: int = FAULTS,
) -> World:
    """A world with a fault of every kind several times over, in a fraction of a second."""
    path = folder / f"canteen-{seed}.db"
    return build_world(
        path, wallets=wallets, entries=entries, seed=seed, as_of=as_of, faults=faults
    )


@contextmanager
def opened(world: World) -> Iterator[sqlite3.Connection]:
    """The world's database, to read; rows have names."""
    with closing(sqlite3.connect(f"file:{world.path}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def rows_of(world: World, query: str) -> list[dict[str, Any]]:
    """The rows of a query."""
    with opened(world) as connection:
        return [dict(row) for row in connection.execute(query)]
