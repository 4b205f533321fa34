"""Waiting for a run, seeing how it comes along."""

import time
from collections.abc import Iterator

from engine.states import UNFINISHED_RUNS
from engine.store.run import Run
from engine.store.run_reader import RunReader

_LOOK_SECONDS = 0.2


def watch(runs: RunReader, run_id: int) -> Iterator[Run]:
    """The run as it stands, again and again, the last time when it has ended."""
    while True:
        run = runs.get(run_id)
        yield run
        if run.state not in UNFINISHED_RUNS:
            return
        time.sleep(_LOOK_SECONDS)
