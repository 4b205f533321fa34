"""`engine database`: the run ledger's tables."""

from typing import TYPE_CHECKING

import typer

from engine.cli.output import Json, print_facts, print_json

if TYPE_CHECKING:
    from engine.store.database import Database

cli = typer.Typer(help="The run ledger's tables.", no_args_is_help=True)


@cli.command()
def upgrade(as_json: Json = False) -> None:
    """Bring the tables to this version's revision.

    \b
    Examples:
      engine database upgrade
    """
    from engine.settings import load_settings
    from engine.store.database import REVISION, Database

    database = Database(load_settings().database)
    done = database.upgrade()
    if as_json:
        print_json({"upgraded": done, "revision": REVISION})
        return
    print(f"upgraded to revision {REVISION}" if done else f"already at revision {REVISION}")


@cli.command()
def status(as_json: Json = False) -> None:
    """Which revision the tables have, and which one this version needs.

    \b
    Examples:
      engine database status
      engine database status --json
    """
    from engine.settings import load_settings
    from engine.store.database import REVISION, Database, LedgerUnreachable

    database = Database(load_settings().database)
    try:
        found = database.revision()
    except LedgerUnreachable:
        if database.exists():
            raise
        found = None
    facts = {
        "url": database.shown_url,
        "revision": found,
        "wanted": REVISION,
        "current": found == REVISION,
    }
    if as_json:
        print_json(facts)
    else:
        print_facts(facts | {"revision": found or _none(database)})


def _none(database: "Database") -> str:
    return f"none: {'made on first use' if database.upgrades_itself else 'run the upgrade'}"
