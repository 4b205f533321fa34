"""`engine events`: what an operator should hear of."""

from typing import Annotated

import typer

from engine.cli.context import the_app
from engine.cli.output import Json, print_json, print_table

cli = typer.Typer(help="What an operator should hear of.", no_args_is_help=True)


@cli.command("list")
def list_(
    kind: Annotated[list[str] | None, typer.Option(help="Of this kind; may be repeated.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Raised since: 24h, 7d, or an instant with its zone.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """The newest events first: each is raised once, and logged as a warning.

    \b
    Examples:
      engine events list --since 24h
      engine events list --kind failed_runs_untouched --kind run_quarantined
    """
    from engine.operations.events import event_json, kind_named
    from engine.operations.moments import moment

    app = the_app()
    kinds = [kind_named(each) for each in kind or ()]
    start = None if since is None else moment(since, app.run_counts.now(), option="--since")
    found = app.events.newest(kinds=kinds, since=start, limit=limit)
    if as_json:
        print_json({"events": [event_json(event) for event in found]})
        return
    rows = [
        {"id": event.id, "raised": event.raised_at, "kind": event.kind, "text": event.text}
        for event in found
    ]
    print_table(rows, ["id", "raised", "kind", "text"], empty="Nothing that anybody need hear of.")
