"""The start of the fork server: `python -m engine.attempt.main SOCKET WORKER`.

It ignores the signals that stop a worker, so that attempts can be drained, and ends when the
worker's socket does: then it kills every attempt, whatever the attempt is doing.
"""

import gc
import importlib
import os
import select
import signal
import socket
import traceback
from typing import NoReturn, cast

from engine.attempt import prctl, tree
from engine.attempt.channel import Channel
from engine.attempt.child import Perform
from engine.attempt.guard import stand_guard
from engine.attempt.launch import STOPPING
from engine.attempt.server import Server
from engine.clock import SystemClock
from engine.execution.orders import Broken, Prepare, Ready


def main(socket_fd: int, worker: int) -> NoReturn:
    """Split into guard and server; `worker` is the process at the socket's other end."""
    # What jobs print while they are loaded must not end up in what the worker prints.
    os.dup2(2, 1)
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    prctl.adopt_orphans()
    lifeline, held = os.pipe()
    server = os.fork()
    if server:
        os.close(socket_fd)
        os.close(lifeline)
        stand_guard(server, held, worker)
    code = 1
    try:
        os.close(held)
        os.setsid()  # killing the guard's group is not to kill the server too
        prctl.adopt_orphans()
        prctl.show_as("attempts server")
        _serve(Channel(socket.socket(fileno=socket_fd)), lifeline)
        code = 0
    except BaseException:  # noqa: BLE001 - a bug here must still end the attempts
        traceback.print_exc()
    finally:
        tree.kill_all_descendants()
        os._exit(code)


def _serve(channel: Channel, lifeline: int) -> None:
    order = _wait_for_orders(channel, lifeline)
    if order is None:
        return
    # Pages that the collector does not touch stay shared with every attempt.
    gc.disable()
    problems = tuple(filter(None, map(_preload, order.preload)))
    try:
        module, _, name = order.performer.partition(":")
        perform = cast("Perform", getattr(importlib.import_module(module), name)())
    except BaseException as error:  # noqa: BLE001 - told to the worker, whatever it is
        channel.send(Broken(error=f"{order.performer}: {type(error).__name__}: {error}"))
        return
    server = Server(channel, lifeline, perform, SystemClock())
    gc.freeze()
    gc.enable()
    channel.send(Ready(pid=os.getpid(), problems=problems))
    server.run()


def _wait_for_orders(channel: Channel, lifeline: int) -> Prepare | None:
    while True:
        ready, _, _ = select.select([channel.fileno(), lifeline], [], [])
        messages = None if lifeline in ready else channel.receive()
        if messages is None:
            return None
        for message in messages:
            if isinstance(message, Prepare):
                return message


def _preload(module: str) -> str | None:
    """Load a module ahead of the attempts; why not, if it cannot be (the attempt will say so)."""
    try:
        importlib.import_module(module)
    except BaseException as error:  # noqa: BLE001 - a job's module may do anything when loaded
        return f"{module}: {type(error).__name__}: {error}"
    return None


if __name__ == "__main__":
    import sys

    main(int(sys.argv[1]), int(sys.argv[2]))
