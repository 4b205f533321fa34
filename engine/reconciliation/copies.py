"""Copies: entries that are there more than once, and look-alikes that may be.

Made as two tables of single rows of `entries`, by `row_`; `name` is the row's id, told apart from
others that bear the same.

`copies` are certain. A row is a copy if a row before it has the same id, or the same facts: wallet,
currency, amount (with its sign), instant, and the type and the reference where the definition maps
them; what both rows lack counts as the same. Before means the lower id; of rows with one id, the
earlier, then whichever the rows themselves put first, so that their order in the source changes
nothing. A `replica` says the same balance as the row that it copies: it was stored twice, but
moved nothing twice, and the chain leaves it out. Any other copy is part of the chain.

`lookalikes` are suspicions. A row is one if, among the rows of the same wallet, currency, amount
and type that are no copies, the one before it in time (of one instant, the one with the lower id)
lies at most the definition's window before it. So of three in a row, the second and the third.

Rows after the cut-off, and rows with something missing (a finding has them), take no part.
Where every id is there once and no wallet has two equal amounts within the window, as the walk
can tell, no row is looked at at all; and type and reference are read of those rows only that
could be copies without them.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from engine.reconciliation.definition import Definition
from engine.reconciliation.staging import Staging

ReadMarks = Callable[[Sequence[str]], None]
"""Reads such columns of the entries in `alike` from their source, into the table `marks`."""

_MARKS = ("code", "reference")
_MICROSECOND = timedelta(microseconds=1)
_PARTS = 8  # in which ids are counted where some bear the same

_TABLES = """
    CREATE TABLE copies (
        row_ BIGINT, wallet {wallet}, currency VARCHAR, amount BIGINT, entry {entry},
        name VARCHAR, original VARCHAR, replica BOOLEAN
    );
    CREATE TABLE lookalikes (
        row_ BIGINT, wallet {wallet}, currency VARCHAR, amount BIGINT, entry {entry},
        name VARCHAR, before_ VARCHAR, apart BIGINT, same_reference BOOLEAN
    )"""

_NAMESAKES = """
    CREATE TABLE namesakes AS
    SELECT e.rowid AS row_, wallet, {currency} AS currency, amount, entry,
        row_number() OVER (PARTITION BY entry ORDER BY {first}) AS place
    FROM entries e JOIN shared USING (entry) WHERE {sound}"""

_ALIKE = """
    CREATE TABLE alike AS
    SELECT e.rowid AS row_, wallet, {currency} AS currency, amount, entry, posted_at,
        {balance} AS balance_after
    FROM entries e JOIN (SELECT {lane} FROM holdings WHERE crowded) USING ({lane})
    WHERE {sound}
    WINDOW near AS (PARTITION BY {lane}, amount ORDER BY posted_at)
    QUALIFY posted_at - lag(posted_at) OVER near <= {window}
        OR lead(posted_at) OVER near - posted_at <= {window}"""

_MARKED = """
    CREATE TABLE marked AS
    SELECT a.*, {code} AS code, {reference} AS reference,
        a.entry::VARCHAR || CASE WHEN place > 1 THEN ' (' || place || ')' ELSE '' END AS name
    FROM ({placed}) a {marks}"""

_PLACED = "SELECT *, 1 AS place FROM alike"
_PLACED_AMONG_NAMESAKES = """
    SELECT alike.*, coalesce(place, 1) AS place,
        row_number() OVER (PARTITION BY {facts} ORDER BY place) AS nth
    FROM alike LEFT JOIN (SELECT row_, place FROM namesakes) USING (row_)"""

_JOINED_MARKS = "LEFT JOIN marks m ON m.entry = a.entry::VARCHAR"
_JOINED_MARKS_OF_NAMESAKES = """
    LEFT JOIN (
        SELECT *, row_number() OVER (PARTITION BY {facts} ORDER BY {mapped}) AS nth FROM marks
    ) m
    ON m.entry = a.entry::VARCHAR AND m.wallet = a.wallet::VARCHAR AND m.nth = a.nth {same}"""

_COPIES_BY_FACTS = """
    INSERT INTO copies
    SELECT row_, wallet, currency, amount, entry, name, original, replica FROM (
        SELECT *, first_value(name) OVER facts AS original, row_number() OVER facts > 1 AS later,
            row_number() OVER balances > 1 AS replica
        FROM marked
        WINDOW facts AS (
                PARTITION BY wallet, currency, amount, posted_at, code, reference
                ORDER BY entry, place
            ),
            balances AS (
                PARTITION BY wallet, currency, amount, posted_at, code, reference, balance_after
                ORDER BY entry, place
            )
    ) WHERE later"""

_COPIES_BY_ID = """
    INSERT INTO copies
    SELECT row_, wallet, currency, amount, entry, entry::VARCHAR || ' (' || place || ')',
        entry::VARCHAR, false
    FROM namesakes WHERE place > 1 AND row_ NOT IN (SELECT row_ FROM copies)"""

_LOOKALIKES = """
    INSERT INTO lookalikes
    SELECT row_, wallet, currency, amount, entry, name, before_, apart, same_reference FROM (
        SELECT *, lag(name) OVER time AS before_, posted_at - lag(posted_at) OVER time AS apart,
            coalesce(reference = lag(reference) OVER time, false) AS same_reference
        FROM marked WHERE row_ NOT IN (SELECT row_ FROM copies)
        WINDOW time AS (PARTITION BY wallet, currency, amount, code ORDER BY posted_at, entry)
    ) WHERE apart <= {window}"""


def find_copies(
    definition: Definition, staging: Staging, *, cut_off: int, read_marks: ReadMarks
) -> None:
    """Make the tables `copies` and `lookalikes`."""
    assert definition.window is not None  # noqa: S101 - the caller has looked
    wallet, entry = (staging.kind("entries", name) for name in ("wallet", "entry"))
    staging.run(_TABLES.format(wallet=wallet, entry=entry))
    lane = definition.entry_lane
    balance = ["balance_after"] if definition.says_balances else []
    words = {
        "currency": "currency" if "currency" in lane else f"'{definition.currency}'",
        "balance": "balance_after" if balance else "NULL::BIGINT",
        "lane": ", ".join(lane),
        "first": ", ".join(["posted_at", *lane, "amount", *balance]),
        "sound": sound(definition, cut_off),
        "window": definition.window // _MICROSECOND,
    }
    _find_shared(staging)
    staging.run(_NAMESAKES.format(**words))
    staging.run(_ALIKE.format(**words))
    if staging.count("alike"):
        _mark(definition, staging, read_marks)
        staging.run(_COPIES_BY_FACTS)
        staging.run(_COPIES_BY_ID)
        staging.run(_LOOKALIKES.format(**words))
    else:
        staging.run(_COPIES_BY_ID)


def sound(definition: Definition, cut_off: int) -> str:
    """What is true (in SQL) of entries that count at the cut-off and lack nothing.

    A row that lacks something is a finding, and so no break as well.
    """
    keys = definition.entries.keys
    due = [name for name in ("entry", "posted_at") if name in keys]
    due += ["balance_after"] if definition.says_balances else []
    conditions = [f"{name} IS NOT NULL" for name in due]
    conditions += [f"posted_at < {cut_off}"] if "posted_at" in keys else []
    return " AND ".join(conditions) or "true"


def place_of(definition: Definition) -> tuple[str, str]:
    """A row's place among the entries `e` that bear its id, and the join that tells it, in SQL.

    Where nobody asks for duplicates, every row has the first.
    """
    if "duplicate" not in definition.checks:
        return "1", ""
    return (
        "coalesce(place, 1)",
        "LEFT JOIN (SELECT row_, place FROM namesakes) n ON n.row_ = e.rowid",
    )


def named(entry: Any, place: int) -> str:
    """The id, with a number behind it for every row but the first that bears it."""
    return f"{entry} ({place})" if place > 1 else str(entry)


def _mark(definition: Definition, staging: Staging, read_marks: ReadMarks) -> None:
    mapped = [name for name in _MARKS if name in definition.entries.keys]
    words = {name: f"m.{name}" if name in mapped else "NULL::VARCHAR" for name in _MARKS}
    words |= {"placed": _PLACED, "marks": ""}
    if not staging.count("namesakes"):
        if mapped:
            read_marks(mapped)
            words["marks"] = _JOINED_MARKS
        staging.run(_MARKED.format(**words))
        return
    # An id alone does not say which row is meant. Rows that are alike in all of this are told
    # apart by nothing but what is asked for here.
    numbers = ["amount", "posted_at", *(["balance_after"] if definition.says_balances else [])]
    facts = ", ".join(["entry", "wallet", *numbers])
    words["placed"] = _PLACED_AMONG_NAMESAKES.format(facts=facts)
    if mapped:
        read_marks([*mapped, "wallet", *numbers])
        same = "".join(f" AND m.{name} = a.{name}" for name in numbers)
        words["marks"] = _JOINED_MARKS_OF_NAMESAKES.format(
            facts=facts, mapped=", ".join(mapped), same=same
        )
    staging.run(_MARKED.format(**words))


def _find_shared(staging: Staging) -> None:
    """Make the table `shared`: the ids that more than one entry bears."""
    kind = staging.kind("entries", "entry")
    staging.run(f"CREATE TABLE shared (entry {kind})")
    if staging.are_single("entries", "entry"):
        return
    for part in range(_PARTS):
        staging.run(
            f"INSERT INTO shared SELECT entry FROM entries WHERE hash(entry) % {_PARTS} = {part} "  # noqa: S608
            "GROUP BY entry HAVING count(*) > 1"
        )
