"""When to try again."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.retry import RetryLater, RetryPolicy

SECOND = timedelta(seconds=1)


class GatewayBusy(ConnectionError):
    """An error of a job's own."""


def waits(policy: RetryPolicy, attempts: int, chance: float = 1.0) -> list[timedelta | None]:
    """The wait after each attempt, all of which failed."""
    return [
        policy.next_wait(failures=n, attempt=n, attempts_allowed=attempts, chance=chance)
        for n in range(1, attempts + 1)
    ]


def test_waits_double_until_the_last_attempt() -> None:
    policy = RetryPolicy(first_wait=SECOND * 10)
    assert waits(policy, 4) == [SECOND * 10, SECOND * 20, SECOND * 40, None]
    assert waits(RetryPolicy(), 4) == waits(policy, 4)


def test_listed_waits_are_taken_in_turn_and_the_last_one_stays() -> None:
    policy = RetryPolicy(waits=(SECOND, SECOND * 60))
    assert waits(policy, 5) == [SECOND, SECOND * 60, SECOND * 60, SECOND * 60, None]


def test_of_doubling_waits_a_random_share_is_taken_of_listed_ones_all() -> None:
    doubling, listed = RetryPolicy(first_wait=SECOND * 10), RetryPolicy(waits=(SECOND * 10,))
    assert waits(doubling, 3, chance=0.25) == [SECOND * 2.5, SECOND * 5, None]
    assert waits(listed, 2, chance=0.25) == [SECOND * 10, None]


def test_jitter_may_be_chosen() -> None:
    doubling = RetryPolicy(first_wait=SECOND * 10, jitter=False)
    listed = RetryPolicy(waits=(SECOND * 10,), jitter=True)
    assert waits(doubling, 2, chance=0.0) == [SECOND * 10, None]
    assert waits(listed, 2, chance=0.0) == [SECOND * 0, None]


def test_an_attempt_that_did_not_fail_does_not_lengthen_the_wait() -> None:
    policy = RetryPolicy(first_wait=SECOND * 10)
    assert policy.next_wait(failures=1, attempt=7, attempts_allowed=9) == SECOND * 10


def test_a_run_allowed_one_attempt_is_not_tried_again() -> None:
    assert waits(RetryPolicy(), 1) == [None]


@given(failures=st.integers(1, 10_000), first=st.timedeltas(min_value=timedelta(0)))
def test_no_wait_is_longer_than_the_longest(failures: int, first: timedelta) -> None:
    policy = RetryPolicy(first_wait=first, longest_wait=SECOND * 3600)
    wait = policy.next_wait(failures=failures, attempt=1, attempts_allowed=2)
    assert wait is not None
    assert timedelta(0) <= wait <= SECOND * 3600


@pytest.mark.parametrize("kind", [ConnectionError, "ConnectionError", "builtins.ConnectionError"])
def test_with_errors_to_retry_no_other_is_tried_again(kind: type[BaseException] | str) -> None:
    policy = RetryPolicy(retry_on=(kind,))
    assert policy.retries(ConnectionError())
    assert policy.retries(GatewayBusy())
    assert not policy.retries(ValueError())
    assert not policy.retries_named("TimeLimitExceeded")


@pytest.mark.parametrize("kind", [GatewayBusy, "GatewayBusy", f"{__name__}.GatewayBusy"])
def test_errors_never_to_retry_have_the_last_word(kind: type[BaseException] | str) -> None:
    policy = RetryPolicy(retry_on=(ConnectionError,), never_retry_on=(kind,))
    assert not policy.retries(GatewayBusy())
    assert policy.retries(ConnectionError())
    assert RetryPolicy(never_retry_on=(kind,)).retries(ValueError())


def test_limits_are_errors_with_names() -> None:
    assert not RetryPolicy(never_retry_on=("TimeLimitExceeded",)).retries_named("TimeLimitExceeded")
    assert RetryPolicy(retry_on=("TimeLimitExceeded",)).retries_named("TimeLimitExceeded")
    assert RetryPolicy().retries_named("MemoryLimitExceeded")


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        (RetryPolicy(attempts=0), "it needs at least one attempt"),
        (RetryPolicy(waits=(SECOND, -SECOND)), "a wait cannot be negative"),
        (RetryPolicy(first_wait=-SECOND), "a wait cannot be negative"),
        (RetryPolicy(retry_until=SECOND * 0), "retry_until must be a duration after the run was"),
        (RetryPolicy(retry_on=(int,)), "retry_on must be a tuple of exception classes"),  # type: ignore[arg-type]
        (RetryPolicy(never_retry_on=ValueError), "never_retry_on must be a tuple of exception"),  # type: ignore[arg-type]
    ],
)
def test_a_policy_that_cannot_work_says_why(policy: RetryPolicy, problem: str) -> None:
    assert policy.problem is not None
    assert policy.problem.startswith(problem)
    assert RetryPolicy().problem is None


def test_later_is_a_duration_or_seconds() -> None:
    assert RetryLater(after=90).after == SECOND * 90
    assert RetryLater(after=SECOND * 5, reason="the bank is closed").after == SECOND * 5
    assert str(RetryLater(after=90)) == "not yet; again after 90 s"
    assert str(RetryLater(after=5, reason="the bank is closed")) == "the bank is closed"
    for wrong in (-1, timedelta(days=400)):
        with pytest.raises(ValueError, match="does not lie within a year from now"):
            RetryLater(after=wrong)
