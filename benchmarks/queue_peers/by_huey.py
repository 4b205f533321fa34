"""Plain Huey on Redis: its own blocking storage, and its consumer with two processes."""

import sys
from pathlib import Path

from huey import RedisHuey

from benchmarks.queue_peers.mark import mark
from benchmarks.queue_peers.peer import LOST, REDIS, Enqueue, Peer, told

huey = RedisHuey("bench", url=told(REDIS) or None)


@huey.task()  # type: ignore[untyped-decorator]
def nothing() -> None:
    """Next to nothing."""
    mark()


def enqueuer() -> Enqueue:
    """Enqueue one run."""
    enqueue: Enqueue = nothing
    return enqueue


_CONSUMER = str(Path(sys.executable).with_name("huey_consumer"))
PEERS = [
    Peer(
        name="Huey",
        module=__name__,
        workers=[(_CONSUMER, f"{__name__}.huey", "--workers", "2", "--worker-type", "process")],
        durability="removed from Redis before the run: lost by kill -9 of a worker",
        power_cut=LOST,
    )
]
