"""The balance that is stored for each wallet, beside the one that its entries give.

Made as the table `stored`: wallet, currency, stored, expected, opening. A wallet's balance is
what it is at the snapshot; at an earlier cut-off it is less by the entries since.
"""

from engine.reconciliation.definition import Definition
from engine.reconciliation.staging import Staging


def find_stored(definition: Definition, staging: Staging) -> None:
    """Make the table `stored` out of `lanes`, `ends` and `wallets`."""
    if definition.stored == "last_balance_after":
        staging.run(f"CREATE TABLE stored AS {_last_balances(definition)}")
    elif definition.wallets is not None and "balance" in definition.wallets.amounts:
        staging.run(f"CREATE TABLE stored AS {_wallet_balances(definition)}")
    else:
        staging.run(
            "CREATE TABLE stored (wallet VARCHAR, currency VARCHAR, stored HUGEINT, "
            "expected HUGEINT, opening HUGEINT)"
        )


def _wallet_balances(definition: Definition) -> str:
    opening = _opening(definition)
    return f"""
        SELECT w.wallet, w.currency,
            w.balance - coalesce(l.total - l.counted, 0) AS stored,
            {opening} + coalesce(l.counted, 0) AS expected,
            {opening}::HUGEINT AS opening
        FROM wallets w LEFT JOIN lanes l USING ({definition.lane})
    """  # noqa: S608


def _last_balances(definition: Definition) -> str:
    # Where no entry says a balance, the wallet still holds what it opened with.
    opening, whose, lanes = "0", "l", "lanes l"
    if definition.wallets is not None:
        opening, whose = _opening(definition), "w"
        lanes = f"wallets w LEFT JOIN lanes l USING ({definition.lane})"
    return f"""
        SELECT {whose}.wallet, {whose}.currency,
            coalesce(e.last_balance, l.last_balance, {opening})::HUGEINT AS stored,
            {opening} + coalesce(l.counted, 0) AS expected,
            {opening}::HUGEINT AS opening
        FROM {lanes} LEFT JOIN ends e USING ({definition.lane})
    """  # noqa: S608


def _opening(definition: Definition) -> str:
    has = definition.wallets is not None and "opening" in definition.wallets.amounts
    return "w.opening" if has else "0"
