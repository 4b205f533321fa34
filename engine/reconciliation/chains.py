"""Chains: the suspect lanes, settled instant by instant; what each came to is kept as a table."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from engine.reconciliation.definition import Definition
from engine.reconciliation.edges import Edge
from engine.reconciliation.lanes import currency_of
from engine.reconciliation.settle import Gap, chains_as_given, settle
from engine.reconciliation.staging import Staging

_BATCH = 50_000


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """A gap, and whose it is."""

    wallet: Any
    currency: str
    gap: Gap


@dataclass
class Chains:
    """What following the balances found."""

    breaks: list[ChainBreak] = field(default_factory=list)
    order_only: int = 0  # instants whose rows chain, but not in the order given


def follow(definition: Definition, staging: Staging, *, cut_off: int) -> Chains:
    """Settle every lane that the walk could not prove clean.

    Makes the table `ends`: the last balance of each lane that was settled.
    """
    _mark_first_rows(definition, staging)
    chains = Chains()
    kind = staging.kind("lanes", "wallet")
    staging.run(f"CREATE TABLE ends (wallet {kind}, currency VARCHAR, last_balance BIGINT)")
    ends: list[tuple[Any, str, int]] = []
    for lane, rows in groupby(_suspects(definition, staging, cut_off), key=lambda row: row[:3]):
        wallet, currency, opening = lane
        end = _follow_lane(chains, wallet, currency, opening, rows)
        if end is not None:
            ends.append((wallet, currency, end))
        if len(ends) >= _BATCH:
            _keep(staging, ends)
            ends = []
    _keep(staging, ends)
    return chains


def _follow_lane(
    chains: Chains, wallet: Any, currency: str, at: int | None, rows: Iterable[tuple[Any, ...]]
) -> int | None:
    for _, group in groupby(rows, key=lambda row: row[3]):
        edges = [Edge(entry, after - amount, after) for *_, entry, amount, after in group]
        settled = settle(at, edges)
        for gap in settled.gaps:
            chains.breaks.append(ChainBreak(wallet, currency, gap))
        if len(edges) > 1 and not settled.gaps and not chains_as_given(at, edges):
            chains.order_only += 1
        at = settled.end
    return at


def _mark_first_rows(definition: Definition, staging: Staging) -> None:
    """A lane that does not start at its wallet's opening balance is suspect, too."""
    if definition.wallets is None or "opening" not in definition.wallets.amounts:
        return
    staging.run(
        "UPDATE lanes SET suspect = true FROM wallets "
        "WHERE lanes.wallet = wallets.wallet AND lanes.currency = wallets.currency "
        "AND lanes.first_pre <> wallets.opening"
    )


def _suspects(definition: Definition, staging: Staging, cut_off: int) -> Iterator[tuple[Any, ...]]:
    """Rows of suspect lanes: wallet, currency, opening, instant, entry, amount, balance after."""
    opening, wallets = "NULL", ""
    if definition.wallets is not None and "opening" in definition.wallets.amounts:
        opening, wallets = "w.opening", "LEFT JOIN wallets w USING (wallet, currency)"
    order = '"order", entry' if definition.ordered else "entry"
    extra = ', "order"' if definition.ordered else ""
    return staging.stream(f"""
        SELECT wallet, currency, {opening}, posted_at, entry, amount, balance_after
        FROM (
            SELECT wallet, {currency_of(definition, "entries")}, posted_at, entry, amount,
                balance_after{extra}
            FROM entries
            WHERE posted_at < {cut_off} AND balance_after IS NOT NULL AND entry IS NOT NULL
        ) e
        SEMI JOIN (SELECT wallet, currency FROM lanes WHERE suspect) s USING (wallet, currency)
        {wallets}
        ORDER BY wallet, currency, posted_at, {order}
    """)  # noqa: S608


def _keep(staging: Staging, ends: list[tuple[Any, str, int]]) -> None:
    import pyarrow as pa

    if not ends:
        return
    wallets, currencies, balances = zip(*ends, strict=True)
    held = pa.table({"wallet": wallets, "currency": currencies, "last_balance": balances})
    staging.connection.register("settled", held)
    staging.run("INSERT INTO ends SELECT * FROM settled")
    staging.connection.unregister("settled")
