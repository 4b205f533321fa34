"""An outage: a server that everybody waits for. Who asks it again, when, and what is said of it."""

import logging
import random
import threading
import time
from collections.abc import Callable

logger = logging.getLogger("engine.outage")
# A command says on its own that a server is away; without a handler, Python would say it too.
logger.addHandler(logging.NullHandler())

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 5.0
_LONGEST_DOUBLING = 5
_ONE_IS_ASKING = 0.25
_SAY_AGAIN = 30.0


class Outage:
    """Tells the threads of one process apart: while it lasts, one of them asks after each pause.

    Pauses grow from half a second to five; all are in seconds. A line is logged when it begins,
    each half a minute while it lasts, and when it ends; one that comes and goes is not said anew.
    """

    def __init__(
        self,
        name: str,
        url: str | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._name = name
        self._facts: dict[str, object] = {} if url is None else {"url": url}
        self._monotonic = monotonic
        self._chance = chance
        self._lock = threading.Lock()
        self._error: str | None = None
        self._since = 0.0
        self._failures = 0
        self._ask_at = 0.0
        self._asking = False
        self._said_at: float | None = None
        self._was_said = False
        self._ended = False

    @property
    def pause(self) -> float:
        """How long to wait before asking; 0 when there is no outage."""
        with self._lock:
            if self._error is None:
                return 0.0
            left = self._ask_at - self._monotonic()
            return left if left > 0 else _ONE_IS_ASKING

    def ask(self) -> str | None:
        """None if the caller is to ask now, and then to call `lasts` or `ends`.

        Otherwise the error that the last one got: it is too early, or somebody is asking.
        """
        with self._lock:
            if self._error is None:
                return None
            if self._asking or self._monotonic() < self._ask_at:
                return self._error
            self._asking = True
            return None

    def lasts(self, error: object) -> None:
        """The server does not answer; maybe this is how it begins."""
        with self._lock:
            now = self._monotonic()
            if self._error is None:
                self._since = self._ask_at = now
                self._failures = 0
            self._error = str(error)
            self._asking = False
            # Threads that had asked before the outage was known do not lengthen the pause.
            if now >= self._ask_at:
                doubled = _FIRST_PAUSE * 2 ** min(self._failures, _LONGEST_DOUBLING)
                # Of many processes not all may come at once.
                pause = min(doubled, _LONGEST_PAUSE) * (0.75 + 0.25 * self._chance())
                self._ask_at = now + pause
                self._failures += 1
            if self._said_at is None or now - self._said_at >= _SAY_AGAIN:
                self._said_at = now
                self._was_said = True
                facts = self._facts | {"error": self._error}
                if now == self._since:
                    logger.warning("%s is away; waiting for it", self._name, extra=facts)
                else:
                    facts |= {"seconds": round(now - self._since, 1)}
                    logger.warning("%s is still away", self._name, extra=facts)

    def ends(self) -> None:
        """The server answered."""
        # Without the lock: this is asked at every use, and nearly always there is nothing to do.
        if self._error is None:
            return
        with self._lock:
            if self._error is None:
                return
            self._error = None
            self._asking = False
            self._ended = True
            if self._was_said:
                self._was_said = False
                facts = self._facts | {"seconds": round(self._monotonic() - self._since, 1)}
                logger.info("%s is back", self._name, extra=facts)

    def gave_up(self) -> None:
        """The caller was to ask, and did not find out."""
        with self._lock:
            self._asking = False

    def has_ended(self) -> bool:
        """Whether an outage ended since this was last asked."""
        with self._lock:
            ended, self._ended = self._ended, False
            return ended
