"""The launch of an attempt: its pipes and its fork."""

import os
import signal
from collections.abc import Iterable

from engine.attempt.account import Account
from engine.attempt.child import Perform, WriteEnds, carry_out
from engine.attempt.groups import Group
from engine.clock import Clock
from engine.execution.orders import Order

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PIPES = ("stdout", "stderr", "events", "outcome")


def launch(order: Order, perform: Perform, private: Iterable[int], clock: Clock) -> Group:
    """Fork the process that carries out `order`; `private` are files it must not inherit.

    Raises OSError when the machine has no process or file to spare.
    """
    read_ends: dict[int, str] = {}
    write_ends: dict[str, int] = {}
    server = os.getpid()
    try:
        for name in PIPES:
            read_end, write_ends[name] = os.pipe()
            os.set_blocking(read_end, False)
            read_ends[read_end] = name
        # A stop that reaches the child before it is ready waits until it is.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        try:
            pid = os.fork()
            if pid == 0:
                ends = WriteEnds(**write_ends)
                carry_out(order, perform, ends, server, (*private, *read_ends))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    except OSError:
        for end in read_ends:
            os.close(end)
        raise
    finally:
        for end in write_ends.values():
            os.close(end)
    return Group(order, pid, Account(order, read_ends, clock))
