"""When to try again: how many attempts a run has and how the waits between them grow."""

from dataclasses import dataclass
from datetime import timedelta

# Doubling reaches any cap within 64 steps; a larger exponent would overflow a timedelta first.
_LAST_DOUBLING = 64


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Attempts in all, and the wait after each: listed in `waits`, or doubling from `first_wait`.

    Past the end of `waits` its last one is used again.
    """

    attempts: int = 3
    waits: tuple[timedelta, ...] = ()
    first_wait: timedelta = timedelta(seconds=10)
    longest_wait: timedelta = timedelta(hours=1)

    def next_wait(self, *, attempt: int, attempts_allowed: int) -> timedelta | None:
        """How long to wait after attempt number `attempt` failed; None to give up."""
        if attempt >= attempts_allowed:
            return None
        failures = max(attempt - 1, 0)
        if self.waits:
            return self.waits[min(failures, len(self.waits) - 1)]
        if failures >= _LAST_DOUBLING:
            return self.longest_wait
        seconds = self.first_wait.total_seconds() * 2**failures
        return timedelta(seconds=min(seconds, self.longest_wait.total_seconds()))
