"""`engine artifacts`: the files that runs produced."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.context import the_app
from engine.cli.output import Json, print_json, print_table
from engine.errors import Invalid, Refused, UnknownId

cli = typer.Typer(help="The files that runs produced.", no_args_is_help=True)


class OneOutput(Invalid):
    """Two things cannot be written to stdout."""

    message = "--output - writes the file to stdout, where --json would write its document"


class FileExists(Refused):
    """The file that was to be written is there already."""

    message = "{path} exists; take another -o, or --force to replace it"


@cli.command("list")
def list_(
    run: Annotated[str | None, typer.Option(help="Of this run, by id or reference.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """The newest files first.

    \b
    Examples:
      engine artifacts list
      engine artifacts list --run 42
    """
    app = the_app()
    run_id = app.runs.find(run).id if run is not None else None
    found = app.artifacts.list(run_id=run_id, limit=limit)
    if as_json:
        print_json({"artifacts": [each.as_json() for each in found]})
        return
    rows = [
        {
            "id": each.id,
            "run": each.run_id,
            "name": each.name,
            "rows": each.rows,
            "size": each.size,
            "sha256": each.sha256[:12],
            "created": each.created_at,
            "expires": each.expires_at,
        }
        for each in found
    ]
    columns = ["id", "run", "name", "rows", "size", "sha256", "created", "expires"]
    print_table(rows, columns, empty="No files yet: reconciliations and reports make them.")


@cli.command()
def get(
    artifact: Annotated[str, typer.Argument(metavar="ARTIFACT", help="The artifact's id.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to; - is stdout.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Download a file.

    \b
    Examples:
      engine artifacts get 1
      engine artifacts get 1 --output breaks.xlsx --force
      engine artifacts get 2 --output - | head
    """
    from engine.operations.download import copy, download

    app = the_app()
    if not artifact.isdecimal():
        raise UnknownId(noun="artifact", id=artifact)
    found = app.artifacts.get(int(artifact))
    target = output or Path(found.name)
    files = app.publisher.files
    if str(target) == "-":
        if as_json:
            raise OneOutput
        copy(files, found, sys.stdout.buffer)
        return
    if target.is_dir():
        target /= found.name
    if target.is_file() and not force:
        raise FileExists(path=target)
    download(files, found, target)
    if as_json:
        print_json(found.as_json() | {"downloaded_to": str(target)})
        return
    print(f"{target}: {found.size} bytes, sha256 {found.sha256}")
