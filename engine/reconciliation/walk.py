"""The walk: entries in the order of lane and instant, each compared with the one before it.

A batch is compared at once, column by column, and comes to one row a lane. A lane in whose middle
a batch ends comes to several rows, which are joined when all are there.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from itertools import count
from typing import Any, TypeVar

from engine.reconciliation.definition import Definition
from engine.reconciliation.staging import Staging

T = TypeVar("T")

_BATCH = 250_000
_SORTED = 4_000_000  # rows at a time
_KEPT = 250_000  # lanes until they are put away: many small inserts cost ten times one large one
_REACH = 16  # rows after each that are looked at one by one
_NEVER = 2**63 - 1
_MICROSECOND = timedelta(microseconds=1)
_HALF = 32  # bits: sums of half an amount fit into 64, however many rows a batch has

_TABLE = """
    CREATE TABLE lanes (
        wallet {kind}, currency VARCHAR, batch BIGINT, continued BOOLEAN, total HUGEINT,
        counted HUGEINT, later_rows BIGINT, first_pre BIGINT, last_balance BIGINT,
        suspect BOOLEAN, crowded BOOLEAN
    )"""
_JOINED = """
    CREATE TABLE joined AS
    SELECT wallet, currency, min(batch) AS batch, false AS continued,
        sum(total) AS total, sum(counted) AS counted, sum(later_rows) AS later_rows,
        max(first_pre) AS first_pre, arg_max(last_balance, batch) AS last_balance,
        bool_or(suspect) AS suspect, bool_or(crowded) AS crowded
    FROM lanes WHERE (wallet, currency) IN (SELECT (wallet, currency) FROM lanes WHERE continued)
    GROUP BY wallet, currency"""


def walk(
    definition: Definition, staging: Staging, *, counted_until: int | None, table: str = "entries"
) -> None:
    """Make the table `lanes` out of entries, of which those before `counted_until` count.

    Beside the sums it has `first_pre` (the balance before the first row), `last_balance` (that
    after the last row which counts), `suspect`, and `crowded`: that it may have two equal amounts
    within the definition's window.
    """
    keys = definition.entry_lane
    window = None if definition.window is None else definition.window // _MICROSECOND
    staging.run(_TABLE.format(kind=staging.kind("entries", "wallet")))
    order = ", ".join([*keys, "posted_at"])
    currency = "currency" if "currency" in keys else f"'{definition.currency}'"
    total, counted = (
        f"{sums}_high::HUGEINT * {1 << _HALF} + {sums}_low" for sums in ("total", "counted")
    )
    columns = f"wallet, {currency}, batch, continued, {total}, {counted}, later_rows, first_pre"
    columns += ", last_balance, suspect, crowded"
    said = "balance_after" if definition.follows else "NULL::BIGINT AS balance_after"
    steps = _steps(staging, table, f"{order}, amount, {said}", order)
    found: list[Any] = []

    def compared(step: tuple[int, Any, Any]) -> Any:
        return _compare(*step, keys).lanes(step[0], counted_until, window)

    for lanes in _ahead(steps, compared):
        found.append(lanes)
        if sum(map(len, found)) >= _KEPT:
            staging.insert("lanes", columns, found)
            found = []
    if found:
        staging.insert("lanes", columns, found)
    staging.run(_JOINED)
    staging.run(
        "DELETE FROM lanes WHERE (wallet, currency) IN (SELECT (wallet, currency) FROM joined)"
    )
    staging.run("INSERT INTO lanes FROM joined")
    staging.run("DROP TABLE joined")


def _steps(
    staging: Staging, table: str, columns: str, order: str
) -> Iterator[tuple[int, Any, Any]]:
    """Each batch with its number, behind the row before it.

    A share of the wallets is sorted at a time, so that what is sorted fits into memory.
    """
    shares = 1 + staging.count(table) // _SORTED
    number = count()
    for share in range(shares):
        mine = f"WHERE hash(wallet) % {shares} = {share}" if shares > 1 else ""
        last = None
        query = f"SELECT {columns} FROM {table} {mine} ORDER BY {order}"  # noqa: S608
        for rows in staging.batches(query, rows=_BATCH):
            yield next(number), _nothing(rows) if last is None else last, rows
            last = rows.slice(len(rows) - 1)


def _ahead(steps: Iterable[T], work: Callable[[T], Any]) -> Iterator[Any]:
    """What `work` makes of each step, which it does while the next is fetched."""
    with ThreadPoolExecutor(max_workers=1) as beside:
        waiting: deque[Future[Any]] = deque()
        for step in steps:
            waiting.append(beside.submit(work, step))
            if len(waiting) > 1:
                yield waiting.popleft().result()
        yield from (each.result() for each in waiting)


@dataclass(frozen=True)
class _Compared:
    """Rows in order, each with what it is beside the one before it; all are numpy arrays but rows.

    `same` says that the lane is the same, `follows` that the balance and the time go on from it,
    `since` how many microseconds there are between (the largest number where nothing says it).
    """

    rows: Any
    keys: list[str]
    same: Any
    follows: Any
    since: Any
    pre: Any

    def lanes(self, batch: int, counted_until: int | None, window: int | None) -> Any:
        """One row for each lane, as a `pyarrow.RecordBatch`."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        rows, size = self.rows, len(self.rows)
        starts = np.flatnonzero(~self.same)
        if size and self.same[0]:
            starts = np.append(0, starts)
        if counted_until is None:
            counts = np.ones(size, bool)
        else:
            # A row whose instant cannot be read is a finding, and counts: no money goes away.
            counts = ~_true(pc.greater_equal(rows["posted_at"], counted_until))
        said = _true(pc.is_valid(rows["balance_after"]))
        amount = rows["amount"].to_numpy()
        at = np.arange(size)
        placed = counts & said & _true(pc.is_valid(rows["posted_at"]))
        last_said = np.maximum.reduceat(np.where(placed, at, -1), starts)
        firsts = pa.array(starts)
        columns = {key: rows[key].take(firsts) for key in self.keys}
        columns |= {
            "batch": np.full(len(starts), batch),
            "continued": self.same[starts],
            "later_rows": np.add.reduceat(~counts, starts, dtype="int64"),
            "first_pre": pc.if_else(pa.array(self.same[starts]), None, self.pre.take(firsts)),
            "last_balance": rows["balance_after"].take(pa.array(last_said, mask=last_said < 0)),
            "suspect": np.logical_or.reduceat(
                counts & (~said | (self.same & ~self.follows)), starts
            ),
            "crowded": np.zeros(len(starts), bool)
            if window is None
            else np.logical_or.reduceat(self._crowded(amount, window), starts),
        }
        columns |= _halves("total", amount, starts)
        if counted_until is None:
            columns |= {f"counted_{half}": columns[f"total_{half}"] for half in ("high", "low")}
        else:
            columns |= _halves("counted", np.where(counts, amount, 0), starts)
        return pa.RecordBatch.from_pydict(columns)

    def _crowded(self, amount: Any, window: int) -> Any:
        """Rows that a row with the same amount follows within the window."""
        import numpy as np

        near = self.same & (self.since <= window)
        found = np.zeros(len(near), bool)
        # The batch before holds what the first row is near to; its lane is looked at anyway.
        found[:1] = near[:1]
        ends = np.flatnonzero(near)
        ends = ends[ends > 0]
        starts, apart = ends - 1, self.since[ends]
        for _ in range(_REACH):
            if not len(ends):
                return found
            found[starts[amount[starts] == amount[ends]]] = True
            # One row further, where that is in the batch, in the lane and near enough still.
            ends = ends + 1
            starts, ends, apart = _kept(ends < len(near), starts, ends, apart)
            starts, ends, apart = _kept(near[ends], starts, ends, apart)
            apart = apart + self.since[ends]
            starts, ends, apart = _kept(apart <= window, starts, ends, apart)
        found[starts] = True  # too many in one window to look at all of them here
        return found


def _compare(_number: int, last: Any, rows: Any, keys: list[str]) -> _Compared:
    """Compare rows, which go on from `last`, each with the one before it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    before = pa.concat_batches([last, rows]).slice(0, len(rows))
    same = _true(*(pc.equal(before[key], rows[key]) for key in keys))
    pre = pc.subtract(rows["balance_after"], rows["amount"])
    backwards = _true(pc.greater(before["wallet"], rows["wallet"])) | (
        same & _true(pc.greater(before["posted_at"], rows["posted_at"]))
    )
    # SQL promises no order to those who read a sorted query, but DuckDB keeps it.
    assert not backwards.any(), "the walk did not see its rows in order"  # noqa: S101
    follows = _true(
        pc.equal(before["balance_after"], pre), pc.less(before["posted_at"], rows["posted_at"])
    )
    since = pc.subtract(rows["posted_at"], before["posted_at"])
    return _Compared(
        rows=rows,
        keys=keys,
        same=same,
        follows=follows,
        since=pc.fill_null(since, _NEVER).to_numpy(zero_copy_only=False),
        pre=pre,
    )


def _kept(where: Any, *arrays: Any) -> Sequence[Any]:
    return [array[where] for array in arrays]


def _halves(name: str, amounts: Any, starts: Any) -> dict[str, Any]:
    """The sum of amounts from each start to the next, as sums of their upper and lower halves."""
    import numpy as np

    return {
        f"{name}_high": np.add.reduceat(amounts >> _HALF, starts),
        f"{name}_low": np.add.reduceat(amounts & ((1 << _HALF) - 1), starts),
    }


def _true(*conditions: Any) -> Any:
    """Where all are true; what is unknown is not."""
    import pyarrow.compute as pc

    return pc.fill_null(reduce(pc.and_kleene, conditions), False).to_numpy(zero_copy_only=False)


def _nothing(rows: Any) -> Any:
    """A row of nulls, which no row goes on from."""
    import pyarrow as pa

    nulls = [pa.nulls(1, column.type) for column in rows.schema]
    return pa.RecordBatch.from_arrays(nulls, schema=rows.schema)
