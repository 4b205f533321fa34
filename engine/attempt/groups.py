"""A group: the live processes of one attempt and what is going to happen to them."""

import signal
import time
from datetime import timedelta

from engine.attempt import endings, tree
from engine.attempt.account import Account
from engine.attempt.endings import Verdict
from engine.attempt.tree import Tree
from engine.execution.orders import AttemptEnd, Cause, Order, StopReason

SAMPLE_LAZILY = 1.0  # seconds between looks at the memory of an attempt without a limit
RUNAWAY = 2  # an attempt at this many times its memory limit gets no grace


class Group:
    """`pid` is the leader's process and the group's number; instants are on the monotonic clock.

    The leader ends first (`leader_ended`); the attempt is over when nothing else is left.
    """

    def __init__(self, order: Order, pid: int, account: Account) -> None:
        self.order = order
        self.pid = pid
        self.account = account
        self.leader_ended = False
        self.others: set[int] = set()  # processes below the leader that had to be killed
        self._exit = 0
        self._verdict: Verdict | None = None
        self._killed = False
        self._started = time.monotonic()
        self._deadline: float | None = None
        if order.time_limit is not None:
            self._deadline = self._started + order.time_limit.total_seconds()
        self._lease_lost_at: float | None = None
        if order.fuse is not None:
            self._lease_lost_at = self._started + order.fuse.total_seconds()
        self._kill_at: float | None = None
        self._sample_at = self._started
        if order.memory_limit is None:
            self._sample_at += SAMPLE_LAZILY

    @property
    def due_at(self) -> float:
        """The next instant at which `enforce` may have something to do."""
        instants = (self._deadline, self._lease_lost_at, self._kill_at)
        return min(each or float("inf") for each in instants)

    def enforce(self, now: float) -> None:
        """Do what is due: ask the attempt to stop at its time limit, kill it after its grace."""
        if self.leader_ended:
            self._lease_lost_at = None
            return
        if self._lease_lost_at is not None and now >= self._lease_lost_at:
            # The worker was stopped, or cannot reach the ledger and has not noticed.
            self._lease_lost_at = None
            self.stop(StopReason.LEASE_LOST, now)
        if self.account.delivered and self._kill_at is None:
            # The outcome stands, but a thread or an exit handler may hold the process.
            self._kill_at = now + self.order.grace.total_seconds()
            self._deadline = None
        if self._deadline is not None and now >= self._deadline and self.order.time_limit:
            self._deadline = None
            self._decide(endings.time_limit_passed(self.order.time_limit), now)
        if self._kill_at is not None and now >= self._kill_at:
            self.kill()

    def renew(self, fuse: timedelta, now: float) -> None:
        """The worker still holds the lease."""
        if self._lease_lost_at is not None:
            self._lease_lost_at = now + fuse.total_seconds()

    def stop(self, reason: StopReason, now: float) -> None:
        """The worker wants it to end."""
        if self.leader_ended:
            return
        at_once = reason is StopReason.LEASE_LOST
        self._decide(endings.stopped(reason), now, at_once=at_once)

    def is_due_for_a_sample(self, now: float) -> bool:
        """Whether it is time to look at the memory of the attempt."""
        return not self.leader_ended and now >= self._sample_at

    def sample(self, processes: Tree, now: float) -> None:
        """Look at the memory of the attempt, and hold it to its limit."""
        limit = self.order.memory_limit
        self._sample_at = now + SAMPLE_LAZILY if limit is None else now
        used = processes.memory(self.pid)
        self.account.peak_memory_bytes = max(self.account.peak_memory_bytes, used)
        if limit is not None and used > limit:
            verdict = endings.memory_limit_exceeded(limit, used)
            self._decide(verdict, now, at_once=used > RUNAWAY * limit)

    def kill(self) -> None:
        """Kill the leader and everything below it; what escapes becomes the server's child."""
        processes = tree.read_tree()
        below = processes.descendants(self.pid)
        self.others.update(pid for pid in below if pid not in processes.zombies)
        self._killed = True
        self._kill_at = None
        tree.signal_group(self.pid, signal.SIGKILL)
        for pid in below:
            tree.signal_process(pid, signal.SIGKILL)

    def note_exit(self, exit_code: int) -> None:
        """The leader has been reaped; negative codes are signals, as in subprocess."""
        self._exit = exit_code

    def end(self, now: float) -> AttemptEnd:
        """Nothing is left of the attempt: what it came to."""
        others = len(self.others)
        exit_code, number = (self._exit, None) if self._exit >= 0 else (None, -self._exit)
        cause, reason, error = Cause.CRASHED, None, None
        if self._verdict is not None:
            cause, reason = self._verdict.cause, self._verdict.reason
            error = endings.verdict_sentence(self._verdict, killed=self._killed, others=others)
        elif self.account.delivered:
            cause = Cause.FINISHED
        else:
            error = endings.crash_sentence(exit_code, number, others=others)
        return AttemptEnd(
            id=self.order.id,
            cause=cause,
            reason=reason,
            outcome=self.account.outcome,
            error=error,
            exit_code=exit_code,
            signal=number,
            killed=others,
            duration=timedelta(seconds=now - self._started),
            peak_memory_bytes=self.account.peak_memory_bytes or None,
        )

    def _decide(self, verdict: Verdict, now: float, *, at_once: bool = False) -> None:
        """Ask the attempt to stop, once; an outcome that is already there stands."""
        self.account.read_outcome()
        if self._verdict is None and not self.account.delivered:
            self._verdict = verdict
            self._kill_at = now + self.order.grace.total_seconds()
            if not at_once:
                tree.signal_group(self.pid, signal.SIGTERM)
                tree.signal_group(self.pid, signal.SIGCONT)  # a suspended process would not notice
        if at_once:
            self.kill()
