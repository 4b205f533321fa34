"""Negative: no wallet is below its floor.

`NEGATIVE_BALANCE`: the balance that is stored at the cut-off is less than the floor, which is the
wallet's own where the definition maps `floor` (an agreed overdraft, say -5000) and the row has
one, else that of the check, which is 0. Exactly the floor is not below it. The amount is stored
less floor. If the wallet's entries alone would leave it at or above the floor, and its drift is a
break of its own (beyond the tolerance of `balance`), that is the cause, and `explained_by` says so.

`NEGATIVE_RUNNING`, only with `running: true`: for each spell in which `balance_after` lies below
the floor, the entry that began it. A spell goes on from instant to instant while any row of each
lies below; of the rows of its first instant, whose order nobody knows, the one with the lowest id
stands for it. An entry at which the chain breaks is listed as that instead.
"""

from collections.abc import Iterator

from engine.reconciliation.checks.check import Answer, Material
from engine.reconciliation.copies import named, place_of, sound
from engine.reconciliation.definition import Floor, Tolerance
from engine.store.difference import Difference


def check_negative(material: Material, settings: Floor) -> Answer:
    """The stored balances, then the spells, each in the order of wallet and entry."""
    running = _running(material) if settings.running else ()
    return Answer(differences=[*_stored(material), *running])


def _stored(material: Material) -> Iterator[Difference]:
    balance = material.definition.checks.get("balance")
    rows = material.staging.stream(
        "SELECT wallet, currency, stored, floor, expected FROM stored WHERE stored < floor "
        "ORDER BY wallet, currency"
    )
    for wallet, currency, stored, floor, expected in rows:
        drifted = isinstance(balance, Tolerance) and abs(stored - expected) > balance.tolerance
        yield Difference(
            check="negative",
            code="NEGATIVE_BALANCE",
            kind="sign",
            wallet=str(wallet),
            entry=None,
            currency=currency,
            amount_minor=stored - floor,
            expected_minor=floor,
            actual_minor=stored,
            severity="high",
            details={"explained_by": {"BALANCE_DRIFT": [str(wallet)]}}
            if drifted and expected >= floor
            else {},
        )


def _running(material: Material) -> Iterator[Difference]:
    definition = material.definition
    lane = ", ".join(definition.entry_lane)
    counts = sound(definition, material.cut_off)
    # Entries without a currency of their own touch only what is held in the definition's.
    held = "true" if "currency" in definition.entry_lane else f"currency = '{definition.currency}'"
    place, places = place_of(definition)
    rows = material.staging.stream(
        f"""
        WITH floors AS (SELECT wallet, currency, floor FROM stored WHERE {held}),
        low AS (
            SELECT DISTINCT e.wallet, f.currency, f.floor
            FROM entries e JOIN floors f USING ({lane})
            WHERE balance_after < floor AND {counts}
        ),
        instants AS (
            SELECT e.wallet, l.currency, l.floor, posted_at,
                min((entry, {place}, balance_after)) FILTER (balance_after < floor) AS first_low
            FROM entries e JOIN low l USING ({lane}) {places} WHERE {counts}
            GROUP BY e.wallet, l.currency, l.floor, posted_at
        )
        SELECT wallet, currency, first_low[1] AS entry, first_low[2], floor, first_low[3]
        FROM instants
        WINDOW time AS (PARTITION BY wallet, currency ORDER BY posted_at)
        QUALIFY first_low IS NOT NULL AND lag(first_low) OVER time IS NULL
        ORDER BY wallet, currency, entry
        """  # noqa: S608
    )
    for wallet, currency, entry, nth, floor, balance in rows:
        yield Difference(
            check="negative",
            code="NEGATIVE_RUNNING",
            kind="sign",
            wallet=str(wallet),
            entry=named(entry, nth),
            currency=currency,
            amount_minor=balance - floor,
            expected_minor=floor,
            actual_minor=balance,
            severity="low",
        )
