"""When to try again: which errors are worth it, how many attempts, and how the waits grow."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

DEFAULT_ATTEMPTS = 3
_A_YEAR = timedelta(days=366)
_FIRST_WAIT = timedelta(seconds=10)
# Doubling reaches any cap within 64 steps; a larger exponent would overflow a timedelta first.
_LAST_DOUBLING = 64

ErrorName = type[BaseException] | str


class RetryLater(Exception):
    """Raised by a job that cannot do its work yet: the run is tried again after a while.

    The attempt does not count, and no error is recorded as the run's first one. Only the policy's
    `retry_until` bounds how often this may be.
    """

    def __init__(self, *, after: timedelta | float, reason: str = "") -> None:
        """`after` is a duration, or seconds; ValueError unless it lies within a year from now."""
        wait = after if isinstance(after, timedelta) else timedelta(seconds=after)
        if not timedelta(0) <= wait <= _A_YEAR:
            raise ValueError(f"after={after!r} does not lie within a year from now")
        self.after = wait
        self.reason = reason
        super().__init__(reason or f"not yet; again after {wait.total_seconds():g} s")


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Attempts in all, and the wait after each: listed in `waits`, or doubling from `first_wait`.

    `attempts` None is 3, `first_wait` None 10 s; a worker's options may say otherwise. Past the end
    of `waits` its last one is used again. `jitter` takes a random share of each wait, so that runs
    that failed together do not come back together; None is yes for doubling waits, no for listed
    ones. Errors are given by class or by name, and hold for subclasses: with `retry_on` no other
    error is tried again, `never_retry_on` has the last word. Limits have names as well:
    "TimeLimitExceeded", "MemoryLimitExceeded". No attempt starts later than `retry_until` after the
    run was due, or booked if that was later.
    """

    attempts: int | None = None
    waits: tuple[timedelta, ...] = ()
    first_wait: timedelta | None = None
    longest_wait: timedelta = timedelta(hours=1)
    jitter: bool | None = None
    retry_on: tuple[ErrorName, ...] = ()
    never_retry_on: tuple[ErrorName, ...] = ()
    retry_until: timedelta | None = None

    @property
    def problem(self) -> str | None:
        """Why it cannot work; None if it can."""
        if self.attempts is not None and self.attempts < 1:
            return "it needs at least one attempt"
        waits = (*self.waits, self.longest_wait, self.first_wait or _FIRST_WAIT)
        if min(waits) < timedelta(0):
            return "a wait cannot be negative"
        if self.retry_until is not None and self.retry_until <= timedelta(0):
            return "retry_until must be a duration after the run was due"
        for name in ("retry_on", "never_retry_on"):
            kinds = getattr(self, name)
            if not isinstance(kinds, tuple) or not all(map(_is_error_name, kinds)):
                return f"{name} must be a tuple of exception classes or their names"
        return None

    @property
    def total_attempts(self) -> int:
        """How many attempts a run has in all."""
        return DEFAULT_ATTEMPTS if self.attempts is None else self.attempts

    @property
    def declares_waits(self) -> bool:
        """Whether it says itself how long to wait."""
        return bool(self.waits) or self.first_wait is not None

    @property
    def jitters(self) -> bool:
        """Whether a random share of each wait is taken."""
        return not self.waits if self.jitter is None else self.jitter

    def next_wait(
        self, *, failures: int, attempt: int, attempts_allowed: int, chance: float = 1.0
    ) -> timedelta | None:
        """How long to wait after attempt number `attempt` failed; None to give up.

        `failures` counts the attempts that failed, this one too; `chance` was drawn from 0 to 1 and
        is the share of the wait that jitter takes.
        """
        if attempt >= attempts_allowed:
            return None
        wait = self.wait_after(failures)
        return wait * chance if self.jitters else wait

    def wait_after(self, failures: int) -> timedelta:
        """The longest wait after so many failures."""
        earlier = max(failures - 1, 0)
        if self.waits:
            return self.waits[min(earlier, len(self.waits) - 1)]
        if earlier >= _LAST_DOUBLING:
            return self.longest_wait
        seconds = (_FIRST_WAIT if self.first_wait is None else self.first_wait).total_seconds()
        return timedelta(seconds=min(seconds * 2**earlier, self.longest_wait.total_seconds()))

    def retries(self, error: BaseException) -> bool:
        """Whether an attempt that raised this is tried again, if any is left."""
        kinds = type(error).__mro__
        return self._retries({*kinds, *(n for kind in kinds for n in _names(kind))})

    def retries_named(self, name: str) -> bool:
        """Whether an attempt that the engine ended for this reason is tried again."""
        return self._retries({name})

    def _retries(self, found: Iterable[ErrorName]) -> bool:
        if not set(self.never_retry_on).isdisjoint(found):
            return False
        return not self.retry_on or not set(self.retry_on).isdisjoint(found)


def _names(kind: type) -> tuple[str, str]:
    return kind.__name__, f"{kind.__module__}.{kind.__qualname__}"


def _is_error_name(given: object) -> bool:
    if isinstance(given, type):
        return issubclass(given, BaseException)
    return isinstance(given, str) and bool(given)
