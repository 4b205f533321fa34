"""`engine artifacts`: the files that runs produced."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.context import the_app
from engine.cli.output import Json, print_json, print_table
from engine.cli.personal import require_may_see
from engine.errors import EngineError, Invalid, Refused, UnknownId

if TYPE_CHECKING:
    from engine.app import App
    from engine.operations.verifying import Verified
    from engine.store.artifacts import Artifact

_EVERY = 1_000_000_000

cli = typer.Typer(help="The files that runs produced.", no_args_is_help=True)


class OneOutput(Invalid):
    """Two things cannot be written to stdout."""

    message = "--output - writes the file to stdout, where --json would write its document"


class FileExists(Refused):
    """The file that was to be written is there already."""

    message = "{path} exists; take another -o, or --force to replace it"


class InQuarantine(Refused):
    """The file is not what it should be."""

    message = (
        "{name} is in quarantine: {why}. It is given out with --quarantined only, to look into it"
    )


class WithoutManifest(EngineError):
    """A file of which no manifest was made."""

    message = "artifact {id} has no manifest: it is no file of a report"


class OneOrAll(Invalid):
    """Either one artifact is verified, or all of them."""

    message = "give the id of an artifact, or --all"


@cli.command("list")
def list_(
    run: Annotated[str | None, typer.Option(help="Of this run, by id or reference.")] = None,
    report: Annotated[
        str | None, typer.Option(metavar="REPORT", help="Of this report, by its name.")
    ] = None,
    all_versions: Annotated[
        bool, typer.Option("--all-versions", help="Also those that a later version replaces.")
    ] = False,
    quarantined: Annotated[
        bool, typer.Option("--quarantined", help="Only those that are not what they should be.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """The newest files first, of each report and period the last version.

    \b
    Examples:
      engine artifacts list
      engine artifacts list --run 42
      engine artifacts list --report daily_sales --all-versions
      engine artifacts list --quarantined
    """
    app = the_app()
    run_id = app.runs.find(run).id if run is not None else None
    found = app.artifacts.list(
        run_id=run_id,
        report=report,
        limit=limit,
        quarantined=quarantined,
        latest=not (all_versions or quarantined or run is not None),
    )
    if as_json:
        print_json({"artifacts": [each.as_json() for each in found]})
        return
    rows = [
        {
            "id": each.id,
            "run": each.run_id,
            "name": each.name,
            "version": each.version if each.series and not quarantined else None,
            "rows": each.rows,
            "size": each.size,
            "sha256": each.sha256[:12],
            "created": each.created_at,
            "expires": each.expires_at,
            "why": each.quarantined,
        }
        for each in found
    ]
    columns = ["id", "run", "name", "version", "rows", "size", "sha256", "created", "expires"]
    if quarantined:
        columns[3:3] = ["why"]
    print_table(rows, columns, empty="No files yet: reconciliations and reports make them.")


@cli.command()
def get(
    artifact: Annotated[str, typer.Argument(metavar="ARTIFACT", help="The artifact's id.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to; - is stdout.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    manifest: Annotated[
        bool, typer.Option("--manifest", help="Its manifest, in place of the file itself.")
    ] = False,
    quarantined: Annotated[
        bool, typer.Option("--quarantined", help="Even if it is not what it should be.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Download a file, or its manifest: what it was made from, by whom, and what is in it.

    \b
    Examples:
      engine artifacts get 1
      engine artifacts get 1 --output breaks.xlsx --force
      engine artifacts get 2 --output - | head
      engine artifacts get 2 --manifest -o -
    """
    from engine.operations.download import copy, download

    app = the_app()
    found = _found(app, artifact)
    if found.quarantined is not None and not quarantined:
        raise InQuarantine(name=found.name, why=found.quarantined)
    if manifest:
        found = _manifest_of(found)
    else:
        require_may_see(app, found)
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


@cli.command()
def verify(
    artifact: Annotated[
        str | None, typer.Argument(metavar="ARTIFACT", help="The artifact's id.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All files that are kept.")] = False,
    as_json: Json = False,
) -> None:
    """Find all that is on record of a file anew in the file that is stored.

    Its size and hash, and of a report's file the manifest, its rows and the sums of its amounts,
    which are read from its bytes. Exits with 1 if anything is not as it was.

    \b
    Examples:
      engine artifacts verify 12
      engine artifacts verify --all --json
    """
    from engine.operations.verifying import verify as verified

    if (artifact is None) is not every:
        raise OneOrAll
    app = the_app()
    wanted = app.artifacts.list(limit=_EVERY) if artifact is None else [_found(app, artifact)]
    answers = [verified(app.publisher.files, each) for each in wanted]
    if as_json:
        print_json({"artifacts": [each.as_json() for each in answers]})
    else:
        for each in answers:
            print(_said(each))
        if not answers:
            print("No files yet: reconciliations and reports make them.")
    if any(each.problems for each in answers):
        raise typer.Exit(1)


def _said(verified: "Verified") -> str:
    """One line about what was found."""
    name = f"{verified.artifact.id} {verified.artifact.name}"
    if verified.problems:
        return f"{name}: {'; '.join(verified.problems)}"
    return f"{name}: as it was ({', '.join(verified.checked)})"


def _found(app: "App", artifact: str) -> "Artifact":
    if not artifact.isdecimal():
        raise UnknownId(noun="artifact", id=artifact)
    return app.artifacts.get(int(artifact))


def _manifest_of(found: "Artifact") -> "Artifact":
    """The manifest as an artifact, with the hash that it has on record."""
    import hashlib
    from dataclasses import replace

    from engine.reporting.proven import manifest_text

    if found.manifest is None:
        raise WithoutManifest(id=found.id)
    data = manifest_text(found.manifest).encode()
    name, path = f"{found.name}.manifest.json", found.paths[-1]
    sha256 = hashlib.sha256(data).hexdigest()
    return replace(
        found,
        name=name,
        path=path,
        size=len(data),
        sha256=sha256,
        media_type="application/json",
        rows=0,
    )
