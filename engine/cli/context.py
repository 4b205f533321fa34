"""The engine that a command works on, and the jobs that it knows."""

import sys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Whatever costs time to import is imported by the command that runs, so that help is instant.
    from engine.app import App
    from engine.job import Job


@cache
def the_app() -> "App":
    """The engine of this process's settings; raises InvalidSettings.

    Raises Refused where whoever acts may not do what this process's command does.
    """
    from engine.app import build_app
    from engine.cli.acting import require_may
    from engine.settings import load_settings

    app = build_app(load_settings())
    require_may(app)
    return app


def sound_jobs(app: "App") -> "Mapping[str, Job]":
    """The jobs that can be imported; stderr is told of the others.

    For what is done with the ledger: a broken file of jobs is no reason not to pause a queue.
    """
    is_new = "sound_jobs" not in vars(app)
    found = app.sound_jobs
    for fault in app.job_faults if is_new else ():
        sys.stderr.write(f"engine: {fault}; it goes on without\n")
    return found
