"""`engine queue forget | flush | prune`: failed runs that nobody wants to run again."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.acting import acting
from engine.cli.consent import Yes, require_consent
from engine.cli.context import the_app
from engine.cli.output import Json, print_json
from engine.cli.queue_failed import DryRun, Names, Reason, counted, tell_left

_HUNDRED_YEARS = 876_600  # in hours

if TYPE_CHECKING:
    from engine.app import App
    from engine.store.failed_run_reader import FailedRuns


def forget(
    names: Names,
    dry_run: DryRun = False,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Put failed runs aside: they become `discarded`, and stay in the history.

    \b
    Examples:
      engine queue forget 42
      engine queue forget 42 43 --yes --reason "paid by hand"
    """
    from engine.store.failed_run_reader import FailedRuns

    app = the_app()
    ids = app.moves.ids_of(names)
    count = app.failed_runs.count(FailedRuns(ids=ids))
    _discard(app, ids, count, dry_run, yes, reason, as_json)


def flush(
    hours: Annotated[
        float | None,
        typer.Option(
            min=0, max=_HUNDRED_YEARS, help="Only what failed so many hours ago or earlier."
        ),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Put every failed run aside: all become `discarded`, and stay in the history.

    \b
    Examples:
      engine queue flush --dry-run
      engine queue flush --hours 48 --yes
    """
    app = the_app()
    which = _older(app, hours)
    ids = app.failed_runs.ids(which)
    _discard(app, ids, len(ids), dry_run, yes, reason, as_json, which)


def prune(
    hours: Annotated[
        float,
        typer.Option(min=0, max=_HUNDRED_YEARS, help="What failed so many hours ago or earlier."),
    ] = 24,
    dry_run: DryRun = False,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Put old failed runs aside: they become `discarded`, and stay in the history.

    \b
    Examples:
      engine queue prune --dry-run
      engine queue prune --hours 720 --yes
    """
    app = the_app()
    which = _older(app, hours)
    ids = app.failed_runs.ids(which)
    _discard(app, ids, len(ids), dry_run, yes, reason, as_json, which)


def _discard(
    app: "App",
    run_ids: Sequence[int],
    count: int,
    dry_run: bool,
    yes: bool,
    reason: str | None,
    as_json: bool,
    chosen_by: "FailedRuns | None" = None,
) -> None:
    from engine.operations.failed_runs import discard_failed
    from engine.operations.retrying import left_json
    from engine.store.left_runs import REFUSED
    from engine.store.run_acts import filter_of

    if count and not dry_run:
        require_consent(f"{counted(count)} would be discarded", yes=yes)
    done = discard_failed(
        app.failed_runs,
        run_ids,
        actor=str(acting(app)),
        reason=reason,
        dry_run=dry_run,
        chosen_by=filter_of(chosen_by) if chosen_by else None,
    )
    if as_json:
        left = [left_json(each) for each in done.left]
        print_json({"discarded": len(done.moved), "left": left, "dry_run": dry_run})
    else:
        becomes = "would be discarded" if dry_run else "discarded; the history has them still"
        print(f"{counted(len(done.moved))} {becomes}.")
    tell_left(done.left)
    if any(each.obstacle in REFUSED for each in done.left):
        raise typer.Exit(5)
    if done.left:
        raise typer.Exit(1)


def _older(app: "App", hours: float | None) -> "FailedRuns":
    from engine.store.failed_run_reader import FailedRuns

    if hours is None:
        return FailedRuns()
    return FailedRuns(until=app.clock.now() - timedelta(hours=hours))
