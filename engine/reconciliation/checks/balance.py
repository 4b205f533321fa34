"""Balance: what a wallet stores is its opening balance and every entry up to the cut-off.

`BALANCE_DRIFT` is a break of the wallet, of stored less expected. Every entry counts, an exact copy
too, because that is what the ledger says; an entry in a currency that the wallet does not hold
counts nowhere. So a copy that moved the balance once only is a drift as well, by minus its amount,
and a mismatched entry that moved the balance all the same is one by its amount. Where the drift is
exactly what all copies, all mismatched entries, or both of the wallet come to, `explained_by` in
the details names those entries and the severity is low; no amount is taken off, so that the
control totals tie out with what is listed.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.reconciliation.checks.check import Answer, Material
from engine.reconciliation.definition import Tolerance
from engine.store.difference import Difference

_MOST_NAMED = 20


@dataclass
class _Others:
    """Breaks of a wallet's entries that a drift may come from."""

    amount: int = 0
    entries: list[str] = field(default_factory=list)


def check_balance(material: Material, settings: Tolerance) -> Answer:
    """Wallets whose stored balance has drifted, in the order of their ids."""
    apart = "abs(stored - expected)"
    rows = material.staging.stream(
        f"SELECT wallet, currency, stored, expected FROM stored WHERE {apart} > ? "  # noqa: S608
        "ORDER BY wallet, currency",
        [settings.tolerance],
    )
    copies, foreign = _copies(material), _foreign(material)
    differences = []
    for wallet, currency, stored, expected in rows:
        why = _explained(
            stored - expected,
            copies.get((wallet, currency), _Others()),
            foreign.get(wallet, _Others()),
        )
        differences.append(
            Difference(
                check="balance",
                code="BALANCE_DRIFT",
                kind="amount",
                wallet=str(wallet),
                entry=None,
                currency=currency,
                amount_minor=stored - expected,
                expected_minor=expected,
                actual_minor=stored,
                severity="low" if why else "medium",
                details={"explained_by": why} if why else {},
            )
        )
    within = material.staging.rows(
        f"SELECT count(*) FROM stored WHERE {apart} BETWEEN 1 AND ?",  # noqa: S608
        [settings.tolerance],
    )[0][0]
    return Answer(
        differences=differences,
        information={"WITHIN_TOLERANCE": within} if within else {},
    )


def _explained(drift: int, copies: _Others, foreign: _Others) -> Mapping[str, list[str]]:
    copied = {"DUPLICATE_EXACT": copies.entries[:_MOST_NAMED]} if copies.entries else {}
    mismatched = {"CURRENCY_MISMATCH": foreign.entries[:_MOST_NAMED]} if foreign.entries else {}
    for amount, why in (
        (-copies.amount, copied),
        (foreign.amount, mismatched),
        (foreign.amount - copies.amount, copied | mismatched),
    ):
        if amount == drift and why:
            return why
    return {}


def _copies(material: Material) -> Mapping[tuple[Any, str], _Others]:
    """By wallet and currency, the exact copies in wallets that drift."""
    found: defaultdict[tuple[Any, str], _Others] = defaultdict(_Others)
    if "duplicate" in material.definition.checks:
        for wallet, currency, amount, name in material.staging.stream(_DRIFTING.format("copies")):
            found[wallet, currency].amount += amount
            found[wallet, currency].entries.append(name)
    return found


def _foreign(material: Material) -> Mapping[Any, _Others]:
    """By wallet, the entries in currencies that it does not hold, if it drifts."""
    found: defaultdict[Any, _Others] = defaultdict(_Others)
    if "currency" in material.definition.checks:
        strays = (
            "(SELECT *, entry::VARCHAR AS name FROM strays WHERE foreign_ AND NOT copied) strays"
        )
        for wallet, _, amount, name in material.staging.stream(_DRIFTING.format(strays)):
            found[wallet].amount += amount
            found[wallet].entries.append(name)
    return found


_DRIFTING = (
    "SELECT wallet, currency, amount, name FROM {} "
    "WHERE wallet IN (SELECT wallet FROM stored WHERE stored <> expected) "
    "ORDER BY wallet, currency, entry, name"
)
