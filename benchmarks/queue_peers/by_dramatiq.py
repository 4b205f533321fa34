"""Dramatiq on Redis: two processes of one thread each, its own middleware."""

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks.queue_peers.mark import mark
from benchmarks.queue_peers.peer import REDIS, Enqueue, Peer, on_redis, python, told

broker = RedisBroker(url=told(REDIS) or None)  # type: ignore[no-untyped-call]
dramatiq.set_broker(broker)


@dramatiq.actor
def nothing() -> None:
    """Next to nothing."""
    mark()


def enqueuer() -> Enqueue:
    """Enqueue one run."""
    return nothing.send


PEERS = on_redis(
    Peer(
        name="Dramatiq",
        module=__name__,
        workers=[python("dramatiq", "--processes", "2", "--threads", "1", __name__)],
        durability="acknowledged after the run: comes again a minute after kill -9, unfenced",
    )
)
