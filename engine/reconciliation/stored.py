"""The balance that is stored for each wallet, beside the one that its entries give.

Made as `stored`, a table or a view: wallet, currency, stored, expected, opening, floor. A wallet's
balance is what it is at the snapshot; at an earlier cut-off it is less by the entries since.
"""

from engine.reconciliation.definition import Definition
from engine.reconciliation.staging import Staging

_COLUMNS = """
    SELECT wallet, currency, {stored} AS stored,
        coalesce(opening, 0) + coalesce(counted, 0) AS expected,
        coalesce(opening, 0)::HUGEINT AS opening, coalesce(floor, {floor}) AS floor"""


def find_stored(definition: Definition, staging: Staging) -> None:
    """Make `stored` out of `holdings` and, with the last balances, `ends`."""
    floor = definition.floor.floor if definition.floor else 0
    if definition.stored == "last_balance_after":
        # Where no entry says a balance, the wallet still holds what it opened with.
        last = _COLUMNS.format(
            stored="coalesce(ends.last_balance, holdings.last_balance, opening, 0)::HUGEINT",
            floor=floor,
        )
        staging.run(
            f"CREATE TABLE stored AS {last} FROM holdings "
            "LEFT JOIN ends USING (wallet, currency) WHERE known"
        )
    elif definition.wallets is not None and "balance" in definition.wallets.amounts:
        now = _COLUMNS.format(stored="balance - coalesce(total - counted, 0)", floor=floor)
        # Not worth a table: it is added up once, and then asked for the few that are apart.
        staging.run(f"CREATE VIEW stored AS {now} FROM holdings WHERE known")
    else:
        staging.run(
            "CREATE TABLE stored (wallet VARCHAR, currency VARCHAR, stored HUGEINT, "
            "expected HUGEINT, opening HUGEINT, floor BIGINT)"
        )
