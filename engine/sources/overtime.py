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
from engine.sources.failures import Failures

_AHEAD = 2  # batches that wait for whoever takes them
_PATIENCE = 0.05  # seconds between looks whether anybody still wants the batches


class Overtime(Exception):
    """The time was over."""


class Reading:
    """What `open_reader` opens, read by another thread for as long as the limit allows.

    `left_behind`: the driver has not come back; nothing that it uses may be used, or closed.
    """

    def __init__(
        self, open_reader: Callable[[], AbstractContextManager[Any]], limit: timedelta
    ) -> None:
        self.left_behind = False
        self._thread = Thread(target=self._pump, name="reading", daemon=True)
        self._open_reader = open_reader
        self._deadline = elapsed() + limit.total_seconds()
        self._ready: Queue[Any] = Queue(_AHEAD)  # the schema, the batches, and None
        self._nobody = Event()

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """As a `pyarrow.RecordBatchReader`; raises Overtime, and errors as they were."""
        import pyarrow as pa

        failures = Failures()
        self._thread.start()
        try:
            with failures.shown():
                schema = self._next()
                batches = failures.noted(iter(self._next, None))
                yield pa.RecordBatchReader.from_batches(schema, batches)
        finally:
            self._nobody.set()
            self._thread.join(max(self._deadline - elapsed(), _PATIENCE * 4))
            self.left_behind = self._thread.is_alive()

    def _next(self) -> Any:
        left = self._deadline - elapsed()
        try:
            found = self._ready.get(timeout=left) if left > 0 else self._ready.get_nowait()
        except Empty:
            raise Overtime from None
        if isinstance(found, Exception):
            raise found
        return found

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
