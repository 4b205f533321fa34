"""The rows of a random ledger as checks may use them, found out slowly in plain Python.

What a row lacks, what it is worth, whose it is, and of which it is a copy; it shares nothing with
how reconciliations find that out.
"""

from collections import Counter, defaultdict
from typing import Any

from tests.builders.ledger import Ledger
from tests.builders.reference.row import Holding, Lane, Row, code_of, signed, whole


class Book:
    """The rows of one ledger; those that are copies of each other are marked."""

    def __init__(self, ledger: Ledger) -> None:
        self.shape = ledger.shape
        self.checks = ledger.shape.checks
        self.ledger = ledger
        self.follows = "chain" in self.checks or self.shape.stored == "last_balance_after"
        running = self.checks.get("negative", {}).get("running", False)
        self.says_balances = self.follows or running
        self.holdings = self._holdings()
        self.rows = self._rows()
        self.counted = [
            row for row in self.rows if row.posted_at is None or row.posted_at < self.shape.cut_off
        ]
        self.sound = [
            row
            for row in self.counted
            if row.entry is not None
            and row.posted_at is not None
            and (row.balance_after is not None or not self.says_balances)
        ]
        self.by_lane: defaultdict[Lane, list[Row]] = defaultdict(list)
        for row in self.counted:
            self.by_lane[row.lane].append(row)
        self._name_rows()
        if "duplicate" in self.checks:
            self._find_copies()

    def _holdings(self) -> dict[Lane, Holding]:
        shape, found = self.shape, {}
        for wallet in self.ledger.wallets:
            own = shape.maps("wallet currency")
            currency = wallet.currency if own else "SAR"
            opening = whole(wallet.opening) if shape.maps("opening") else 0
            asked = shape.stored == "balance"
            balance = whole(wallet.balance) if asked else 0
            if wallet.id is None or currency is None or opening is None or balance is None:
                continue
            floor = whole(wallet.floor) if shape.maps("floor") else None
            if floor is None:
                floor = self.checks.get("negative", {}).get("floor", 0)
            code = code_of(currency)
            found[str(wallet.id), code] = Holding(
                wallet=str(wallet.id),
                currency=code,
                owner=None if wallet.owner is None else str(wallet.owner),
                opening=opening if shape.maps("opening") else None,
                balance=balance if asked else None,
                floor=floor,
            )
        return found

    def _rows(self) -> list[Row]:
        shape, found = self.shape, []
        for entry in self.ledger.entries:
            amount = signed(shape, entry)
            currency = entry.currency if shape.maps("entry currency") else "SAR"
            if entry.wallet is None or currency is None or amount is None:
                continue
            found.append(
                Row(
                    entry=None if entry.id is None else str(entry.id),
                    wallet=str(entry.wallet),
                    currency=code_of(currency),
                    amount=amount,
                    balance_after=whole(entry.balance_after),
                    posted_at=entry.posted_at,
                    code=entry.type if shape.maps("code") else None,
                    reference=entry.reference if shape.maps("reference") else None,
                )
            )
        ids = [row.entry for row in found if row.entry is not None]
        if all(_is_number(str(each)) for each in ids):
            for row in found:
                row.entry = None if row.entry is None else int(row.entry)
        return found

    def _name_rows(self) -> None:
        """Rows that bear one id are told apart by a number, where duplicates are asked for."""
        asked = "duplicate" in self.checks
        by_id: defaultdict[Any, list[Row]] = defaultdict(list)
        for row in self.sound:
            by_id[row.entry].append(row)
        for id_, rows in by_id.items():
            rows.sort(key=self._first)
            for place, row in enumerate(rows):
                row.name = str(id_) + (f" ({place + 1})" if place and asked else "")
                if place and asked:
                    row.original = str(id_)

    def _first(self, row: Row) -> tuple[Any, ...]:
        numbers = all(_is_number(each.wallet) for each in self.rows)
        numbers = numbers and all(_is_number(wallet) for wallet, _ in self.holdings)
        wallet: Any = int(row.wallet) if numbers else row.wallet
        said = row.balance_after if self.says_balances else 0
        return (
            row.posted_at,
            wallet,
            row.currency,
            row.amount,
            said,
            _last(row.code),
            _last(row.reference),
        )

    def _find_copies(self) -> None:
        """Rows that say the same of one instant as a row with a lower id."""
        by_facts: defaultdict[Any, list[Row]] = defaultdict(list)
        for row in self.sound:
            facts = row.wallet, row.currency, row.amount, row.posted_at, row.code, row.reference
            by_facts[facts].append(row)
        for rows in by_facts.values():
            rows.sort(key=lambda row: (row.entry, row.name != str(row.entry), row.name))
            balances: Counter[int | None] = Counter()
            for place, row in enumerate(rows):
                balances[row.balance_after] += 1
                if place:
                    row.original = rows[0].name
                    row.replica = balances[row.balance_after] > 1

    def is_orphan(self, row: Row) -> bool:
        """No wallet has its id."""
        return all(wallet != row.wallet for wallet, _ in self.holdings)

    def is_mismatched(self, row: Row) -> bool:
        """Its wallet holds other currencies."""
        return not self.is_orphan(row) and row.lane not in self.holdings

    def chained(self, lane: Lane) -> list[Row]:
        """Rows that a chain goes through, by time."""
        rows = [row for row in self.by_lane[lane] if not row.replica]
        return sorted(rows, key=lambda row: (row.posted_at is not None, row.posted_at or 0))

    def is_open(self, lane: Lane) -> bool:
        """Whether the order of its rows is a question."""
        instants = [row.posted_at for row in self.chained(lane)]
        return None in instants or len({*instants}) < len(instants)

    def expected(self, lane: Lane) -> int:
        """The opening balance, and every entry up to the cut-off."""
        return (self.holdings[lane].opening or 0) + sum(row.amount for row in self.by_lane[lane])

    def later(self, lane: Lane) -> int:
        """What came after the cut-off."""
        everything = sum(row.amount for row in self.rows if row.lane == lane)
        return everything - sum(row.amount for row in self.by_lane[lane])

    def stored(self, lane: Lane) -> int:
        """The balance that is stored at the cut-off."""
        holding = self.holdings[lane]
        if self.shape.stored == "balance":
            assert holding.balance is not None
            return holding.balance - self.later(lane)
        said = [
            row
            for row in self.by_lane[lane]
            if row.posted_at is not None and row.balance_after is not None
        ]
        if not said:
            return holding.opening or 0
        last = max(said, key=lambda row: row.posted_at or self.shape.cut_off)
        assert last.balance_after is not None
        return last.balance_after

    def has_open_end(self, lane: Lane) -> bool:
        """Whether its last balance hangs on an order that nobody knows."""
        return self.shape.stored == "last_balance_after" and self.is_open(lane)


def _is_number(text: str) -> bool:
    digits = text.removeprefix("-")
    plain = digits.isascii() and digits.isdecimal() and len(digits) <= 18
    return plain and (text == "0" or not digits.startswith("0"))


def _last(text: str | None) -> tuple[bool, str]:
    return text is None, text or ""
