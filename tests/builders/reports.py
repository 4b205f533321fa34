"""Report definitions in folders of a test's own."""

from collections.abc import Mapping
from pathlib import Path

from engine.reporting.definitions import ReportDefinitions
from engine.sources.catalog import Sources

ROOT = Path(__file__).parents[2]
SOURCES = {
    "canteen": "sqlite:///canteen.db",
    "ledger": "sqlite:///ledger.db",
    "bank": "file:///srv/statements",
}


def definitions_in(folder: Path, sources: Mapping[str, str] = SOURCES) -> ReportDefinitions:
    """The reports of a folder, with the project's own templates and one reconciliation."""
    return ReportDefinitions(
        folder=folder,
        templates=ROOT / "reports" / "templates",
        sources=Sources(sources, folder),
        reconciliations=["wallets"],
    )
