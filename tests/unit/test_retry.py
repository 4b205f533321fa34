"""When to try again."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.retry import RetryPolicy

SECOND = timedelta(seconds=1)


def waits(policy: RetryPolicy, attempts: int) -> list[timedelta | None]:
    """The wait after each attempt."""
    numbers = range(1, attempts + 1)
    return [policy.next_wait(attempt=n, attempts_allowed=attempts) for n in numbers]


def test_waits_double_until_the_last_attempt() -> None:
    policy = RetryPolicy(first_wait=SECOND * 10)
    assert waits(policy, 4) == [SECOND * 10, SECOND * 20, SECOND * 40, None]


def test_listed_waits_are_taken_in_turn_and_the_last_one_stays() -> None:
    policy = RetryPolicy(waits=(SECOND, SECOND * 60))
    assert waits(policy, 5) == [SECOND, SECOND * 60, SECOND * 60, SECOND * 60, None]


def test_a_run_allowed_one_attempt_is_not_tried_again() -> None:
    assert waits(RetryPolicy(), 1) == [None]


@given(attempt=st.integers(1, 10_000), first=st.timedeltas(min_value=timedelta(0)))
def test_no_wait_is_longer_than_the_longest(attempt: int, first: timedelta) -> None:
    policy = RetryPolicy(first_wait=first, longest_wait=SECOND * 3600)
    wait = policy.next_wait(attempt=attempt, attempts_allowed=attempt + 1)
    assert wait is not None
    assert timedelta(0) <= wait <= SECOND * 3600
