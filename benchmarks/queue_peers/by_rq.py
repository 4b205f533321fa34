"""RQ on Redis: two workers that fork for each run, and two `SimpleWorker`s, which do not."""

import sys

from redis import Redis
from rq import Queue

from benchmarks.queue_peers.mark import mark
from benchmarks.queue_peers.peer import REDIS, Command, Enqueue, Peer, on_redis, told


def enqueuer() -> Enqueue:
    """Enqueue one run."""
    queue = Queue("bench", connection=Redis.from_url(told(REDIS)))
    return lambda: queue.enqueue(mark)


def _worker(*arguments: str) -> Command:
    return (sys.executable, "-c", "from rq.cli import main; main()", "worker", *arguments, "bench")


_KEPT = "job kept in Redis; a dead worker's run is failed, not repeated, by the others' maintenance"
PEERS = on_redis(
    Peer(
        name="RQ, forking",
        module=__name__,
        workers=[_worker()] * 2,
        durability=_KEPT,
        share=0.1,
    ),
    Peer(
        name="RQ, SimpleWorker",
        module=__name__,
        workers=[_worker("--worker-class", "rq.SimpleWorker")] * 2,
        durability=f"{_KEPT}; its documentation advises against it in production",
    ),
)
