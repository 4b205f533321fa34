"""The fork server: one thread that starts attempts, watches them, and outlives none of them.

Its loop never waits for anything but events: a child that floods or a worker that reads slowly
has its turn like everything else.
"""

import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator, Set
from functools import partial
from typing import cast

from engine.attempt import tree
from engine.attempt.channel import Channel
from engine.attempt.child import Perform
from engine.attempt.groups import SAMPLE_LAZILY, Group
from engine.attempt.launch import launch
from engine.clock import Clock
from engine.execution.orders import AttemptEnd, Cause, Lines, Message, Order, Renewed, Stop

LOOK_EVERY = 0.2  # seconds between looks at the processes of attempts with a memory limit
LOOK_SHARE = 20  # a look may cost one part in so many of the time: big machines have big trees
SAY_EVERY = 0.1
SAY_AT_ONCE = 65_536
SWEEP_AGAIN = 0.005
BACKLOG_HIGH = 1_000_000
BACKLOG_LOW = 100_000
NEVER = float("inf")


class Server:
    """The table of live groups and the event loop; `lifeline` closes when the server must end."""

    def __init__(self, channel: Channel, lifeline: int, perform: Perform, clock: Clock) -> None:
        self._channel = channel
        self._lifeline = lifeline
        self._perform = perform
        self._clock = clock
        self._groups: dict[str, Group] = {}
        self._over = False
        self._hears_output = True
        self._look_at = self._say_at = self._sweep_at = NEVER
        self._child_ended, self._wake_up = os.pipe()
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Serve until the worker is gone; on return, attempts may still be alive."""
        os.set_blocking(self._child_ended, False)
        os.set_blocking(self._wake_up, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_up, warn_on_full_buffer=False)
        self._watch(self._child_ended, lambda: os.read(self._child_ended, 4096))
        self._watch(self._lifeline, self._leave)
        self._watch(self._channel.fileno(), self._listen)
        while not self._over:
            for key, _ in self._selector.select(self._patience()):
                # An earlier event of this round may have ended the attempt of a later one.
                if self._is_watched(key.fd):
                    cast("Callable[[], object]", key.data)()
            self._reap()
            self._act(time.monotonic())

    # The worker

    def _listen(self) -> None:
        self._mind_the_backlog()
        messages = self._channel.receive()
        if messages is None:
            self._leave()
            return
        for message in messages:
            if isinstance(message, Order):
                self._start(message)
            elif isinstance(message, Stop) and message.id in self._groups:
                self._groups[message.id].stop(message.reason, time.monotonic())
            elif isinstance(message, Renewed) and message.id in self._groups:
                self._groups[message.id].renew(message.fuse, time.monotonic())

    def _leave(self) -> None:
        self._over = True

    def _send(self, message: Message) -> None:
        self._channel.send(message)
        self._mind_the_backlog()

    def _mind_the_backlog(self) -> None:
        """A worker that reads slowly slows its attempts down; it does not fill our memory."""
        self._channel.flush()
        backlog = self._channel.backlog
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if backlog else 0)
        self._selector.modify(self._channel.fileno(), events, self._listen)
        if backlog > BACKLOG_HIGH if self._hears_output else backlog < BACKLOG_LOW:
            self._hears_output = not self._hears_output
            for group in self._groups.values():
                self._watch_pipes(group)

    # Attempts

    def _start(self, order: Order) -> None:
        watched = (key.fd for key in self._selector.get_map().values())
        private = (*watched, *self._unwatched_files())
        try:
            group = launch(order, self._perform, private, self._clock)
        except OSError as error:
            text = f"the attempt could not be started: {error}"
            self._send(AttemptEnd(id=order.id, cause=Cause.CRASHED, error=text))
            return
        self._groups[order.id] = group
        self._watch_pipes(group)
        self._look_at = min(self._look_at, time.monotonic() + LOOK_EVERY)

    def _watch_pipes(self, group: Group) -> None:
        for pipe, kind in group.account.pipes.items():
            watched = self._is_watched(pipe)
            wanted = pipe in group.account.open and (self._hears_output or kind == "outcome")
            if wanted and not watched:
                self._watch(pipe, partial(self._read, group, pipe))
            elif watched and not wanted:
                self._selector.unregister(pipe)

    def _read(self, group: Group, pipe: int) -> None:
        if not group.account.read(pipe) and pipe not in group.account.open:
            self._selector.unregister(pipe)
        if group.account.output.pending_bytes >= SAY_AT_ONCE:
            self._say(group)
        else:
            self._say_at = min(self._say_at, time.monotonic() + SAY_EVERY)

    def _say(self, group: Group) -> None:
        if lines := group.account.output.take():
            self._send(Lines(id=group.order.id, lines=lines))
        if progress := group.account.take_progress():
            self._send(progress)

    def _finish(self, group: Group) -> None:
        group.account.read_the_rest()
        for pipe in group.account.pipes:
            if self._is_watched(pipe):
                self._selector.unregister(pipe)
            os.close(pipe)
        del self._groups[group.order.id]
        self._say(group)
        self._send(group.end(time.monotonic()))

    # Time

    def _patience(self) -> float | None:
        due = [group.due_at for group in self._groups.values()]
        due_at = min(self._look_at, self._say_at, self._sweep_at, *due)
        return None if due_at == NEVER else max(due_at - time.monotonic(), 0)

    def _act(self, now: float) -> None:
        for group in self._groups.values():
            group.enforce(now)
        if now >= self._look_at:
            self._look(now)
        if now >= self._sweep_at:
            self._sweep()
        if now >= self._say_at:
            self._say_at = NEVER
            for group in self._groups.values():
                self._say(group)

    def _look(self, now: float) -> None:
        """Measure the attempts, and kill what has slipped out of them."""
        self._kill(self._strays())
        due = [group for group in self._groups.values() if group.is_due_for_a_sample(now)]
        if due:
            processes = tree.read_tree()
            for group in due:
                group.sample(processes, now)
        cost = time.monotonic() - now
        limited = any(group.order.memory_limit is not None for group in self._groups.values())
        wait = max(LOOK_EVERY if limited else SAMPLE_LAZILY, LOOK_SHARE * cost)
        self._look_at = now + wait if self._groups else NEVER

    # Ends

    def _reap(self) -> None:
        leaders = {group.pid: group for group in self._groups.values() if not group.leader_ended}
        while True:
            try:
                # Look first: until it is reaped, its number is nobody else's.
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            group = leaders.pop(ended.si_pid, None)
            if group is None:
                os.waitpid(ended.si_pid, 0)
            else:
                self._bury(group)

    def _bury(self, group: Group) -> None:
        """The leader has ended: what it leaves behind is ours now, and is killed."""
        group.leader_ended = True
        strays = self._strays() - {group.pid}
        self._kill(strays)
        tree.signal_group(group.pid, signal.SIGKILL)
        _, status = os.waitpid(group.pid, 0)
        group.note_exit(os.waitstatus_to_exitcode(status))
        if strays:
            self._sweep_at = time.monotonic()
        else:
            self._finish(group)

    def _sweep(self) -> None:
        """Attempts whose leader has ended are over when there are no strays any more."""
        if strays := self._strays():
            self._kill(strays)
            self._sweep_at = time.monotonic() + SWEEP_AGAIN
            return
        self._sweep_at = NEVER
        for group in [group for group in self._groups.values() if group.leader_ended]:
            self._finish(group)

    def _strays(self) -> set[int]:
        """Every child that is not a leader; it belonged to one that was."""
        leaders = {group.pid for group in self._groups.values() if not group.leader_ended}
        return tree.own_children() - leaders

    def _kill(self, strays: Set[int]) -> None:
        """Kill these, and all below them.

        Whose they were is not known for sure when two attempts end at once; both say so.
        """
        if not strays:
            return
        processes = tree.read_tree()
        for stray in strays:
            for pid in (stray, *processes.descendants(stray)):
                tree.signal_process(pid, signal.SIGKILL)
                for group in self._groups.values():
                    if group.leader_ended and pid not in processes.zombies:
                        group.others.add(pid)

    # The selector

    def _watch(self, file: int, action: Callable[[], object]) -> None:
        self._selector.register(file, selectors.EVENT_READ, action)

    def _unwatched_files(self) -> Iterator[int]:
        yield self._wake_up
        yield cast("selectors.EpollSelector", self._selector).fileno()
        for group in self._groups.values():
            yield from (pipe for pipe in group.account.pipes if not self._is_watched(pipe))

    def _is_watched(self, file: int) -> bool:
        return file in self._selector.get_map()
