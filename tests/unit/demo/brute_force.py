"""What a world's wallets must be found as, by trying every order of the rows of one second.

It shares no code with the planted faults or the engine's checks, and is far too slow for them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, permutations
from typing import Any

from engine.demo.world import World
from tests.builders.world import rows_of

Row = Mapping[str, Any]
Break = tuple[int, int]  # lowest entry id of the trail, gap
Score = tuple[int, int, tuple[Break, ...]]  # fewest breaks, least gap, then the lowest ids

PLUS, MINUS = {"topup", "refund"}, {"purchase", "fee", "withdrawal"}


def differences(world: World) -> list[dict[str, Any]]:
    """Every drift and chain break there is."""
    entries: dict[int, list[Row]] = defaultdict(list)
    for row in rows_of(world, "SELECT * FROM entries ORDER BY posted_at, id"):
        entries[row["wallet_id"]].append(row)
    found = []
    for wallet in rows_of(world, "SELECT * FROM wallets"):
        mine = entries[wallet["id"]]
        expected = wallet["opening_minor"] + sum(signed(row) for row in mine)
        if wallet["balance_minor"] != expected:
            off = wallet["balance_minor"] - expected
            found.append(_difference("balance", "BALANCE_DRIFT", wallet, None, off))
        for entry, gap in chain_breaks(wallet["opening_minor"], mine):
            found.append(_difference("chain", "CHAIN_BREAK", wallet, str(entry), gap))
    return found


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
