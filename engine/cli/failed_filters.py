"""Which failed runs a command is about: the filters that it takes, and what they come to."""

from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.context import sound_jobs
from engine.cli.filters import not_empty
from engine.errors import Invalid

if TYPE_CHECKING:
    from engine.app import App
    from engine.store.failed_run_reader import FailedRuns

Queue = Annotated[str | None, typer.Option(help="In this queue.", callback=not_empty)]
JobName = Annotated[str | None, typer.Option(help="Of this job.", callback=not_empty)]
Error = Annotated[
    str | None,
    typer.Option(
        help="With an error of this type, or with this in its message.", callback=not_empty
    ),
]
Since = Annotated[
    str | None, typer.Option(help="That failed since then: 24h, 7d, or 2026-12-01T02:00:00+03:00.")
]
Until = Annotated[str | None, typer.Option(help="That failed before then; written as --since.")]
Reference = Annotated[
    str | None, typer.Option(help="The one with this reference.", callback=not_empty)
]
Fingerprint = Annotated[
    str | None,
    typer.Option(
        help="With errors alike, as `failed --group-by error` shows them.", callback=not_empty
    ),
]


class UnknownJobOfRuns(Invalid):
    """No run was ever of a job of this name, and there is none."""

    message = "no job and no run has the name {name!r}; {hint}"


def chosen(
    app: "App",
    queue: str | None = None,
    job: str | None = None,
    error: str | None = None,
    since: str | None = None,
    until: str | None = None,
    reference: str | None = None,
    fingerprint: str | None = None,
) -> "FailedRuns":
    """The failed runs of which all of it is true; names that nobody knows are refused.

    Raises WrongMoment, UnknownQueue, UnknownJobOfRuns, and UnknownRuns for the reference.
    """
    from engine.operations.moments import moment
    from engine.store.failed_run_reader import FailedRuns

    now = app.clock.now()
    which = FailedRuns(
        queue=queue,
        job=job,
        error=error,
        since=moment(since, now, option="--since") if since is not None else None,
        until=moment(until, now, option="--until") if until is not None else None,
        reference=reference,
        fingerprint=fingerprint,
    )
    if reference is not None:
        app.moves.ids_of([reference])
    if queue is not None or job is not None:
        _require_known(app, queue, job)
    return which


def _require_known(app: "App", queue: str | None, job: str | None) -> None:
    from engine.documents.closest import suggestion
    from engine.operations.pausing import require_known

    jobs = sound_jobs(app)
    if job is not None and job not in jobs and not app.failed_runs.knows_job(job):
        raise UnknownJobOfRuns(name=job, hint=suggestion(job, jobs))
    if queue is not None:
        require_known([queue], app.pauses, app.presence, jobs)
