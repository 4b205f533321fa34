"""Lanes: one wallet's entries in one currency, walked and added up by one statement.

Rows are sorted by lane and instant, and each is compared with the one before it. A lane in which
each balance follows from the last and no two rows share an instant is proved clean by that, and
nothing else looks at it. All others are marked `suspect`, for `chains` to settle.
"""

from engine.reconciliation.definition import Definition
from engine.reconciliation.staging import Staging


def add_up(definition: Definition, staging: Staging, *, cut_off: int) -> None:
    """Make the table `lanes`: total (of all entries) and counted (of those before the cut-off).

    With balances to follow, also first_pre (the balance before the first row) and suspect.
    """
    before = _before(definition, staging, cut_off)
    columns = [
        "wallet",
        currency_of(definition, "entries"),
        "count(*) AS rows_",
        "sum(amount) AS total",
    ]
    if before is None:
        columns += ["rows_ AS counted_rows", "total AS counted"]
    else:
        columns += [f"count(*) FILTER (WHERE {before}) AS counted_rows"]
        columns += [f"coalesce(sum(amount) FILTER (WHERE {before}), 0) AS counted"]
    source = "entries"
    if definition.walks:
        source = _walked(definition, before or "true")
        columns += ["max(first_pre) AS first_pre", "bool_or(suspect) AS suspect"]
        columns += ["bool_or(disorder) AS disorder"]
    if definition.stored == "last_balance_after":
        walked = f"posted_at < {cut_off}"
        columns += [f"arg_max(balance_after, posted_at) FILTER (WHERE {walked}) AS last_balance"]
    staging.run(
        f"CREATE TABLE lanes AS SELECT {', '.join(columns)} FROM {source} "  # noqa: S608
        f"GROUP BY {', '.join(_keys(definition))}"
    )
    if definition.walks:
        ((disorder,),) = staging.rows("SELECT count(*) FROM lanes WHERE disorder")
        # The walk reads a sorted subquery in its order, which SQL does not promise but DuckDB does.
        assert disorder == 0, "the walk did not see its rows in order"  # noqa: S101


def _keys(definition: Definition) -> list[str]:
    return ["wallet", "currency"] if "currency" in definition.entries.keys else ["wallet"]


def currency_of(definition: Definition, side: str) -> str:
    """The column of a side's currency, or the definition's where it has none."""
    of = next(each for each in definition.sides if each.name == side)
    return "currency" if "currency" in of.keys else f"'{definition.currency}' AS currency"


def _before(definition: Definition, staging: Staging, cut_off: int) -> str | None:
    """Whether a row counts; None if all rows do, which spares asking each of them."""
    if "posted_at" not in definition.entries.keys:
        return None
    ((latest,),) = staging.rows("SELECT max(posted_at) FROM entries")
    if latest is None or latest < cut_off:
        return None
    # A row whose instant cannot be read is a finding, and counts: money does not go away.
    return f"coalesce(posted_at < {cut_off}, true)"


def _walked(definition: Definition, before: str) -> str:
    """The entries, each with whether it is suspect beside the row before it."""
    keys = _keys(definition)
    same = " AND ".join(f"coalesce(last_{key} = {key}, false)" for key in keys)
    lags = ", ".join(
        f"lag({name}) OVER () AS last_{name}" for name in [*keys, "posted_at", "balance_after"]
    )
    follows = "last_balance_after = balance_after - amount AND last_posted_at < posted_at"
    return f"""(
        SELECT *,
            CASE WHEN NOT ({same}) THEN balance_after - amount END AS first_pre,
            {before} AND (balance_after IS NULL OR (({same}) AND NOT coalesce({follows}, false)))
                AS suspect,
            coalesce(last_{keys[0]} > {keys[0]} OR (({same}) AND last_posted_at > posted_at), false)
                AS disorder
        FROM (
            SELECT *, {lags}
            FROM (
                SELECT {", ".join(keys)}, posted_at, amount, balance_after
                FROM entries ORDER BY {", ".join(keys)}, posted_at
            )
        )
    )"""  # noqa: S608
