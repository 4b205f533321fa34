"""Overtime: a reading that nobody can stop, given up when its time is over.

It is done by a thread of its own, which is left behind while it is within the driver's code.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any

from engine.clock import elapsed

_AHEAD = 2  # batches that wait for whoever takes them
_PATIENCE = 0.05  # seconds between looks whether anybody still wants the batches


class Overtime(Exception):
    """The time was over; `left_behind` if the driver has not come back yet."""

    def __init__(self, *, left_behind: bool) -> None:
        self.left_behind = left_behind
        super().__init__("the time is over")


@contextmanager
def in_time(
    open_reader: Callable[[], AbstractContextManager[Any]], limit: timedelta
) -> Iterator[Any]:
    """What `open_reader` opens as a `pyarrow.RecordBatchReader`; raises Overtime.

    Errors are raised where the batches are taken.
    """
    import pyarrow as pa

    reading = _Reading(open_reader, elapsed() + limit.total_seconds())
    reading.thread.start()
    failure: list[BaseException] = []

    def batches() -> Iterator[Any]:
        try:
            while (batch := reading.next()) is not None:
                yield batch
        except BaseException as error:
            failure.append(error)  # Arrow makes another error of it
            raise

    try:
        yield pa.RecordBatchReader.from_batches(reading.next(), batches())
    except BaseException as error:
        if failure and failure[0] is not error:
            raise failure[0] from error
        raise
    finally:
        reading.give_up()


class _Reading:
    """The schema, the batches, and None, one after the other, from another thread."""

    def __init__(
        self, open_reader: Callable[[], AbstractContextManager[Any]], deadline: float
    ) -> None:
        self.thread = Thread(target=self._pump, name="reading", daemon=True)
        self._open_reader = open_reader
        self._deadline = deadline
        self._ready: Queue[Any] = Queue(_AHEAD)
        self._nobody = Event()

    def next(self) -> Any:
        left = self._deadline - elapsed()
        try:
            found = self._ready.get(timeout=left) if left > 0 else self._ready.get_nowait()
        except Empty:
            raise Overtime(left_behind=self.thread.is_alive()) from None
        if isinstance(found, Exception):
            raise found
        return found

    def give_up(self) -> None:
        """Have it end, and wait for that as long as there is time."""
        self._nobody.set()
        self.thread.join(max(self._deadline - elapsed(), _PATIENCE * 4))

    def _pump(self) -> None:
        try:
            with self._open_reader() as reader:
                self._offer(reader.schema)
                for batch in reader:
                    self._offer(batch)
                    if self._nobody.is_set():
                        return
                self._offer(None)
        except Exception as error:  # noqa: BLE001 - raised again where the batches are taken
            self._offer(error)

    def _offer(self, found: Any) -> None:
        while not self._nobody.is_set():
            try:
                self._ready.put(found, timeout=_PATIENCE)
            except Full:
                continue
            return
