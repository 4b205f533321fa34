"""Control totals: proof by currency that nothing was lost between the source and the answer.

In each currency, at the cut-off:

    stored - opening - entries = drift - orphans - mismatched

Every sum on the left is an aggregate that the source itself gives (less what was posted since,
for a cut-off in the past): the stored and the opening balances of all wallets, and all entries,
whether a wallet holds them or not. On the right is what the comparison found: `drift` is stored
less expected of every wallet, within the tolerance or not; `orphans` are the entries of wallets
that do not exist; `mismatched` are the entries in this currency of wallets that hold others only,
which so belong to no wallet's balance either.

An entry that is there twice counts twice: on the left among the entries, on the right in the
drift of its wallet (which it makes, if the balance moved once), or among the orphans or the
mismatched, if it is a copy of one of those. So the orphans and mismatched are those that are
listed as such, and those of their copies that are listed as duplicates.
"""

from collections.abc import Mapping, Sequence

from engine.errors import EngineError
from engine.money import format_minor
from engine.reconciliation.definition import Definition
from engine.reconciliation.result import ControlTotals
from engine.reconciliation.staged_side import Totals
from engine.reconciliation.staging import Staging


class TotalsDoNotTie(EngineError):
    """What the source adds up to is not what was compared; the run's answer would be wrong."""

    message = (
        "control totals do not tie out: {problems}. Rows were lost or doubled between the source "
        "and the comparison; nothing was recorded. Run again, and report it if it stays"
    )


def tie_out(
    definition: Definition, staging: Staging, asked: Mapping[str, Totals]
) -> Sequence[ControlTotals]:
    """The totals of each currency; raises TotalsDoNotTie unless every one ties out.

    `asked` are the totals by side, as their sources gave them. What happened at or after the
    cut-off is taken off both the stored balances and the entries.
    """
    staged = _staged(staging)
    totals, problems = [], []
    for currency in sorted({*staged, *asked["entries"], *asked.get("wallets", {})}):
        one = _of_currency(definition, currency, staged.get(currency, {}), asked)
        totals.append(one)
        if one.gap_minor:
            gap = format_minor(one.gap_minor, currency)
            problems.append(f"{currency} is off by {gap}")
    problems += _lost_rows(staging, asked)
    if problems:
        raise TotalsDoNotTie(problems="; ".join(problems))
    return totals


def _of_currency(
    definition: Definition, currency: str, staged: Mapping[str, int], asked: Mapping[str, Totals]
) -> ControlTotals:
    of = {side: totals.get(currency, (0, {})) for side, totals in asked.items()}
    wallets, sums = of.get("wallets", (staged.get("wallets", 0), {}))
    entries, entry_sums = of["entries"]
    later, later_rows = staged.get("later", 0), staged.get("later_rows", 0)
    orphans, mismatched = staged.get("orphans", 0), staged.get("mismatched", 0)
    by_wallet = definition.stored == "balance"
    checked = definition.wallets is not None and "balance" in definition.wallets.amounts
    checked = checked and by_wallet
    since = later - staged.get("strange_later", 0)  # what moved a stored balance
    stored = sums.get("balance", 0) - since if checked else staged.get("stored", 0)
    counted = entry_sums["amount"] - later if entry_sums else 0
    opening = sums.get("opening", 0)
    if not checked and by_wallet:
        # Nothing is stored anywhere: no balance was compared.
        stored, orphans, mismatched = opening + counted, 0, 0
    return ControlTotals(
        currency=currency,
        stored_minor=stored,
        opening_minor=opening,
        entries_minor=counted,
        drift_minor=staged.get("drift", 0),
        orphans_minor=orphans,
        mismatched_minor=mismatched,
        wallets=wallets,
        entries=entries - later_rows,
    )


def _staged(staging: Staging) -> Mapping[str, Mapping[str, int]]:
    """By currency, what the comparison itself made of the rows."""
    found: dict[str, dict[str, int]] = {}
    for currency, later, later_rows, lanes in staging.rows(
        "SELECT currency, sum(total - counted), sum(later_rows), count(*) "
        "FROM holdings WHERE total IS NOT NULL GROUP BY currency"
    ):
        found[currency] = {"later": later, "later_rows": later_rows, "wallets": lanes}
    for currency, later, orphans, mismatched in staging.rows(
        "SELECT currency, sum(total - counted), coalesce(sum(counted) FILTER (NOT foreign_), 0), "
        "coalesce(sum(counted) FILTER (foreign_), 0) FROM strangers GROUP BY currency"
    ):
        found[currency] |= {"strange_later": later, "orphans": orphans, "mismatched": mismatched}
    for currency, stored, drift in staging.rows(
        "SELECT currency, sum(stored), sum(stored - expected) FROM stored GROUP BY currency"
    ):
        found.setdefault(currency, {}).update(stored=stored, drift=drift)
    return {
        currency: {name: int(value) for name, value in values.items()}
        for currency, values in found.items()
    }


def _lost_rows(staging: Staging, asked: Mapping[str, Totals]) -> list[str]:
    # Rows that add up to nothing can be lost without a gap, so they are counted as well.
    problems = []
    for side, totals in sorted(asked.items()):
        given = sum(rows for rows, _ in totals.values())
        if (staged := staging.count(side)) != given:
            problems.append(f"of side {side} {staged} rows were compared, the source has {given}")
    return problems
