"""Orders for the fork server."""

from datetime import timedelta
from itertools import count
from typing import Any

from engine.execution.orders import Order

_numbers = count(1)


def an_order(
    do: str,
    *,
    time_limit: float | None = None,
    memory_limit: int | None = None,
    grace: float = 5,
    log_limit: int = 1_000_000,
    fuse: float | None = None,
    **payload: Any,
) -> Order:
    """An order for the test function `do` of tests/processes/performances.py."""
    number = next(_numbers)
    return Order(
        id=f"{number}:1",
        run_id=number,
        attempt=1,
        token=f"token-{number}",
        time_limit=None if time_limit is None else timedelta(seconds=time_limit),
        memory_limit=memory_limit,
        grace=timedelta(seconds=grace),
        log_limit=log_limit,
        fuse=None if fuse is None else timedelta(seconds=fuse),
        payload={"do": do, **payload},
    )
