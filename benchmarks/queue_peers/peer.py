"""A peer: how its two workers are started, how a run is enqueued, and what a crash costs it."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

REDIS = "BENCH_REDIS"
POSTGRES = "BENCH_POSTGRES"
HOME = "BENCH_HOME"

Command = Sequence[str]

SURVIVES = "every enqueued run is on the disk"
LOST = "every enqueued run is lost: its Redis keeps nothing on disk"


@dataclass(frozen=True, kw_only=True)
class Peer:
    """`module` has `enqueuer()`, which returns a function that enqueues one run each time.

    `workers` are two in all, however many commands that takes. One that is slow carries out a
    `share` of the runs: its rate is the same. `durability` is what its settings promise after the
    end of a worker, `power_cut` what becomes of runs that were enqueued. With `synced` its Redis
    has each of them on the disk before it says that it has it.
    """

    name: str
    module: str
    workers: Sequence[Command]
    durability: str
    prepare: Sequence[Command] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    share: float = 1.0
    power_cut: str = SURVIVES
    synced: bool = False


def on_redis(*peers: Peer) -> Sequence[Peer]:
    """Each of them twice: on the Redis that keeps nothing, and on the one that syncs."""
    return [
        each
        for peer in peers
        for each in (
            replace(peer, power_cut=LOST),
            replace(
                peer,
                name=f"{peer.name}, synced",
                power_cut=f"{SURVIVES}: its Redis has appendfsync always",
                synced=True,
            ),
        )
    ]


def python(module: str, *arguments: str) -> Command:
    """`python -m module`, with the Python that runs here."""
    return (sys.executable, "-m", module, *arguments)


def told(name: str) -> str:
    """What the benchmark said of the servers and folders of this round."""
    return os.environ.get(name, "")


Enqueue = Callable[[], object]
