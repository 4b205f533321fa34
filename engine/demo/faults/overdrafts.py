"""Faults of the floor: wallets that hold less than nothing; and one that holds just nothing."""

from random import Random

from engine.demo.chance import pick
from engine.demo.faults.findings import Done, below_zero, drift
from engine.demo.faults.history import History


def overdrawn(history: History, random: Random) -> Done:
    """An offline till sold for more than there was; the ledger took it."""
    lacking = pick((5, 50, 345, 1800), random)
    _spend(history, lacking)
    return Done(
        words=f"the last purchase of wallet {history.wallet} took {lacking} more than it held",
        expected=[below_zero(history)],
    )


def paid_out_twice(history: History, random: Random) -> Done | None:
    """A withdrawal left the stored balance twice, and there was not that much."""
    entry = history.entries[-1]
    if entry.balance_after < 5:
        return None
    by = entry.balance_after + pick((5, 100, 995), random)
    history.stored -= by
    return Done(
        words=f"{by} left the stored balance of wallet {history.wallet} and no entry says so",
        expected=[drift(history, -by), below_zero(history)],
    )


def emptied(history: History, random: Random) -> Done | None:
    """The last purchase took all there was, to the halala: innocent."""
    if history.entries[-2].balance_after == 0:
        return None
    _spend(history, 0)
    return Done(words=f"wallet {history.wallet} holds exactly nothing", expected=[])


def _spend(history: History, lacking: int) -> None:
    before, last = history.entries[-2].balance_after, history.entries[-1]
    history.change(
        -1,
        type="purchase",
        reference=f"POS-{last.id:010d}",
        amount=before + lacking,
        balance_after=-lacking,
    )
    history.stored = -lacking
