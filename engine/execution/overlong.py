"""Overlong leases: what a clock that was set back leaves of runs whose workers are dead.

A ledger in a SQLite file goes by its machine's clock. Set back by an hour, it makes each lease last
an hour longer: whoever lives renews it within seconds, from the new time on; whoever is dead would
keep its run for that hour.
"""

from collections.abc import Hashable, Sequence

from engine.store.run import Run


class OverlongLeases:
    """Tells which of them nobody renews. Instants and durations are in seconds of `elapsed`."""

    def __init__(self) -> None:
        self._since: dict[Hashable, float] = {}

    def unrenewed(self, found: Sequence[Run], now: float, *, watched_for: float) -> Sequence[Run]:
        """Those of `found`, which are all that there are now, that were the same for so long."""
        since = {lease: self._since.get(lease, now) for lease in map(_lease, found)}
        self._since = since
        return [run for run in found if now - since[_lease(run)] >= watched_for]

    def forget(self) -> None:
        """Watch all of them anew, as nobody could have renewed them."""
        self._since = {}


def _lease(run: Run) -> Hashable:
    return run.id, run.lease_token, run.lease_until
