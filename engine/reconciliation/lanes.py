"""Lanes: one wallet's entries in one currency, added up.

Where running balances are followed, a lane in which each balance follows from the last and no two
rows share an instant is proved clean by that, and nothing else looks at it: while the rows come
in, or else when they are walked in the order of lane and instant. All others are marked `suspect`,
for `chains` to settle.
"""

from engine.reconciliation.definition import Definition
from engine.reconciliation.proofs import Proofs, Proved
from engine.reconciliation.staging import Staging
from engine.reconciliation.walk import walk

# Of what is proved a third has to be kept; the rest follows from it.
_LANES = """
    CREATE VIEW lanes AS
    SELECT wallet, currency, total, counted, later_rows, first_pre, last_balance, suspect, crowded
    FROM walked
    UNION ALL
    SELECT wallet, {currency}, total, total, 0, first_pre, last_balance, false, false
    FROM (SELECT *, last_balance::HUGEINT - first_pre AS total FROM proved)"""


def add_up(
    definition: Definition, staging: Staging, *, cut_off: int, proofs: Proofs | None = None
) -> None:
    """Make `lanes`: total (of all entries) and counted (of those before the cut-off).

    It has the number of entries that do not count as `later_rows`, and is a table or a view.
    """
    counted_until = _counted_until(definition, staging, cut_off)
    if definition.walks:
        proved = proofs.proved(staging.count("entries")) if proofs else None
        if proved is None or staging.kind("entries", "wallet") != "BIGINT":
            walk(definition, staging, counted_until=counted_until)
        else:
            _walk_unproved(definition, staging, proved, counted_until)
        return
    currency = "currency" if "currency" in definition.entry_lane else f"'{definition.currency}'"
    counted = "sum(amount) AS counted, 0 AS later_rows"
    if counted_until is not None:
        # A row whose instant cannot be read is a finding, and counts: money does not go away.
        before = f"coalesce(posted_at < {counted_until}, true)"
        counted = (
            f"coalesce(sum(amount) FILTER (WHERE {before}), 0) AS counted, "
            f"count(*) FILTER (WHERE NOT {before}) AS later_rows"
        )
    staging.run(
        f"CREATE TABLE lanes AS SELECT wallet, {currency} AS currency, "  # noqa: S608
        f"sum(amount) AS total, {counted} FROM entries "
        f"GROUP BY {', '.join(definition.entry_lane)}"
    )


def _walk_unproved(
    definition: Definition, staging: Staging, proved: Proved, counted_until: int | None
) -> None:
    """Make the view `lanes` of what is proved, and of a walk over all other entries."""
    staging.run("CREATE TABLE others (wallet BIGINT)")
    staging.insert("others", "wallet", [proved.others])
    staging.run(
        "CREATE TABLE unproved AS SELECT * FROM entries WHERE wallet IN (SELECT wallet FROM others)"
    )
    walk(definition, staging, counted_until=counted_until, table="unproved")
    currency = f"'{definition.currency}'"
    if "currency" in definition.entry_lane:
        # Only entries in one currency prove anything.
        currency = "(SELECT currency FROM entries LIMIT 1)"
    staging.run("ALTER TABLE lanes RENAME TO walked")
    staging.run("CREATE TABLE proved (wallet BIGINT, first_pre BIGINT, last_balance BIGINT)")
    staging.insert("proved", "wallet, first_pre, last_balance", [proved.lanes])
    staging.run(_LANES.format(currency=currency))
    staging.run("DROP TABLE unproved")
    staging.run("DROP TABLE others")


def drop_lanes(staging: Staging) -> None:
    """Make room, when nothing asks for `lanes` any more."""
    ((proved,),) = staging.rows("SELECT count(*) FROM duckdb_views() WHERE view_name = 'lanes'")
    if not proved:
        staging.run("DROP TABLE lanes")
        return
    staging.run("DROP VIEW lanes")
    staging.run("DROP TABLE walked")
    staging.run("DROP TABLE proved")


def _counted_until(definition: Definition, staging: Staging, cut_off: int) -> int | None:
    """The cut-off; None if every row lies before it, which spares asking each of them."""
    if "posted_at" not in definition.entries.keys:
        return None
    ((latest,),) = staging.rows("SELECT max(posted_at) FROM entries")
    return None if latest is None or latest < cut_off else cut_off
