"""`engine runs`: history."""

import sys
import textwrap
import time
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.context import the_app
from engine.cli.filters import not_empty
from engine.cli.output import Json, local, print_facts, print_json, print_table
from engine.cli.plain import on_one_line, plain
from engine.cli.runs_control import Name, cancel, effects, review
from engine.errors import Invalid, UnknownId
from engine.states import UNFINISHED_RUNS, RunState

if TYPE_CHECKING:
    from engine.store.run import Run, RunError

cli = typer.Typer(help="History: what ran, how it ended, what it said.", no_args_is_help=True)

_FOLLOW_SECONDS = 0.5
# The others are states that a run is in.
_ENDED_AS_SAID = (RunState.SUCCEEDED, RunState.FAILED)


class UnknownAttempt(UnknownId):
    """The run has had no attempt of this number."""

    message = "no such attempt: {number}; run {reference}: it has had {count} of them"


class UnknownState(Invalid):
    """No run is ever in this state."""

    message = "--state: {name!r} is no state; known: {known}"


@cli.command("list")
def list_(
    job: Annotated[str | None, typer.Option(help="Of this job.", callback=not_empty)] = None,
    state: Annotated[list[str] | None, typer.Option(help="In this state; may be repeated.")] = None,
    schedule: Annotated[
        str | None, typer.Option(help="Of this schedule.", callback=not_empty)
    ] = None,
    queue: Annotated[str | None, typer.Option(help="In this queue.", callback=not_empty)] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """The newest runs first.

    \b
    Examples:
      engine runs list --state failed --state retrying
      engine runs list --job reconcile --limit 10 --json
    """
    from engine.operations.instants import milliseconds
    from engine.operations.run_json import run_json

    app = the_app()
    found = app.runs.newest(
        job=job, states=[_state(each) for each in state or ()], schedule=schedule, queue=queue,
        limit=limit,
    )  # fmt: skip
    if as_json:
        artifacts = {run.id: app.artifacts.list(run_id=run.id) for run in found}
        print_json({"runs": [run_json(run, artifacts[run.id]) for run in found]})
        return
    rows = [
        {
            "id": run.id,
            "reference": run.reference,
            "job": run.job,
            "state": run.state,
            "review": run.review,
            "schedule": run.schedule,
            "attempt": run.attempt,
            "created": run.created_at,
            "duration": _duration(milliseconds(run.duration)),
            "why": run.reason or (run.error.message[:80] if run.error else None),
        }
        for run in found
    ]
    columns = [
        "id",
        "reference",
        "job",
        "state",
        "review",
        "schedule",
        "attempt",
        "created",
        "duration",
        "why",
    ]
    if not any(run.review for run in found):
        columns.remove("review")
    print_table(
        rows,
        columns,
        empty="No runs yet: `engine run JOB` books one.",
        spare=("schedule", "attempt"),
    )


@cli.command()
def show(name: Name, as_json: Json = False) -> None:
    """One run: its parameters, errors and artifacts, and its timeline.

    The timeline has each attempt and what people did, with the waits between them.

    \b
    Examples:
      engine runs show 42
      engine runs show RC-20261124-7K3F9 --json
    """
    from engine.operations.instants import milliseconds, rfc3339
    from engine.operations.run_json import attempt_json, run_json
    from engine.operations.timeline import timeline

    app = the_app()
    run = app.runs.find(name)
    attempts = app.runs.attempts_of(run.id)
    artifacts = app.artifacts.list(run_id=run.id)
    shown = rfc3339 if as_json else local
    moments = timeline(run, attempts, app.moves.of_run(run.id), shown)
    if as_json:
        details = {
            "attempts": [attempt_json(each) for each in attempts],
            "timeline": [each.as_json() for each in moments],
        }
        print_json(run_json(run, artifacts) | details)
        return
    print_facts(
        {
            "run": f"{run.id} {run.reference}",
            "job": run.job,
            "state": run.state,
            "review": run.review,
            "reason": run.reason,
            "queue": run.queue,
            "priority": run.priority or None,
            "actor": run.actor,
            "params": dict(run.params) or None,
            "schedule": run.schedule,
            "scheduled for": run.scheduled_for,
            "period": " to ".join(map(local, run.period)) if run.period else None,
            "due": run.due_at,
            "held back by a limit since": run.blocked_at,
            "tried until": run.retry_until,
            "started": run.started_at,
            "finished": run.finished_at,
            "attempt": f"{run.attempt} of {run.attempts_allowed}",
            "waited": _duration(milliseconds(run.wait)),
            "took": _duration(milliseconds(run.duration)),
            "peak memory": _megabytes(run.peak_memory_bytes),
            "payload": f"{run.payload_bytes:,} bytes",
            "result": run.result,
            "first error": _error_text(run.first_error) if run.first_error != run.error else None,
            "error": _error_text(run.error),
        }
    )
    for artifact in artifacts:
        print(f"artifact {artifact.id}: {on_one_line(artifact.name)} ({artifact.rows} rows)")
    print()
    rows = [
        {
            "at": each.at,
            "waited": _duration(milliseconds(each.waited)),
            "took": _duration(milliseconds(each.took)),
            "what": each.what,
        }
        for each in moments
    ]
    columns = ["at", "waited", "took", "what"]
    print_table(rows, columns, empty="", right=("waited", "took"), whole=True)
    for each in attempts:
        if each.error_trace:
            print(f"\nattempt {each.number}:")
            print(textwrap.indent(plain(each.error_trace.rstrip()), "  "))


@cli.command()
def logs(
    name: Name,
    attempt: Annotated[int | None, typer.Option(help="Of this attempt only.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the run ends, over retries.")
    ] = False,
    as_json: Json = False,
) -> None:
    """What a run's attempts logged and printed.

    With --follow and --json it waits for the end, and prints one document then.

    \b
    Examples:
      engine runs logs 42
      engine runs logs RC-20261124-7K3F9 --follow
      engine runs logs 42 --attempt 2
    """
    from engine.operations.instants import rfc3339

    app = the_app()
    run = app.runs.find(name)
    if attempt is not None and not (follow and run.state in UNFINISHED_RUNS and attempt > 0):
        _require_attempt(run, attempt)
    if as_json:
        while follow and run.state in UNFINISHED_RUNS:
            time.sleep(_FOLLOW_SECONDS)
            run = app.runs.get(run.id)
        lines = app.logs.of_run(run.id, attempt=attempt)
        print_json(
            {
                "lines": [
                    {
                        "reference": run.reference,
                        "attempt": line.attempt,
                        "at": rfc3339(line.at),
                        "stream": line.stream,
                        "text": line.text,
                    }
                    for line in lines
                ]
            }
        )
        return
    seen = 0
    while True:
        ended = run.state not in UNFINISHED_RUNS
        lines = app.logs.of_run(run.id, attempt=attempt, after=seen)
        for line in lines:
            at = local(line.at)
            print(
                f"{at} {run.reference}/{line.attempt} {line.stream:6} {plain(line.text)}",
                flush=True,
            )
        seen += len(lines)
        if ended or not follow:
            break
        time.sleep(_FOLLOW_SECONDS)
        run = app.runs.get(run.id)
    if not seen:
        told = "" if attempt is None else f" in attempt {attempt}"
        print(f"run {run.reference} said nothing{told}; it {_how_it_stands(run)}")
    elif follow and run.state is not RunState.SUCCEEDED:
        sys.stderr.write(f"run {run.reference} {_how_it_stands(run)}\n")


cli.command()(cancel)
cli.command()(review)
cli.command()(effects)


def _state(name: str) -> RunState:
    try:
        return RunState(name)
    except ValueError:
        raise UnknownState(name=name, known=", ".join(RunState)) from None


def _require_attempt(run: "Run", number: int) -> None:
    numbers = {each.number for each in the_app().runs.attempts_of(run.id)}
    if number not in numbers:
        raise UnknownAttempt(number=number, reference=run.reference, count=len(numbers))


def _how_it_stands(run: "Run") -> str:
    why = _error_text(run.error) if run.state is RunState.FAILED else run.reason
    stands = f"{run.state}" if run.state in _ENDED_AS_SAID else f"is {run.state}"
    return on_one_line(f"{stands}: {why}" if why else stands)


def _error_text(error: "RunError | None") -> str | None:
    return f"{error.type}: {error.message}" if error else None


def _duration(took: int | None) -> str:
    return "" if took is None else f"{took / 1000:.1f} s"


def _megabytes(size: int | None) -> str | None:
    return None if size is None else f"{size / 1_000_000:.1f} MB"
