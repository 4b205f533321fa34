"""`engine run`: an ad hoc run."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.acting import acting
from engine.cli.context import the_app
from engine.cli.output import Json, local, print_json
from engine.cli.plain import clause, on_one_line
from engine.errors import Invalid
from engine.job import QUEUE_NAME
from engine.limits import PRIORITIES
from engine.states import RunState

if TYPE_CHECKING:
    from engine.job import Job
    from engine.store.run import Run


class WrongOption(Invalid):
    """An option cannot be read."""

    message = "{option}: {text}"


class KeyTaken(Invalid):
    """The idempotency key belongs to a run of something else."""

    message = (
        "--key: {key!r} is the key of run {id} {reference}, of job {job} with params {params}; "
        "nothing was booked"
    )


def run(
    job: Annotated[str, typer.Argument(help="The job; `engine jobs` lists them.")],
    param: Annotated[
        list[str] | None, typer.Option("-p", "--param", help="A parameter, as name=value.")
    ] = None,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait",
            help="Show progress until it ends; exit 1 if it failed. A queue that is away is waited"
            " for too.",
        ),
    ] = False,
    queue: Annotated[str | None, typer.Option(help="Another queue than the job's own.")] = None,
    priority: Annotated[
        int | None,
        typer.Option(
            min=PRIORITIES[0],
            max=PRIORITIES[-1],
            help="Another priority than the job's own; the highest one is the first of its queue.",
        ),
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="Not before this instant: 2026-12-01T02:00:00+03:00.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            help="Idempotency key: the same key is the same run, and rings for it if need be."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a job once, now or later.

    Exit 6 after the run's id: it is booked, but its queue is away; it starts soon after the queue
    is back. Exit 6 without an id: the run ledger is away, and nothing is booked.

    If there may be one such run at a time and it has not ended, that one is shown, or refused with
    exit 5 if its job wants it so.

    \b
    Examples:
      engine run reconcile -p definition=wallets --wait
      engine run reconcile -p definition=wallets --at 2026-12-01T02:00:00+03:00
      engine run purge_expired_artifacts --key spring-clean --json
    """
    from engine.operations.run_json import run_json
    from engine.preflight import require_params, roles_for
    from engine.registry import find
    from engine.store.run import NewRun

    app = the_app()
    wanted = find(app.jobs, job)
    if queue is not None and not QUEUE_NAME.fullmatch(queue):
        raise WrongOption(option="--queue", text=f"{queue!r} must match [a-z0-9_]+")
    if key == "":
        raise WrongOption(option="--key", text="it is empty; leave it out to book a new run")
    given = require_params(wanted, params_of(param or []), app.definitions)
    params = app.hiding.booked(wanted, given)
    # Before anything is booked: what the job was given may take more than running it does.
    for needs in roles_for(wanted, given, app.definitions):
        acting(app, needs)
    new = NewRun(
        job=wanted.name,
        queue=queue or wanted.queue,
        params=params.shown,
        to_seal=params.to_seal,
        attempts=wanted.attempts,
        retry_for=wanted.retry.retry_until,
        due_at=_instant(at) if at else None,
        priority=wanted.priority if priority is None else priority,
        unique_key=params.unique_key,
        on_duplicate=wanted.on_duplicate,
        limit_key=params.limit_key,
        key=key,
        actor=str(acting(app)),
    )
    done = app.dispatch.book(new)
    booked = done.run
    if not done.is_new and not done.is_duplicate:
        sealed = app.sealed_params.of_run(booked.id)
        if booked.job != new.job or not app.hiding.is_same(booked, sealed, params):
            raise KeyTaken(
                key=key, id=booked.id, reference=booked.reference, job=booked.job,
                params=dict(booked.params),
            )  # fmt: skip
    note = _why_not_new(wanted) if done.is_duplicate else "booked before under this key"
    if not as_json:
        shown = "" if done.is_new else f" ({note})"
        print(f"run {booked.id} {booked.reference} {booked.state}{shown}", flush=True)
    elif done.is_duplicate:
        sys.stderr.write(f"engine: run {booked.reference}: {note}\n")
    if done.unrung:
        said = clause(done.unrung)
        sys.stderr.write(f"engine: {said}; the run is booked and starts when {done.unrung.until}\n")
    for said in app.settings.secret_source.missing(given):
        sys.stderr.write(f"engine: {said}; the run fails unless its worker has it\n")
    _warn_about_queue(booked.queue, was_given=queue is not None)
    ended = _wait(booked, quiet=as_json) if wait else booked
    if as_json:
        artifacts = app.artifacts.list(run_id=ended.id)
        print_json(run_json(ended, artifacts))
    if wait and ended.state is not RunState.SUCCEEDED:
        raise typer.Exit(1)
    if done.unrung and not wait:
        raise typer.Exit(6)


def _why_not_new(job: "Job") -> str:
    each = f" for each {', '.join(job.unique_by)}" if job.unique_by else ""
    return f"not booked anew: it has not ended, and there is one at a time{each}"


def params_of(texts: list[str]) -> dict[str, str]:
    """Parameters by name, of texts such as `name=value`; raises WrongOption."""
    params: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise WrongOption(option="-p", text=f"{text!r} is not name=value")
        if name in params:
            raise WrongOption(option="-p", text=f"{name!r} is given twice")
        params[name] = value
    return params


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            instant = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise WrongOption(
            option="--at", text=f"{text!r} is no instant; write 2026-12-01T02:00:00+03:00"
        ) from None
    if instant.tzinfo is None:
        raise WrongOption(option="--at", text=f"{text!r} has no zone; add +03:00, or Z for UTC")
    return instant


def _warn_about_queue(name: str, *, was_given: bool) -> None:
    """Say on stderr why nobody may take what is booked in this queue."""
    from engine.documents.closest import suggestion
    from engine.operations.pausing import served_or_named

    app = the_app()
    for paused in app.pauses.all():
        if paused.queue == name:
            sys.stderr.write(
                f"engine: {paused.actor} paused the queue {name}; "
                f"the run starts after `engine queue resume {name}`\n"
            )
    if was_given and name not in (known := served_or_named(app.presence, app.jobs)):
        sys.stderr.write(
            f"engine: no worker serves the queue {name!r} and no job has it as its own; "
            f"{suggestion(name, known)}\n"
        )


def _wait(booked: "Run", *, quiet: bool) -> "Run":
    """Wait for the end, saying on stderr what changes."""
    from engine.operations.waiting import watch

    app = the_app()
    said = ""
    last = booked
    if not any(booked.queue in process.queues for process in app.presence.present()):
        sys.stderr.write(
            f"no worker serves the queue {booked.queue!r} yet; start one with `engine up`\n"
        )
    try:
        for last in watch(app.runs, booked.id):
            text = _progress_text(last)
            if text != said and not quiet:
                sys.stderr.write(on_one_line(text) + "\n")
                sys.stderr.flush()
            said = text
    except KeyboardInterrupt:
        sys.stderr.write(
            f"no longer waiting; the run goes on: `engine runs show {booked.reference}`\n"
        )
        raise typer.Exit(130) from None
    if not quiet:
        _print_end(last)
    return last


def _progress_text(run: "Run") -> str:
    if run.state is RunState.QUEUED and run.due_at > datetime.now(UTC):
        return f"{run.state}, due at {local(run.due_at)}"
    if run.state is not RunState.RUNNING or run.progress_done is None:
        return f"{run.state}" + (f", attempt {run.attempt}" if run.attempt else "")
    total = run.progress_total
    share = f" of {total:,} ({run.progress_done * 100 // total}%)" if total else ""
    return f"{run.state}: {run.progress_done:,}{share} {run.progress_note or ''}".rstrip()


def _print_end(run: "Run") -> None:
    if run.state is RunState.CANCELLED:
        sys.stderr.write(f"{on_one_line(run.reason or 'cancelled')}\n")
    if run.error is not None:
        sys.stderr.write(on_one_line(f"{run.error.type}: {run.error.message}") + "\n")
        sys.stderr.write(
            f"see `engine runs show {run.reference}` and `engine runs logs {run.reference}`\n"
        )
    for name, value in (run.result or {}).items() if isinstance(run.result, dict) else ():
        print(f"{name}: {on_one_line(value)}")
    for artifact in the_app().artifacts.list(run_id=run.id):
        print(f"artifact {artifact.id}: {on_one_line(artifact.name)}")
