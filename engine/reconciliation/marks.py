"""Marks: the type and the reference of some entries, read again from their source.

Two texts for each of ten million entries would cost as much as everything else that is read of
them, and only those of a few are ever asked for.
"""

from collections.abc import Sequence
from dataclasses import replace

from engine.reconciliation.definition import QueryRows, Side
from engine.reconciliation.snapshots import Snapshots
from engine.reconciliation.staging import Staging

_FEW = 20_000  # entries that a source is asked for by their ids


def read_marks(
    snapshots: Snapshots, entries: Side, columns: Sequence[str], staging: Staging
) -> None:
    """Make the table `marks`: `entry` and `columns` of the entries in the table `alike`, as text.

    A few are asked for by id, which a source with an index answers at once. It may hold its ids in
    another type than we do (a BLOB, say) and not know them: then all of its rows are looked at.
    """
    asked = ["entry", *columns]
    side = replace(entries, name="marks")
    wanted = "entry IN (SELECT entry::VARCHAR FROM alike)"
    some = f"SELECT DISTINCT entry::VARCHAR FROM alike LIMIT {_FEW + 1}"  # noqa: S608
    ids = [entry for (entry,) in staging.rows(some)]
    if len(ids) <= _FEW and isinstance(side.rows, QueryRows) and len(side.keys["entry"]) == 1:
        snapshots.stage_some(side, asked, staging, only=wanted, ids=ids)
        ((found,),) = staging.rows("SELECT count(DISTINCT entry) FROM marks")
        if found == len(ids):
            return
    snapshots.stage_some(side, asked, staging, only=wanted)
