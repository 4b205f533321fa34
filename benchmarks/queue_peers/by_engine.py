"""This engine, its queue on Redis: two workers, in the thread and isolated, on either ledger."""

import os

from benchmarks.queue_peers.peer import Enqueue, Peer, python

JOBS = '''
"""Jobs that do next to nothing."""

from benchmarks.queue_peers.mark import mark
from engine.authoring import job


@job()
def isolated(context):
    """In a process of its own."""
    mark()


@job(isolated=False)
def in_thread(context):
    """In the worker."""
    mark()
'''


def enqueuer() -> Enqueue:
    """Enqueue one run."""
    from engine.app import build_app
    from engine.settings import load_settings
    from engine.store.run import NewRun

    app = build_app(load_settings())
    dispatch, job = app.dispatch, app.jobs[os.environ["BENCH_JOB"]]
    new = NewRun(job=job.name, queue=job.queue, attempts=job.attempts)
    return lambda: dispatch.book(new)


def succeeded() -> int:
    """How many runs succeeded, by the ledger; none may have ended in another way."""
    from engine.app import build_app
    from engine.settings import load_settings
    from engine.states import RunState

    app = build_app(load_settings())
    ended = app.runs.newest(limit=1_000_000)
    return sum(run.state is RunState.SUCCEEDED and run.attempt == 1 for run in ended)


def _peer(kind: str, job: str, ledger: str, share: float) -> Peer:
    synced = {"sqlite": "synchronous=FULL", "postgres": "fsync on"}[ledger]
    return Peer(
        name=f"engine, {kind}, {ledger}",
        module=__name__,
        prepare=[python("engine", "database", "upgrade")],
        workers=[python("engine", "queue", "work", "--workers", "1")] * 2,
        environment={"BENCH_JOB": job, "BENCH_LEDGER": ledger},
        durability=f"a row in the ledger ({synced}), leased and fenced; repeated within 20 s",
        share=share,
    )


PEERS = [
    _peer("in thread", "in_thread", "sqlite", 1.0),
    _peer("in thread", "in_thread", "postgres", 1.0),
    _peer("isolated", "isolated", "sqlite", 0.1),
    _peer("isolated", "isolated", "postgres", 0.1),
]


if __name__ == "__main__":
    print(succeeded())
