"""Proofs: lanes that are proved clean while their entries are read, so that nobody sorts them.

Most ledgers give their entries in the order of time. A lane is proved if in each of its entries
the balance goes on from the one before it, and the time too, past any window in which look-alikes
are sought and up to the cut-off. Its entries then add up to what it ended at, less what it began
with. Of all other lanes nothing is said: their entries are walked in order.

Nothing is proved where wallets are no whole numbers close together, where entries are in several
currencies, where anything is missing, or where so much does not go on that little would be spared.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from engine.reconciliation.arrivals import Arrivals
from engine.reconciliation.definition import Definition
from engine.reconciliation.staging import Staging

_MOST, _MOST_EACH = 1 << 21, 8  # ids that there is room for, in all and for each wallet
_FEW = 1_000  # lanes that may be in doubt, beside a quarter of all
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Proved:
    """Lanes that are proved, and the wallets of all others, as `pyarrow.RecordBatch`es."""

    lanes: Any
    others: Any


class Proofs:
    """What is to be proved of wallets numbered from `least`, as many as `size`."""

    def __init__(self, least: int, size: int, *, apart: int, until: int) -> None:
        self._least, self._size = least, size
        self._apart, self._until = apart, until
        self._arrivals: list[Arrivals] = []
        self._given_up = False

    def give_up(self) -> None:
        """Prove nothing, because what was watched was not all there is, or not as due."""
        self._given_up = True

    def watch(self, reader: Any) -> Any:
        """The same `pyarrow.RecordBatchReader` of entries, whose batches are looked at in passing.

        Several may be read at once; each gives what comes behind that which was watched before it.
        """
        import pyarrow as pa

        if not _can_prove(reader.schema):
            self.give_up()
            return reader
        arrivals = Arrivals(self._least, self._size, apart=self._apart, until=self._until)
        self._arrivals.append(arrivals)

        def watched() -> Iterator[Any]:
            for batch in reader:
                if not arrivals.given_up:
                    arrivals.look(batch)
                yield batch

        return pa.RecordBatchReader.from_batches(reader.schema, watched())

    def proved(self, rows: int) -> Proved | None:
        """What is proved of all `rows`; None if nothing is, or if others than these were seen.

        What was seen is forgotten with that.
        """
        import numpy as np
        import pyarrow as pa

        if self._given_up or not self._arrivals:
            return None
        seen, *later = self._arrivals
        for each in later:
            seen.go_on(each)
        self._arrivals = []
        if seen.given_up or seen.rows != rows:
            return None
        came = seen.came
        doubt = np.flatnonzero(seen.doubt)
        if len(doubt) > _FEW + np.count_nonzero(came) // 4:
            return None
        lanes = np.flatnonzero(came & ~seen.doubt)
        balances = {"first_pre": seen.first_pre[lanes], "last_balance": seen.last_after[lanes]}
        strangers = np.array([*seen.strangers], np.int64)
        others = np.concatenate([doubt + self._least, strangers])
        return Proved(
            pa.RecordBatch.from_pydict({"wallet": lanes + self._least, **balances}),
            pa.RecordBatch.from_pydict({"wallet": others}),
        )


def expect_proofs(definition: Definition, staging: Staging, *, cut_off: int) -> Proofs | None:
    """What may be proved of entries that are still to be read; the wallets are staged already."""
    if not definition.follows or definition.wallets is None:
        return None
    if staging.kind("wallets", "wallet") != "BIGINT":
        return None
    ((least, most, wallets),) = staging.rows(
        "SELECT min(wallet), max(wallet), count(wallet) FROM wallets"
    )
    if not wallets or (size := most - least + 1) > min(_MOST, _MOST_EACH * wallets):
        return None
    apart = 0 if definition.window is None else definition.window // _MICROSECOND
    return Proofs(least, size, apart=apart, until=cut_off)


def _can_prove(schema: Any) -> bool:
    """Whether ids and amounts are whole numbers, and instants are in microseconds."""
    import pyarrow as pa

    numbers = ("wallet", "amount", "balance_after")
    at = schema.field("posted_at").type
    return all(pa.types.is_int64(schema.field(name).type) for name in numbers) and (
        pa.types.is_timestamp(at) and at.unit == "us" and at.tz is not None
    )
