"""What a reconciliation of any source finds, in words that do not depend on the source."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.reconciliation.definitions import Definitions
from engine.reconciliation.reconcile import Progress, Reconciler
from engine.reconciliation.result import Result
from engine.sources.catalog import Sources
from tests.builders.clock import FakeClock

LATER = datetime(2030, 1, 1, tzinfo=UTC)


def reconciled(
    url: str,
    folder: Path,
    definition: str,
    *,
    cut_off: datetime = LATER,
    progress: Progress | None = None,
) -> Result:
    """The result for the source `canteen` at `url`; the definition is written into `folder`."""
    (folder / "reconciliations").mkdir(exist_ok=True)
    (folder / "reconciliations" / "wallets.yaml").write_text(definition, encoding="utf-8")
    definitions = Definitions(folder / "reconciliations", Sources({"canteen": url}, folder))
    reconciler = Reconciler(definitions=definitions, clock=FakeClock())
    return reconciler.find("wallets", cut_off=cut_off, progress=progress)


def in_plain(result: Result) -> dict[str, Any]:
    """Everything that is the same for the same rows, whatever they are kept in."""
    return {
        "rows": [(side.name, side.rows) for side in result.sides],
        "findings": sorted((each.code, each.side, each.where) for each in result.findings),
        "totals": list(result.totals),
        "differences": list(result.differences),
        "counts": dict(result.counts),
    }
