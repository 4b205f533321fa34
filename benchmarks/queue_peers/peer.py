"""A peer: how its two workers are started, how a run is enqueued, and what a crash costs it."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

REDIS = "BENCH_REDIS"
POSTGRES = "BENCH_POSTGRES"
HOME = "BENCH_HOME"

Command = Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """`module` has `enqueuer()`, which returns a function that enqueues one run each time.

    `workers` are two in all, however many commands that takes. One that is slow carries out a
    `share` of the runs: its rate is the same. `durability` is what its settings promise.
    """

    name: str
    module: str
    workers: Sequence[Command]
    durability: str
    prepare: Sequence[Command] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    share: float = 1.0


def python(module: str, *arguments: str) -> Command:
    """`python -m module`, with the Python that runs here."""
    return (sys.executable, "-m", module, *arguments)


def told(name: str) -> str:
    """What the benchmark said of the servers and folders of this round."""
    return os.environ.get(name, "")


Enqueue = Callable[[], object]
