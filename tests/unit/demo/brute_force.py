"""What a world's wallets must be found as, by trying every order of the rows of one second.

It shares no code with the planted faults or the engine's checks, and is far too slow for them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, permutations
from typing import Any

from engine.demo.world import World
from tests.builders.world import rows_of

Row = Mapping[str, Any]
Break = tuple[int, int]  # lowest entry id of the trail, gap
Score = tuple[int, int, tuple[Break, ...]]  # fewest breaks, least gap, then the lowest ids

PLUS, MINUS = {"topup", "refund"}, {"purchase", "fee", "withdrawal"}


def differences(world: World) -> list[dict[str, Any]]:
    """Every break there is, each entry's for the first reason there is."""
    everything = rows_of(world, "SELECT * FROM entries ORDER BY posted_at, id")
    wallets = rows_of(world, "SELECT * FROM wallets")
    students = {row["id"] for row in rows_of(world, "SELECT id FROM students")}
    certain, suspected = repeated(everything)
    replicas = {row["id"] for row, first in certain if _after(row) == _after(first)}
    held = {wallet["id"]: wallet["currency"] for wallet in wallets}
    entries: dict[int, list[Row]] = defaultdict(list)
    reasons: dict[int, dict[str, Any]] = {}
    for row in suspected:
        reasons[row["id"]] = _of_entry("duplicate", "DUPLICATE_SUSPECT", row)
    for row in everything:
        if row["wallet_id"] not in held:
            reasons[row["id"]] = _of_entry("orphan", "ORPHAN_ENTRY", row)
        elif held[row["wallet_id"]] != _code(row):
            reasons[row["id"]] = _of_entry("currency", "CURRENCY_MISMATCH", row)
        else:
            entries[row["wallet_id"]].append(row)
    for row, _ in certain:
        reasons[row["id"]] = _of_entry("duplicate", "DUPLICATE_EXACT", row)
    found = []
    for wallet in wallets:
        mine = entries[wallet["id"]]
        expected = wallet["opening_minor"] + sum(signed(row) for row in mine)
        if wallet["balance_minor"] != expected:
            off = wallet["balance_minor"] - expected
            found.append(_difference("balance", "BALANCE_DRIFT", wallet, None, off))
        if wallet["student_id"] not in students:
            stored = wallet["balance_minor"]
            found.append(_difference("orphan", "ORPHAN_WALLET", wallet, None, stored))
        if (stored := wallet["balance_minor"]) < 0:
            found.append(_difference("negative", "NEGATIVE_BALANCE", wallet, None, stored))
        chained = [row for row in mine if row["id"] not in replicas]
        for entry, gap in chain_breaks(wallet["opening_minor"], chained):
            known = reasons.get(entry, {"code": "DUPLICATE_SUSPECT"})
            if known["code"] == "DUPLICATE_SUSPECT":
                reasons[entry] = _difference("chain", "CHAIN_BREAK", wallet, str(entry), gap)
    return found + list(reasons.values())


def repeated(entries: Sequence[Row]) -> tuple[list[tuple[Row, Row]], list[Row]]:
    """Copies, each with its original, and rows that look like one of the minute before."""
    certain, suspected = [], []
    for first, second in _pairs(entries):
        if (first["reference"], first["posted_at"]) == (second["reference"], second["posted_at"]):
            certain.append((second, first))
    assert max(Counter(row["id"] for row, _ in certain).values(), default=1) == 1
    copies = {row["id"] for row, _ in certain}
    for first, second in _pairs(row for row in entries if row["id"] not in copies):
        if (_instant(second) - _instant(first)).total_seconds() <= 60:
            suspected.append(second)
    return certain, [row for at, row in enumerate(suspected) if row not in suspected[:at]]


def _pairs(entries: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
    """Every two rows of one wallet, currency, type and amount, the earlier one first."""
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in entries:
        key = row["wallet_id"], _code(row), row["type"], row["amount_minor"]
        for earlier in groups[key]:
            yield earlier, row
        groups[key].append(row)


def _code(row: Row) -> str:
    return str(row["currency"]).strip().upper()


def _instant(row: Row) -> datetime:
    return datetime.fromisoformat(row["posted_at"])


def _after(row: Row) -> int:
    return int(row["balance_after_minor"])


def _of_entry(check: str, code: str, row: Row) -> dict[str, Any]:
    return {
        "check": check,
        "code": code,
        "wallet": str(row["wallet_id"]),
        "entry": str(row["id"]),
        "currency": _code(row),
        "amount_minor": signed(row),
    }


def chain_breaks(opening: int, entries: Sequence[Row]) -> Sequence[Break]:
    """The breaks of the best order there is over the whole of a wallet's life."""
    best: dict[int, Score] = {opening: (0, 0, ())}  # by the balance an order ends on
    for _, second in groupby(entries, key=lambda row: row["posted_at"]):
        rows, ends = list(second), dict[int, Score]()
        for order in permutations(rows):
            for running, (count, gap, breaks) in best.items():
                here = list(_breaks(running, order))
                score = (
                    count + len(here),
                    gap + sum(abs(jump) for _, jump in here),
                    (*breaks, *sorted(here)),
                )
                end = order[-1]["balance_after_minor"]
                ends[end] = min(score, ends.get(end, score))
        best = ends
    return min(best.values())[2]


def chains_by_id(opening: int, entries: Sequence[Row]) -> bool:
    """Whether the order of time and id has no break."""
    return not list(_breaks(opening, entries))


def signed(row: Row) -> int:
    """What an entry adds to the balance."""
    assert row["type"] in PLUS | MINUS
    amount = row["amount_minor"]
    assert isinstance(amount, int)
    return amount if row["type"] in PLUS else -amount


def _breaks(running: int, order: Sequence[Row]) -> Iterator[Break]:
    starts: list[tuple[int, list[int]]] = []
    trail: list[int] = []
    for row in order:
        before = row["balance_after_minor"] - signed(row)
        if before != running:
            trail = []
            starts.append((before - running, trail))
        trail.append(row["id"])
        running = row["balance_after_minor"]
    for gap, trail in starts:
        yield min(trail), gap


def _difference(
    check: str, code: str, wallet: Row, entry: str | None, amount: int
) -> dict[str, Any]:
    return {
        "check": check,
        "code": code,
        "wallet": str(wallet["id"]),
        "entry": entry,
        "currency": wallet["currency"],
        "amount_minor": amount,
    }
