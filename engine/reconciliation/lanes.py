"""Lanes: one wallet's entries in one currency, added up.

Where running balances are followed, rows are walked in the order of lane and instant. A lane in
which each balance follows from the last and no two rows share an instant is proved clean by that,
and nothing else looks at it. All others are marked `suspect`, for `chains` to settle.
"""

from engine.reconciliation.definition import Definition
from engine.reconciliation.staging import Staging
from engine.reconciliation.walk import walk


def add_up(definition: Definition, staging: Staging, *, cut_off: int) -> None:
    """Make the table `lanes`: total (of all entries) and counted (of those before the cut-off)."""
    counted_until = _counted_until(definition, staging, cut_off)
    if definition.walks:
        walk(definition, staging, counted_until=counted_until)
        return
    currency = "currency" if "currency" in definition.entry_lane else f"'{definition.currency}'"
    counted = "count(*) AS counted_rows, sum(amount) AS counted"
    if counted_until is not None:
        # A row whose instant cannot be read is a finding, and counts: money does not go away.
        before = f"FILTER (WHERE coalesce(posted_at < {counted_until}, true))"
        counted = f"count(*) {before} AS counted_rows, coalesce(sum(amount) {before}, 0) AS counted"
    staging.run(
        f"CREATE TABLE lanes AS SELECT wallet, {currency} AS currency, "  # noqa: S608
        f"count(*) AS rows_, sum(amount) AS total, {counted} FROM entries "
        f"GROUP BY {', '.join(definition.entry_lane)}"
    )


def _counted_until(definition: Definition, staging: Staging, cut_off: int) -> int | None:
    """The cut-off; None if every row lies before it, which spares asking each of them."""
    if "posted_at" not in definition.entries.keys:
        return None
    ((latest,),) = staging.rows("SELECT max(posted_at) FROM entries")
    return None if latest is None or latest < cut_off else cut_off
