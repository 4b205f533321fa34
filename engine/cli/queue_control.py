"""`engine queue pause | resume | clear`: what becomes of the runs that wait in a queue."""

import sys
from typing import Annotated

import typer

from engine.cli.acting import acting
from engine.cli.consent import Yes, require_consent
from engine.cli.context import sound_jobs, the_app
from engine.cli.output import Json, local, print_json
from engine.cli.plain import clause, on_one_line
from engine.cli.queue_failed import counted
from engine.errors import Invalid

Queues = Annotated[list[str], typer.Argument(metavar="QUEUE...", help="Names of queues.")]
Reason = Annotated[str | None, typer.Option(help="Why; it is kept and shown.")]


class NoConnection(Invalid):
    """Laravel's CONNECTION was given where it says nothing."""

    message = (
        "`queue clear` takes no CONNECTION ({given!r}): it cancels runs in the ledger, whatever "
        "carries their messages; leave it out (--queue names the queue)"
    )


def pause(queues: Queues, reason: Reason = None, as_json: Json = False) -> None:
    """Let no run of these queues start; what is running goes on, and schedules still book.

    \b
    Examples:
      engine queue pause payouts --reason "the bank is away"
      engine queue resume payouts
    """
    from engine.operations.pausing import pause_queues, paused_json, require_known

    app = the_app()
    require_known(queues, app.pauses, app.presence, sound_jobs(app))
    done = pause_queues(app.pauses, queues, actor=str(acting(app)), reason=reason)
    if as_json:
        print_json({"paused": [paused_json(paused) | {"is_new": new} for paused, new in done]})
        return
    for paused, is_new in done:
        why = f": {on_one_line(paused.reason)}" if paused.reason else ""
        if is_new:
            print(f"queue {paused.queue} is paused{why}; `engine queue resume {paused.queue}`")
        else:
            since = f"{local(paused.paused_at)} by {paused.actor}{why}"
            print(f"queue {paused.queue} was paused already, at {since}")


def resume(queues: Queues, as_json: Json = False) -> None:
    """Let the runs of paused queues start again, those that are ready at once.

    \b
    Examples:
      engine queue resume payouts
    """
    from engine.operations.pausing import paused_json, require_known, resume_queues

    app = the_app()
    require_known(queues, app.pauses, app.presence, sound_jobs(app))
    done = resume_queues(app.pauses, app.dispatch, queues, actor=str(acting(app)))
    if as_json:
        found = [paused_json(paused) for paused in done.queues.values() if paused]
        print_json({"resumed": found})
    else:
        for name, paused in done.queues.items():
            was = (
                f"goes on; {paused.actor} paused it at {local(paused.paused_at)}"
                if paused
                else "was not paused"
            )
            print(f"queue {name} {was}")
    if done.unrung:
        said = clause(done.unrung)
        sys.stderr.write(f"engine: {said}; its runs start when {done.unrung.until}\n")
        raise typer.Exit(6)


def clear(
    connection: Annotated[str | None, typer.Argument(hidden=True)] = None,
    *,
    queue: Annotated[str, typer.Option(help="The queue to clear.")] = "default",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many there are, and do nothing.")
    ] = False,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Cancel every run that waits in a queue; what is running goes on, and all stay in the history.

    A run of which nobody knows whether one of its effects happened fails instead, and is reviewed.

    \b
    Examples:
      engine queue clear --dry-run
      engine queue clear --queue reports --yes --reason "booked twice"
    """
    from engine.operations.cancelling import clear_runs, why_kept
    from engine.operations.pausing import require_known

    if connection is not None:
        raise NoConnection(given=connection)
    app = the_app()
    waiting = app.cancelling.waiting(queue)
    count, kept = len(waiting), []
    if not count and queue != "default":
        require_known([queue], app.pauses, app.presence, sound_jobs(app))
    if count and not dry_run:
        require_consent(f"{counted(count)} of queue {queue} would be cancelled", yes=yes)
        done = clear_runs(
            app.cancelling, waiting, queue=queue, actor=str(acting(app)), reason=reason
        )
        count, kept = len(done.cancelled), [*done.kept]
    if as_json:
        found = {"cancelled": count, "kept": [run.reference for run in kept]}
        print_json({"queue": queue, **found, "dry_run": dry_run})
    else:
        print(f"{counted(count)} of queue {queue} {'would be ' if dry_run else ''}cancelled.")
    for run in kept:
        sys.stderr.write(f"{why_kept(run)}\n")
