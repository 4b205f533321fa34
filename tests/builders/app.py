"""An engine in a test's own folder, with a small demo world as its source `canteen`."""

from pathlib import Path
from shutil import copytree

from engine.app import App, build_app
from engine.clock import Clock
from engine.demo.world import World
from engine.settings import Settings

ROOT = Path(__file__).parents[2]


def a_canteen(folder: Path, world: World, clock: Clock, database_url: str | None = None) -> App:
    """An app whose home is `folder`, with the project's jobs, definitions and templates.

    `database_url` is of a ledger that is upgraded already; None makes a SQLite one.
    """
    for name in ("reconciliations", "reports", "jobs"):
        if not (folder / name).exists():
            copytree(ROOT / name, folder / name)
    settings = Settings(
        home=folder,
        database_url=database_url or "sqlite:///var/engine.db",
        sources={"canteen": f"sqlite:///{world.path}"},
    )
    return build_app(settings, clock=clock)
