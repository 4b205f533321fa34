"""The claims one worker holds, kept alive by its heartbeat, ended before they can run out."""

import logging
import threading
from collections.abc import Callable, Collection
from datetime import timedelta

from engine.clock import elapsed
from engine.execution.orders import StopReason
from engine.store.database import LedgerUnreachable
from engine.store.run import Claim
from engine.store.runs import RunStore

logger = logging.getLogger("engine.worker")

StopAttempt = Callable[[str, StopReason], object]
ProlongAttempt = Callable[[str, timedelta], object]


def attempt_id(claim: Claim) -> str:
    """The name of an attempt between worker and fork server."""
    return f"{claim.run_id}:{claim.attempt}"


class HeldClaims:
    """Renews the leases of the attempts under way.

    An attempt whose lease another worker has, or which could not be renewed for two thirds of
    the lease, is killed: its lease may be given to somebody else soon. Whoever carries it out is
    told of each renewal, to kill it even if this process should be stopped.
    """

    def __init__(self, runs: RunStore, stop: StopAttempt, prolong: ProlongAttempt) -> None:
        self._runs = runs
        self._stop = stop
        self._prolong = prolong
        self._renewed_at: dict[Claim, float] = {}
        self._lock = threading.Lock()

    def add(self, claim: Claim, claimed_at: float) -> None:
        """An attempt starts; its claim was made after `claimed_at`, an instant of `elapsed`."""
        with self._lock:
            self._renewed_at[claim] = claimed_at

    def remove(self, claim: Claim) -> None:
        """An attempt is over."""
        with self._lock:
            self._renewed_at.pop(claim, None)

    def fuse(self, claim: Claim) -> timedelta:
        """How long its attempt may go on from now without a renewal; negative once it may not."""
        with self._lock:
            renewed_at = self._renewed_at[claim]
        return self._runs.lease * 2 / 3 - timedelta(seconds=elapsed() - renewed_at)

    def all(self) -> Collection[Claim]:
        """The claims held now."""
        with self._lock:
            return list(self._renewed_at)

    def beat(self) -> None:
        """Renew every lease; an attempt whose lease is lost is killed."""
        claims = self.all()
        if not claims:
            return
        asked_at = elapsed()
        try:
            kept = set(self._runs.renew(claims))
        except LedgerUnreachable:
            # The ledger has said so.
            logger.debug("leases were not renewed")
            return
        with self._lock:
            renewed = kept & self._renewed_at.keys()
            self._renewed_at.update(dict.fromkeys(renewed, asked_at))
        fuse = self._runs.lease * 2 / 3 - timedelta(seconds=elapsed() - asked_at)
        for claim in renewed:
            self._prolong(attempt_id(claim), fuse)
        for claim in set(claims) - kept:
            # An attempt that has just ended is gone from the ledger's running runs as well.
            if claim in self.all():
                self._kill(claim)

    def fence(self) -> None:
        """Kill what could not be renewed for two thirds of its lease.

        By this process's own clock and without the ledger, which may make `beat` wait.
        """
        longest = (self._runs.lease * 2 / 3).total_seconds()
        now = elapsed()
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
