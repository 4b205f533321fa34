"""Currency: every entry is in a currency that its wallet holds.

`CURRENCY_MISMATCH`: the wallet exists, but none of its rows is in the entry's currency. One break
for each entry, of its own amount in its own currency, in whose control totals it counts as the
term `mismatched`: no balance in that currency holds it. If the wallet's balance moved by the same
number all the same, the wallet drifts in its own currency, and the drift names the entry.

Codes are compared without case and without spaces around them: `sar` and ` SAR ` are SAR, wherever
a side says so, and that is no break. An entry of an unknown wallet is an orphan, and not this.
"""

from engine.reconciliation.checks.check import Answer, Material, Namesakes
from engine.reconciliation.definition import Plain
from engine.store.difference import Difference


def check_currency(material: Material, settings: Plain) -> Answer:
    """The entries, in the order of wallet, currency and id."""
    rows = material.staging.stream(
        "SELECT s.wallet, s.currency, s.entry, s.amount, h.held FROM strays s "
        "JOIN (SELECT wallet, string_agg(DISTINCT currency, ', ' ORDER BY currency) AS held "
        "FROM wallets WHERE wallet IN (SELECT wallet FROM strays) GROUP BY wallet) h "
        "USING (wallet) WHERE foreign_ AND NOT copied "
        "ORDER BY s.wallet, s.currency, s.entry, s.amount"
    )
    names = Namesakes()
    return Answer(
        differences=[
            Difference(
                check="currency",
                code="CURRENCY_MISMATCH",
                kind="currency",
                wallet=str(wallet),
                entry=names.name(wallet, currency, entry),
                currency=currency,
                amount_minor=amount,
                actual_minor=amount,
                severity="high",
                details={"wallet_holds": held},
            )
            for wallet, currency, entry, amount, held in rows
        ]
    )
