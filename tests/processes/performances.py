"""What attempts do in the tests of the fork server, well behaved and otherwise."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from engine.attempt.child import Perform
from engine.attempt.report import Report
from engine.execution.orders import Order
from tests.processes.waiting import note

FOREVER = 1_000


def performer() -> Perform:
    """What carries out the orders below."""
    return _perform


def _perform(order: Order, report: Report) -> None:
    """Do what the order names."""
    PERFORMANCES[order.payload["do"]](order.payload, report)


def _deliver(payload: Mapping[str, Any], report: Report) -> None:
    report.outcome(payload.get("value"))


def _deliver_bytes(payload: Mapping[str, Any], report: Report) -> None:
    report.outcome("x" * payload["bytes"])


def _sleep(payload: Mapping[str, Any], report: Report) -> None:
    if "pids" in payload:
        note(payload["pids"])
    sys.stdout.write("sleeping\n")
    time.sleep(FOREVER)


def _refuse_to_die(payload: Mapping[str, Any], report: Report) -> None:
    """Every trick at once: three kinds of grandchildren, then a C call that no signal ends."""
    _block_signals()
    note(payload["pids"])
    _linger(payload["pids"])
    _linger(payload["pids"], session=True)
    _linger(payload["pids"], session=True, daemon=True)
    while True:
        try:
            sum(range(10**15))
        except BaseException:  # noqa: BLE001, S112 - what it is about
            continue


def _leave_grandchildren(payload: Mapping[str, Any], report: Report) -> None:
    note(payload["pids"])
    _linger(payload["pids"])
    _linger(payload["pids"], session=True, daemon=True)
    subprocess.Popen(["sleep", str(FOREVER)], start_new_session=True)  # noqa: S603, S607 - any sleep
    while len(Path(payload["pids"]).read_text().split()) < 3:
        time.sleep(0.01)
    if payload.get("crash"):
        os.kill(os.getpid(), signal.SIGKILL)
    report.outcome("left some")


def _daemonize_and_go_on(payload: Mapping[str, Any], report: Report) -> None:
    _linger(payload["pids"], session=True, daemon=True)
    time.sleep(FOREVER)


def _eat_memory_in_a_grandchild(payload: Mapping[str, Any], report: Report) -> None:
    note(payload["pids"])
    if os.fork() == 0:
        note(payload["pids"])
        eaten = bytearray(payload["bytes"])
        eaten[::4096] = b"x" * len(eaten[::4096])
        time.sleep(FOREVER)
    time.sleep(FOREVER)


def _use_memory_for_a_moment(payload: Mapping[str, Any], report: Report) -> None:
    eaten = bytearray(payload["bytes"])
    eaten[::4096] = b"x" * len(eaten[::4096])
    del eaten
    report.outcome(None)


def _crash(payload: Mapping[str, Any], report: Report) -> None:
    ctypes.string_at(0)


def _raise(payload: Mapping[str, Any], report: Report) -> None:
    raise RuntimeError("this is wrong")


def _exit(payload: Mapping[str, Any], report: Report) -> None:
    sys.exit(payload["code"])


def _fork_and_come_back(payload: Mapping[str, Any], report: Report) -> None:
    report.outcome("parent" if os.fork() else "child")


def _speak(payload: Mapping[str, Any], report: Report) -> None:
    sys.stdout.write("to stdout\n")
    sys.stderr.write("to stderr\n")
    report.log("a record\nof two lines")
    os.write(1, b"not \xff UTF-8, a \0 and no end")
    report.progress(1, 4)
    report.progress(2, 4, "half")
    report.outcome(None)


def _print_lines(payload: Mapping[str, Any], report: Report) -> None:
    for number in range(payload["lines"]):
        sys.stdout.write(f"{number} {'x' * payload['length']}\n")
    report.outcome(None)


def _count_for_ever(payload: Mapping[str, Any], report: Report) -> None:
    """A line each hundredth of a second; the first second of them is passed on, then it notes."""
    for number in range(FOREVER * 100):
        sys.stdout.write(f"line {number}\n")
        time.sleep(0.01)
        if number == 100:
            note(payload["pids"])


def _flood(payload: Mapping[str, Any], report: Report) -> None:
    block = b"flood " * 10_000
    while True:
        os.write(1, block)


def _linger_at_exit(payload: Mapping[str, Any], report: Report) -> None:
    threading.Thread(target=time.sleep, args=(FOREVER,)).start()
    report.outcome("done")


def _finish_when_asked(payload: Mapping[str, Any], report: Report) -> None:
    def leave(*_: object) -> NoReturn:
        report.outcome("tidied up")
        os._exit(0)

    signal.signal(signal.SIGTERM, leave)
    note(payload["pids"])
    time.sleep(FOREVER)


def _stop_itself(payload: Mapping[str, Any], report: Report) -> None:
    note(payload["pids"])
    os.kill(os.getpid(), signal.SIGSTOP)


def _tell_of_itself(payload: Mapping[str, Any], report: Report) -> None:
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    report.outcome(
        {
            "files": sorted(str(Path(f"/proc/self/fd/{n}").readlink()) for n in _own_files()),
            "leads": os.getpid() == os.getpgrp() == os.getsid(0),
            "default": signal.getsignal(signal.SIGTERM) is signal.SIG_DFL,
            "blocked": len(blocked),
            "parent": os.getppid(),
            "logging": logging.getLogger().level,
        }
    )


def _draw(payload: Mapping[str, Any], report: Report) -> None:
    import random

    import numpy as np

    report.outcome([random.random(), np.random.rand()])  # noqa: S311 - old and shared


def _own_files() -> list[int]:
    found = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - iterdir would be no different
        try:
            os.fstat(int(name))
        except OSError:
            continue  # the listing's own
        found.append(int(name))
    return found


def _linger(pids: str, *, session: bool = False, daemon: bool = False) -> None:
    """Fork a process that notes its pid and stays, in a session of its own or as an orphan."""
    if os.fork() == 0:
        if session:
            os.setsid()
        if daemon and os.fork():
            os._exit(0)
        _block_signals()
        note(pids)
        time.sleep(FOREVER)
        os._exit(0)


def _block_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


PERFORMANCES: Mapping[str, Callable[[Mapping[str, Any], Report], None]] = {
    "deliver": _deliver,
    "deliver_bytes": _deliver_bytes,
    "sleep": _sleep,
    "refuse_to_die": _refuse_to_die,
    "leave_grandchildren": _leave_grandchildren,
    "daemonize_and_go_on": _daemonize_and_go_on,
    "eat_memory_in_a_grandchild": _eat_memory_in_a_grandchild,
    "use_memory_for_a_moment": _use_memory_for_a_moment,
    "crash": _crash,
    "raise": _raise,
    "exit": _exit,
    "fork_and_come_back": _fork_and_come_back,
    "speak": _speak,
    "print_lines": _print_lines,
    "count_for_ever": _count_for_ever,
    "flood": _flood,
    "linger_at_exit": _linger_at_exit,
    "finish_when_asked": _finish_when_asked,
    "stop_itself": _stop_itself,
    "draw": _draw,
    "tell_of_itself": _tell_of_itself,
}
