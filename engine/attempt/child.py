"""The forked child: from a copy of the fork server to a process that carries out one attempt."""

import atexit
import faulthandler
import io
import os
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from engine.attempt import prctl
from engine.attempt.report import Report
from engine.execution.orders import Order

Perform = Callable[[Order, Report], None]

# Of all processes, the one that a machine out of memory should lose is the attempt.
OOM_SCORE = "500"


@dataclass(frozen=True, kw_only=True)
class WriteEnds:
    """The ends of the attempt's pipes that the child writes to."""

    stdout: int
    stderr: int
    events: int
    outcome: int


def carry_out(
    order: Order, perform: Perform, ends: WriteEnds, server: int, private: Iterable[int]
) -> NoReturn:
    """Become the process of this attempt; never returns, whatever `perform` does.

    Called in the child right after the fork, with the stopping signals blocked. `server` is
    the fork server's process, `private` its files, which are closed here.
    """
    code = 1
    try:
        child = _become_a_leader(order, ends, server, private)
        report = Report(ends.events, ends.outcome)
        code = _exit_code(lambda: perform(order, report))
        if os.getpid() == child:
            # As at the end of any Python program: wait for threads, then run exit handlers.
            # Not in a process that the job forked and that came back here.
            exits = _exit_code(_leave)
            code = code or exits
        _exit_code(_flush)
    finally:
        os._exit(code)


def _become_a_leader(order: Order, ends: WriteEnds, server: int, private: Iterable[int]) -> int:
    prctl.die_with_parent(server)
    os.setsid()
    # Orphans of the attempt stay below it, however they were made, so that their memory counts
    # and their end is known; at the attempt's own end they become the server's, which kills them.
    prctl.adopt_orphans()
    prctl.show_as(f"attempt {order.id}")
    for each in private:
        os.close(each)
    os.dup2(ends.stdout, 1)
    os.dup2(ends.stderr, 2)
    os.close(ends.stdout)
    os.close(ends.stderr)
    sys.stdout, sys.stderr = _text_stream(1), _text_stream(2)
    faulthandler.enable(file=2)
    _restore_signals()
    _part_random_numbers()
    _offer_to_the_oom_killer()
    _leave_no_core()
    return os.getpid()


def _restore_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # A stop that came since the fork was held back, and takes effect here.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _part_random_numbers() -> None:
    # Python parts its own generators at a fork; numpy's would give every attempt the same numbers.
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def _offer_to_the_oom_killer() -> None:
    try:
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)
    except OSError:
        return  # not allowed everywhere, and nothing depends on it


def _leave_no_core() -> None:
    # It would hold every secret that the attempt was given. A job that wants one may say so.
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))


def _text_stream(number: int) -> io.TextIOWrapper:
    binary = open(number, "wb", closefd=False)  # noqa: SIM115 - open for the whole life
    return io.TextIOWrapper(
        binary, encoding="utf-8", errors="backslashreplace", line_buffering=True
    )


def _leave() -> None:
    threading._shutdown()  # type: ignore[attr-defined] # noqa: SLF001 - as multiprocessing does
    atexit._run_exitfuncs()  # noqa: SLF001 - likewise; sys.exit would return to the server


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def _exit_code(call: Callable[[], None]) -> int:
    """Call, and say how a program that did this would exit; what it raised goes to stderr."""
    try:
        call()
    except SystemExit as leaving:
        if leaving.code is None or isinstance(leaving.code, int):
            return leaving.code or 0
        print(leaving.code, file=sys.stderr)  # noqa: T201 - as Python does
        return 1
    except BaseException:  # noqa: BLE001 - a job may raise anything; nothing may leave this process
        traceback.print_exc()
        return 1
    return 0
