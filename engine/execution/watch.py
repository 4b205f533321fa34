"""The watch: looks now and then for what nobody else would tell an operator of."""

from dataclasses import dataclass, field

from engine.clock import elapsed
from engine.events import UNTOUCHED_FOR, failed_runs_untouched, untouched_key
from engine.store.events import EventStore
from engine.store.run_counts import RunCounts

# In seconds. Each look reads the failed runs only.
_REVIEWS_EVERY = 30.0
_UNTOUCHED_EVERY = 300.0


@dataclass(kw_only=True)
class Watch:
    """One process's part in the watch; it looks when the sweep is its own."""

    events: EventStore
    counts: RunCounts
    _reviews_at: float = field(default=0.0, init=False)
    _untouched_at: float = field(default=0.0, init=False)

    def look(self) -> None:
        """Raise what is to be raised, unless that was looked for a moment ago."""
        now = elapsed()
        if now >= self._reviews_at:
            self._reviews_at = now + _REVIEWS_EVERY
            for event in self.events.unheard_reviews():
                self.events.raise_once(event)
        if now >= self._untouched_at:
            self._untouched_at = now + _UNTOUCHED_EVERY
            self._look_for_untouched()

    def _look_for_untouched(self) -> None:
        # Once a day: as long as nobody comes, they are told of each day anew.
        today = self.counts.now().date()
        if self.events.was_raised(untouched_key(today)):
            return
        found = self.counts.untouched(since=UNTOUCHED_FOR)
        if found is not None:
            event = failed_runs_untouched(count=found.count, oldest=found.reference, day=today)
            self.events.raise_once(event)
