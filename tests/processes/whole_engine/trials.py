"""The jobs of a test's home: copied there as jobs/trials.py."""

import logging
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, text

from engine.authoring import JobContext, RetryPolicy, job
from engine.store.database import Database
from engine.store.ledger_clock import LedgerClock
from tests.processes.waiting import append, note

MIB = 1024 * 1024
FOREVER = 1_000
AT_ONCE = RetryPolicy(attempts=50, waits=(timedelta(0),))

logger = logging.getLogger("trials")


@job(retry=AT_ONCE)
def write_row(context: JobContext, *, number: int) -> int:
    """One row, once, with some time before and after in which to be killed."""
    time.sleep(0.25)
    written = _write_row(context, number)
    time.sleep(0.25)
    return written


@job(retry=AT_ONCE)
def write_row_slowly(context: JobContext, *, number: int, seconds: float, pids: str) -> None:
    """One row, once, after a while."""
    note(pids)
    time.sleep(seconds)
    _write_row(context, number)


@job(retry=AT_ONCE)
def kill_its_worker(context: JobContext) -> None:
    """End whoever carries it out, as the kernel may when memory is short."""
    # Time for what was taken with it to begin.
    time.sleep(0.5)
    pid = os.getppid()
    while b"work" not in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(pid, signal.SIGKILL)
    time.sleep(FOREVER)


@job(retry=AT_ONCE)
def dump_core(context: JobContext) -> None:
    """Die as a library in C does that reads where nothing is."""
    os.kill(os.getpid(), signal.SIGSEGV)


@job(time_limit=timedelta(seconds=1.5), retry=RetryPolicy(attempts=1))
def outstay(context: JobContext, *, pids: str) -> None:
    """Do everything not to end within the time limit."""
    _refuse_to_die(pids)


@job(retry=RetryPolicy(attempts=1))
def refuse_to_die(context: JobContext, *, pids: str) -> None:
    """Do everything not to end at all."""
    _refuse_to_die(pids)


@job(memory_limit=150 * MIB, retry=RetryPolicy(attempts=1))
def eat_memory(context: JobContext, *, pids: str) -> None:
    """Have a grandchild use more than the limit."""
    _block_signals()
    note(pids)
    if os.fork() == 0:
        note(pids)
        eaten = bytearray(200 * MIB)
        eaten[::4096] = b"x" * len(eaten[::4096])
    time.sleep(FOREVER)


@job(retry=RetryPolicy(attempts=2, waits=(timedelta(0),)))
def take_a_while(context: JobContext, *, seconds: float, pids: str) -> str:
    """Sleep, and say who slept."""
    note(pids)
    time.sleep(seconds)
    return "slept"


@job(retry=AT_ONCE)
def sleep_at_first(context: JobContext) -> None:
    """Sleep in the schedule's first attempt, so that it can be killed then."""
    seen = Path(os.environ["ENGINE_HOME"], f"seen {context.schedule}")
    if not seen.exists():
        seen.touch()
        time.sleep(FOREVER)


_HOARD: list[bytes] = []


@job()
def speak(context: JobContext) -> dict[str, int]:
    """Use every way of saying something."""
    sys.stdout.write("to stdout\n")
    sys.stderr.write("to stderr\n")
    logger.info("a record", extra={"wallet": 7})
    for done in range(1, 4):
        context.progress(done, 3, "wallets")
        time.sleep(0.3)
    return {"wallets": 3}


@job(isolated=False)
def short_call(context: JobContext, *, number: int) -> int:
    """One short call in the worker's thread."""
    logger.info("called")
    context.progress(1, 1)
    return number


@job(isolated=False)
def hoard(context: JobContext, *, megabytes: int) -> None:
    """Keep so much in the worker's own memory."""
    _HOARD.append(b"x" * megabytes * 1024 * 1024)


@job(isolated=False)
def wait_in_the_worker(context: JobContext, *, until: str, pids: str) -> None:
    """Wait for a file in the worker's own thread."""
    note(pids)
    while not Path(until).exists():
        time.sleep(0.05)


@job(on_crash="fail")
def die_halfway(context: JobContext) -> None:
    """End without a word, having done nobody knows what."""
    os._exit(1)


@job(retry=RetryPolicy(attempts=2, waits=(timedelta(0),)))
def fail(context: JobContext, *, why: str) -> None:
    """Raise."""
    raise RuntimeError(why)


@job()
def tick(context: JobContext) -> None:
    """Nothing."""


@job(retry=AT_ONCE, concurrency=2, limit_by=("wallet",))
def hold_a_slot(context: JobContext, *, wallet: str, seconds: float, notes: str) -> None:
    """Note again and again, by the ledger's clock, that it is alive."""
    path = Path(os.environ["ENGINE_HOME"], "var", "engine.db")
    database = Database(os.environ.get("ENGINE_DATABASE_URL", f"sqlite:///{path}"))
    begun, offset = LedgerClock(database).now().timestamp(), time.monotonic()
    database.dispose()
    while (elapsed := time.monotonic() - offset) < seconds:
        append(notes, f"{wallet} {context.claim.run_id}:{context.claim.attempt} {begun + elapsed}")
        time.sleep(0.01)
    append(notes, f"{wallet} {context.claim.run_id}:{context.claim.attempt} {begun + elapsed}")


@job(retry=AT_ONCE, rate="5/s")
def start_at_a_rate(context: JobContext, *, number: int) -> None:
    """Fail in the first attempt of every second run."""
    if context.claim.attempt == 1 and number % 2:
        raise RuntimeError("not yet")


def _write_row(context: JobContext, number: int) -> int:
    def insert(connection: Connection) -> int:
        connection.execute(text("INSERT INTO trial_rows VALUES (:number)"), {"number": number})
        return number

    return int(context.once(f"row {number}", {"number": number}, insert))


def _refuse_to_die(pids: str) -> None:
    """Grandchildren of two kinds, no signal heeded, every exception swallowed, and a C call."""
    _block_signals()
    note(pids)
    for session in (False, True):
        if os.fork() == 0:
            if session:
                os.setsid()
            note(pids)
            time.sleep(FOREVER)
    while True:
        try:
            sum(range(10**15))
        except BaseException:  # noqa: BLE001 - what it is about
            Path(pids).exists()
            continue


def _block_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
