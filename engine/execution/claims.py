"""The claims one worker holds, kept alive by its heartbeat, ended before they can run out."""

import logging
import threading
import time
from collections.abc import Callable, Collection

from engine.execution.orders import StopReason
from engine.store.database import LedgerUnreachable
from engine.store.run import Claim
from engine.store.runs import RunStore

logger = logging.getLogger("engine.worker")

StopAttempt = Callable[[str, StopReason], object]


def attempt_id(claim: Claim) -> str:
    """The name of an attempt between worker and fork server."""
    return f"{claim.run_id}:{claim.attempt}"


class HeldClaims:
    """Renews the leases of the attempts under way.

    An attempt whose lease another worker has, or which could not be renewed for two thirds of
    the lease, is killed: its lease may be given to somebody else soon.
    """

    def __init__(self, runs: RunStore, stop: StopAttempt) -> None:
        self._runs = runs
        self._stop = stop
        self._renewed_at: dict[Claim, float] = {}
        self._lock = threading.Lock()

    def add(self, claim: Claim, claimed_at: float) -> None:
        """An attempt starts; `claimed_at` is a monotonic instant before its claim was made."""
        with self._lock:
            self._renewed_at[claim] = claimed_at

    def remove(self, claim: Claim) -> None:
        """An attempt is over."""
        with self._lock:
            self._renewed_at.pop(claim, None)

    def all(self) -> Collection[Claim]:
        """The claims held now."""
        with self._lock:
            return list(self._renewed_at)

    def beat(self) -> None:
        """Renew every lease; an attempt whose lease is lost is killed."""
        claims = self.all()
        if not claims:
            return
        asked_at = time.monotonic()
        try:
            kept = set(self._runs.renew(claims))
        except LedgerUnreachable as error:
            logger.warning("leases were not renewed", extra={"error": str(error)})
            return
        with self._lock:
            for claim in kept & self._renewed_at.keys():
                self._renewed_at[claim] = asked_at
        for claim in set(claims) - kept:
            # An attempt that has just ended is gone from the ledger's running runs as well.
            if claim in self.all():
                self._kill(claim)

    def fence(self) -> None:
        """Kill what could not be renewed for two thirds of its lease.

        By this process's own clock and without the ledger, which may make `beat` wait.
        """
        longest = (self._runs.lease * 2 / 3).total_seconds()
        now = time.monotonic()
        with self._lock:
            late = [
                claim
                for claim, renewed_at in self._renewed_at.items()
                if now - renewed_at >= longest
            ]
        for claim in late:
            self._kill(claim)

    def _kill(self, claim: Claim) -> None:
        if self._stop(attempt_id(claim), StopReason.LEASE_LOST):
            logger.warning("an attempt lost its lease and is killed", extra={"run": claim.run_id})
