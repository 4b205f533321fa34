"""The ledger: every entry of every wallet, in the order of time, and the balances they lead to."""

import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from engine.demo.chance import pick
from engine.demo.school_days import Minute, Trade

CURRENCY = "SAR"
FIRST_WALLET = 700_001  # not the student's number: a join on the wrong column must not work
BATCH = 20_000
SIGNS = {"topup": 1, "refund": 1, "purchase": -1, "fee": -1, "withdrawal": -1}

# Halalas. A meal is one to three things from the counter; every amount is a multiple of five.
MEALS = (
    *(100, 200, 300, 345, 400, 450, 500, 500, 575, 600, 700),
    *(750, 800, 850, 900, 1000, 1150, 1200, 1250, 1400, 1500, 1800),
)
TOPUPS = (2000, 3000, 5000, 5000, 5000, 10000, 10000, 15000, 20000)
OPENINGS = tuple(range(0, 8000, 25))
CHEAPEST = 5  # what an amount changes by, so that nobody trades twice alike within a minute
NEW_WRISTBAND = 1725  # 15 riyals and VAT
WORTH_PAYING_OUT = 4000
GATEWAYS = ("MADA", "MADA", "MADA", "MADA", "MADA", "APPLEPAY", "APPLEPAY", "APPLEPAY", "STCPAY")
SECONDS = tuple(f"{second:02d}Z" for second in range(60))

Row = tuple[int, int, str, str, int, int, str]
Booked = tuple[int, str, int]


class Ledger:
    """Plays minutes of trade; holds one balance a wallet, never the entries."""

    def __init__(self, wallets: int, random: Random) -> None:
        self._random = random
        self._entry = 0
        self.openings = array("q", (pick(OPENINGS, random) for _ in range(wallets)))
        self.balances = array("q", self.openings)
        # What the office can still refund: the last purchase, until it is refunded.
        self._bought = array("q", bytes(8 * wallets))
        self._paid = array("q", bytes(8 * wallets))
        # What was booked in this minute and the last: student, kind and amount.
        self._lately: set[Booked] = set()
        self._before: set[Booked] = set()
        self._minute = datetime.min.replace(tzinfo=UTC)

    def play(self, minutes: Iterable[Minute]) -> Iterator[list[Row]]:
        """The entries in batches; ids follow time, and so does each wallet's balance."""
        batch: list[Row] = []
        for minute in minutes:
            self._play_minute(minute, batch)
            if len(batch) >= BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def _play_minute(self, minute: Minute, batch: list[Row]) -> None:
        # One call for a whole minute and local names: this loop makes ten million rows.
        random, balances, entry = self._random.random, self.balances, self._entry
        first, count = minute.students.start, len(minute.students)
        lately = self._turn_to(minute)
        before = self._before
        prefix = f"{minute.starts_at:%Y-%m-%dT%H:%M:}"
        in_canteen, in_office, in_topups = (
            minute.trade is trade for trade in (Trade.CANTEEN, Trade.OFFICE, Trade.TOPUPS)
        )
        for second in sorted([int(random() * 60) for _ in range(minute.entries)]):
            student = first + int(random() * count)
            if in_topups:  # by whoever of two has less
                student = min(student, first + int(random() * count), key=balances.__getitem__)
            balance = balances[student]
            entry += 1
            if in_canteen and (price := MEALS[int(random() * len(MEALS))]) <= balance:
                while (trade := (student, "purchase", price)) in lately or trade in before:
                    price -= CHEAPEST
                kind, reference, amount = "purchase", f"POS-{entry:010d}", price
                balance -= price
                self._bought[student], self._paid[student] = entry, price
            elif in_office and (settled := self._settle(student, entry)):
                kind, reference, amount = settled
                balance += SIGNS[kind] * amount
            else:  # also at the till, when the balance does not reach and the guardian helps out
                kind, amount = "topup", TOPUPS[int(random() * len(TOPUPS))]
                while (trade := (student, "topup", amount)) in lately or trade in before:
                    amount += CHEAPEST
                reference = f"{GATEWAYS[int(random() * len(GATEWAYS))]}-{_receipt(entry)}"
                balance += amount
            balances[student] = balance
            lately.add((student, kind, amount))
            at = prefix + SECONDS[second]
            batch.append((entry, FIRST_WALLET + student, kind, reference, amount, balance, at))
        self._entry = entry

    def _turn_to(self, minute: Minute) -> set[Booked]:
        follows = minute.starts_at - self._minute == timedelta(minutes=1)
        self._before = self._lately if follows else set()
        self._lately, self._minute = set(), minute.starts_at
        return self._lately

    def _settle(self, student: int, entry: int) -> tuple[str, str, int] | None:
        """What the office does for one student; None when there is nothing it could do.

        Nothing twice within a minute, which would look like a mistake.
        """
        settled = self._settled(student, entry)
        trade = (student, settled[0], settled[2]) if settled else None
        return None if trade in self._lately or trade in self._before else settled

    def _settled(self, student: int, entry: int) -> tuple[str, str, int] | None:
        dice, balance = self._random.random(), self.balances[student]
        if dice < 0.7 and (paid := self._paid[student]):
            self._paid[student] = 0
            return "refund", f"REF-{self._bought[student]:010d}", paid
        if dice < 0.9 and balance >= NEW_WRISTBAND:
            return "fee", f"BAND-{entry:010d}", NEW_WRISTBAND
        if balance >= WORTH_PAYING_OUT:
            return "withdrawal", f"IBAN-{_receipt(entry)}", balance // 200 * 100
        return None


def _receipt(entry: int) -> str:
    # Twelve digits as a gateway's: scattered, and unique because the factor shares no factor
    # with the modulus.
    return f"{entry * 479_001_599_123 % 10**12:012d}"


def insert_entries(connection: sqlite3.Connection, batch: list[Row]) -> None:
    """Write one batch, as posted and in the world's one currency."""
    connection.executemany(
        f"INSERT INTO entries VALUES (?, ?, ?, ?, ?, '{CURRENCY}', ?, ?, 'posted')",  # noqa: S608
        batch,
    )


def insert_wallets(
    connection: sqlite3.Connection, ledger: Ledger, starts_at: datetime, random: Random
) -> None:
    """Write a wallet for every student, opened in the two years before the first entry."""

    def rows() -> Iterator[tuple[int, int, int, int, str, str]]:
        pairs = zip(ledger.openings, ledger.balances, strict=True)
        for student, (opening, balance) in enumerate(pairs, start=1):
            made_at = starts_at - timedelta(minutes=int(random.random() * 1_000_000) + 1)
            status = "frozen" if random.random() < 0.01 else "active"
            wallet = FIRST_WALLET + student - 1
            yield wallet, student, opening, balance, status, f"{made_at:%Y-%m-%dT%H:%M:%SZ}"

    connection.executemany(
        f"INSERT INTO wallets VALUES (?, ?, '{CURRENCY}', ?, ?, ?, ?)",  # noqa: S608
        rows(),
    )
