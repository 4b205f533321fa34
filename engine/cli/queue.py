"""`engine queue`: workers and what waits for them."""

import typer

from engine.cli import (
    queue_control,
    queue_discard,
    queue_failed,
    queue_restart,
    queue_status,
    queue_work,
    runs_control,
)

cli = typer.Typer(help="Workers, and what waits for them.", no_args_is_help=True)
cli.command("work")(queue_work.work)
cli.command("restart")(queue_restart.restart)
cli.command("status")(queue_status.status)
cli.command("workers")(queue_status.workers)
cli.command("monitor")(queue_status.monitor)
cli.command("failed")(queue_failed.failed)
cli.command("retry")(queue_failed.retry)
cli.command("forget")(queue_discard.forget)
cli.command("flush")(queue_discard.flush)
cli.command("prune")(queue_discard.prune)
cli.command("pause")(queue_control.pause)
cli.command("resume")(queue_control.resume)
cli.command("clear")(queue_control.clear)
cli.command("cancel")(runs_control.cancel)
