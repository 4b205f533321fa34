"""`engine queue restart`: workers and schedulers come back on new code."""

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.acting import acting
from engine.cli.context import the_app
from engine.cli.output import Json, print_json, print_table

if TYPE_CHECKING:
    from engine.operations.restarting import Restart


def restart(
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until each has come back; exit 1 if one has not.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0, max=86_400, help="Seconds that --wait waits at most.")
    ] = 60.0,
    as_json: Json = False,
) -> None:
    """Have every worker and scheduler finish what it can, and come back on new code and settings.

    Each takes no further run, finishes what fits its grace time, hands the rest back, and starts
    itself again with the options it has. Jobs that cannot be imported, and a schedules.yaml that
    is wrong, are refused before anybody is asked.

    \b
    Examples:
      engine queue restart
      engine queue restart --wait --timeout 120
    """
    from engine.operations.restarting import await_return, restart_all
    from engine.store.restarts import RestartStore

    app = the_app()
    # What would not start again is not to end.
    _ = app.jobs, app.doorbell
    if any(process.kind == "scheduler" for process in app.presence.present()):
        _ = app.schedules
    restarts = RestartStore(app.database)
    asked = restart_all(restarts, actor=str(acting(app)))
    if wait:
        asked = await_return(
            restarts,
            asked,
            within=timedelta(seconds=timeout),
            tell=(lambda _: None) if as_json else _tell,
        )
    missing = [restart for restart in asked if restart.new is None] if wait else []
    if as_json:
        print_json({"restarts": [restart.as_json() for restart in asked]})
    elif wait:
        rows = [_row(restart) for restart in asked]
        columns = ["kind", "host", "old", "new", "old_version", "new_version"]
        print_table(rows, columns, empty="Nobody to restart: no worker and no scheduler is there.")
    else:
        for each in asked:
            print(f"{each.old.kind} {each.old.id} was asked to restart")
        if not asked:
            print("Nobody to restart: no worker and no scheduler is there.")
    if missing:
        names = ", ".join(restart.old.id for restart in missing)
        sys.stderr.write(
            f"engine: not back within {timeout:g} s: {names}; `engine queue workers` shows whether "
            "they still finish a run, and their logs why they ended\n"
        )
        raise typer.Exit(1)


def _tell(restart: "Restart") -> None:
    new = restart.new.id if restart.new else ""
    sys.stderr.write(f"{restart.old.kind} {restart.old.id} is back as {new}\n")


def _row(restart: "Restart") -> dict[str, object]:
    old, new = restart.old, restart.new
    return {
        "kind": old.kind,
        "host": old.host,
        "old": old.id,
        "new": new.id if new else "not back",
        "old_version": old.version,
        "new_version": new.version if new else None,
    }
