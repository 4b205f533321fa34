"""The ledger's clock, for what many machines must agree on."""

from datetime import datetime

from sqlalchemy import select

from engine.store.database import Database
from engine.store.instant import database_now


class LedgerClock:
    """Asks the database each time: the machines around it may each think it is another time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> datetime:
        """The present instant by the database's clock."""
        with self._database.read() as connection:
            return connection.execute(select(database_now())).scalar_one()
