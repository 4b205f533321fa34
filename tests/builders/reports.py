"""Report definitions in folders of a test's own."""

from collections.abc import Mapping
from pathlib import Path

from engine.reporting.definitions import ReportDefinitions
from engine.sources.catalog import Sources
from engine.store.database import Database

ROOT = Path(__file__).parents[2]
SOURCES = {
    "canteen": "sqlite:///canteen.db",
    "bank": "file:///srv/statements",
}


def definitions_in(folder: Path, sources: Mapping[str, str] = SOURCES) -> ReportDefinitions:
    """The reports of a folder, with the project's own templates and one reconciliation."""
    return ReportDefinitions(
        folder=folder,
        templates=ROOT / "reports" / "templates",
        open_sources=lambda: Sources(
            sources, folder, ledger=Database(f"sqlite:///{folder / 'ledger.db'}")
        ),
        reconciliations=["wallets"],
    )
