"""Leases at rest: the right to do something alone, until an instant of the database's clock."""

from datetime import timedelta

from sqlalchemy import delete, insert, or_, update
from sqlalchemy.exc import IntegrityError

from engine.store.database import Database
from engine.store.instant import database_now
from engine.store.tables import leases


class LeaseStore:
    """Named leases, each held by one process at a time."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def take(self, name: str, holder: str, *, lasting: timedelta) -> bool:
        """Take or renew the lease; False while another holder has it."""
        values = {"holder": holder, "until": database_now(lasting)}
        free = or_(leases.c.holder == holder, leases.c.until < database_now())
        try:
            with self.database.begin() as connection:
                taken = connection.execute(
                    update(leases).where(leases.c.name == name, free).values(values)
                )
                if taken.rowcount == 1:
                    return True
                connection.execute(insert(leases).values(values | {"name": name}))
        except IntegrityError:
            return False
        return True

    def release(self, name: str, holder: str) -> None:
        """Give the lease up, if it is still this holder's."""
        with self.database.begin() as connection:
            connection.execute(
                delete(leases).where(leases.c.name == name, leases.c.holder == holder)
            )
