"""Who else finds the wallets that drift: by the manual, by SQL tuned by hand, by data frames."""

import sqlite3
from contextlib import closing
from urllib.parse import urlsplit

from benchmarks.canteen.ledger import CUT_OFF

Drifts = dict[str, int]

_WALLETS = "SELECT id, opening_minor, balance_minor FROM wallets"
_ENTRIES = "SELECT wallet_id, type, amount_minor, posted_at FROM entries"
_MOVED = "sum(CASE WHEN type IN ('topup', 'refund') THEN amount_minor ELSE -amount_minor END)"
# The covering index gives the entries of each wallet together, and nothing is sorted or hashed.
_TUNED = f"""
    SELECT id, drift FROM (
        SELECT id, balance_minor - opening_minor - coalesce(moved, 0) AS drift
        FROM wallets LEFT JOIN (
            SELECT wallet_id, {_MOVED} AS moved FROM entries
            WHERE posted_at < '{CUT_OFF}' GROUP BY wallet_id
        ) AS lanes ON wallet_id = id
    ) AS balances WHERE drift <> 0
"""  # noqa: S608


def pandas_on_sqlite(url: str) -> Drifts:
    """`read_sql` and a groupby, as the manual of pandas would have it."""
    import pandas as pd

    with closing(sqlite3.connect(_file(url))) as connection:
        entries = pd.read_sql(_ENTRIES, connection)
        wallets = pd.read_sql(_WALLETS, connection)
    entries = entries[entries["posted_at"] < CUT_OFF]
    sign = entries["type"].map({"topup": 1, "refund": 1, "purchase": -1, "withdrawal": -1})
    sums = (entries["amount_minor"] * sign).groupby(entries["wallet_id"]).sum()
    moved = wallets["id"].map(sums).fillna(0).astype("int64")
    drift = wallets["balance_minor"] - wallets["opening_minor"] - moved
    found = wallets["id"][drift != 0]
    return {str(each): int(by) for each, by in zip(found, drift[drift != 0], strict=True)}


def polars_over_adbc(url: str) -> Drifts:
    """Frames read through ADBC, the fastest reader that polars has for a database."""
    import polars as pl

    entries = pl.read_database_uri(_ENTRIES, url, engine="adbc")
    wallets = pl.read_database_uri(_WALLETS, url, engine="adbc")
    before = pl.col("posted_at") < (
        pl.lit(CUT_OFF)
        if entries["posted_at"].dtype == pl.String
        else pl.lit(CUT_OFF).str.to_datetime()
    )
    signed = (
        pl.when(pl.col("type").is_in(["topup", "refund"]))
        .then(pl.col("amount_minor"))
        .otherwise(-pl.col("amount_minor"))
    )
    moved = entries.lazy().filter(before).group_by("wallet_id").agg(signed.sum().alias("moved"))
    drift = pl.col("balance_minor") - pl.col("opening_minor") - pl.col("moved").fill_null(0)
    found = (
        wallets.lazy()
        .join(moved, left_on="id", right_on="wallet_id", how="left")
        .select("id", drift.alias("drift"))
        .filter(pl.col("drift") != 0)
        .collect()
    )
    return {str(each): by for each, by in found.iter_rows()}


def tuned_sql(url: str) -> Drifts:
    """One statement over a covering index, carried out by the database itself."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(_file(url))) as connection:
            rows = connection.execute(_TUNED).fetchall()
    else:
        import psycopg

        with psycopg.connect(url) as server:
            rows = server.execute(_TUNED.encode()).fetchall()
    return {str(wallet): int(by) for wallet, by in rows}


def _file(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")
