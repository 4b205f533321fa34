"""Readings when they are asked for: shared by whoever asks at once, and never waited for long."""

import logging
import threading
from collections.abc import Callable

from engine.clock import elapsed
from engine.errors import Unreachable
from engine.metrics.reading import Reading

logger = logging.getLogger("engine.metrics")


class Readings:
    """The newest reading, if it is not older than `fresh_for`; else another one is made.

    Whoever waits longer than `patience` goes away without one; both are in seconds. At most one
    is being made, whoever asks and however long the ledger is silent.
    """

    def __init__(
        self, read: Callable[[], Reading | None], *, fresh_for: float = 3.0, patience: float = 4.0
    ) -> None:
        self._read = read
        self._fresh_for = fresh_for
        self._patience = patience
        self._changed = threading.Condition()
        self._newest: Reading | None = None
        self._read_at = 0.0
        self._is_reading = False

    def newest(self) -> Reading | None:
        """A fresh reading; None if the ledger is not there, or takes too long."""
        with self._changed:
            if not self._is_fresh():
                self._begin()
                self._changed.wait_for(lambda: not self._is_reading, timeout=self._patience)
            return self._newest if self._is_fresh() else None

    def prepare(self) -> None:
        """Begin with one, for whoever asks soon."""
        with self._changed:
            self._begin()

    def _is_fresh(self) -> bool:
        return self._newest is not None and elapsed() - self._read_at <= self._fresh_for

    def _begin(self) -> None:
        if not self._is_reading:
            self._is_reading = True
            threading.Thread(target=self._make, name="reading", daemon=True).start()

    def _make(self) -> None:
        made = None
        try:
            made = self._read()
        except Unreachable:
            # The ledger has said so.
            logger.debug("metrics were asked for without the run ledger")
        except Exception:
            logger.exception("the ledger could not be read for metrics")
        finally:
            with self._changed:
                self._newest, self._read_at = made, elapsed()
                self._is_reading = False
                self._changed.notify_all()
