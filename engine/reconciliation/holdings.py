"""Holdings: each wallet beside the lane of its entries, joined once for everything that asks."""

from engine.reconciliation.definition import Definition
from engine.reconciliation.lanes import drop_lanes
from engine.reconciliation.staged_side import wanted
from engine.reconciliation.staging import Staging


def join_holdings(definition: Definition, staging: Staging) -> None:
    """Make the table `holdings` out of `wallets` and `lanes`, which it takes the place of.

    A wallet without entries has no `total`. A lane whose wallet is not `known` is among the
    `strangers` as well; it is `foreign_` if there is such a wallet, but in other currencies only.
    """
    lane = ["total", "counted", "later_rows"]
    if definition.walks:
        lane += ["first_pre", "last_balance", "suspect", "crowded"]
    wallet = dict.fromkeys(("opening", "balance", "floor"), "NULL::BIGINT")
    if definition.wallets is None:
        held = "lanes"
        known, currency = "true", "currency"
    else:
        wallet |= {name: name for name in wallet if name in wanted(definition, definition.wallets)}
        held = f"wallets FULL JOIN lanes USING ({definition.lane})"
        known = "wallets.currency IS NOT NULL"
        currency = "coalesce(wallets.currency, lanes.currency) AS currency"
    columns = ", ".join([*(f"{how} AS {name}" for name, how in wallet.items()), *lane])
    staging.run(
        f"CREATE TABLE holdings AS SELECT wallet, {currency}, {known} AS known, {columns} "  # noqa: S608
        f"FROM {held}"
    )
    drop_lanes(staging)
    foreign = "false"
    if definition.wallets is not None:
        foreign = "wallet IN (SELECT wallet FROM wallets)"
    staging.run(
        f"CREATE TABLE strangers AS SELECT wallet, currency, total, counted, {foreign} AS foreign_ "  # noqa: S608
        "FROM holdings WHERE NOT known"
    )
