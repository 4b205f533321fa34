"""What the gateways paid out: a batch for each gateway and day, made from the topups of the day."""

import sqlite3
from typing import NamedTuple

from engine.demo.names import Name


class Gateway(NamedTuple):
    """A way to pay, its names, what it costs and when it pays."""

    code: str
    name: Name
    fee_basis_points: int
    days: int


GATEWAYS = (
    Gateway("MADA", Name("مدى", "mada"), 80, 1),
    Gateway("APPLEPAY", Name("أبل باي", "Apple Pay"), 150, 1),
    Gateway("STCPAY", Name("إس تي سي باي", "STC Pay"), 120, 2),
)
_VAT = 15  # percent, of the fee

# Riyadh is three hours ahead all year; halves of a halala are rounded up, as the gateways do.
_SETTLE = f"""
INSERT INTO settlements
SELECT row_number() OVER (ORDER BY day, code), code, day, date(day, '+' || days || ' days'),
       code || '-' || replace(day, '-', ''), payments, gross, fee, vat, gross - fee - vat, currency
FROM (
    SELECT *, (fee * {_VAT} + 50) / 100 AS vat
    FROM (
        SELECT g.code, g.days, date(e.posted_at, '+3 hours') AS day, e.currency,
               count(*) AS payments, sum(e.amount_minor) AS gross,
               (sum(e.amount_minor) * g.fee_basis_points + 5000) / 10000 AS fee
        FROM entries e
        JOIN gateways g ON g.code = substr(e.reference, 1, instr(e.reference, '-') - 1)
        WHERE e.type = 'topup'
        GROUP BY g.code, day, e.currency
    )
)
"""  # noqa: S608 - a number of ours


def insert_settlements(connection: sqlite3.Connection) -> None:
    """Write the gateways, and what each settled of the entries that are there."""
    connection.executemany(
        "INSERT INTO gateways VALUES (?, ?, ?, ?, ?)",
        ((each.code, *each.name, each.fee_basis_points, each.days) for each in GATEWAYS),
    )
    connection.execute(_SETTLE)
