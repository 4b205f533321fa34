"""How an attempt ended, in a sentence for a person."""

import signal
from dataclasses import dataclass
from datetime import timedelta

from engine.execution.orders import Cause, StopReason

STOPPED = {
    StopReason.CANCELLED: "cancelled while it ran",
    StopReason.HANDED_BACK: "handed back because the worker shuts down",
    StopReason.LEASE_LOST: "the worker no longer held the lease of the run",
}

MIB = 1024 * 1024
MB = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Why the fork server ends an attempt, decided once; what comes later does not change it."""

    cause: Cause
    text: str
    reason: StopReason | None = None


def time_limit_passed(limit: timedelta) -> Verdict:
    """The attempt took too long."""
    text = f"the time limit of {limit.total_seconds():g} s passed"
    return Verdict(cause=Cause.TIME_LIMIT, text=text)


def memory_limit_exceeded(limit: int, used: int) -> Verdict:
    """The attempt's processes use too much together."""
    unit, name = (MIB, "MiB") if limit % MIB == 0 else (MB, "MB")
    text = (
        f"the memory limit of {limit / unit:,.10g} {name} was exceeded: "
        f"the attempt's processes used {_rounded_up(used, unit):,} {name}"
    )
    return Verdict(cause=Cause.MEMORY_LIMIT, text=text)


def stopped(reason: StopReason) -> Verdict:
    """The worker asked for it."""
    return Verdict(cause=Cause.STOPPED, reason=reason, text=STOPPED[reason])


def verdict_sentence(verdict: Verdict, *, killed: bool, others: int) -> str:
    """The verdict and what it took: `killed` says whether the attempt's own process had to be."""
    if killed and others:
        return f"{verdict.text}; the attempt and {_processes(others)} were killed"
    if killed:
        return f"{verdict.text}; the attempt was killed"
    if others:
        were = "was" if others == 1 else "were"
        return f"{verdict.text}; the attempt stopped and {_processes(others)} {were} killed"
    return f"{verdict.text}; the attempt stopped"


def crash_sentence(exit_code: int | None, number: int | None, *, others: int) -> str:
    """The attempt's process ended by itself without an outcome."""
    if number is not None:
        text = f"killed by signal {number} ({_signal_name(number)})"
        if number == signal.SIGKILL:
            text += ", not by the engine; the machine may have run out of memory"
    else:
        text = f"the process ended with exit code {exit_code} before the job had an outcome"
    were = "was" if others == 1 else "were"
    return f"{text}; {_processes(others)} it left behind {were} killed" if others else text


def _processes(count: int) -> str:
    return "1 other process" if count == 1 else f"{count} other processes"


def _rounded_up(used: int, unit: int) -> int:
    # Never "the limit of 200 MB was exceeded: 200 MB".
    return -(-used // unit)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "a real-time signal"
