"""Random ledgers: a strategy that makes one which is in order, with a few faults put into it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.builders.ledger import (
    DECIMALS,
    MINUS,
    PLUS,
    START,
    Entry,
    Id,
    Ledger,
    Shape,
    Wallet,
)
from tests.builders.ledger_faults import FAULTS, REFERENCES

_KINDS = ("whole", "number", "text")
_OPTIONAL = (
    "owners",
    "opening",
    "floor",
    "entry currency",
    "wallet currency",
    "reference",
    "code",
    "order",
)
_TEXT_IDS = (
    *("a", "A", "a ", "b", "é", "07", "7", "x'y", "p/q", "\\", "%", "ß", "z", "10", "9"),
    *("Ⅷ", "🙂", "c", "C", "-1", "d", "e1", "1e1", "0x1", "f", "g", "h", "i", "j", "k"),
)
_WHOLE_IDS = (*range(1, 25), 100, -3, 0, 10**17, 10**17 + 1, 99, 98)
_GAPS = (0, 0, 1, 30, 59, 60, 61, 300, 3600, 86_400)
_AMOUNTS = st.one_of(
    st.sampled_from([0, 1, 5, 5, 5, 250, 250, 1000]),
    st.integers(0, 20_000),
    st.sampled_from([10**9, 10**15, 10**17]),
)


@st.composite
def shapes(draw: st.DrawFn, *, asked: Sequence[str] | None = None) -> Shape:
    """Any shape whose definition is valid; `asked` are its checks, else any."""
    numbers = draw(st.booleans())
    ids = st.sampled_from(_KINDS) if numbers else st.just("text")
    mapped = {name for name in _OPTIONAL if draw(st.booleans())}
    known = st.lists(st.sampled_from(sorted(_CHECKS)), min_size=1, unique=True)
    some = st.one_of(st.just(sorted(_CHECKS)), known)
    checks = {name: draw(_CHECKS[name]) for name in (asked or draw(some))}
    if not {"entry currency", "wallet currency"} & mapped:
        checks.pop("currency", None)
    if "orphan" not in checks:
        mapped.discard("owners")
    if not checks:
        checks = {"balance": {"tolerance": 0}}
    return Shape(
        owner_ids=draw(ids),
        wallet_owners=draw(ids),
        wallet_ids=draw(ids),
        entry_wallets=draw(ids),
        entry_ids=draw(ids),
        amounts=draw(st.sampled_from(["whole", "number", "major"])),
        ways=draw(st.sampled_from(["minus", "type", "pair"])),
        instants=draw(st.sampled_from(["instant", "text", "whole"])),
        zone=draw(st.sampled_from(["UTC", "Asia/Riyadh", "Asia/Kolkata"])),
        mapped=frozenset(mapped),
        stored=draw(st.sampled_from(["balance", "balance", "last_balance_after"])),
        checks=checks,
        cut_off=START + timedelta(seconds=draw(st.sampled_from([0, 300, 3600, 10**8, 10**8]))),
    )


_CHECKS: Mapping[str, st.SearchStrategy[Mapping[str, Any]]] = {
    "balance": st.fixed_dictionaries({"tolerance": st.sampled_from([0, 0, 2])}),
    "chain": st.fixed_dictionaries({"tolerance": st.sampled_from([0, 0, 2])}),
    "currency": st.just({}),
    "duplicate": st.fixed_dictionaries({"within": st.sampled_from(["60s", "60s", "1s", "1d"])}),
    "negative": st.fixed_dictionaries(
        {"floor": st.sampled_from([0, 0, -100, 250]), "running": st.booleans()}
    ),
    "orphan": st.just({}),
}


@st.composite
def ledgers(
    draw: st.DrawFn,
    *,
    most: int = 6,
    faults: int = 4,
    ties: bool = True,
    asked: Sequence[str] | None = None,
) -> Ledger:
    """At most three wallets, with `most` entries each and so many faults, in any order.

    Without `ties`, entries of one instant are at most copies of each other.
    """
    ledger = Ledger(shape=draw(shapes(asked=asked)))
    pool: Sequence[Id] = _TEXT_IDS if _is_text(ledger.shape) else _WHOLE_IDS
    ledger.owners = list(draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3)))
    wallet_ids = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3, unique=True))
    ids = iter(draw(st.permutations(pool)))
    for id_ in wallet_ids:
        codes = draw(st.lists(st.sampled_from([*DECIMALS]), min_size=1, max_size=2, unique=True))
        for code in codes:
            _open(draw, ledger, id_, code)
            _live(draw, ledger, ids, most // len(codes), ties=ties)
    for _ in range(draw(st.integers(0, faults))):
        draw(st.sampled_from(FAULTS))(draw, ledger, pool)
    if not ties:
        _spread(ledger)
    _leave_single_wallets(ledger)
    return ledger


def shuffled(ledger: Ledger, random: Random) -> Ledger:
    """The same rows in another order."""
    other = replace(
        ledger, owners=[*ledger.owners], wallets=[*ledger.wallets], entries=[*ledger.entries]
    )
    for rows in (other.owners, other.wallets, other.entries):
        random.shuffle(rows)
    return other


def _open(draw: st.DrawFn, ledger: Ledger, id_: Id, code: str) -> None:
    opening = draw(_AMOUNTS)
    floor = draw(st.sampled_from([None, None, 0, -1000]))
    owner = draw(st.sampled_from(ledger.owners))
    wallet = Wallet(
        id=id_, owner=owner, currency=code, opening=opening, balance=opening, floor=floor
    )
    ledger.wallets.append(wallet)


def _live(draw: st.DrawFn, ledger: Ledger, ids: Iterator[Id], most: int, *, ties: bool) -> None:
    """Entries of the wallet that was opened last, each of which moves its balance."""
    wallet, at = ledger.wallets[-1], START
    balance = wallet.balance if ledger.shape.maps("opening") else 0
    assert isinstance(balance, int)
    wallet.opening = balance
    for _ in range(draw(st.integers(0, most))):
        if (id_ := next(ids, None)) is None:
            break
        gap = draw(st.sampled_from(_GAPS))
        at += timedelta(seconds=gap if ties else max(1, gap))
        amount = draw(_AMOUNTS)
        up = draw(st.booleans())
        balance += amount if up else -amount
        ledger.entries.append(
            Entry(
                id=id_,
                wallet=wallet.id,
                currency=wallet.currency,
                type=draw(st.sampled_from(PLUS if up else MINUS)),
                reference=draw(st.sampled_from(REFERENCES)),
                amount=_held_amount(ledger.shape, amount, up=up),
                debit=0 if up else amount,
                balance_after=balance,
                posted_at=at,
                seq=draw(st.integers(0, 9)),
                style=draw(st.integers(0, 2)),
            )
        )
    wallet.balance = balance


def _held_amount(shape: Shape, amount: int, *, up: bool) -> int:
    if shape.ways == "pair":
        return amount if up else 0
    return amount if up or shape.ways == "type" else -amount


def _is_text(shape: Shape) -> bool:
    kinds = (shape.owner_ids, shape.wallet_owners, shape.wallet_ids)
    return {*kinds, shape.entry_wallets, shape.entry_ids} == {"text"}


def _spread(ledger: Ledger) -> None:
    """Move what is no exact copy of another row away from its instant."""
    taken: dict[datetime, tuple[Any, ...]] = {}
    for entry in ledger.entries:
        facts = (
            *(entry.wallet, entry.currency, entry.amount, entry.debit, entry.type),
            *(entry.reference, entry.balance_after),
        )
        while entry.posted_at is not None and taken.setdefault(entry.posted_at, facts) != facts:
            entry.posted_at += timedelta(seconds=1)


def _leave_single_wallets(ledger: Ledger) -> None:
    """Nobody knows which balance is meant of a wallet that is there twice, and it is refused."""
    shape = ledger.shape
    seen: set[tuple[str, str]] = set()
    left = []
    for wallet in ledger.wallets:
        own = shape.maps("wallet currency")
        code = (wallet.currency or "").strip().upper() if own else ""
        if (key := (str(wallet.id), code)) not in seen:
            left.append(wallet)
            seen.add(key)
    ledger.wallets = left
