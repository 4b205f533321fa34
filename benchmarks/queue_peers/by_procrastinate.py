"""Procrastinate on PostgreSQL: two workers of one run at a time, woken by LISTEN and NOTIFY."""

from procrastinate import App, PsycopgConnector

from benchmarks.queue_peers.mark import mark
from benchmarks.queue_peers.peer import POSTGRES, Enqueue, Peer, python, told

app = App(connector=PsycopgConnector(conninfo=told(POSTGRES)))


@app.task
def nothing() -> None:
    """Next to nothing."""
    mark()


def enqueuer() -> Enqueue:
    """Enqueue one run."""
    app.open()
    return nothing.defer


_HERE = ("--app", f"{__name__}.app")
PEERS = [
    Peer(
        name="Procrastinate",
        module=__name__,
        prepare=[python("procrastinate", *_HERE, "schema", "--apply")],
        workers=[python("procrastinate", *_HERE, "worker", "--concurrency", "1")] * 2,
        durability="a row in PostgreSQL, fsync on; a dead worker's run waits for one's own task",
    )
]
