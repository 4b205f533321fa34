"""`engine queue`: workers and what waits for them."""

import typer

from engine.cli import queue_control, queue_failed, queue_work, runs
from engine.cli.context import the_app
from engine.cli.output import Json, print_json, print_table

cli = typer.Typer(help="Workers, and what waits for them.", no_args_is_help=True)
cli.command("work")(queue_work.work)
cli.command("failed")(queue_failed.failed)
cli.command("retry")(queue_failed.retry)
cli.command("forget")(queue_failed.forget)
cli.command("flush")(queue_failed.flush)
cli.command("prune")(queue_failed.prune)
cli.command("pause")(queue_control.pause)
cli.command("resume")(queue_control.resume)
cli.command("clear")(queue_control.clear)
cli.command("cancel")(runs.cancel)


@cli.command()
def status(as_json: Json = False) -> None:
    """What waits, runs and failed in each queue, and who serves it."""
    from engine.operations.queue_status import queue_status

    app = the_app()
    known = sorted({job.queue for job in app.jobs.values()})
    found = queue_status(app.runs, app.presence, app.doorbell, known)
    if as_json:
        print_json(found.as_json())
        return
    columns = ["name", "queued", "running", "retrying", "failed", "messages", "workers"]
    print_table([queue.as_json() for queue in found.queues], columns, empty="No queues yet.")
    print()
    rows = [
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
    print_table(rows, columns, empty="No worker and no scheduler runs: `engine up` starts both.")
