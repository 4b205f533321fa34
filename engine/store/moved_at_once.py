"""How many runs one transaction may move, where it keeps everybody else from writing."""

from engine.errors import Refused
from engine.store.database import Database

# What SQLite moves in some 2 s on a busy machine of two cores (measured: 7,000 a second). It has
# one writer: for as long no worker can renew a lease, and one that ran out ends an attempt.
MOST_AT_ONCE = 10_000


class TooManyAtOnce(Refused):
    """One transaction would hold up every worker of the ledger."""

    message = (
        "{count:,} runs are more than a SQLite ledger moves at once without holding up its "
        "workers; take fewer (`--limit {most}`), and say it again until none is left"
    )


def refuse_too_many(database: Database, count: int) -> None:
    """Raise TooManyAtOnce; never where rows are locked one by one, as on PostgreSQL."""
    if database.longest_given is not None and count > MOST_AT_ONCE:
        raise TooManyAtOnce(count=count, most=MOST_AT_ONCE)
