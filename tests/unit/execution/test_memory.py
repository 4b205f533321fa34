"""The memory of processes, as /proc tells it."""

import os

from engine.execution.memory import proportional_memory


def test_memory_is_that_of_a_process_that_is_there() -> None:
    assert proportional_memory(os.getpid()) > 1_000_000
    assert proportional_memory(2**22 + 1) == 0
