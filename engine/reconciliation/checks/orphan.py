"""Orphan: entries of wallets that do not exist, and wallets of owners that do not.

`ORPHAN_ENTRY`: no row of the wallets has the entry's wallet, in whatever currency. One break for
each entry, of its own amount; it counts in the control totals of its currency, as the term
`orphans`. An exact copy of an orphan is a duplicate, not an orphan once more.

`ORPHAN_WALLET`: none of the `owners` is the one that the wallet names, or it names none. One break
for each wallet and currency, of the balance that is stored for it (0 where none is); it stands
beside what else is wrong with the wallet. Asked only where the definition maps `owners`.
"""

from collections.abc import Iterator

from engine.reconciliation.checks.check import Answer, Material, Namesakes
from engine.reconciliation.definition import Plain
from engine.store.difference import Difference


def check_orphan(material: Material, settings: Plain) -> Answer:
    """The entries, then the wallets, each in the order of their ids."""
    wallets = _wallets(material) if material.definition.owners else ()
    return Answer(differences=[*_entries(material), *wallets])


def _entries(material: Material) -> Iterator[Difference]:
    rows = material.staging.stream(
        "SELECT wallet, currency, entry, amount FROM strays WHERE NOT foreign_ AND NOT copied "
        "ORDER BY wallet, currency, entry, amount"
    )
    names = Namesakes()
    for wallet, currency, entry, amount in rows:
        yield Difference(
            check="orphan",
            code="ORPHAN_ENTRY",
            kind="orphan",
            wallet=str(wallet),
            entry=names.name(wallet, currency, entry),
            currency=currency,
            amount_minor=amount,
            actual_minor=amount,
            severity="high",
        )


def _wallets(material: Material) -> Iterator[Difference]:
    rows = material.staging.stream(
        "SELECT w.wallet, w.currency, w.owner, coalesce(s.stored, 0) FROM wallets w "
        "LEFT JOIN stored s ON s.wallet = w.wallet AND s.currency = w.currency "
        "WHERE NOT EXISTS (SELECT 1 FROM owners o WHERE o.owner = w.owner) "
        "ORDER BY w.wallet, w.currency"
    )
    for wallet, currency, owner, stored in rows:
        yield Difference(
            check="orphan",
            code="ORPHAN_WALLET",
            kind="orphan",
            wallet=str(wallet),
            entry=None,
            currency=currency,
            amount_minor=stored,
            actual_minor=stored,
            details={"owner": None if owner is None else str(owner)},
        )
