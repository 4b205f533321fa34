"""`engine queue status | workers | monitor`: how the queues stand, for people and for monitors."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.context import sound_jobs, the_app
from engine.cli.output import Json, local, print_json, print_table, terminal_width
from engine.cli.plain import on_one_line
from engine.cli.table import wrapped

if TYPE_CHECKING:
    from engine.operations.queue_status import QueueStatus
    from engine.store.workers import Presence

_BREACHED = 4


def status(as_json: Json = False) -> None:
    """What waits, runs and failed in each queue, since when, and who serves it.

    READY runs could start now; DELAYED ones are not due yet; RETRYING ones wait between two
    attempts. If the queue's server is away the rest is shown all the same, and the exit code is 6.

    \b
    Examples:
      engine queue status
      engine queue status --json
    """
    from engine.operations.queue_status import queue_status

    app = the_app()
    known = sorted({job.queue for job in sound_jobs(app).values()})
    found = queue_status(app.run_counts, app.presence, app.pauses, app.doorbell, known)
    if as_json:
        print_json(found.as_json())
    else:
        _print_status(found)
    if found.unreachable is not None:
        raise found.unreachable


def workers(as_json: Json = False) -> None:
    """The workers and schedulers that are there, and the runs that each carries out.

    \b
    Examples:
      engine queue workers
    """
    from engine.operations.workers import presence_json

    found = the_app().presence.roll_call()
    if as_json:
        print_json({"workers": [presence_json(each) for each in found]})
        return
    columns = ["worker", "kind", "version", "manager", "queues", "busy", "memory", "seen", "asked"]
    if not any(each.process.restart_requested_at for each in found):
        columns.remove("asked")
    print_table(
        [_worker_row(each) for each in found],
        columns,
        empty="No worker and no scheduler runs: `engine up` starts both.",
        right=["busy", "memory", "seen"],
        spare=["version"],
    )
    runs = [
        {
            "run": run.reference,
            "job": run.job,
            "queue": run.queue,
            "attempt": run.attempt,
            "since": run.since,
            "worker": each.process.id,
        }
        for each in found
        for run in each.runs
    ]
    if runs:
        print()
        print_table(runs, [*runs[0]], empty="", spare=["queue"])


def monitor(
    queues: Annotated[
        list[str],
        typer.Argument(
            metavar="QUEUE:MAX,...", help="Queues, and how many ready runs each may have."
        ),
    ],
    max_wait: Annotated[
        str | None, typer.Option(help="How long a ready run may wait in any of them: 60s, 5m.")
    ] = None,
    max_failed: Annotated[
        int | None, typer.Option(min=0, help="How many failed runs any of them may have.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare queues with what they may have; exit 4 and an event if one has more.

    What is delayed does not count. While a limit is exceeded that is one event, however often this
    is run, and there is another one when it is kept again; a viewer raises none. An unknown queue
    is exit 2.

    \b
    Examples:
      engine queue monitor default:100,financial:10
      engine queue monitor default:100 --max-wait 5m --max-failed 20 --json
    """
    from engine.cli.acting import why_not
    from engine.errors import Unreachable
    from engine.operations.doctor.wording import lasting
    from engine.operations.events import event_json
    from engine.operations.monitoring import limits_of, tell
    from engine.operations.monitoring import monitor as monitored
    from engine.operations.pausing import require_known

    limits = limits_of(queues, max_wait=max_wait, max_failed=max_failed)
    app = the_app()
    require_known([each.queue for each in limits], app.pauses, app.presence, sound_jobs(app))
    found = monitored(app.run_counts, limits)
    is_breached = any(each.breaches for each in found)
    refused = why_not(app, "operator")
    if refused is not None:
        sys.stderr.write(f"engine: no event was raised: {refused}\n")
    try:
        raised = tell(app.events, found) if refused is None else []
    except Unreachable as error:
        # It can be read and not written to. That a limit is exceeded is said all the same.
        if not is_breached:
            raise
        sys.stderr.write(f"engine: no event was raised: {error}\n")
        raised = []
    if as_json:
        document = {"queues": [each.as_json() for each in found]}
        print_json(document | {"events": [event_json(event) for event in raised]})
    else:
        rows = [
            {
                "queue": each.queue,
                "ready": each.counts.ready,
                "oldest": lasting(each.counts.oldest_wait) if each.counts.oldest_wait else "",
                "failed": each.counts.failed,
                "status": "OVER" if each.breaches else "ok",
            }
            for each in found
        ]
        columns = ["queue", "ready", "oldest", "failed", "status"]
        print_table(rows, columns, empty="", right=["oldest"])
        for breach in (breach for each in found for breach in each.breaches):
            print(f"{breach.queue}: {breach.text}")
    if is_breached:
        raise typer.Exit(_BREACHED)


def _print_status(found: "QueueStatus") -> None:
    from engine.operations.doctor.wording import counted, lasting

    if (left := found.untouched) is not None:
        _say(
            f"{counted(left.count, 'failed run')} that nobody has touched for 24 h, the oldest "
            f"{left.reference} since {local(left.failed_at)}: `engine queue failed`"
        )
        print()
    rows = [
        {
            "queue": each.name,
            "ready": each.counts.ready,
            "delayed": each.counts.delayed,
            "running": each.counts.running,
            "retrying": each.counts.retrying,
            "failed": each.counts.failed,
            "oldest": lasting(each.counts.oldest_wait) if each.counts.oldest_wait else "",
            "messages": "unknown" if each.messages is None else each.messages,
            "workers": each.workers,
        }
        for each in found.queues
    ]
    columns = ["queue", "ready", "delayed", "running", "retrying", "failed", "oldest"]
    print_table(
        rows,
        [*columns, "messages", "workers"],
        empty="No queues yet.",
        right=["oldest", "messages"],
        spare=["messages"],
    )
    for each in found.queues:
        if (paused := each.paused) is not None:
            why = f": {on_one_line(paused.reason)}" if paused.reason else ""
            since = f"since {local(paused.paused_at)} by {paused.actor}"
            _say(f"queue {each.name} is paused {since}{why}")
    print()
    processes = [
        {
            "process": process.id,
            "kind": process.kind,
            "queues": ",".join(process.queues),
            "threads": process.threads,
            "since": process.started_at,
        }
        for process in found.processes
    ]
    columns = ["process", "kind", "queues", "threads", "since"]
    empty = "No worker and no scheduler runs: `engine up` starts both."
    print_table(processes, columns, empty=empty)


def _say(text: str) -> None:
    width = terminal_width()
    for line in [text] if width is None else wrapped(text, width, most_lines=10):
        print(line)


def _worker_row(presence: "Presence") -> dict[str, object]:
    from engine.operations.doctor.wording import lasting, sized

    process, age = presence.process, presence.heartbeat_age
    asked_at = process.restart_requested_at
    return {
        "worker": process.id,
        "kind": process.kind,
        "version": process.version,
        "manager": process.manager,
        "queues": ",".join(process.queues),
        "busy": f"{len(presence.runs)}/{process.threads}" if process.kind == "worker" else "",
        "memory": sized(process.memory_bytes) if process.memory_bytes else "",
        "seen": f"{lasting(age)} ago" if age is not None else "",
        "asked": f"to restart at {local(asked_at)}" if asked_at else "",
    }
