"""Calls that are begun at the same moment, each in a thread of its own."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import TypeVar

T = TypeVar("T")


def at_once(*calls: Callable[[], T]) -> list[T]:
    """What each call returned, all begun at the same moment; raises what the first of them did."""
    barrier = Barrier(len(calls))
    returned: dict[int, T] = {}
    raised: list[BaseException] = []

    def run(number: int, call: Callable[[], T]) -> None:
        barrier.wait()
        try:
            returned[number] = call()
        except BaseException as error:  # noqa: BLE001 - raised below, in the test's own thread
            raised.append(error)

    threads = [Thread(target=run, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    if raised:
        raise raised[0]
    return [returned[number] for number in range(len(calls))]
