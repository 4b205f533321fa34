"""Planting: which faults a world gets, and in which wallets."""

import sqlite3
from collections.abc import Iterator, Sequence
from copy import deepcopy
from itertools import cycle, islice
from random import Random

from engine.demo.faults.history import History, read_history, write_history
from engine.demo.faults.kinds import KINDS
from engine.demo.ledger import FIRST_WALLET
from engine.demo.truth import Fault
from engine.errors import Invalid

FEWEST_ENTRIES = 9  # of a wallet, so that every kind finds a place between neighbours
CANDIDATES = 8  # wallets looked at for each fault; most are good for most kinds


class NoPlaceForFault(Invalid):
    """The world is too small, or too quiet, for the faults it should have."""

    message = (
        "no wallet is left with a history that a fault of kind {kind} could be planted in;"
        " give the world more wallets, or more entries for each"
    )


def planned(faults: int) -> list[str]:
    """The kinds to plant: all of them in turn."""
    return list(islice(cycle(KINDS), faults))


def deletions(kinds: Sequence[str]) -> int:
    """How many entries the plan will delete, so that so many more can be made."""
    return sum(KINDS[kind].deletes for kind in kinds)


def plant(
    connection: sqlite3.Connection, kinds: Sequence[str], wallets: int, random: Random
) -> list[Fault]:
    """Plant one fault of each kind listed, each in wallets of its own."""
    pool = list(_histories(connection, wallets, CANDIDATES * len(kinds), random))
    return [_plant_one(connection, kind, pool, random) for kind in kinds]


def _plant_one(
    connection: sqlite3.Connection, name: str, pool: list[History], random: Random
) -> Fault:
    kind = KINDS[name]
    for start in range(len(pool) - kind.wallets + 1):
        chosen = pool[start : start + kind.wallets]
        spoiled = deepcopy(chosen)
        if (done := kind.spoil(spoiled, random)) is None:
            continue
        del pool[start : start + kind.wallets]
        for old, new in zip(chosen, spoiled, strict=True):
            write_history(connection, old, new)
        return Fault(
            kind=name,
            words=done.words,
            wallets=[str(history.wallet) for history in chosen],
            expected=done.expected,
            order_only=done.order_only,
        )
    raise NoPlaceForFault(kind=name)


def _histories(
    connection: sqlite3.Connection, wallets: int, candidates: int, random: Random
) -> Iterator[History]:
    """Wallets drawn without looking at them all, those that have enough of a history."""
    drawn: dict[int, None] = {}  # a set that keeps the order
    while len(drawn) < min(candidates, wallets):
        drawn[FIRST_WALLET + int(random.random() * wallets)] = None
    for wallet in drawn:
        history = read_history(connection, wallet)
        if len(history.entries) >= FEWEST_ENTRIES and history.has_an_instant_each:
            yield history
