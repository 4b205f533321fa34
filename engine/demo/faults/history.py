"""One wallet's history, held so that a fault can be planted in it."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

from engine.demo.ledger import CURRENCY, SIGNS

A_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row of the ledger."""

    id: int
    type: str
    reference: str
    amount: int
    balance_after: int
    posted_at: str
    wallet: int
    currency: str = CURRENCY

    @property
    def at(self) -> datetime:
        """When it was posted."""
        return datetime.fromisoformat(self.posted_at)

    @property
    def signed(self) -> int:
        """What it adds to the balance."""
        return SIGNS[self.type] * self.amount

    @property
    def before(self) -> int:
        """The balance it says it started from."""
        return self.balance_after - self.signed


@dataclass
class History:
    """A wallet's entries, by time and then id, and its stored balance.

    Not frozen: it is what the kinds of fault spoil before it is written back.
    """

    wallet: int
    opening: int
    stored: int
    entries: list[Entry]
    student: int | None
    strays: list[Entry] = field(default_factory=list)  # entries that are no longer the wallet's

    @property
    def expected(self) -> int:
        """What the balance check must hold the stored balance against."""
        return self.opening + sum(entry.signed for entry in self.entries)

    @property
    def chains(self) -> bool:
        """Whether every balance follows from the one before, in the order of time and id."""
        befores = [entry.before for entry in self.entries]
        afters = [self.opening, *(entry.balance_after for entry in self.entries)]
        return befores == afters[:-1]

    @property
    def has_an_instant_each(self) -> bool:
        """Whether time alone gives the order, so that a fault stands by itself."""
        return len({entry.posted_at for entry in self.entries}) == len(self.entries)

    @property
    def is_above_zero(self) -> bool:
        """Whether no balance gives the fault away by being negative."""
        return min(self.stored, *(entry.balance_after for entry in self.entries)) >= 0

    @property
    def copies(self) -> set[int]:
        """Ids of entries that say what one with a lower id says, of the same second."""
        found = set()
        for _, alike in self._alike():
            seen: set[tuple[str, str]] = set()
            for entry in sorted(alike, key=lambda entry: entry.id):
                if (facts := (entry.reference, entry.posted_at)) in seen:
                    found.add(entry.id)
                seen.add(facts)
        return found

    @property
    def suspects(self) -> set[int]:
        """Ids of entries that repeat what was booked within the minute before, copies aside."""
        found, copies = set(), self.copies
        for _, alike in self._alike():
            single = sorted((each.at, each.id) for each in alike if each.id not in copies)
            for (before, _), (at, later) in pairwise(single):
                if at - before <= A_MINUTE:
                    found.add(later)
        return found

    def _alike(self) -> Iterator[tuple[Any, Iterable[Entry]]]:
        def what(entry: Entry) -> tuple[int, str, str, int]:
            return entry.wallet, entry.currency, entry.type, entry.amount

        return groupby(sorted([*self.entries, *self.strays], key=what), what)

    def send_away(self, index: int, **values: Any) -> Entry:
        """Make one entry another wallet's, or another currency's."""
        self.strays.append(replace(self.entries.pop(index), **values))
        return self.strays[-1]

    def change(self, index: int, **values: Any) -> None:
        """Rewrite columns of one entry."""
        self.entries[index] = replace(self.entries[index], **values)

    def shift(self, index: int, by: int) -> None:
        """Move every balance from one entry on, as a writer with a wrong start would."""
        for later in range(index, len(self.entries)):
            self.change(later, balance_after=self.entries[later].balance_after + by)

    def post_together(self, index: int, count: int) -> None:
        """Give neighbours the last one's instant: a till that was offline sent them at once."""
        together = self.entries[index + count - 1].posted_at
        for member in range(index, index + count):
            self.change(member, posted_at=together)

    def reverse(self, index: int, count: int) -> None:
        """Store neighbours the other way round: the ids stay, what they hold changes places."""
        members = self.entries[index : index + count]
        self.entries[index : index + count] = [
            replace(content, id=place.id)
            for place, content in zip(members, reversed(members), strict=True)
        ]


def read_history(connection: sqlite3.Connection, wallet: int) -> History:
    """The wallet as it is in the file."""
    opening, stored, student = connection.execute(
        "SELECT opening_minor, balance_minor, student_id FROM wallets WHERE id = ?", (wallet,)
    ).fetchone()
    rows = connection.execute(
        "SELECT id, type, reference, amount_minor, balance_after_minor, posted_at, wallet_id"
        " FROM entries WHERE wallet_id = ? ORDER BY posted_at, id",
        (wallet,),
    )
    names = ("id", "type", "reference", "amount", "balance_after", "posted_at", "wallet")
    entries = [Entry(**dict(zip(names, row, strict=True))) for row in rows]
    return History(wallet, opening, stored, entries, student)


def write_history(connection: sqlite3.Connection, old: History, new: History) -> None:
    """Make the file hold the spoiled history in place of the old one."""
    connection.execute(
        "UPDATE wallets SET balance_minor = ?, student_id = ? WHERE id = ?",
        (new.stored, new.student, new.wallet),
    )
    connection.executemany(
        "UPDATE entries SET type = ?, reference = ?, amount_minor = ?, balance_after_minor = ?,"
        " posted_at = ?, wallet_id = ?, currency = ? WHERE id = ?",
        (
            (
                e.type,
                e.reference,
                e.amount,
                e.balance_after,
                e.posted_at,
                e.wallet,
                e.currency,
                e.id,
            )
            for e in [*new.entries, *new.strays]
        ),
    )
    connection.executemany("DELETE FROM entries WHERE id = ?", _removed(old, new))


def _removed(old: History, new: History) -> Sequence[tuple[int]]:
    kept = {entry.id for entry in [*new.entries, *new.strays]}
    return [(entry.id,) for entry in old.entries if entry.id not in kept]
