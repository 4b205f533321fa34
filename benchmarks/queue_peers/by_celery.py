"""Celery on Redis: a prefork pool of two, results ignored as its optimizing guide has it."""

from celery import Celery

from benchmarks.queue_peers.mark import mark
from benchmarks.queue_peers.peer import REDIS, Enqueue, Peer, on_redis, python, told

app = Celery("bench", broker=told(REDIS) or None)
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)


@app.task  # type: ignore[untyped-decorator]
def nothing() -> None:
    """Next to nothing."""
    mark()


def enqueuer() -> Enqueue:
    """Enqueue one run."""
    delay: Enqueue = nothing.delay
    return delay


_POOL = ("--pool", "prefork", "--concurrency", "2", "--loglevel", "INFO")
PEERS = on_redis(
    Peer(
        name="Celery",
        module=__name__,
        workers=[python("celery", "--app", __name__, "worker", *_POOL)],
        durability="acknowledged before the run: lost by kill -9 of a worker, up to 8 with it",
    )
)
