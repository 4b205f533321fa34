"""`engine runs cancel | review`: what a person decides about single runs."""

import sys
from typing import Annotated, Any, Literal

import typer

from engine.cli.acting import acting
from engine.cli.context import sound_jobs, the_app
from engine.cli.output import Json, local, print_json, print_table
from engine.cli.plain import on_one_line
from engine.errors import Invalid

Name = Annotated[str, typer.Argument(metavar="RUN", help="A run's id or reference.")]
Names = Annotated[list[str], typer.Argument(metavar="RUN...", help="Ids or references of runs.")]
Reason = Annotated[str | None, typer.Option(help="Why; it is kept with the run.")]


_RESULT = 60


class OneDecision(Invalid):
    """A review says one of two things, or what came of effects."""

    message = "give --approve or --reject, or what came of effects: --happened, --did-not-happen"


def cancel(names: Names, reason: Reason = None, as_json: Json = False) -> None:
    """End runs: at once if they wait, within two seconds if they are running.

    A run of which nobody knows whether one of its effects happened (`engine runs effects`) is not
    cancelled: it fails and waits for a review. An unknown id is exit 3, and then none is cancelled.
    Runs that have ended already are named, exit 1.

    \b
    Examples:
      engine runs cancel 42
      engine runs cancel 42 RC-20261124-7K3F9 --reason "wrong month"
    """
    from engine.operations.cancelling import cancel_runs, why_ended, why_kept
    from engine.operations.run_moves import move_text

    app = the_app()
    done = cancel_runs(
        app.cancelling, app.dispatch, sound_jobs(app), app.moves.ids_of(names),
        actor=str(acting(app)), reason=reason,
    )  # fmt: skip
    if as_json:
        print_json(done.as_json())
    else:
        for run in done.done.cancelled:
            print(f"run {run.id} {run.reference} is cancelled")
        asked = [(run, None) for run in done.done.stopping] + [*done.done.asked_before]
        for run, before in asked:
            how = (
                "runs in its worker's own thread and cannot be cut off: it ends when it ends"
                if run.id in done.uncuttable
                else "is told to stop, and ends within two seconds"
            )
            told = f" ({on_one_line(move_text(before, local))})" if before else ""
            print(f"run {run.id} {run.reference} {how}{told}")
    for run in done.done.kept:
        sys.stderr.write(f"{why_kept(run)}\n")
    for run, move in done.done.left:
        why = why_ended(run, move, local)
        sys.stderr.write(f"run {run.id} {run.reference} is left: {on_one_line(why)}\n")
    if done.done.left:
        raise typer.Exit(1)


def review(
    name: Name,
    approve: Annotated[bool, typer.Option("--approve", help="It may be retried.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="It may not be retried.")] = False,
    happened: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY[=JSON]",
            help="This effect happened, with this result; may be repeated.",
        ),
    ] = None,
    did_not_happen: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="This effect did not happen; may be repeated."),
    ] = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Decide about a failed run that waits for a person: may it be retried?

    A run that crashed three times, or one that must not be repeated after a crash, cannot be
    retried before somebody has looked at it and approved; and only as it was then: if its
    parameters, error or effects change, it is approved again. Of effects that are unknown
    (`engine runs effects`) an approval says which happened: those are not done again, and the
    others are. What was said wrongly is said again, without a decision, until another attempt has
    come to the effect; then an approval that was given is void. A review needs its --reason, else
    exit 5.

    With ENGINE_FOUR_EYES an effect that did not happen is done again only after two users have said
    so: one who approves and one who retries, or both with --did-not-happen.

    \b
    Examples:
      engine runs review 42 --approve --reason "the file is mended"
      engine runs review 42 --approve --happened 'charge 7={"id": "ch_1"}' --reason "at the gateway"
      engine runs review 42 --approve --did-not-happen "charge 8" --reason "not at the gateway"
      engine runs review 42 --happened "charge 8" --reason "it came in later"
      engine runs review 42 --reject --reason "paid by hand"
      engine queue retry 42
    """
    from engine.operations.reviewing import review_run, settle_effects, settlement_of
    from engine.operations.run_json import run_json

    said = (happened or (), did_not_happen or ())
    if (approve and reject) or not (approve or reject or any(said)):
        raise OneDecision
    app = the_app()
    (run_id,) = app.moves.ids_of([name])
    keys = [effect.key for effect in app.effect_rows.of_run(run_id)]
    by: dict[str, Any] = {
        "actor": acting(app, "approver"),
        "reason": reason,
        "settlement": settlement_of(*said, keys),
        "four_eyes": app.settings.four_eyes,
    }
    decision: Literal["approved", "rejected"] = "approved" if approve else "rejected"
    if approve or reject:
        run = review_run(app.reviews, run_id, decision, shown=local, users=app.users, **by)
    else:
        run = settle_effects(app.reviews, run_id, **by)
    if as_json:
        print_json(run_json(app.runs.get(run_id), app.artifacts.list(run_id=run_id)))
        return
    if not (approve or reject):
        state = app.runs.get(run_id)
        then = " and waits for a review" if state.review == "required" else ""
        print(f"run {run.id} {run.reference}: its effects are settled; it is {state.state}{then}")
        return
    then = f": `engine queue retry {run.reference}` runs it again" if approve else ""
    print(f"run {run.id} {run.reference} is {decision}{then}")


def effects(name: Name, as_json: Json = False) -> None:
    """What a run did that must happen once (`context.once`): what is done, open, or unknown.

    Of one that is unknown nobody can say here whether it happened: a review of the run says so
    (`engine runs review`), after a look at the other end. Of one that is unconfirmed one user said
    that it did not, and with ENGINE_FOUR_EYES another one has yet to say so. What is done in
    another database is in that one's table `engine_effects`, and not here.

    \b
    Examples:
      engine runs effects 42
      engine runs effects RC-20261124-7K3F9 --json
    """
    from engine.operations.effects import effect_json, effect_state

    app = the_app()
    run = app.runs.find(name)
    found = app.effect_rows.of_run(run.id)
    if as_json:
        print_json({"effects": [effect_json(each) for each in found]})
        return
    rows = [
        {
            "key": each.key,
            "state": effect_state(each),
            "attempt": each.attempt,
            "started": each.started_at,
            "done": each.done_at,
            "settled by": each.settled_by,
            "result": None if each.result is None else str(each.result)[:_RESULT],
        }
        for each in found
    ]
    columns = ["key", "state", "attempt", "started", "done", "settled by", "result"]
    print_table(rows, columns, empty=f"run {run.reference} has no effects.")
