"""What each code of a break means, in words for those who read the report."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Meaning:
    """A code's title, and what a person should take it to say."""

    title: str
    text: str


MEANINGS: Mapping[str, Meaning] = {
    "BALANCE_DRIFT": Meaning(
        "Balance differs from the entries",
        "The stored balance is not the opening balance and all entries up to the cut-off.",
    ),
    "CHAIN_BREAK": Meaning(
        "Running balance jumps",
        "The entry starts from a balance that no entry before it led to, in any order of its time.",
    ),
    "CURRENCY_MISMATCH": Meaning(
        "Entry in another currency",
        "The wallet holds no balance in the entry's currency; no balance counts the entry.",
    ),
    "DUPLICATE_EXACT": Meaning(
        "Entry is there twice",
        "Another entry has the same id, or says the same of the same instant. The copy is listed.",
    ),
    "DUPLICATE_SUSPECT": Meaning(
        "Entry may be there twice",
        "It repeats one shortly before it. Often innocent: somebody bought the same again.",
    ),
    "NEGATIVE_BALANCE": Meaning(
        "Balance below the floor",
        "The stored balance is less than the wallet may hold; the difference is what is lacking.",
    ),
    "NEGATIVE_RUNNING": Meaning(
        "Balance was below the floor",
        "With this entry the running balance went below what the wallet may hold, for a while.",
    ),
    "ORPHAN_ENTRY": Meaning(
        "Entry of no wallet",
        "No wallet has the id that the entry names; no balance counts the entry.",
    ),
    "ORPHAN_WALLET": Meaning(
        "Wallet of nobody",
        "The wallet names no owner, or one that does not exist; the difference is what it stores.",
    ),
}


def meaning(code: str) -> Meaning:
    """What a code means; of one that is not known, only its own letters."""
    return MEANINGS.get(code, Meaning(code.replace("_", " ").capitalize(), ""))
