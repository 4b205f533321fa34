"""The tree of processes as /proc shows it: who descends from whom, what they use, and their end."""

import os
import signal
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.execution.memory import proc_file, proportional_memory

KILL_AGAIN = 0.005


@dataclass(frozen=True)
class Tree:
    """Every process of the machine at one moment; each may have ended since."""

    children: Mapping[int, Sequence[int]]
    zombies: frozenset[int] = frozenset()

    def descendants(self, pid: int) -> list[int]:
        """The processes below `pid`, parents first."""
        found = list(self.children.get(pid, ()))
        for each in found:  # the list grows while it is walked
            found.extend(self.children.get(each, ()))
        return found

    def memory(self, pid: int) -> int:
        """The bytes used by `pid` and everything below it; shared pages count once in all."""
        return sum(proportional_memory(each) for each in (pid, *self.descendants(pid)))


def read_tree() -> Tree:
    """The tree now, whatever the kernel was built with: see `own_children`."""
    children: dict[int, list[int]] = defaultdict(list)
    zombies: set[int] = set()
    for name in os.listdir("/proc"):  # noqa: PTH208 - a few times faster than Path.iterdir
        if name.isdigit() and (stat := proc_file(f"/proc/{name}/stat")):
            # The name in parentheses may itself hold spaces and parentheses.
            state, parent = stat[stat.rindex(b")") + 2 :].split(b" ", 2)[:2]
            children[int(parent)].append(int(name))
            if state == b"Z":
                # Still in the tree: a process whose first thread has ended looks like this too.
                zombies.add(int(name))
    return Tree(children, frozenset(zombies))


def own_children() -> set[int]:
    """The children of this process, which has one thread, without the whole tree if possible.

    The dead are among them, until they are waited for, and nobody else makes one disappear: so the
    kernel's list misses none while it is read.
    """
    own = os.getpid()
    try:
        listed = Path(f"/proc/{own}/task/{own}/children").read_bytes()
    except OSError:
        # Many kernels are built without it.
        return set(read_tree().children.get(own, ()))
    return set(map(int, listed.split()))


def own_peak_memory() -> int:
    """The most this process has used so far: what it uses now, plus how far it came down."""
    status = dict(
        line.split(b":", 1) for line in (proc_file("/proc/self/status") or b"").splitlines()
    )
    high, now = (int(status.get(name, b"0").split()[0]) for name in (b"VmHWM", b"VmRSS"))
    return proportional_memory(os.getpid()) + max(high - now, 0) * 1024


def signal_process(pid: int, number: int) -> None:
    """Send a signal; it does not matter if the process has ended."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def signal_group(leader: int, number: int) -> None:
    """Send a signal to the group of `leader`, or to it alone if it has not made its group yet."""
    try:
        os.killpg(leader, number)
    except ProcessLookupError:
        signal_process(leader, number)
    except PermissionError:
        return


def kill_all_descendants() -> None:
    """Kill and reap everything below this process, which must be their subreaper.

    Returns when nothing is left. A process that forks faster than it is killed loses in the end:
    its parent's death makes it our child, and a child cannot hide.
    """
    while True:
        for pid in read_tree().descendants(os.getpid()):
            signal_process(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(KILL_AGAIN)
