"""One long query read by two readers at once, each of them half of the ids.

Only where it costs nothing: both readers must be at one moment, and the source must know that each
half is read without the other.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from queue import Full, Queue
from threading import Event, Thread
from typing import Any

from engine.sources.database import Snapshot

Through = Callable[[Any], Any]
"""What a `pyarrow.RecordBatchReader` is made to pass through, as a reader of the same rows."""

_WORTH = 200_000  # ids apart; less is read in a moment anyway
_AHEAD = 4  # batches that wait for whoever takes them
_PATIENCE = 0.05  # seconds between looks whether anybody still wants the batches
_LARGE = 4_000_000  # numbers, which take 32 million bytes: the most that glibc learns to keep


def _as_it_is(reader: Any) -> Any:
    return reader


@contextmanager
def batches_in_halves(
    snapshot: Snapshot, columns: str, query: str, key: str | None, through: Through = _as_it_is
) -> Iterator[Any]:
    """`SELECT columns FROM (query)` as a `pyarrow.RecordBatchReader`, in any order.

    `key` is the id among the columns of the query, if there is one. Each half passes `through` on
    the thread that reads it, the half of the lower ids first; or the whole does.
    """
    import pyarrow as pa

    _keep_freed_memory()
    rows = f"FROM ({query}\n) AS found"
    whole = f"SELECT {columns} {rows}"
    middle = None if key is None else _middle(snapshot, rows, key)
    if middle is None:
        with snapshot.batches(whole) as reader:
            yield through(reader)
        return
    with ExitStack() as stack:
        lower = snapshot.batches(f"{whole} WHERE {key} < {middle}")
        upper = snapshot.beside.batches(f"{whole} WHERE {key} >= {middle}")
        readers = [through(stack.enter_context(half)) for half in (lower, upper)]
        if readers[0].schema == readers[1].schema:
            merged = stack.enter_context(_merged(readers))
            yield pa.RecordBatchReader.from_batches(readers[0].schema, merged)
            return
    # The halves begin with values of different types: one reader will say where they change.
    with snapshot.batches(whole) as reader:
        yield through(reader)


def _keep_freed_memory() -> None:
    """Make the next batch take the memory of the last, rather than new memory of the system.

    glibc gives large pieces back at once, until it has seen one as large go; new memory has to be
    cleared, page by page, which costs a tenth of the reading.
    """
    import numpy as np

    np.empty(_LARGE)


def _middle(snapshot: Snapshot, rows: str, key: str) -> int | None:
    """The id between two halves; None if the query is better read as a whole."""
    if snapshot.beside is snapshot:
        return None
    ends = snapshot.ends(rows, key)
    if ends is None or ends[1] - ends[0] < _WORTH:
        return None
    return sum(ends) // 2


@contextmanager
def _merged(readers: list[Any]) -> Iterator[Iterator[Any]]:
    """The batches of both, each read by a thread of its own; an error of one is raised."""
    ready: Queue[Any] = Queue(_AHEAD)
    nobody = Event()

    def offer(batch: Any) -> None:
        while not nobody.is_set():
            try:
                ready.put(batch, timeout=_PATIENCE)
            except Full:
                continue
            return

    def pump(reader: Any) -> None:
        try:
            for batch in reader:
                offer(batch)
                if nobody.is_set():
                    return
            offer(None)
        except Exception as error:  # noqa: BLE001 - raised again where the batches are taken
            offer(error)

    threads = [Thread(target=pump, args=(reader,), daemon=True) for reader in readers]
    for thread in threads:
        thread.start()
    try:
        yield _taken(ready, len(threads))
    finally:
        nobody.set()
        for thread in threads:
            thread.join()


def _taken(ready: "Queue[Any]", unfinished: int) -> Iterator[Any]:
    while unfinished:
        batch = ready.get()
        if isinstance(batch, Exception):
            raise batch
        if batch is None:
            unfinished -= 1
        else:
            yield batch
