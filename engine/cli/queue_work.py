"""`engine queue work`: a worker, with the options that Laravel's has."""

import signal
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, cast

import typer

from engine.cli.context import the_app
from engine.cli.output import log_to_stderr
from engine.cli.queue_names import queue_names, served
from engine.errors import Invalid, Unreachable

if TYPE_CHECKING:
    from engine.worker.worker import Worker

MEMORY_EXIT = 12
_MIB = 1024 * 1024
_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LONGEST_WAIT = 366 * 24 * 3600
_SHORTEST_LIMIT = 0.1
_MOST_TRIES = 10_000


class WrongBackoff(Invalid):
    """The waits cannot be read."""

    message = "--backoff: {text!r} is no list of seconds such as 5,30,120"


class TooShort(Invalid):
    """No attempt would come to anything."""

    message = "--timeout: {seconds} s are less than an attempt takes to start; 0 is no limit"


class NoRoom(Invalid):
    """Started again and again, such a worker would never carry out anything."""

    message = (
        "--memory {allowed}: a worker uses {used} MB before it has carried out anything; give it "
        "some more than that"
    )


def work(
    connection: Annotated[
        str | None,
        typer.Argument(
            metavar="CONNECTION",
            help="redis, database or a URL: refused unless ENGINE_QUEUE_URL is that.",
            show_default=False,
        ),
    ] = None,
    queue: Annotated[
        str, typer.Option(help="Queues to serve, the first one first: payouts,default.")
    ] = "default",
    tries: Annotated[
        int | None,
        typer.Option(
            min=1, max=_MOST_TRIES, help="Attempts in all, for jobs that do not declare their own."
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=_LONGEST_WAIT,
            help="Seconds an attempt may take, for jobs that declare no limit; 0 is for ever.",
        ),
    ] = None,
    backoff: Annotated[
        str | None,
        typer.Option(help="Seconds between attempts, for jobs that declare none: 5,30,120."),
    ] = None,
    workers: Annotated[
        int, typer.Option("-w", "--workers", min=1, max=256, help="Runs at a time.")
    ] = 2,
    max_jobs: Annotated[
        int | None, typer.Option(min=0, help="End after this many runs; 0 is never.")
    ] = None,
    max_time: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=_LONGEST_WAIT,
            help="End after this many seconds, what runs is finished; 0 is never.",
        ),
    ] = None,
    memory: Annotated[
        int | None,
        typer.Option(min=1, help="End with exit 12 when worker and fork server use more MB."),
    ] = None,
    once: Annotated[
        bool,
        typer.Option("--once", help="Carry out the next ready run, if any; exit 1 if it failed."),
    ] = False,
    stop_when_empty: Annotated[
        bool, typer.Option("--stop-when-empty", help="End when no run of the queues is ready.")
    ] = False,
    grace: Annotated[
        float,
        typer.Option(
            min=0, max=_LONGEST_WAIT, help="Seconds that runs may finish in when told to stop."
        ),
    ] = 10.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for each line.")
    ] = False,
    every_queue: Annotated[bool, typer.Option("--every-queue", hidden=True)] = False,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Carry out runs until told to stop; then finish or hand back what is under way.

    A line is printed when a run starts and when it ends; the last one says why the worker stopped.
    A ledger or a queue that is away is waited for; with --once or --stop-when-empty only while the
    ledger has a run that is ready.

    Exit 0 at an ordinary end, 1 if the run of --once failed, 12 if --memory was reached, 2 if it is
    less than a worker needs before it has carried out anything.

    \b
    Examples:
      engine queue work --queue payouts,default -w 4
      engine queue:work redis --queue=default --tries=3 --timeout=120
      engine queue work --tries 5 --backoff 5,30,120
      engine queue work --stop-when-empty --max-time 3600
      engine queue work --once --json
    """
    from engine.cli.connection import require_connection
    from engine.cli.worker_lines import WorkerLines
    from engine.job import JobDefaults
    from engine.worker.options import WorkerOptions
    from engine.worker.stopping import StopCause, Stopping, WorkerLimits

    queues = queue_names(queue)
    if every_queue:
        # Looked up here and not by `engine up`: a restart may find jobs in other queues.
        queues = served(the_app().jobs, the_app().schedules)
    waits = _waits(backoff) if backoff is not None else ()
    if timeout is not None and 0 < timeout < _SHORTEST_LIMIT:
        raise TooShort(seconds=timeout)
    app = the_app()
    require_connection(connection, app.settings.queue, app.settings.queue_url)
    if parent is not None:
        from engine.attempt.prctl import end_with_parent

        end_with_parent(parent)
    log_to_stderr(app.settings.secrets)
    lines = WorkerLines(as_json=as_json, paused=lambda: _paused(queues))
    options = WorkerOptions(
        grace_seconds=grace,
        defaults=JobDefaults(attempts=tries, waits=waits, time_limit=_seconds(timeout)),
        limits=WorkerLimits(
            max_jobs=max_jobs or None,
            max_time=_seconds(max_time or None),
            max_memory=None if memory is None else memory * _MIB,
            once=once,
            when_empty=stop_when_empty,
        ),
        under_up=parent is not None,
    )
    if parent is None:
        # What `engine up` starts has its lines in the log that it shares with the scheduler.
        options = replace(options, listener=lines.run, on_end=lines.stopped)
    told_to_end = _end_when_told()
    if not app.await_ledger(told_to_end):
        options.on_end(Stopping())
        return
    huey = app.worker_huey(queues, options)
    consumer = huey.create_consumer(workers=1 if once else workers)
    consumer.listen()
    if told_to_end.is_set():
        # While the worker was made, when nobody could look.
        signal.raise_signal(signal.SIGTERM)
    consumer.run()
    stopping = cast("Worker", huey.hands).stopping
    if stopping.had_no_room:
        raise NoRoom(allowed=memory, used=-(-stopping.memory // _MIB))
    if stopping.cause is StopCause.MEMORY:
        raise typer.Exit(MEMORY_EXIT)
    if once and stopping.last is not None and stopping.last.failed:
        raise typer.Exit(1)


def _paused(queues: Sequence[str]) -> Sequence[str]:
    try:
        paused = {each.queue for each in the_app().pauses.all()}
    except Unreachable:
        return []
    return [queue for queue in queues if queue in paused]


def _end_when_told() -> threading.Event:
    """Set by a signal from now on, until the consumer listens to them itself."""
    told = threading.Event()
    for number in _STOPPING:
        signal.signal(number, lambda *_: told.set())
    return told


def _waits(text: str) -> tuple[timedelta, ...]:
    try:
        seconds = [float(part) for part in text.split(",")]
    except ValueError:
        raise WrongBackoff(text=text) from None
    if not all(0 <= each <= _LONGEST_WAIT for each in seconds):
        raise WrongBackoff(text=text)
    return tuple(timedelta(seconds=each) for each in seconds)


def _seconds(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
