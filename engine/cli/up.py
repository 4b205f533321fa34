"""`engine up` and `engine scheduler`: the long-running processes."""

import os
import signal
import threading
from typing import Annotated

import typer

from engine.cli.context import the_app
from engine.cli.output import log_to_stderr

Parent = Annotated[int | None, typer.Option(hidden=True)]


def up(
    queue: Annotated[
        str | None,
        typer.Option(help="Queues to serve; those of all jobs and schedules if left out."),
    ] = None,
    workers: Annotated[
        int, typer.Option("-w", "--workers", min=1, max=256, help="Runs at a time.")
    ] = 2,
    grace: Annotated[
        float, typer.Option(min=0, help="Seconds that runs may finish in when told to stop.")
    ] = 10.0,
) -> None:
    """Scheduler and workers in one foreground process tree; Ctrl-C drains.

    \b
    Examples:
      engine up
      engine up --queue payouts,default --workers 4
    """
    from engine.cli.household import Household
    from engine.cli.queue_names import queue_names

    chosen = None if queue is None else queue_names(queue)
    app = the_app()
    # What is wrong with the files, a setting or the ledger is said here, before anything is
    # started; whether queue, storage and sources answer is asked when they are used.
    _ = app.database, app.doorbell, app.retention, app.reconciliation_definitions
    _ = app.jobs, app.schedules
    serving = ("--every-queue",) if chosen is None else ("--queue", ",".join(chosen))
    app.close()
    log_to_stderr(app.settings.secrets)
    me = str(os.getpid())
    household = Household(
        {
            "scheduler": ["scheduler", "--parent", me],
            "worker": [
                *("queue", "work", *serving, "--workers", str(workers)),
                *("--grace", str(grace), "--parent", me),
            ],
        },
        grace_seconds=grace,
    )
    raise typer.Exit(household.run())


def scheduler(parent: Parent = None) -> None:
    """Book every firing of schedules.yaml until told to stop; any number may run.

    \b
    Examples:
      engine scheduler
    """
    if parent is not None:
        from engine.attempt.prctl import end_with_parent

        end_with_parent(parent)
    log_to_stderr(the_app().settings.secrets)
    stopped, told_to_end = threading.Event(), threading.Event()

    def end(*_: object) -> None:
        told_to_end.set()
        stopped.set()

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, end)
    # Before the ledger is there: that it is not is what they show then.
    metrics = the_app().metrics_server()
    if metrics is not None:
        metrics.start()
    if not the_app().await_ledger(stopped):
        return
    clockwork = the_app().scheduler(under_up=parent is not None)
    clockwork.on_restart = stopped.set
    clockwork.start()
    stopped.wait()
    clockwork.stop()
    if metrics is not None:
        metrics.stop()
    the_app().close()
    # From here on a signal ends the process at once.
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, signal.SIG_DFL)
    if clockwork.is_to_restart and not told_to_end.is_set():
        from engine.execution.identity import begin_anew

        begin_anew(clockwork.id)
