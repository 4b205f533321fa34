"""`engine secrets`: the keys of this installation, and what is sealed under them."""

from typing import Annotated

import typer

from engine.cli.acting import acting
from engine.cli.context import the_app
from engine.cli.output import Json, print_json, print_table

cli = typer.Typer(
    help="The keys of this installation, and what is sealed under them; never a value.",
    no_args_is_help=True,
)


@cli.command("list")
def list_(as_json: Json = False) -> None:
    """The keys by their ids, and how many values are sealed under each; no key and no value.

    The first key seals, the second one only opens. What is sealed under a missing key cannot be
    opened by anybody.

    \b
    Examples:
      engine secrets list
      engine secrets list --json
    """
    from engine.operations.secrets import KINDS, key_uses

    app = the_app()
    found = [
        each.as_json() for each in key_uses(app.settings.known_keys, app.sealed_values.counts())
    ]
    if as_json:
        print_json({"keys": found})
        return
    rows = [{**each, "key": each["id"]} for each in found]
    print_table(rows, ["key", "place", *KINDS], empty="Nothing is sealed, and there is no key yet.")


@cli.command()
def rotate(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be sealed anew.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Seal under the first key what is sealed under another one; exit 1 if some cannot be opened.

    Put a new key before the old one, as `new,old`, in ENGINE_SECRET_KEY or in var/secret.key;
    restart every process; rotate; then take the old one away and restart again.

    \b
    Examples:
      engine secrets rotate --dry-run
      engine secrets rotate
    """
    app = the_app()
    actor = str(acting(app, "admin"))
    done = app.sealed_values.reseal(app.keys, actor=actor, rehearse=dry_run)
    unopened = sum(count for each in done for count in each.unopened.values())
    if as_json:
        rows = [vars(each) | {"unopened": dict(each.unopened)} for each in done]
        print_json({"key": app.keys.ids[0], "dry_run": dry_run, "kinds": rows})
    else:
        verb = "would be sealed anew" if dry_run else "sealed anew"
        for each in done:
            print(f"{each.kind}: {each.resealed} {verb} under the key {app.keys.ids[0]}")
            for key_id, count in each.unopened.items():
                print(f"{each.kind}: {count} cannot be opened; they are sealed under {key_id}")
        if len(app.keys.ids) > 1 and not dry_run and not unopened:
            print(f"the key {app.keys.ids[1]} is needed no more")
    if unopened:
        raise typer.Exit(1)
