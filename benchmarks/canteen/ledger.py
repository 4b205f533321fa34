"""A canteen's ledger of any size, in SQLite or PostgreSQL, with errors planted in it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

CUT_OFF = "2026-04-01 00:00:00"
PLANTED = 200  # of each kind
START = 1_767_225_600  # 2026-01-01T00:00:00Z
SECONDS = 90 * 86_400

_CHUNK = 500_000
_TABLES = {
    "wallets": "id {id}, currency TEXT NOT NULL, opening_minor BIGINT NOT NULL, "
    "balance_minor BIGINT NOT NULL",
    "entries": "id {id}, wallet_id BIGINT NOT NULL, reference TEXT NOT NULL, type TEXT NOT NULL, "
    "amount_minor BIGINT NOT NULL, currency TEXT NOT NULL, balance_after_minor BIGINT NOT NULL, "
    "posted_at {instant} NOT NULL, status TEXT NOT NULL",
    "planted": "kind TEXT NOT NULL, wallet BIGINT NOT NULL, entry BIGINT",
}
# What a balance needs, so that the table itself is never looked at.
COVERING = "CREATE INDEX covering ON entries (wallet_id, type, amount_minor, posted_at)"


def make_sqlite(path: Path, wallets: int, entries: int) -> None:
    """The ledger as a SQLite file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        for table, columns in _TABLES.items():
            shape = columns.format(id="INTEGER PRIMARY KEY", instant="TEXT")
            connection.execute(f"CREATE TABLE {table} ({shape})")
        for table, rows in _chunks(wallets, entries):
            marks = ", ".join("?" * (_TABLES[table].count(",") + 1))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608
        connection.execute(COVERING)
        connection.execute("ANALYZE")
        connection.commit()


def make_postgres(url: str, wallets: int, entries: int) -> None:
    """The ledger in an empty PostgreSQL database; a role `reader` may look at it."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for table, columns in _TABLES.items():
            shape = columns.format(id="BIGINT", instant="TIMESTAMP")
            connection.execute(f"CREATE TABLE {table} ({shape})".encode())
        for table, rows in _chunks(wallets, entries):
            with connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
                for row in rows:
                    copy.write_row(row)
        connection.execute("ALTER TABLE wallets ADD PRIMARY KEY (id)")
        connection.execute("ALTER TABLE entries ADD PRIMARY KEY (id)")
        connection.execute(COVERING.encode())
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        connection.execute("VACUUM (ANALYZE)")


def _chunks(wallets: int, entries: int) -> Iterator[tuple[str, Iterator[tuple[Any, ...]]]]:
    """The rows of each table, some at a time; entries are in the order of time.

    Planted are drifts, broken chains, entries that were posted twice, and entries of wallets
    that are not there.
    """
    import numpy as np

    random = np.random.default_rng(7)
    wallet = random.integers(1, wallets + 1, size=entries)
    kind = np.searchsorted([0.12, 0.96, 0.98], random.random(entries))
    amount = np.where(
        kind == 0,
        random.integers(2_000, 20_000, size=entries),
        random.integers(100, 3_000, size=entries),
    )
    signed = np.where((kind == 0) | (kind == 2), amount, -amount)
    opening = random.integers(5_000, 50_000, size=wallets + 1)
    posted = np.sort(random.integers(0, SECONDS, size=entries)) + START
    by_wallet = np.argsort(wallet, kind="stable")
    running = np.cumsum(signed[by_wallet])
    firsts = np.r_[True, np.diff(wallet[by_wallet]) != 0]
    base = np.maximum.accumulate(np.where(firsts, np.arange(entries), 0))
    after = np.empty(entries, dtype=np.int64)
    after[by_wallet] = running - (running - signed[by_wallet])[base] + opening[wallet[by_wallet]]
    balance = opening.copy()
    np.add.at(balance, wallet, signed)
    drifting = random.choice(np.arange(1, wallets + 1), size=PLANTED, replace=False)
    balance[drifting] += random.integers(1, 5_000, size=PLANTED)
    # One wrong balance in mid-life breaks its chain going in and coming out.
    last = np.r_[np.diff(wallet[by_wallet]) != 0, True]
    inner = by_wallet[~firsts & ~last]
    chosen = random.choice(inner, size=PLANTED, replace=False)
    _, once = np.unique(wallet[chosen], return_index=True)
    broken = chosen[once]
    after[broken] += 1
    names = np.array(["topup", "purchase", "refund", "withdrawal"])
    ids = range(1, wallets + 1)
    sar = ["SAR"] * wallets
    yield "wallets", zip(ids, sar, opening[1:].tolist(), balance[1:].tolist(), strict=True)
    for start in range(0, entries, _CHUNK):
        part = slice(start, min(start + _CHUNK, entries))
        texts = np.datetime_as_string(posted[part].astype("datetime64[s]")).tolist()
        yield (
            "entries",
            (
                (
                    number,
                    owner,
                    f"E{number}",
                    name,
                    size,
                    "SAR",
                    left,
                    text.replace("T", " "),
                    "posted",
                )
                for number, owner, name, size, left, text in zip(
                    range(part.start + 1, part.stop + 1),
                    wallet[part].tolist(),
                    names[kind[part]].tolist(),
                    amount[part].tolist(),
                    after[part].tolist(),
                    texts,
                    strict=True,
                )
            ),
        )
    doubled = random.choice(np.setdiff1d(inner, broken), size=PLANTED, replace=False).tolist()
    stray = [int(posted[-1]) - at for at in range(PLANTED)]

    def text(second: int) -> str:
        return str(np.datetime64(second, "s")).replace("T", " ")

    yield "entries", iter(
        [
            (entries + number, int(wallet[at]), f"E{at + 1}", str(names[kind[at]]),
             int(amount[at]), "SAR", int(after[at]), text(int(posted[at])), "posted")
            for number, at in enumerate(doubled, start=1)
        ]
        + [
            (entries + PLANTED + number, wallets + number, f"S{number}", "topup",
             1_000, "SAR", 1_000, text(second), "posted")
            for number, second in enumerate(stray, start=1)
        ]
    )  # fmt: skip
    yield (
        "planted",
        iter(
            [("drift", int(each), None) for each in drifting]
            + [("chain", int(wallet[at]), at + 1) for at in broken.tolist()]
            + [("duplicate", int(wallet[at]), entries + n) for n, at in enumerate(doubled, start=1)]
            + [("orphan", wallets + n, entries + PLANTED + n) for n in range(1, PLANTED + 1)]
        ),
    )
