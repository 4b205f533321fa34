"""Faults of belonging: entries without their wallet, wallets without their student."""

from random import Random

from engine.demo.chance import pick
from engine.demo.faults.findings import Done, chain_break, drift, mismatch, orphan, ownerless
from engine.demo.faults.history import History

NO_WALLET = 90_000_000  # wallets and students from here on were never made
CURRENCIES = ("USD", "KWD", "JPY", "AED")  # with two decimals, three and none


def to_no_wallet(history: History, random: Random) -> Done:
    """The last entry was posted to a wallet that does not exist; its own never knew of it."""
    gone = history.send_away(-1, wallet=NO_WALLET + history.wallet)
    history.stored -= gone.signed
    return Done(words=f"entry {gone.id} is in no wallet that there is", expected=[orphan(gone)])


def taken_from_its_wallet(history: History, random: Random) -> Done:
    """An entry's wallet was overwritten after the balance had moved."""
    index = 2 + int(random.random() * (len(history.entries) - 4))
    gone = history.send_away(index, wallet=NO_WALLET + history.wallet)
    return Done(
        words=f"entry {gone.id} was taken out of wallet {history.wallet}, to none",
        expected=[
            orphan(gone),
            drift(history, gone.signed),
            chain_break(history, history.entries[index], gone.signed),
        ],
    )


def in_another_currency(history: History, random: Random) -> Done:
    """The last entry came in a currency that the wallet does not hold, and moved nothing."""
    gone = history.send_away(-1, currency=pick(CURRENCIES, random))
    history.stored -= gone.signed
    return Done(
        words=f"entry {gone.id} is in {gone.currency}, its wallet is not", expected=[mismatch(gone)]
    )


def taken_for_riyals(history: History, random: Random) -> Done:
    """An entry in another currency moved the balance as if it were riyals."""
    index = 2 + int(random.random() * (len(history.entries) - 4))
    gone = history.send_away(index, currency=pick(CURRENCIES, random))
    return Done(
        words=f"entry {gone.id} is in {gone.currency} and moved as many halalas",
        expected=[
            mismatch(gone),
            drift(history, gone.signed),
            chain_break(history, history.entries[index], gone.signed),
        ],
    )


def student_deleted(history: History, random: Random) -> Done:
    """The student's record was deleted, the wallet stayed."""
    left, history.student = history.student, NO_WALLET + (history.student or 0)
    return Done(
        words=f"wallet {history.wallet} was student {left}'s and is nobody's that is known",
        expected=[ownerless(history)],
    )


def opened_for_nobody(history: History, random: Random) -> Done:
    """The wallet was opened before there was a student for it."""
    history.student = None
    return Done(
        words=f"wallet {history.wallet} names no student at all", expected=[ownerless(history)]
    )


def in_small_letters(history: History, random: Random) -> Done:
    """One writer spells the currency `sar`, another pads it: innocent."""
    index = int(random.random() * len(history.entries))
    history.change(index, currency=pick(("sar", "SAR ", " Sar"), random))
    entry = history.entries[index]
    return Done(words=f"entry {entry.id} spells its currency {entry.currency!r}", expected=[])
