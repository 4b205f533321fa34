"""`engine schedules`: what runs when."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.context import the_app
from engine.cli.output import Json, print_json, print_table
from engine.errors import Invalid

if TYPE_CHECKING:
    from engine.schedules.schedule import Schedule

cli = typer.Typer(help="What runs when: schedules.yaml.", no_args_is_help=True)


class UnknownSchedule(Invalid):
    """schedules.yaml has no entry of this name."""

    message = "no schedule is named {name!r}; {hint}"


@cli.command()
def check(as_json: Json = False) -> None:
    """Is the file right? Every error with its place; exit 2 if there is one.

    A secret that is referred to and not there is said on stderr: workers may have it elsewhere.

    \b
    Examples:
      engine schedules check
    """
    from engine.documents.problem import InvalidDocument

    file = the_app().settings.schedules_file
    try:
        schedules = the_app().schedules
    except InvalidDocument as error:
        if not as_json:
            raise
        print_json({"valid": False, "problems": [vars(each) for each in error.problems]})
        raise typer.Exit(2) from None
    source = the_app().settings.secret_source
    missing = [
        {"schedule": name, "text": text}
        for name, schedule in schedules.items()
        for text in source.missing(schedule.params)
    ]
    if as_json:
        print_json({"valid": True, "problems": [], "missing_secrets": missing})
        return
    for each in missing:
        sys.stderr.write(f"engine: {each['schedule']}: {each['text']}; its workers may have it\n")
    noun = "schedule" if len(schedules) == 1 else "schedules"
    print(f"{file.name}: {len(schedules)} {noun}, no errors")


@cli.command("list")
def list_(as_json: Json = False) -> None:
    """The schedules, and when each fires next.

    \b
    Examples:
      engine schedules list
      engine schedules list --json
    """
    now = the_app().clock.now()
    schedules = the_app().schedules.values()
    if as_json:
        print_json({"schedules": [_schedule_json(each, now) for each in schedules]})
        return
    rows = [
        {
            "name": each.name,
            "job": each.job,
            "when": str(each.trigger),
            "timezone": each.timezone.key,
            "queue": each.queue,
            "overlap": each.overlap,
            "missed": each.missed,
            "next": _local(each, each.trigger.next_after(now)) if each.enabled else "disabled",
        }
        for each in schedules
    ]
    columns = ["name", "job", "when", "timezone", "queue", "overlap", "missed", "next"]
    print_table(rows, columns, empty="schedules.yaml has no schedules yet.")


@cli.command("next")
def next_(
    name: Annotated[
        str | None, typer.Argument(metavar="[SCHEDULE]", help="One schedule; all if left out.")
    ] = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, max=1000, help="So many.")] = 5,
    as_json: Json = False,
) -> None:
    """The next firings, in each schedule's own zone.

    \b
    Examples:
      engine schedules next
      engine schedules next nightly-wallets --count 3
    """
    from engine.documents.closest import suggestion
    from engine.operations.instants import rfc3339

    now = the_app().clock.now()
    schedules = the_app().schedules
    if name is not None and name not in schedules:
        raise UnknownSchedule(name=name, hint=suggestion(name, schedules))
    wanted = [schedules[name]] if name else [each for each in schedules.values() if each.enabled]
    firings = sorted(
        ((at, each) for each in wanted for at in _next_firings(each, now, count)),
        key=lambda firing: (firing[0], firing[1].name),
    )[:count]
    if as_json:
        rows = [{"schedule": each.name, "scheduled_for": rfc3339(at)} for at, each in firings]
        print_json({"firings": rows})
        return
    shown = [
        {"scheduled_for": _local(each, at), "schedule": each.name, "job": each.job}
        for at, each in firings
    ]
    print_table(shown, ["scheduled_for", "schedule", "job"], empty="No schedule is enabled.")


def _next_firings(schedule: "Schedule", now: datetime, count: int) -> list[datetime]:
    firings = [schedule.trigger.next_after(now)]
    while len(firings) < count:
        firings.append(schedule.trigger.next_after(firings[-1]))
    return firings


def _schedule_json(schedule: "Schedule", now: datetime) -> dict[str, object]:
    from engine.operations.instants import rfc3339
    from engine.registry import find

    upcoming = schedule.trigger.next_after(now) if schedule.enabled else None
    app = the_app()
    shown, _ = app.hiding.parted(find(app.jobs, schedule.job), schedule.params)
    return {
        "name": schedule.name,
        "job": schedule.job,
        "params": shown,
        "trigger": str(schedule.trigger),
        "timezone": schedule.timezone.key,
        "enabled": schedule.enabled,
        "queue": schedule.queue,
        "overlap": schedule.overlap,
        "missed": schedule.missed,
        "within_seconds": schedule.within.total_seconds() if schedule.within else None,
        "period": schedule.period,
        "next_at": rfc3339(upcoming),
    }


def _local(schedule: "Schedule", at: datetime) -> str:
    return at.astimezone(schedule.timezone).strftime("%a %Y-%m-%d %H:%M:%S %z")
