"""Rounds: something done again and again in a thread of its own, until it is told to stop."""

import logging
import threading
from collections.abc import Callable

from engine.errors import EngineError
from engine.store.faults import LedgerUnreachable

logger = logging.getLogger("engine.rounds")


class Rounds:
    """Calls `act` every `seconds`; an error is logged, and the next round comes anyway."""

    def __init__(self, name: str, act: Callable[[], object], *, seconds: float) -> None:
        self._act = act
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin with a round at once."""
        self._thread.start()

    def stop(self) -> None:
        """No further round; waits for the one under way."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._act()
            except LedgerUnreachable:
                # The ledger has said so.
                logger.debug("a round was without the run ledger")
            except EngineError as error:
                facts = {"rounds": self._thread.name, "error": str(error)}
                logger.warning("a round failed", extra=facts)
            except Exception:
                logger.exception("a round failed", extra={"rounds": self._thread.name})
            self._stopped.wait(self._seconds)
