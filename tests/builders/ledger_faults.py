"""Faults that a ledger may have, each put into a row that is drawn."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.builders.ledger import DECIMALS, MINUS, PLUS, Entry, Id, Ledger, Money, Shape

_PART = Decimal("0.5")
_LONGEST = 10**18
REFERENCES = (None, "r1", "r1", "r2", "R1", "r1 ")
_SPELLINGS: Sequence[Callable[[str], str]] = (str.lower, lambda code: f" {code} ", str.title)

Fault = Callable[[st.DrawFn, Ledger, Sequence[Id]], None]


def _an_entry(draw: st.DrawFn, ledger: Ledger) -> Entry | None:
    return draw(st.sampled_from(ledger.entries)) if ledger.entries else None


def _copy_an_entry(draw: st.DrawFn, ledger: Ledger, pool: Sequence[Id]) -> None:
    if (entry := _an_entry(draw, ledger)) is None:
        return
    other = replace(entry)
    if draw(st.booleans()):
        other.id = draw(st.sampled_from(pool))
    for change in draw(st.lists(st.sampled_from(_CHANGES), max_size=1)):
        change(draw, other)
    ledger.entries.append(other)


def _move_the_instant(draw: st.DrawFn, entry: Entry) -> None:
    if entry.posted_at is not None:
        entry.posted_at += timedelta(seconds=draw(st.sampled_from([1, 30, 60, 61, -30])))


def _say_another_reference(draw: st.DrawFn, entry: Entry) -> None:
    entry.reference = draw(st.sampled_from(REFERENCES))


def _say_another_type(draw: st.DrawFn, entry: Entry) -> None:
    entry.type = draw(st.sampled_from([*PLUS, *MINUS]))


def _say_another_balance(draw: st.DrawFn, entry: Entry) -> None:
    entry.balance_after = _moved(draw, entry.balance_after)


_CHANGES = (
    _move_the_instant,
    _say_another_reference,
    _say_another_type,
    _say_another_balance,
)


def _moved(draw: st.DrawFn, money: Money | None) -> Money | None:
    step = draw(st.sampled_from([1, 2, 3, -1, -5, 250, -250, 10**16]))
    return None if money is None else money + step


def _repeat_the_last_amount(draw: st.DrawFn, ledger: Ledger, pool: Sequence[Id]) -> None:
    """As `_copy_an_entry`, but it moved the balance of everything since."""
    if (entry := _an_entry(draw, ledger)) is None or entry.posted_at is None:
        return
    up = _way(ledger.shape, entry)
    if up is None or not isinstance(entry.balance_after, int):
        return
    seconds = draw(st.sampled_from([0, 1, 30, 60]))
    later = replace(entry, id=draw(st.sampled_from(pool)))
    later.posted_at = entry.posted_at + timedelta(seconds=seconds)
    later.balance_after = entry.balance_after + up
    for other in ledger.entries:
        after = other.posted_at is not None and other.posted_at > entry.posted_at
        same = (other.wallet, other.currency) == (entry.wallet, entry.currency)
        if after and same and other.balance_after is not None:
            other.balance_after += up
    for wallet in ledger.wallets:
        same = (wallet.id, wallet.currency) == (entry.wallet, entry.currency)
        if same and wallet.balance is not None:
            wallet.balance += up
    ledger.entries.append(later)


def _way(shape: Shape, entry: Entry) -> int | None:
    if not isinstance(entry.amount, int) or not isinstance(entry.debit, int):
        return None
    if shape.ways == "type":
        return entry.amount if entry.type in PLUS else -entry.amount
    return entry.amount - (entry.debit if shape.ways == "pair" else 0)


def _name_another_wallet(draw: st.DrawFn, ledger: Ledger, pool: Sequence[Id]) -> None:
    if (entry := _an_entry(draw, ledger)) is not None:
        entry.wallet = draw(st.sampled_from(pool))


def _lose_a_wallet(draw: st.DrawFn, ledger: Ledger, pool: Sequence[Id]) -> None:
    if ledger.wallets:
        ledger.wallets.remove(draw(st.sampled_from(ledger.wallets)))


def _say_another_currency(draw: st.DrawFn, ledger: Ledger, pool: Sequence[Id]) -> None:
    rows: list[Any] = [*ledger.entries, *ledger.wallets]
    if rows:
        draw(st.sampled_from(rows)).currency = draw(st.sampled_from([*DECIMALS, "USD"]))


def _spell_a_currency(draw: st.DrawFn, ledger: Ledger, pool: Sequence[Id]) -> None:
    everything: list[Any] = [*ledger.entries, *ledger.wallets]
    rows = [row for row in everything if row.currency]
    if rows:
        row = draw(st.sampled_from(rows))
        row.currency = draw(st.sampled_from(_SPELLINGS))(row.currency)


def _drift(draw: st.DrawFn, ledger: Ledger, pool: Sequence[Id]) -> None:
    if ledger.wallets:
        wallet = draw(st.sampled_from(ledger.wallets))
        column = draw(st.sampled_from(["balance", "opening", "floor"]))
        setattr(wallet, column, _moved(draw, getattr(wallet, column)))


def _break_a_chain(draw: st.DrawFn, ledger: Ledger, pool: Sequence[Id]) -> None:
    if (entry := _an_entry(draw, ledger)) is not None:
        entry.balance_after = _moved(draw, entry.balance_after)


def _name_another_owner(draw: st.DrawFn, ledger: Ledger, pool: Sequence[Id]) -> None:
    if ledger.wallets:
        draw(st.sampled_from(ledger.wallets)).owner = draw(st.sampled_from([None, *pool]))


def _lack_something(draw: st.DrawFn, ledger: Ledger, pool: Sequence[Id]) -> None:
    rows: list[Any] = [*ledger.entries, *ledger.wallets]
    if rows:
        row = draw(st.sampled_from(rows))
        columns = ["id", "wallet", "currency", "type", "amount", "debit", "balance_after"]
        columns += ["posted_at", "seq", "reference", "owner", "opening", "balance", "floor"]
        held = [column for column in columns if hasattr(row, column)]
        setattr(row, draw(st.sampled_from(held)), None)


def _hold_no_whole_amount(draw: st.DrawFn, ledger: Ledger, pool: Sequence[Id]) -> None:
    """A part of the minor unit, or more than there is room for."""
    rows: list[Any] = [*ledger.entries, *ledger.wallets]
    if not rows:
        return
    row = draw(st.sampled_from(rows))
    names = ["amount", "debit", "balance_after", "opening", "balance", "floor"]
    name = draw(st.sampled_from([name for name in names if hasattr(row, name)]))
    value = getattr(row, name)
    if value is None:
        return
    large = [_LONGEST, -_LONGEST, _LONGEST + 1]
    if ledger.shape.amounts == "whole":
        value = draw(st.sampled_from([*large, 2**63 - 1, -(2**63)]))
    else:
        value = draw(st.sampled_from([value + _PART, *large, 2**63, -(10**20)]))
    setattr(row, name, value)


def _say_what_is_no_type(draw: st.DrawFn, ledger: Ledger, pool: Sequence[Id]) -> None:
    if (entry := _an_entry(draw, ledger)) is not None:
        entry.type = draw(st.sampled_from(["", "TOPUP", "topup ", "gift"]))


def _garble_an_instant(draw: st.DrawFn, ledger: Ledger, pool: Sequence[Id]) -> None:
    if (entry := _an_entry(draw, ledger)) is not None and ledger.shape.instants == "text":
        entry.garbled = draw(st.sampled_from(["", "soon", "2026-13-01", "9" * 20, "1.5"]))
        entry.posted_at = None


def _post_at_the_same_instant(draw: st.DrawFn, ledger: Ledger, pool: Sequence[Id]) -> None:
    if (entry := _an_entry(draw, ledger)) is not None:
        entry.posted_at = draw(st.sampled_from(ledger.entries)).posted_at


def _post_at_the_cut_off(draw: st.DrawFn, ledger: Ledger, pool: Sequence[Id]) -> None:
    if (entry := _an_entry(draw, ledger)) is not None and ledger.shape.cut_off.year < 2028:
        entry.posted_at = ledger.shape.cut_off


def _bear_the_id_of_another(draw: st.DrawFn, ledger: Ledger, pool: Sequence[Id]) -> None:
    if (entry := _an_entry(draw, ledger)) is not None:
        entry.id = draw(st.sampled_from(ledger.entries)).id


FAULTS: Sequence[Fault] = (
    _copy_an_entry,
    _copy_an_entry,
    _repeat_the_last_amount,
    _name_another_wallet,
    _lose_a_wallet,
    _say_another_currency,
    _spell_a_currency,
    _drift,
    _break_a_chain,
    _name_another_owner,
    _lack_something,
    _hold_no_whole_amount,
    _say_what_is_no_type,
    _garble_an_instant,
    _post_at_the_same_instant,
    _post_at_the_cut_off,
    _bear_the_id_of_another,
)
