"""Faults of the stored balance alone: the ledger is right and its chain holds."""

from random import Random

from engine.demo.chance import pick
from engine.demo.faults.findings import Done, drift
from engine.demo.faults.history import Entry, History


def lost_update(history: History, random: Random) -> Done | None:
    """Two tills wrote the balance at once, and one purchase's write was lost."""
    if (entry := _one("purchase", history, random)) is None:
        return None
    return _store(history, entry.amount, f"purchase {entry.reference} never reached the balance")


def credited_twice(history: History, random: Random) -> Done | None:
    """The gateway's callback came twice, and the balance took both."""
    if (entry := _one("topup", history, random)) is None:
        return None
    return _store(history, entry.amount, f"top-up {entry.reference} was credited twice")


def never_credited(history: History, random: Random) -> Done | None:
    """The top-up is booked, but the balance did not move."""
    if (entry := _one("topup", history, random)) is None:
        return None
    return _store(history, -entry.amount, f"top-up {entry.reference} was booked, not credited")


def credited_in_halalas(history: History, random: Random) -> Done | None:
    """Riyals were taken for halalas: 50.00 came in as 0.50."""
    if (entry := _one("topup", history, random)) is None:
        return None
    words = f"top-up {entry.reference} was credited at a hundredth"
    return _store(history, entry.amount // 100 - entry.amount, words)


def off_by_one(history: History, random: Random) -> Done | None:
    """Somebody rounded: the smallest drift there is."""
    by = pick((-1, 1), random)
    return _store(history, by, f"the stored balance is off by {by} halala")


def restored(history: History, random: Random) -> Done | None:
    """The wallets table came back from a backup that is a few entries old."""
    back = pick((3, 4, 5), random)
    old = history.entries[-back].balance_after
    if old == history.stored:
        return None
    return _store(history, old - history.stored, f"the balance is that of {back - 1} entries ago")


def charged_to_another(history: History, other: History, random: Random) -> Done | None:
    """One child's purchase moved another child's balance: two drifts that cancel out."""
    if (entry := _one("purchase", history, random)) is None:
        return None
    history.stored += entry.amount
    other.stored -= entry.amount
    return Done(
        words=f"purchase {entry.reference} moved the balance of wallet {other.wallet} instead",
        expected=[drift(history, entry.amount), drift(other, -entry.amount)],
    )


def _one(kind: str, history: History, random: Random) -> Entry | None:
    entries = [entry for entry in history.entries if entry.type == kind]
    return pick(entries, random) if entries else None


def _store(history: History, by: int, words: str) -> Done:
    history.stored += by
    return Done(words=words, expected=[drift(history, by)])
