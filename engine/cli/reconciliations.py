"""`engine reconciliations`: what should agree with what."""

from typing import Any

import typer

from engine.cli.context import the_app
from engine.cli.output import Json, print_json, print_table
from engine.errors import EngineError
from engine.states import BreakState

cli = typer.Typer(help="What should agree with what.", no_args_is_help=True)


@cli.command("list")
def list_(as_json: Json = False) -> None:
    """The definitions, when each ran last, and its open breaks.

    \b
    Examples:
      engine reconciliations list
      engine reconciliations list --json
    """
    names = the_app().reconciliation_definitions.names()
    found = [_reconciliation(name) for name in names]
    if as_json:
        print_json({"reconciliations": found})
        return
    columns = ["name", "title", "checks", "last_cut_off", "last_run_id", "open_breaks", "problem"]
    empty = "No definitions yet: write reconciliations/<name>.yaml."
    print_table(
        [each | {"checks": ",".join(each["checks"])} for each in found], columns, empty=empty
    )


def _reconciliation(name: str) -> dict[str, Any]:
    from engine.operations.instants import rfc3339

    app = the_app()
    latest = app.reconciliation_store.latest(name)
    facts: dict[str, Any] = {
        "name": name,
        "title": None,
        "checks": [],
        "last_run_id": latest["run_id"] if latest else None,
        "last_cut_off": rfc3339(latest["cut_off"]) if latest else None,
        "open_breaks": app.breaks.count(reconciliation=name, status=BreakState.OPEN),
        "problem": None,
    }
    try:
        definition = app.reconciliation_definitions.load(name)
    except EngineError as error:
        # One wrong file must not hide the others.
        return facts | {"problem": str(error)}
    return facts | {"title": definition.title, "checks": sorted(definition.checks)}
