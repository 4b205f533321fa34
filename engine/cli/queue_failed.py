"""`engine queue failed | retry`: runs that are out of attempts."""

import sys
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.acting import acting
from engine.cli.context import sound_jobs, the_app
from engine.cli.failed_filters import (
    Error,
    Fingerprint,
    JobName,
    Queue,
    Reference,
    Since,
    Until,
    chosen,
)
from engine.cli.output import Json, local, print_json, print_table
from engine.cli.plain import clause, on_one_line
from engine.errors import Invalid

if TYPE_CHECKING:
    from engine.app import App
    from engine.store.failed_run_reader import FailedRuns
    from engine.store.left_runs import LeftRun

_SHOWN = 20
_MESSAGE = 100

Names = Annotated[list[str], typer.Argument(metavar="RUN...", help="Ids or references of runs.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Reason = Annotated[str | None, typer.Option(help="Why; it is kept with the run.")]


class GroupBy(StrEnum):
    """What failed runs are counted by."""

    ERROR = "error"


class NothingNamed(Invalid):
    """It was not said which runs are meant."""

    message = (
        "which runs? Name them by id or reference, say `all`, or give a filter such as --job; "
        "`engine queue failed` lists them"
    )


class NamedTwice(Invalid):
    """Runs are named and chosen at the same time."""

    message = "{given} names runs, and {also} chooses among all that failed; give one of the two"


def failed(
    queue: Queue = None,
    job: JobName = None,
    error: Error = None,
    since: Since = None,
    until: Until = None,
    reference: Reference = None,
    fingerprint: Fingerprint = None,
    group_by: Annotated[
        GroupBy | None, typer.Option("--group-by", help="Count those whose errors are alike.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """Runs that are out of attempts and wait for a person; the last one that failed comes first.

    \b
    Examples:
      engine queue failed --since 24h
      engine queue failed --group-by error
      engine queue failed --job payouts --error ConnectionError
    """
    app = the_app()
    which = chosen(app, queue, job, error, since, until, reference, fingerprint)
    total = app.failed_runs.count(which)
    if group_by is not None:
        _print_groups(app, which, total, limit, as_json)
        return
    from engine.operations.run_json import run_json

    found = app.failed_runs.list(which, limit=limit)
    if as_json:
        print_json({"runs": [run_json(run) for run in found], "total": total})
        return
    rows = [
        {
            "id": run.id,
            "reference": run.reference,
            "job": run.job,
            "queue": run.queue,
            "attempt": run.attempt,
            "review": run.review,
            "failed": run.finished_at,
            "error": f"{run.error.type}: {run.error.message}"[:_MESSAGE] if run.error else None,
        }
        for run in found
    ]
    columns = ["id", "reference", "job", "queue", "attempt", "review", "failed", "error"]
    if not any(run.review for run in found):
        columns.remove("review")
    print_table(rows, columns, empty=_no_runs(which))
    if found:
        more = f", {len(found)} shown: --limit shows more" if total > len(found) else ""
        print(f"{counted(total)} failed{more}. `engine queue retry RUN...` sends them back.")


def retry(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN...|all]", help="Ids or references; or all that failed."),
    ] = None,
    queue: Queue = None,
    job: JobName = None,
    error: Error = None,
    since: Since = None,
    until: Until = None,
    reference: Reference = None,
    fingerprint: Fingerprint = None,
    dry_run: DryRun = False,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, max=10_000_000, help="At most so many, the oldest first; not with names."
        ),
    ] = None,
    rate: Annotated[
        str | None, typer.Option(help="Let so many start at a time: 5/s, 60/m or 100/h.")
    ] = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Send failed runs back to their queues: the same runs, with as many attempts again.

    All of them are in one transaction. An unknown id is exit 3, and then none is retried. More than
    a SQLite ledger moves at once is exit 5: --limit takes fewer at a time. Runs that are not failed
    any more are named with who retried them, exit 1; those that a review keeps are named as well,
    exit 5. The others are retried all the same.

    \b
    Examples:
      engine queue retry 42 RC-20261124-7K3F9
      engine queue retry all --dry-run
      engine queue retry --job payouts --error ConnectionError --rate 5/s
    """
    from engine.operations.retrying import retry_failed
    from engine.operations.spacing import spacing

    app = the_app()
    which = chosen(app, queue, job, error, since, until, reference, fingerprint)
    named = [name for name in names or () if name != "all"]
    filtered = bool(which.conditions())
    if not names and not filtered:
        raise NothingNamed
    if named:
        others = {"`all`": "all" in (names or ()), "--limit": limit is not None}
        also = [what for what, given in {**others, "a filter": filtered}.items() if given]
        if also:
            raise NamedTwice(given=named[0], also=also[0])
        which = _named(app, named)
    done = retry_failed(
        app.failed_runs, app.dispatch, sound_jobs(app), which, actor=acting(app), reason=reason,
        spacing=spacing(rate) if rate else timedelta(), limit=limit, dry_run=dry_run,
        four_eyes=app.settings.four_eyes,
    )  # fmt: skip
    if as_json:
        print_json(done.as_json() | {"dry_run": dry_run})
    else:
        becomes = "would be retried" if dry_run else "retried"
        for run in done.retried[:_SHOWN]:
            after = f"{run.job}, after {run.attempt} attempt{'s' if run.attempt != 1 else ''}"
            print(f"run {run.id} {run.reference} {becomes}: {after}")
        none = f": {_no_runs(which).lower()}" if not done.retried and not done.left else "."
        print(f"{counted(len(done.retried))} {becomes}{none}")
    tell_left(done.left)
    if done.unrung:
        sys.stderr.write(
            f"engine: {clause(done.unrung)}; what was retried starts when {done.unrung.until}\n"
        )
    if done.refused:
        raise typer.Exit(5)
    if done.left:
        raise typer.Exit(1)
    if done.unrung:
        raise typer.Exit(6)


def tell_left(left: "Sequence[LeftRun]") -> None:
    """Say on stderr which runs were left, and why."""
    from engine.operations.retrying import why_left

    for each in left[:_SHOWN]:
        run = each.run
        sys.stderr.write(
            f"run {run.id} {run.reference} is left: {on_one_line(why_left(each, local))}\n"
        )
    if len(left) > _SHOWN:
        sys.stderr.write(f"{len(left) - _SHOWN} more are left; --json names them all\n")


def _print_groups(app: "App", which: "FailedRuns", total: int, limit: int, as_json: bool) -> None:
    from engine.operations.failed_runs import group_json

    groups = app.failed_runs.by_error(which, limit=limit)
    if as_json:
        print_json({"errors": [group_json(group) for group in groups], "total": total})
        return
    rows = [
        {
            "fingerprint": group.fingerprint,
            "count": group.count,
            "first": group.first_seen_at,
            "last": group.last_seen_at,
            "example": group.example.reference,
            "error": f"{error.type}: {error.message}"[:_MESSAGE]
            if (error := group.example.error)
            else None,
        }
        for group in groups
    ]
    columns = ["count", "fingerprint", "first", "last", "example", "error"]
    print_table(rows, columns, empty=_no_runs(which))
    if groups:
        print(
            f"{counted(total)} failed. `engine queue retry --fingerprint ...` sends a group back."
        )


def _no_runs(which: "FailedRuns") -> str:
    return "No such failed runs." if which.conditions() else "No failed runs."


def _named(app: "App", names: list[str]) -> "FailedRuns":
    from engine.store.failed_run_reader import FailedRuns

    return FailedRuns(ids=app.moves.ids_of(names))


def counted(count: int) -> str:
    """`1 run`, `2,000 runs`."""
    return f"{count:,} run" if count == 1 else f"{count:,} runs"
