"""Duplicate: entries that are there twice, and those that look as if they were.

`DUPLICATE_EXACT`: a row has the same id as one before it, or the same business facts: wallet,
currency, amount with its sign, instant, and the type (`code`) and the `reference` where the
definition maps them. The original is the row with the lowest id; every other is one break, whose
entry is its own id (`7 (2)` for the second row with the id 7) and whose amount is its own. Where
`posted_at` is only a date, its whole day is one instant: map a reference, or two equal purchases
of one day are copies.

`DUPLICATE_SUSPECT`: same wallet, currency, amount and type, but another instant or reference, and
not later than `within` (60 s) after the one before it: a second tap on the till, a callback that
came twice, or a pupil who buys two juices. The later one is the suspect (in one instant, the one
with the higher id), and every one of a series but its first. It is of low severity, of medium if
the references are the same. A suspect that is a break for any other reason is listed as that.

An exact copy counts among the entries, as it does in the source: if the stored balance moved only
once, its wallet drifts as well, and the drift names the copy (see `balance`).
"""

from collections.abc import Iterator

from engine.reconciliation.checks.check import Answer, Material
from engine.reconciliation.definition import Window
from engine.store.difference import Difference

_SECOND = 1_000_000


def check_duplicate(material: Material, settings: Window) -> Answer:
    """The copies, then the suspects, each in the order of wallet and entry."""
    return Answer(differences=[*_exact(material), *_suspected(material)])


def _exact(material: Material) -> Iterator[Difference]:
    rows = material.staging.stream(
        "SELECT wallet, currency, name, amount, original FROM copies "
        "ORDER BY wallet, currency, entry, name"
    )
    for wallet, currency, name, amount, original in rows:
        yield Difference(
            check="duplicate",
            code="DUPLICATE_EXACT",
            kind="duplicate",
            wallet=str(wallet),
            entry=name,
            currency=currency,
            amount_minor=amount,
            expected_minor=0,
            actual_minor=amount,
            severity="high",
            details={"original": original},
        )


def _suspected(material: Material) -> Iterator[Difference]:
    rows = material.staging.stream(
        "SELECT wallet, currency, name, amount, before_, apart, same_reference FROM lookalikes "
        "ORDER BY wallet, currency, entry, name"
    )
    for wallet, currency, name, amount, before, apart, same_reference in rows:
        yield Difference(
            check="duplicate",
            code="DUPLICATE_SUSPECT",
            kind="duplicate",
            wallet=str(wallet),
            entry=name,
            currency=currency,
            amount_minor=amount,
            actual_minor=amount,
            severity="medium" if same_reference else "low",
            details={"looks_like": before, "seconds_apart": apart / _SECOND}
            | ({"same_reference": True} if same_reference else {}),
        )
