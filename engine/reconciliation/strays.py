"""Strays: entries that no wallet holds, because there is no such wallet, or none in the currency.

Made as the table `strays`. They are `foreign_` if the wallet holds other currencies, and `copied`
if they are exact copies, which are duplicates first.
Rows after the cut-off, and rows with something missing (a finding has them), are left out.
"""

from engine.reconciliation.copies import sound
from engine.reconciliation.definition import Definition
from engine.reconciliation.staging import Staging


def find_strays(definition: Definition, staging: Staging, *, cut_off: int) -> None:
    """Make the table `strays` out of `strangers`; where there are none, no entry is looked at."""
    lane = ", ".join(definition.entry_lane)
    copied, joined = "false", ""
    if "duplicate" in definition.checks:
        copied = "copy IS NOT NULL"
        joined = "LEFT JOIN (SELECT row_ AS copy FROM copies) ON copy = e.rowid"
    staging.run(f"""
        CREATE TABLE strays AS
        SELECT wallet, s.currency, entry, amount, foreign_, {copied} AS copied
        FROM entries e JOIN strangers s USING ({lane}) {joined}
        WHERE {sound(definition, cut_off)}
    """)  # noqa: S608
