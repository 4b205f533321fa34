"""Leases at rest: the right to do something alone, until an instant of the database's clock."""

from datetime import timedelta

from sqlalchemy import delete, or_

from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.tables import leases
from engine.store.upsert import upsert


class LeaseStore:
    """Named leases, each held by one process at a time."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def take(self, name: str, holder: str, *, lasting: timedelta) -> bool:
        """Take or renew the lease; False while another holder has it."""
        values = {"holder": holder, "until": database_now(lasting)}
        # Longer than any: the clock was set back since, and its holder would have renewed it.
        too_long = leases.c.until > database_now(2 * lasting)
        free = or_(leases.c.holder == holder, leases.c.until < database_now(), too_long)
        with self.database.begin() as connection:
            new = upsert(connection, leases).values(values | {"name": name})
            taken = new.on_conflict_do_update(index_elements=["name"], set_=values, where=free)
            return connection.execute(taken.returning(leases.c.name)).first() is not None

    def release(self, name: str, holder: str) -> None:
        """Give the lease up, if it is still this holder's."""
        with self.database.begin() as connection:
            connection.execute(
                delete(leases).where(leases.c.name == name, leases.c.holder == holder)
            )
